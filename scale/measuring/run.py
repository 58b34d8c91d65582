"""One run of one cell, in a process and a database of its own: measured, judged by its proof, and always a Run."""

from __future__ import annotations

import datetime as dt
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scale.measuring.host import load, total_memory
from scale.measuring.monitor import Monitor
from scale.measuring.process import Child, ChildError, over_limit, private_folder
from scale.measuring.proof import objections, proof_of
from scale.measuring.tree import Used
from scale.records import Cell, Memory, Run

ROOT = Path(__file__).resolve().parent.parent.parent
_MEMORY_SHARE = 0.85


def default_memory_limit() -> int:
    """Bytes at which a run is killed: 85 % of the memory that this process may use."""
    return int(_MEMORY_SHARE * total_memory())


@dataclass
class _Seen:
    """What the parent saw of a simulation."""

    memory: Memory | None = None
    monitor_seconds: float | None = None
    read: int | None = None
    written: int | None = None
    lasting_cpu: float = 0.0


def measure(
    cell: Cell,
    *,
    round: int,  # noqa: A002 - the name of the field of Run
    timeout: float,
    folder: Path,
    warm_up: bool = False,
    memory_limit: int | None = None,
    root: Path = ROOT,
    hash_rows_limit: int = 5_000_000,
) -> Run:
    """Run the cell once and return what it cost. A run that fails, hangs, takes too much memory or cannot be believed is a Run too.

    timeout: seconds for the whole process. folder: where a temporary folder is made for the run's database and spill files; it is
    removed. memory_limit: bytes of the process tree, None = 85 % of what there is. root: the checkout of this project that is
    measured. hash_rows_limit: most rows of both tables at which their hashes are taken.
    """
    started = dt.datetime.now(dt.UTC).isoformat(timespec="milliseconds")
    head: dict[str, Any] = {"cell": cell, "round": round, "warm_up": warm_up, "started": started, "load": load()}
    begun, seen = time.perf_counter(), _Seen()
    request = {"cell": cell.model_dump(), "repeats": 1, "hash_rows_limit": hash_rows_limit}
    limit = default_memory_limit() if memory_limit is None else memory_limit
    try:
        with private_folder(folder) as private:
            child = Child(request, private, root.resolve(), cell.threads, timeout)
            try:
                answer = _converse(child, limit, seen)
            finally:
                child.end()
    except ChildError as failure:
        tail: dict[str, Any] = {"status": failure.status, "error": str(failure)}
    except OSError as error:
        tail = {"status": "failed", "error": f"the process could not be started or spoken to: {error}"}
    else:
        tail = _figures(cell, answer, seen)
    return Run(
        **head,
        **tail,
        process_seconds=time.perf_counter() - begun,
        memory=seen.memory,
        monitor_seconds=seen.monitor_seconds,
        read_bytes=seen.read,
        written_bytes=seen.written,
    )


def _converse(child: Child, limit: int, seen: _Seen) -> dict[str, Any]:
    ready = child.hear("ready", limit)
    tree = child.tree
    if tree is None:
        raise ChildError("failed", "the process cannot be looked at, so its memory cannot be measured")
    tree.find()
    monitor, before = Monitor(tree, limit=limit, high_water=bool(ready["high_water"])), tree.used()
    monitor.start()
    child.answer("during the simulation")
    try:
        child.hear("done", None)  # the monitor holds it to the limit
    except ChildError:
        if monitor.exceeded is not None:
            raise ChildError("memory", over_limit(monitor.exceeded, limit, "during the simulation")) from None
        raise
    finally:
        monitor.stop()
        seen.memory, seen.monitor_seconds = monitor.memory(), monitor.seconds
    if monitor.error is not None:
        raise ChildError("failed", f"its memory could not be watched to the end: {monitor.error!r}")
    _account(seen, tree.root, before, tree.used())
    child.answer("while its tables were looked at")
    return child.result(limit)


def _account(seen: _Seen, root: int, before: dict[int, Used], after: dict[int, Used]) -> None:
    """I/O of the tree, and CPU of descendants that still live. Those who ended are in the figures of who waited for them."""
    nothing = Used(0, 0, 0.0)
    for pid, used in after.items():
        was = before.get(pid, nothing)
        if used.read is not None and used.written is not None:
            seen.read = (seen.read or 0) + used.read - (was.read or 0)
            seen.written = (seen.written or 0) + used.written - (was.written or 0)
        if pid != root:
            seen.lasting_cpu += used.cpu - was.cpu


def _figures(cell: Cell, answer: dict[str, Any], seen: _Seen) -> dict[str, Any]:
    against = objections(cell, answer)
    timing, counts, proof = answer["timing"], answer["rows"], answer["proof"] or {}
    return {
        "status": "refused" if against else "ok",
        "error": "; ".join(against),
        "seconds": timing["seconds"],
        "cpu_seconds": timing["cpu"] + seen.lasting_cpu,
        "stages": proof.get("stages", {}),
        "years": proof.get("year_seconds", []),
        "database_bytes": answer["database_bytes"],
        "events": sum(counts["events"].values()),
        "state_rows": sum(counts["state"].values()),
        "rows_by_year": [
            (counts["events"].get(str(year), 0), counts["state"].get(str(year), 0)) for year in answer["years"]
        ],
        "statements": proof.get("statements"),
        "hashes": answer["hashes"],
        "proof": proof_of(answer),
    }
