"""Who may work on what: one drill for a repository and for a database at a time, and no writer beside it.

All locks are the kernel's and go with the processes that hold them, however these end.

- The repository: `flock` on a file in git's common folder, which all worktrees share.
- The database: `flock` on the file itself, so that drills of two repositories meet there too. The file that takes its place is
  locked before it does, so that at no moment the database's name leads to a file that is free.
- Writers: a shared `fcntl` lock on the database, of the kind that DuckDB takes: readers may stay, writers are refused, and a
  database that is open for writing is seen. This process loses it when it closes any descriptor of that file, so that a held
  database is read through the descriptor that holds it.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path

from scale.log import now

PATIENCE = 2.0
"""Seconds that a lock is waited for: a drill that was just killed gives its own up when what it had started is gone."""
_POLL_SECONDS = 0.02


class BusyError(RuntimeError):
    """Another drill is at work; nothing was done."""


class HeldError(RuntimeError):
    """Another process has the database open for writing; nothing was done."""


class Held:
    """The locks of one drill. descriptors: for commands that must not outlive them."""

    def __init__(self, stack: contextlib.ExitStack) -> None:
        self._stack = stack
        self.descriptors: list[int] = []

    def open(self, path: Path, flags: int = os.O_RDONLY) -> int:
        """Open a file to lock it; it is closed when the drill ends."""
        descriptor = os.open(path, flags, 0o666)
        self._stack.callback(os.close, descriptor)
        self.descriptors.append(descriptor)
        return descriptor

    def stage(self, path: Path) -> int:
        """Lock a file that is about to take the database's place; gives its descriptor."""
        descriptor = self.open(path)
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return descriptor


@contextlib.contextmanager
def sole_drill(folder: Path, database: Path) -> Iterator[Held]:
    """Hold the repository and the database against other drills.

    folder: of the repository's lock. The database need not exist.

    Raises:
        BusyError: another drill holds one of them.
    """
    with contextlib.ExitStack() as stack:
        held, lock = Held(stack), folder / "lock"
        descriptor = held.open(lock, os.O_RDWR | os.O_CREAT)
        if not _flock(descriptor):
            who = lock.read_text(errors="replace").strip()
            raise BusyError(
                f"another drill is at work in this repository{f' ({who})' if who else ''}; wait for its end"
            )
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"process {os.getpid()}, since {now()}\n".encode(), 0)
        if database.exists():
            _lock_database(held, database)
        yield held


def is_busy(folder: Path) -> bool:
    """Whether a drill is at work in the repository whose lock lies in `folder`. Changes nothing."""
    with contextlib.ExitStack() as stack:
        try:
            return not _flock(Held(stack).open(folder / "lock"), 0.0)
        except OSError:
            return False


@contextlib.contextmanager
def no_writer(database: Path) -> Iterator[int]:
    """Hold the database against writers; gives the descriptor to read it through.

    Raises:
        HeldError: another process has it open for writing.
    """
    descriptor = os.open(database, os.O_RDONLY)
    try:
        try:
            fcntl.lockf(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            raise HeldError(
                f"{database}: another process has it open for writing; close it there and run again"
            ) from None
        yield descriptor
    finally:
        os.close(descriptor)


def _lock_database(held: Held, database: Path) -> None:
    until = time.monotonic() + PATIENCE
    while True:
        descriptor = held.open(database)
        if not _flock(descriptor, until - time.monotonic()):
            raise BusyError(f"{database}: a drill of another repository is at work on it; wait for its end")
        with contextlib.suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(descriptor), database.stat()):
                return
        if time.monotonic() > until:
            raise BusyError(f"{database}: it is replaced again and again by another program; stop that first")


def _flock(descriptor: int, patience: float = PATIENCE) -> bool:
    until = time.monotonic() + patience
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= until:
                return False
            time.sleep(_POLL_SECONDS)
        else:
            return True
