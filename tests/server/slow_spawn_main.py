"""tests/cli/scripted_main.py, but the engine's pipes are connected only after something was written.

It complains where asyncio is cancelled in connecting them: whoever spawns may then wait for ever.
"""

from __future__ import annotations

import asyncio
import runpy
import sys
from asyncio.base_subprocess import BaseSubprocessTransport
from pathlib import Path
from typing import Any

import sinc_tui.cli.mcp

MAIN = Path(__file__).parents[1] / "cli" / "scripted_main.py"

if __name__ == "__main__":
    written: list[str] = []
    write = sinc_tui.cli.mcp.write
    connect = BaseSubprocessTransport._connect_pipes  # type: ignore[attr-defined]

    def noted(text: str) -> None:
        written.append(text)
        write(text)

    async def late(transport: Any, waiter: Any) -> None:
        try:
            while not written:
                await asyncio.sleep(0)
        except asyncio.CancelledError:
            print("The pipes were never connected.", file=sys.stderr)
            raise
        await connect(transport, waiter)

    sinc_tui.cli.mcp.write = noted
    BaseSubprocessTransport._connect_pipes = late  # type: ignore[attr-defined]
    runpy.run_path(str(MAIN), run_name="__main__")
