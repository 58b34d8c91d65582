"""Runs a command that must not outlive the drill: `python -I -S supervise.py DESCRIPTOR COMMAND ...`.

The descriptor is the reading end of a pipe whose other end only the drill holds. When the drill is gone, killed or not, the pipe
ends, and the command and all of its process group are killed before this process gives up the locks that it inherited. Standard
library only: it has to start in milliseconds.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading


def main(pipe: int, command: list[str]) -> int:
    """Run the command; returns its status as a shell tells it."""
    process = subprocess.Popen(command, start_new_session=True)

    def watch() -> None:
        os.read(pipe, 1)
        _kill(process.pid)
        os._exit(137)

    threading.Thread(target=watch, daemon=True).start()
    status = process.wait()
    _kill(process.pid)  # what it left running would go on writing
    return status if status >= 0 else 128 - status


def _kill(group: int) -> None:
    try:
        os.killpg(group, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return


if __name__ == "__main__":
    sys.stdout.flush()
    os._exit(main(int(sys.argv[1]), sys.argv[2:]))
