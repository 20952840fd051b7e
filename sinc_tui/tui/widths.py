"""Keeps the columns where the terminal and the app disagree on how wide a character is.

A family joined of three faces is two cells for one terminal, six for another; flags, skin tones,
emoji made of a text character and the vowel signs of India differ as well. After such a cluster the
cursor is put to where the app takes it to be, so that a wrong width stays within its own cells.
Textual has switched the terminal's wrapping off, so none spills into the next line either.
"""

from __future__ import annotations

import re

from rich.cells import cell_len

_DOUBTFUL = (
    "\u0900-\u109f\u1100-\u11ff\u1780-\u17ff\u200c\u200d\u20e3\ufe0e\ufe0f\U0001f000-\U0001fbff"
)
"""Indic scripts, Hangul in parts, Khmer; what joins and varies characters; emoji."""
_CLUSTER = re.compile(f"(?:[{_DOUBTFUL}]|[^\x00-\x1f](?=[\u200d\u20e3\ufe0e\ufe0f]))+")
_PARTS = re.compile(f"(\x1b\\[\\d+;\\d+H)|(\x1b\\[[\\d;?]*[A-Za-z])|({_CLUSTER.pattern})|(.)", re.S)


def resynchronized(data: str) -> str:
    """Output for the terminal with the cursor set anew behind every doubtful cluster.

    Output without one comes back as it is. A cluster whose place is not known is left alone.
    """
    if _CLUSTER.search(data) is None:
        return data
    out: list[str] = []
    row = column = 0
    for move, sequence, cluster, character in _PARTS.findall(data):
        if move:
            row, column = map(int, move[2:-1].split(";"))
        elif cluster and row:
            out.append(_held(cluster, row, column))
            column += cell_len(cluster)
            continue
        elif character == "\n":
            row = 0
        elif character or cluster:
            column += cell_len(character or cluster)
        out.append(move or sequence or cluster or character)
    return "".join(out)


def _held(cluster: str, row: int, column: int) -> str:
    """A cluster within its own cells, which are blanked first in case it fills fewer."""
    width = cell_len(cluster)
    here = f"\x1b[{row};{column}H"
    behind = f"\x1b[{row};{column + width}H"
    return f"{here}{' ' * width}{here}{cluster}{behind}"
