"""sinc-tui: raw prompts in, valid six-band sinc documents out, offline."""

__version__ = "0.1.0"
