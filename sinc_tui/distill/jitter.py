"""Other numbers of the same shape, put consistently into a prompt and its bands.

A number is replaced only when it has two digits or more, stands in the prompt and in some band, and
stands free wherever it stands: alone, with a sign, a currency, a per cent mark, a unit or a
hyphened word (`30-day`). Inside identifiers, file names, URLs, versions and hexadecimals it would
mean something else, and a number that is also written as a word, or that names a known code
(`error 404`, `python 3.11`), would no longer fit the text around it; dates and clock times would be
none any more. A year stays a year.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence

NUMBER = re.compile(r"[0-9]+(?:[.,][0-9]+)*")
"""A number as it is typed: digits, with points or commas between digits."""

_CHUNK = re.compile(r"\S+")
_UNIT = (
    r"ms|sec|secs|min|mins|h|hr|hrs|d|w|mo|yr|yrs|y|km|cm|mm|m|ft|kg|g|mg|lb|lbs|oz|l|ml|"
    r"kb|mb|gb|tb|k|hz|khz|mhz|ghz|px|pt|kw|kwh|v|mah|x|eur|usd|gbp|chf|€|%|°c|°f|°|c|f|ppm|rpm|fps"
)
_N = NUMBER.pattern
_FREE = re.compile(
    rf"[^\w]*{_N}(?:[-–/:+*x×]{_N})*(?:{_UNIT})?(?:[-/][^\W\d_]+)*[^\w]*", re.IGNORECASE
)
"""A chunk between blanks in which numbers stand free."""
_DATE_LIKE = re.compile(r"[0-9]+[-/.][0-9]+[-/.][0-9]+|[0-9]{1,2}:[0-9]{2}")
_CODED = re.compile(
    r"\b(?:error|errors|status|http|code|codes|exit|port|python|java|node|php|ruby|windows|ubuntu|"
    r"ios|android|postgres|mysql|version|articles?|art|section|§|rfc|iso|en|din|form|route|area|"
    r"chapter|utf|sha|base|covid|world war|level|grade|jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|"
    r"apr(?:il)?|may|june?|july?|aug(?:ust)?|sep(?:t|tember)?|oct(?:ober)?|nov(?:ember)?|"
    r"dec(?:ember)?)[\s:=#.-]*\Z",
    re.IGNORECASE,
)
_CODED_AFTER = re.compile(
    r"\s*(?:error|not found|st\b|nd\b|rd\b|th\b|[ap]\.?m\b|jan|feb|mar(?:ch)?\b|apr|may\b|june?\b|"
    r"july?\b|aug|sep|oct|nov|dec)",
    re.IGNORECASE,
)
_WORDS = {
    "10": "ten", "11": "eleven", "12": "twelve|dozen|noon|year", "13": "thirteen",
    "14": "fourteen|fortnight", "15": "fifteen|quarter", "16": "sixteen", "18": "eighteen",
    "20": "twenty", "24": "day|daily", "25": "twenty|quarter", "30": "thirty|month|half",
    "40": "forty", "50": "fifty|half", "60": "sixty|minute|hour", "90": "ninety|quarter",
    "100": "hundred|all|full", "500": "hundred", "1000": "thousand",
}  # fmt: skip


def jittered(
    texts: Sequence[str], rng: random.Random, rejected: Sequence[str] = ()
) -> tuple[list[str], list[str]]:
    """`texts` (the prompt, then its bands) and `rejected` with other numbers, where that can be done.

    Every text keeps its length, every number of the prompt that stood in a band stands there again,
    and the bands' numbers come from the prompt as before.
    """
    mapping = _mapping(texts, rng, {n for text in rejected for n in NUMBER.findall(text)})
    changed, others = _replaced(texts, mapping), _replaced(rejected, mapping)
    if _faults(changed) > _faults(texts):
        return list(texts), list(rejected)
    return changed, others


def _replaced(texts: Sequence[str], mapping: dict[str, str]) -> list[str]:
    return [NUMBER.sub(lambda match: mapping.get(match[0], match[0]), text) for text in texts]


def _mapping(texts: Sequence[str], rng: random.Random, used: set[str]) -> dict[str, str]:
    in_prompt = dict.fromkeys(NUMBER.findall(texts[0]))
    in_bands = {number for text in texts[1:] for number in NUMBER.findall(text)}
    fixed = {number for text in texts for number in _fixed(text)}
    lower = " ".join(texts[1:]).lower()
    taken = set(in_prompt) | in_bands | used
    mapping: dict[str, str] = {}
    for number in in_prompt:
        if number in in_bands and number not in fixed and not _spelled_out(number, lower):
            mapping[number] = _fresh(number, taken, rng)
            taken.add(mapping[number])
    return mapping


def _fixed(text: str) -> set[str]:
    """The numbers that must stay, because of one place where they stand."""
    fixed = set()
    for chunk in _CHUNK.finditer(text):
        free = _FREE.fullmatch(chunk[0]) and not _DATE_LIKE.search(chunk[0])
        for match in NUMBER.finditer(chunk[0]):
            start, end = chunk.start() + match.start(), chunk.start() + match.end()
            coded = _CODED.search(text[max(0, start - 20) : start])
            if not free or coded or _CODED_AFTER.match(text[end : end + 12]) or not _wide(match[0]):
                fixed.add(match[0])
    return fixed


def _wide(number: str) -> bool:
    """Whether it has two digits or more and no more than a decimal mark and thousands marks."""
    return sum(c.isdigit() for c in number) > 1 and number.count(".") < 2


def _spelled_out(number: str, bands: str) -> bool:
    words = _WORDS.get(number)
    return words is not None and re.search(rf"\b(?:{words})", bands) is not None


def _fresh(number: str, taken: set[str], rng: random.Random) -> str:
    for _ in range(50):
        new = _random_like(number, rng)
        if new not in taken:
            return new
    return number


def _random_like(number: str, rng: random.Random) -> str:
    """A random number of the same shape; for a year another year from 1950 to 2039."""
    if re.fullmatch(r"(?:19|20)[0-9]{2}", number):
        return str(rng.randint(1950, 2039))
    digits = []
    for index, char in enumerate(number):
        leading = index == 0 and char != "0"
        keep = not char.isdigit() or (index == 0 and char == "0")
        digits.append(char if keep else str(rng.randint(1 if leading else 0, 9)))
    return "".join(digits)


def _faults(texts: Sequence[str]) -> int:
    """Numbers of the prompt in no band, and those of two digits or more in DATA but not in it."""
    prompt, bands, data = texts[0], " ".join(texts[1:]), texts[3]
    lost = sum(number not in bands for number in set(NUMBER.findall(prompt)))
    foreign = sum(len(number) > 1 and number not in prompt for number in set(NUMBER.findall(data)))
    return lost + foreign
