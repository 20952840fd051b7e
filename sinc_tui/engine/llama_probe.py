"""What the installed llama.cpp build can do, as JSON on stdout: `python -m sinc_tui.engine.llama_probe`.

A process of its own, because a build that does not fit the machine ends the process that imports it.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict


def main() -> None:
    """Import the bindings, ask, print one line."""
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # whatever llama.cpp prints while it looks for devices is no part of the answer
    import llama_cpp

    from sinc_tui.engine.llama_devices import list_devices

    answer = {
        "version": llama_cpp.__version__,
        "folder": os.path.dirname(llama_cpp.__file__),
        "gpu": llama_cpp.llama_supports_gpu_offload(),
        "features": llama_cpp.llama_print_system_info().decode(errors="replace").strip(" |"),
        "devices": [asdict(device) for device in list_devices()],
    }
    print(json.dumps(answer), file=out, flush=True)
    sys.stderr.flush()
    os._exit(0)  # a driver's own teardown may crash, and nothing is left to do


if __name__ == "__main__":
    main()
