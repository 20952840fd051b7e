"""Where a sentence ends, by rule, on text that may still grow.

The decoder closes TASK where this module sees a boundary and the validator counts sentences with
the same rules, so the two can never disagree. A boundary depends only on what stands before it and
on the first word after it: once found, it stays whatever is appended. Where a case cannot be told
(`U.S. Government`, `Acme Inc. Board`) the text is taken as one sentence, for a sentence that is cut
short loses more than two that are counted as one.
"""

from __future__ import annotations

import re

_SPACED = ".!?…‼⁇⁈⁉؟۔։።"
_UNSPACED = "。！？｡．।॥"
_CLOSERS = "\"'”’»›)]}*_）］】』」〉》〕"
_NEWLINES = "\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029"

_CANDIDATE = re.compile(
    rf"(?P<run>[{re.escape(_SPACED + _UNSPACED)}]+)(?P<closers>[{re.escape(_CLOSERS)}]*)"
    rf"|(?P<newline>[^\S{_NEWLINES}]*[{_NEWLINES}]\s*)"
)
_WORD = re.compile(r"[^\W\d_]+")
_LAST_TOKEN = re.compile(r"[^\s\"'“”‘’«»()\[\]{}*`]+\Z")
_DOTTED = re.compile(r"(?:[^\W\d_]\.)+[^\W\d_]\Z")
_LIST_MARK = re.compile(
    r"\W*(?:(?:step|phase|part|task|question|schritt|teil|aufgabe|frage)\s+)?\d{1,3}\Z", re.I
)
_GERMAN_ORDINAL = re.compile(
    r"\b(?:der|die|das|den|dem|des|am|im|zum|vom|beim|ab)\s+\d{1,2}\Z", re.I
)


def _words(names: str) -> frozenset[str]:
    return frozenset(names.split())


_NEVER_LAST = _words(
    # titles and names
    "mr mrs ms mx dr prof st gen col capt lt sgt rev messrs mme mlle hr fr dipl ing "
    # companies and offices
    "inc ltd co corp dept est univ "
    # connecting words
    "vs cf approx ca viz incl excl esp resp eg ie e.g i.e ph.d m.sc b.sc "
    "bzw ggf evtl vgl inkl exkl zzgl abzgl geb sog z.b d.h u.a"
)
_BEFORE_NUMBER = _words(
    "no nos nr num fig figs p pp vol vols ch chap sec art arts eq eqs ex para ver v op ref refs tab "
    "abs abb abschn s bd kap ziff min max est mio mrd tel ext "
    "jan feb mar apr jun jul aug sep sept oct nov dec mon tue tues wed thu thur thurs fri sat sun"
)
_HALF_DAY = frozenset({"a.m", "p.m"})
_AFTER_HALF_DAY = _words(
    "monday tuesday wednesday thursday friday saturday sunday mon tue wed thu fri sat sun "
    "january february march april may june july august september october november december "
    "jan feb mar apr jun jul aug sep sept oct nov dec "
    "utc gmt est edt cst cdt mst mdt pst pdt bst cet cest ist jst eastern central pacific"
)
_MONTHS = _words(
    "januar jänner februar märz april mai juni juli august september oktober november dezember"
)
_LABELLED = _words(
    # words whose single capital is a label (`option B.`) and not the initial of a name
    "option plan part case group class type point variant grade answer choice item section step "
    "appendix column row team vitamin version in into language level phase figure table "
    "variante gruppe klasse typ punkt spalte zeile anhang"
)
_QUOTE_PARTICLES = "とってはがをのにもや、，"

_PAIRS = {"(": ")", "[": "]", "{": "}", "“": "”", "„": "“”", "«": "»", "「": "」", "『": "』",
          "（": "）", "【": "】", "‹": "›", "《": "》"}  # fmt: skip
_MARKS = frozenset(_PAIRS) | frozenset("".join(_PAIRS.values())) | {'"', "`"}
_LONGEST_TOKEN = 64
"""Code points before a period that are looked at; no abbreviation is longer."""
_NO_WORD = "  "
"""Stands for what follows when a terminator or a newline comes before the next word."""
_PROTECTED = 200
"""Code points after an opening quote or bracket within which it keeps a sentence together."""


def split_sentences(text: str) -> list[str]:
    """The sentences of `text`, each without surrounding blanks; empty for a blank text."""
    sentences = []
    while (end := end_of_first_sentence(text)) is not None:
        sentences.append(text[:end].strip())
        text = text[end:]
    return [*sentences, text.strip()] if text.strip() else sentences


def end_of_first_sentence(text: str) -> int | None:
    """Index just past the first sentence of `text`, its closing quotes and brackets included.

    None while `text` holds one sentence only: a boundary needs a letter or a digit after it.
    """
    openings = _Openings(text)
    for match in _CANDIDATE.finditer(text):
        left = text[: match.start()]
        if not left.strip():
            continue
        following = _first_alphanumeric(text, match.end())
        if following is None:
            return None
        if match["newline"] is not None:
            return len(left.rstrip())
        if not openings.enclose(match.end()) and _is_boundary(text, match, following):
            return match.end()
    return None


def _first_alphanumeric(text: str, start: int) -> int | None:
    return next((i for i in range(start, len(text)) if text[i].isalnum()), None)


def _is_boundary(text: str, match: re.Match[str], following: int) -> bool:
    run, closers = match["run"], match["closers"]
    if run[-1] in _UNSPACED:
        return not (closers and text[match.end()] in _QUOTE_PARTICLES)
    if not text[match.end()].isspace():
        return run != "." and _is_unspaced_script(text[match.end()])
    if text[following].islower() and (closers or run[-1] in ".…"):
        return False
    if run != ".":
        return True
    adjacent = _CANDIDATE.search(text, match.end(), following) is None
    return not _is_abbreviation(text[: match.start()], text[following:] if adjacent else _NO_WORD)


def _is_unspaced_script(char: str) -> bool:
    return "\u3040" <= char <= "\u9fff" or "\uf900" <= char <= "\ufaff"


def _is_abbreviation(left: str, right: str) -> bool:
    """Whether the period between `left` and `right` (which starts at a word) ends no sentence."""
    token = _LAST_TOKEN.search(left, max(0, len(left) - _LONGEST_TOKEN))
    if token is None:
        return False
    word, before = token[0].lstrip("-–—/,;:@#~"), left[: token.start()]
    lower = word.lower()
    if lower in _HALF_DAY:
        return _next_word_in(right, _AFTER_HALF_DAY)
    if lower in _NEVER_LAST or _DOTTED.fullmatch(lower):
        return True
    if lower in _BEFORE_NUMBER and right[0].isdigit():
        return True
    if word.isdigit():
        return _is_ordinal(left, right)
    return len(word) == 1 and word.isalpha() and _is_initial(word, before, right)


def _is_ordinal(left: str, right: str) -> bool:
    return bool(
        _LIST_MARK.fullmatch(left)
        or _GERMAN_ORDINAL.search(left[-_LONGEST_TOKEN:])
        or _next_word_in(right, _MONTHS)
    )


def _is_initial(letter: str, before: str, right: str) -> bool:
    """Whether a single letter is part of a name or of a spaced abbreviation (`z. B.`)."""
    if len(right) < 2 or (right[1] == "." and right[0].isalpha()):
        return True
    previous = before.split()[-1:] or [""]
    if re.fullmatch(r"[^\W\d_]\.", previous[0]):
        return True
    if letter.islower() or previous[0].lower() in _LABELLED:
        return False
    return letter != "I" or not previous[0].islower()


def _next_word_in(right: str, words: frozenset[str]) -> bool:
    """Whether `right` starts with one of `words`, or may still grow into one."""
    word = _WORD.match(right)
    if word is None:
        return False
    start = word[0].lower()
    if word.end() == len(right):
        return any(name.startswith(start) for name in words)
    return start in words


class _Openings:
    """The quotations and brackets of a text that are open at a place; places are asked for in order."""

    def __init__(self, text: str) -> None:
        self._text, self._read = text, 0
        self._open: list[tuple[int, str]] = []

    def enclose(self, end: int) -> bool:
        """Whether the text before `end` lies in a quotation or a bracket that was opened not long ago."""
        while self._read < end - 1:
            _take_mark(self._open, self._text, self._read)
            self._read += 1
        opened = list(self._open)
        _take_mark(opened, self._text[:end], end - 1)
        return any(end - start <= _PROTECTED for start, _ in opened)


def _take_mark(opened: list[tuple[int, str]], text: str, index: int) -> None:
    """Note what the character at `index` opens or closes; `opened` has places and what closes them."""
    char = text[index]
    if char not in _MARKS:
        return
    closing = next((i for i, (_, ends) in enumerate(opened) if char in ends), None)
    if closing is not None:
        del opened[closing:]
    elif char in '"`' and _may_open(text, index):
        opened.append((index, char))
    elif char in _PAIRS and _may_open(text, index):
        opened.append((index, _PAIRS[char]))


def _may_open(left: str, index: int) -> bool:
    """An inch mark (`5"`) and a sad face (`:(`) open nothing; nor does what a blank follows."""
    after = left[index + 1 : index + 2]
    if not after or after.isspace():
        return False
    before = left[index - 1 : index]
    return before not in ":;" if left[index] == "(" else not before.isalnum() or before > "\u2e7f"
