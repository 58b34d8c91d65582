"""Whether this process was asked to end. DuckDB turns an interruption into an error of its own, which is no engine's failure."""

from __future__ import annotations

import threading

ENDING = threading.Event()
"""Set by the signal's handler, before anything else sees the interruption."""


def go_on() -> None:
    """Raise KeyboardInterrupt where the process was asked to end."""
    if ENDING.is_set():
        raise KeyboardInterrupt
