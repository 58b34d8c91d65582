"""Repeated runs in one process: what memory stays in use after each, once all that is free has been given back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from scale.measuring.process import Child, ChildError, private_folder
from scale.measuring.run import ROOT, default_memory_limit
from scale.records import Cell, Leak


def measure_leak(
    cell: Cell,
    *,
    repeats: int,
    timeout: float,
    folder: Path,
    memory_limit: int | None = None,
    root: Path = ROOT,
) -> Leak:
    """Run the cell `repeats` times (at least 2) in one process, each with a fresh database, and take the tree's memory after each.

    Memory is PSS where the system gives it, else RSS, after a garbage collection and, where there is one, malloc_trim. Arguments as
    of `measure`; timeout is for all runs together. What was taken before a failure is kept.
    """
    if repeats < 2:
        raise ValueError(f"repeats is {repeats}; growth shows from two runs on")
    after: list[int] = []
    seconds: list[float] = []
    limit = default_memory_limit() if memory_limit is None else memory_limit
    request = {"cell": cell.model_dump(), "repeats": repeats, "hash_rows_limit": 0}
    failure: dict[str, Any] = {"status": "ok"}
    try:
        with private_folder(folder) as private:
            child = Child(request, private, root.resolve(), cell.threads, timeout)
            try:
                child.hear("ready", limit)
                for number in range(repeats):
                    child.answer(f"in run {number + 1} of {repeats}")
                    seconds.append(child.hear("done", limit)["seconds"])
                    after.append(_held(child))
                child.answer("at its end")
                child.result(limit)
            finally:
                child.end()
    except ChildError as error:
        failure = {"status": error.status, "error": str(error)}
    except OSError as error:
        failure = {"status": "failed", "error": f"the process could not be started or spoken to: {error}"}
    return Leak(cell=cell, after=after, seconds=seconds, **failure)


def _held(child: Child) -> int:
    if child.tree is None:
        raise ChildError("failed", "the process cannot be looked at, so its memory cannot be measured")
    child.tree.find()
    return child.tree.proportional() or sum(member.now for member in child.tree.resident())
