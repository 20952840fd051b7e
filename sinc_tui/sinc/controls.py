"""Characters that a terminal would obey, shown instead of sent."""

from __future__ import annotations

import re

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ufffe\uffff]")


def visible(text: str) -> str:
    """`text` with each control character but newline and tab as a picture of itself."""
    return _CONTROL.sub(lambda match: _picture(ord(match[0])), text)


def one_line(text: str) -> str:
    """`text` on one line: newlines and tabs are pictures too."""
    return visible(text).replace("\n", "␊").replace("\t", "␉").translate(_SEPARATORS)


_SEPARATORS = {0x2028: "␊", 0x2029: "␊"}


def _picture(code: int) -> str:
    if code < 0x20:
        return chr(0x2400 + code)
    return "␡" if code == 0x7F else "\ufffd"
