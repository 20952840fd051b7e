"""The app on the scripted worker, served to browsers: `python scripted_web.py [ARGUMENT OF THE WORKER]...`.

Prints the address.
"""

from __future__ import annotations

import signal
import sys
from functools import partial

from sinc_tui.server.web import serve
from tests.support.scripted_app import WORKER

if __name__ == "__main__":
    # A shell's background job inherits an ignored Ctrl-C; a person's foreground process does not.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    app = [sys.executable, str(WORKER.with_name("scripted_app.py")), *sys.argv[1:]]
    serve(app, host="127.0.0.1", port=0, tell=partial(print, flush=True), show=False)
