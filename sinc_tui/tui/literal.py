"""Text that others wrote, shown as it is: nothing in it may act on the terminal, nothing may hide.

Escape sequences would repaint the screen, bidirectional controls would reorder it, zero-width and
tag characters would carry what nobody sees, and a lone surrogate cannot be encoded at all.
"""

from __future__ import annotations

import re

_UNSAFE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff"
    "\ud800-\udfff\U000e0000-\U000e007f]"
)


def visible(text: str) -> str:
    """`text` with every character that acts or hides named, for reading; newlines and tabs stay."""
    return _UNSAFE.sub(lambda match: _name(match[0]), text)


def visible_in_place(text: str) -> str:
    """As `visible`, but one character for one, so that an editor's columns still fit its text."""
    return _UNSAFE.sub(lambda match: _picture(match[0]) or "\N{REPLACEMENT CHARACTER}", text)


def _name(character: str) -> str:
    return _picture(character) or f"⟨U+{ord(character):04X}⟩"


def _picture(character: str) -> str:
    """The control picture of an ASCII control character; empty for any other."""
    code = ord(character)
    if code < 0x20:
        return chr(0x2400 + code)
    return "\N{SYMBOL FOR DELETE}" if code == 0x7F else ""
