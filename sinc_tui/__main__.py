"""`python -m sinc_tui` is `sinc-tui`."""

import sys

from sinc_tui.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
