"""Commands that the drill starts: bounded in time, logged, and ended with the drill whatever ends it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

_SUPERVISOR = Path(__file__).with_name("supervise.py")
_TAIL_LINES = 12


class CommandError(Exception):
    """A command that failed; the message has the end of what it printed."""


class OutOfTimeError(Exception):
    """The time that was given for all of it is over."""


class Deadline:
    """The moment at which all has to be done. seconds: from now; None = never."""

    def __init__(self, seconds: float | None) -> None:
        self._end = None if seconds is None else time.monotonic() + seconds

    def left(self) -> float | None:
        """Seconds that are left, None for no limit. Raises OutOfTimeError when there are none."""
        if self._end is None:
            return None
        left = self._end - time.monotonic()
        if left <= 0:
            raise OutOfTimeError
        return left


def run_command(
    command: Sequence[str],
    *,
    folder: Path,
    environment: Mapping[str, str],
    log: Path,
    deadline: Deadline,
    locks: Sequence[int] = (),
) -> None:
    """Run a command to its end in `folder`; what it prints is added to `log`.

    locks: descriptors of held locks, given up only when the command and all that it started are gone.

    Raises:
        CommandError: it did not end with status 0, or could not be started.
        OutOfTimeError: it took too long; it was killed.
    """
    begin = log.stat().st_size if log.exists() else 0
    reading, writing = os.pipe()
    try:
        with log.open("ab") as sink:
            supervisor = subprocess.Popen(
                [sys.executable, "-I", "-S", str(_SUPERVISOR), str(reading), *command],
                cwd=folder,
                env=dict(environment),
                pass_fds=[reading, *locks],
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C reaches the drill alone, which ends the command in order
            )
        os.close(reading)
        reading = -1
        try:
            status = supervisor.wait(deadline.left())
        except subprocess.TimeoutExpired:
            raise OutOfTimeError from None
        finally:
            os.close(writing)
            writing = -1
            supervisor.wait()
    except OSError as error:
        raise CommandError(f"{command[0]}: cannot be started: {error.strerror}") from error
    finally:
        for end in (reading, writing):
            if end >= 0:
                os.close(end)
    if status:
        raise CommandError(f"ended with status {status}{_tail(log, begin)}")


def _tail(log: Path, begin: int) -> str:
    with log.open("rb") as file:
        file.seek(begin)
        lines = file.read().decode(errors="replace").strip().splitlines()[-_TAIL_LINES:]
    return "; it had printed:" + "".join(f"\n  | {line}" for line in lines) if lines else " and printed nothing"
