"""What a fact looks like: one pattern for each kind, the surest first, and where few facts count."""

from __future__ import annotations

import re
from collections.abc import Callable
from enum import StrEnum


class Kind(StrEnum):
    """What a fact is."""

    URL = "url"
    EMAIL = "email"
    PATH = "path"
    QUOTED = "quoted"
    IDENTIFIER = "identifier"
    VERSION = "version"
    DATE = "date"
    TIME = "time"
    NUMBER = "number"
    NAME = "name"


Accepts = Callable[[re.Match[str]], bool]

LONGEST_QUOTE = 60
"""Code points of the longest quoted text that is one fact; a longer one is pasted matter."""
SHOUTED = 0.4
"""Share of capitals among a text's letters from which capitals say nothing about names."""
TITLED = 0.35
"""Share of capitalised words inside sentences from which they say nothing (titles, German)."""
CODE_DENSITY = 0.1
"""Share of brackets, operators and the like in a line from which it is taken for pasted code."""

_EXTENSIONS = (
    "py|pyi|ipynb|js|mjs|cjs|jsx|ts|tsx|vue|svelte|json|jsonl|yaml|yml|toml|ini|cfg|conf|env|lock|"
    "xml|html|htm|css|scss|less|md|rst|txt|log|csv|tsv|xlsx|xls|xlsm|ods|docx|doc|odt|rtf|pdf|pptx|"
    "ppt|tex|bib|epub|sql|db|sqlite|parquet|feather|pkl|npz|npy|h5|onnx|gguf|safetensors|java|kts?|"
    "scala|groovy|gradle|c|h|cc|cpp|hpp|cs|go|rs|rb|php|swift|dart|lua|pl|r|rmd|jl|ex|exs|hs|clj|sh|"
    "bash|zsh|fish|ps1|bat|cmd|tf|tfvars|proto|graphql|png|jpg|jpeg|gif|svg|webp|heic|psd|mp3|mp4|"
    "wav|flac|m4a|mov|avi|mkv|srt|vtt|zip|tar|tgz|gz|bz2|xz|7z|rar|exe|dll|so|jar|war|apk|deb|rpm|"
    "iso|dmg|bak|tmp|pem|crt|service"
)
_DOMAINS = "com|org|net|io|dev|edu|gov|info|app|co\\.uk|de|fr|es|it|nl|at|ch|eu|pl|ai|example"
_LONG_MONTHS = (
    "january|february|march|april|may|june|july|august|september|october|november|december"
)
_SHORT_MONTHS = "jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec"
_MONTHS = rf"(?:{_LONG_MONTHS}|{_SHORT_MONTHS})"
_COUNTED = "days?|nights?|weeks?|months?|hours?|mins?|people|ppl|guests|of"
_UNITS = (
    "%|‰|°c|°f|°|€|£|¥|ms|sec|s|mins?|hrs?|h|km/h|mph|km|cm|mm|µm|nm|m²|m2|sqm|sqft|ft|kgs?|mg|g|"
    "lbs?|oz|ml|cl|dl|l|kb/s|mb/s|gb/s|kbps|mbps|gbps|kb|mb|gb|tb|kib|mib|gib|hz|khz|mhz|ghz|px|"
    "dpi|kwh|kw|w(?!/(?:\\s|$|o\\b|out\\b))|mah|ah|v|kcal|bpm|rpm|fps|eur|usd|gbp|chf|cad|aud|inr|bn|mio|k|m|x"
)
_NOT_NAMES = (
    "I|I'm|I’m|I've|I’ve|I'd|I’d|I'll|I’ll|Im|Ive|Id|Ill|OK|Ok|Okay|PS|Mr|Mrs|Ms|The|A|An|My|We|"
    "You|He|She|It|They|This|That|There|Please|Pls|PLEASE|Thanks|Thx|Hi|Hello|Hey|Dear|And|But|Or|"
    "If|So|Not|No|Yes|FYI|ASAP|LOL|TBH|IMO|IDK|BTW|TODO|TLDR|AM|PM|Also|Then|Now|How|What|Why|When|"
    "Where|Who|Which|Can|Could|Should|Would|Will|Do|Does|Did|Is|Are|Was|Were|NOT|MUST|NO|ALL|ANY|"
    "ONLY|NEVER|AND|OR|BUT|NEW|OF|TO|IN|ON|FROM|WHERE|WITH|FOR|BY|THE|THIS|THAT|ARE|IS|SO|WHY|WHAT|"
    "HOW|VERY|TOO|EVERY|BOTH|MAY|WILL|SHALL|STOP|STILL|END|SET|AS|IT|DO|DONT|ALSO|EVEN"
)
_CAPITAL = "A-ZÀ-ÖØ-ÞŁŚŻŹĆČŠŽİΑ-ΩА-Я"
_NAME = rf"(?!(?:{_NOT_NAMES})(?![\w'’]))[{_CAPITAL}]\w*(?:['’](?!s\b)\w+)*"
_NUMBER = r"\d+(?:[.,'’]\d+)*"
_EDGE = r"[^\s<>\"'`)\]}]*[^\s<>\"'`)\]}.,;:!?]"
_GLUED = re.compile(r"\d+(?:[^\W\d_]{1,4}|(?:-[^\W\d_]+)+)")
_LIST_MARK = re.compile(r"(?:\A|\n)[ \t>*-]*\Z")
_CODE_MARKS = re.compile(r"[(){}\[\]<>=;|\\]|::|->|\+\+")
_MARKED_LINE = re.compile(
    r"\s*(?:[-+]{3} |@@|diff |\$ |>>> |at [\w.$]+\(|File \"|[-+=]\s*\w.*[;{})]$|"
    r"(?:async )?(?:def|func|fn|function|class|struct)\b [\w<>]+ ?[(:{]|(?:const|let|var|val) \w+ ?=|"
    r"import [\w.{} ,*]+(?: from .+)?;?$|from [\w.]+ import |#include|SELECT .*\bFROM\b|FROM \w+ ?\w*$)"
)
_LONG_QUOTE = re.compile(
    rf"(?<!\w)(?:\"[^\"]{{{LONGEST_QUOTE + 1},}}\"|“[^”]{{{LONGEST_QUOTE + 1},}}”)"
)


def _any(match: re.Match[str]) -> bool:
    return True


def _has_word(match: re.Match[str]) -> bool:
    return any(c.isalnum() for c in match["fact"])


def _is_code(match: re.Match[str]) -> bool:
    """Letters and digits mixed, but no number with a unit, an ordinal ending or a hyphened word."""
    text = match["fact"]
    mixed = any(c.isdigit() for c in text) and any(c.isalpha() for c in text)
    return mixed and not _GLUED.fullmatch(text)


def _is_short_code(match: re.Match[str]) -> bool:
    return len(match["fact"]) < 4 and _is_code(match)


def _is_number(match: re.Match[str]) -> bool:
    """Not the number of a list's item."""
    text, (start, end) = match.string, match.span("fact")
    marks = match["fact"].isdigit() and text[end : end + 1] in {".", ")"}
    return not (marks and _LIST_MARK.search(text, max(0, start - 8), start))


def _is_name(match: re.Match[str]) -> bool:
    """Two letters or more; a long word in capitals is emphasis and no abbreviation."""
    text = match["fact"]
    return len(text) > 1 and not (text.isupper() and len(text) > 5)


def _is_path(match: re.Match[str]) -> bool:
    """It names a root or several folders; `and/or`, `km/h` and `w/` are none."""
    text, start = match["fact"], match.start("fact")
    return (
        text[0] in ".~"
        or text[1:2] == ":"
        or not match.string[start - 1 : start].strip("([\"'`=:,")
    )


def _quoted(opening: str, closing: str, inner: str = "") -> str:
    """Something between quotation marks on one line, not too long, with no blank at its edges."""
    inner = inner or rf"[^{opening}{closing}\n]"
    body = rf"(?P<fact>(?![\s,;.):])(?:{inner}){{2,{LONGEST_QUOTE}}}(?<=\S))"
    return rf"(?<!\w)[{opening}]{body}[{closing}](?!\w)"


_SOURCES: tuple[tuple[Kind, str, Accepts], ...] = (
    (Kind.URL, rf"\b[a-zA-Z][a-zA-Z0-9+.-]*://{_EDGE}", _any),
    (Kind.EMAIL, r"(?<![\w.+-])[\w.+-]{1,64}@[\w-]+(?:\.[\w-]+)+", _any),
    (Kind.URL, rf"(?<![\w@.-])(?:[\w-]+\.)+(?:{_DOMAINS})(?![\w-]|\.\w)(?:/(?:{_EDGE})?)?", _any),
    (Kind.QUOTED, _quoted('"', '"') + r"(?!\s*:)", _has_word),
    (Kind.QUOTED, _quoted("“„", "”“"), _has_word),
    (Kind.QUOTED, _quoted("«", "»"), _has_word),
    (Kind.QUOTED, _quoted("「『", "」』"), _has_word),
    (Kind.QUOTED, _quoted("`", "`"), _has_word),
    (Kind.QUOTED, _quoted("'‘", "'’", r"[^'‘’\n]|(?<=\w)['’](?=\w)"), _has_word),
    (Kind.NAME, r"(?<![\w./])(?i:node|next|vue|nuxt|express|three|discord|react|d3)\.js\b", _any),
    (
        Kind.PATH,
        r"(?<![\w./~\\])(?:~|\.{1,2}|[A-Za-z]:)?[/\\](?:[\w.@+%{}$-]+[/\\])*[\w.@+%{}$*-]*\w[/\\]?",
        _is_path,
    ),
    (
        Kind.PATH,
        rf"(?<![\w./\\@+-])(?:[\w.@+-]+[/\\])*[\w@+-][\w.@+-]*\.(?:{_EXTENSIONS})(?![\w/(-]|\.\w)",
        _any,
    ),
    (Kind.PATH, r"(?<![\w./])\.(?:env|ssh|(?:git|bash|zsh|vim|docker|npm|eslint)\w+)\b", _any),
    (
        Kind.DATE,
        r"(?<![\w.])\d{4}[-/]\d{2}[-/]\d{2}"
        r"(?:[T ]\d{2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?)?(?!\w)",
        _any,
    ),
    (
        Kind.DATE,
        r"(?<![\w./-])\d{1,2}(?P<sep>[./-])\d{1,2}(?P=sep)(?:\d{4}|\d{2})(?!\w|[./-]\w)",
        _any,
    ),
    (
        Kind.DATE,
        rf"(?i:(?<!\w)(?:{_LONG_MONTHS}|(?:{_SHORT_MONTHS})\.?) \d{{1,2}}(?:st|nd|rd|th)?(?:,? \d{{4}})?"
        rf"(?![\w%:]|[.,]\d| (?:{_COUNTED})\b))",
        _any,
    ),
    (
        Kind.DATE,
        rf"(?i:(?<![\w.,])\d{{1,2}}(?:st|nd|rd|th|\.)?(?: of)? {_MONTHS}(?!\w)"
        r"(?! (?:be|have|not|need|also)\b)(?:[.,]? \d{4}\b)?)",
        _any,
    ),
    (Kind.DATE, rf"(?i:(?<!\w){_MONTHS},? (?:19|20)\d\d\b)", _any),
    (
        Kind.TIME,
        r"(?<![\w:.])\d{1,2}:\d{2}(?::\d{2}(?:,\d+)?)?(?:\.\d+)?(?: ?[apAP]\.?[mM]\b)?"
        r"(?![\w:]*\w)(?!,\d{3}(?!\d))",
        _any,
    ),
    (Kind.TIME, r"(?<![\w:.])\d{1,2} ?(?:[apAP]\.?[mM]|[uU]hr)\b", _any),
    (
        Kind.IDENTIFIER,
        r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?::\d+|/\d+)?(?![\w/]|\.\w)",
        _any,
    ),
    (Kind.VERSION, r"(?<![\w.])v?\d+(?:\.\d+){2,}(?:-[\w.]*\w)?(?!\w)", _any),
    (Kind.VERSION, r"(?<![\w.])[vV]\d+\.\d+(?!\w)", _any),
    (Kind.IDENTIFIER, r"(?<![\w.])[A-Za-z_]\w*(?:\.\w+)*\(\)", _any),
    (Kind.IDENTIFIER, r"(?<![\w.])[A-Za-z_]\w*(?:\.\w+)+(?=\()", _any),
    (Kind.IDENTIFIER, r"(?<!\w)\$\{?[A-Za-z_]\w*\}?", _any),
    (Kind.IDENTIFIER, r"(?<!\w)[@#][A-Za-z_][\w-]*\w", _any),
    (Kind.IDENTIFIER, r"(?<![\w-])--[A-Za-z][\w-]*", _any),
    (Kind.IDENTIFIER, r"(?<!\w)(?=[\d_]*[^\W\d_])\w+_\w+", _any),
    (Kind.NAME, r"(?<!\w)(?:i[A-Z][A-Za-z]+|macOS|watchOS|jQuery|eBay|mRNA|pH)(?!\w)", _any),
    (Kind.IDENTIFIER, r"(?<!\w)[a-z][a-z0-9]+[A-Z][A-Za-z0-9]*(?!\w)", _any),
    (Kind.NAME, rf"(?<!\w)[{_CAPITAL}][a-z0-9]+[{_CAPITAL}]\w*", _any),
    (Kind.NAME, r"(?<![\w-])[^\W_]+(?:-[^\W_]+|\.\d[^\W_]*)*(?!\w)", _is_short_code),
    (Kind.IDENTIFIER, r"(?<![\w-])[^\W_]+(?:-[^\W_]+|\.\d[^\W_]*)*(?!\w)", _is_code),
    (
        Kind.NUMBER,
        rf"(?<![^\W\d_])(?:[$€£¥₹] ?)?{_NUMBER}(?: ?(?i:{_UNITS})(?!\w))?",
        _is_number,
    ),
    (
        Kind.NAME,
        rf"(?<=[\w,&%)] ){_NAME}(?:[ -](?:(?:of|de|der|von|van|la|du) )?{_NAME})*",
        _is_name,
    ),
)

PATTERNS: tuple[tuple[Kind, re.Pattern[str], Accepts], ...] = tuple(
    (kind, re.compile(source if "(?P<fact>" in source else f"(?P<fact>{source})"), accepts)
    for kind, source, accepts in _SOURCES
)
"""Kind, pattern (the fact is its group `fact`) and a further test, in the order of precedence."""


def is_shouted(text: str) -> bool:
    """Whether capitals mark no names in a text: upper case, titles, nouns with capitals."""
    letters = [c for c in text if c.isalpha()]
    inside = re.findall(r"(?<=[\w,] )[^\W\d_]\w*", text)
    capitals = sum(word[0].isupper() for word in inside)
    upper = sum(c.isupper() for c in letters) > SHOUTED * len(letters)
    return upper or (len(inside) > 11 and capitals > TITLED * len(inside))


def pasted_spans(text: str) -> list[tuple[int, int]]:
    """Where a text holds pasted matter: lines of code, logs or markup, and long quotations.

    A text of one line has no pasted lines: a question about `foo_bar()` is about `foo_bar()`.
    """
    spans = [match.span() for match in _LONG_QUOTE.finditer(text)]
    return spans + (_code_lines(text) if "\n" in text.strip() else [])


def _code_lines(text: str) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    start, fenced = 0, False
    for line in text.split("\n"):
        fence = line.lstrip().startswith("```")
        fenced ^= fence
        marks = sum(len(match) for match in _CODE_MARKS.findall(line))
        dense = marks > max(3, CODE_DENSITY * len(line.strip()))
        if fence or fenced or dense or _MARKED_LINE.match(line):
            found.append((start, start + len(line)))
        start += len(line) + 1
    return found
