"""Waiting for a unit's process: how long it may take, and how much memory with all that it starts."""

from __future__ import annotations

import subprocess
import time
from contextlib import closing

from scale.measuring.host import total_memory
from scale.measuring.tree import Tree

SHARE = 0.85
"""Of the memory there is, for all units together: the rest is the campaign's and the system's."""
LOOK_EVERY = 0.5


class TooMuchMemoryError(Exception):
    """A unit held more than it may and was killed, with all that it had started, before it could take its neighbours with it."""

    def __init__(self, held: int, limit: int) -> None:
        super().__init__(f"it held {held / 2**30:.1f} GiB of memory; each unit may have {limit / 2**30:.1f} GiB")


def memory_of_a_unit(units: int, memory: int | None = None) -> int:
    """Bytes that each of so many units at a time may hold, of `memory` or of all that this process may use."""
    return int(SHARE * (total_memory() if memory is None else memory) / units)


def wait_for(process: subprocess.Popen[bytes], seconds: float, limit: int) -> int:
    """The process's exit status. limit: bytes that it and its descendants may hold.

    Raises subprocess.TimeoutExpired, and leaves it running; TooMuchMemoryError, after it was killed.
    """
    until = time.monotonic() + seconds
    with closing(Tree(process.pid)) as tree:
        while True:
            left = until - time.monotonic()
            try:
                return process.wait(timeout=max(0.0, min(LOOK_EVERY, left)))
            except subprocess.TimeoutExpired:
                if left <= LOOK_EVERY:
                    raise
            held = _held(tree, limit)
            if held > limit:
                tree.kill()
                process.wait()
                raise TooMuchMemoryError(held, limit)


def _held(tree: Tree, limit: int) -> int:
    """Resident sizes count a shared page in each process: where they are over the limit, the proportional size decides."""
    if not tree.find_new():
        tree.find()
    resident = sum(member.now for member in tree.resident())
    return tree.proportional() or resident if resident > limit and len(tree) > 1 else resident
