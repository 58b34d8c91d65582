"""run_catalogue: every planted fault, in worker processes."""

from __future__ import annotations

import os
import resource
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from functools import cache
from multiprocessing import get_context

import psutil

from properties.faults.bench import Bench
from properties.faults.kill import Kill, control, kill
from properties.faults.matrix import KillMatrix
from properties.faults.target import Target, targets_of

WORKERS = 2
MEMORY_SHARE = 0.4
"""Of the machine's memory, as address space of one process."""


def run_catalogue(
    ids: Sequence[str] | None = None,
    workers: int = WORKERS,
    progress: Callable[[str], None] | None = None,
    *,
    reduce: bool = True,
) -> KillMatrix:
    """Plant these faults (all of the catalogue), one at a time, and say which checks notice each.

    The clean engines come first: a check that fires on them gives a false alarm, and its word does not count on that engine.
    progress: takes one line a fault. reduce: also how small the first failure gets. Raises KeyError for an unknown id.
    """
    tell = progress or (lambda _line: None)
    targets = targets_of(ids)
    started = time.monotonic()
    kills: dict[str, Kill] = {}
    with workers_of(workers) as pool:
        controls = control_all(pool, sorted({target.base for target in targets}))
        for clean in controls:
            tell(told(clean))
        for done in kill_all(pool, targets, controls, reduce=reduce):
            kills[done.id] = done
            tell(f"{len(kills)}/{len(targets)}  {told(done)}")
    ordered = tuple(kills[target.id] for target in targets)
    return KillMatrix(ordered, round(time.monotonic() - started, 1), workers, tuple(controls))


def told(done: Kill) -> str:
    """One line for the terminal."""
    noticed = ", ".join(done.found) or "nothing"
    problem = f"  PROBLEM: {done.problem}" if done.problem else ""
    return f"{done.id} noticed by {noticed} ({done.seconds:.0f} s){problem}"


@contextmanager
def workers_of(count: int) -> Iterator[ProcessPoolExecutor]:
    """Processes of their own, each with its engines beside it; what is waiting is dropped when the block is left by an error."""
    os.environ.setdefault("POLARS_MAX_THREADS", "1")  # before a worker imports Polars
    with ProcessPoolExecutor(count, mp_context=get_context("spawn"), initializer=_limit_memory) as pool:
        try:
            yield pool
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def control_all(pool: ProcessPoolExecutor, engines: Sequence[str]) -> list[Kill]:
    """The checks on the clean engines."""
    return list(pool.map(_control_one, engines))


def kill_all(
    pool: ProcessPoolExecutor,
    targets: Sequence[Target],
    controls: Sequence[Kill],
    *,
    first_only: bool = False,
    reduce: bool = True,
    timeout: float | None = None,
) -> Iterator[Kill]:
    """Kill the targets; each comes when it is done. controls: of the clean engines."""
    alarms = {clean.engine: tuple(clean.found) for clean in controls}
    waiting = [
        pool.submit(_kill_one, target, first_only, reduce, alarms.get(target.base, ()), timeout) for target in targets
    ]
    for future in as_completed(waiting):
        yield future.result()


def _kill_one(target: Target, first_only: bool, reduce: bool, ignored: tuple[str, ...], timeout: float | None) -> Kill:
    """What a worker process does. What goes wrong in the runner itself is told as such, and the others go on."""
    try:
        return kill(target, _bench(timeout), first_only=first_only, reduce=reduce, ignored=ignored)
    except Exception as error:  # noqa: BLE001 - one fault must not end the run of the others
        trouble = f"the runner raised {type(error).__name__}: {str(error)[:300]}"
        return Kill(
            target.id, target.sentence, target.base, target.detectors, target.refused, target.blind, trouble=trouble
        )


def _control_one(engine: str) -> Kill:
    return control(engine, _bench(None))


def _limit_memory() -> None:
    """A fault may ask for more memory than there is; then the process that asks fails, and no other."""
    limit = int(psutil.virtual_memory().total * MEMORY_SHARE)
    resource.setrlimit(resource.RLIMIT_AS, (limit, resource.getrlimit(resource.RLIMIT_AS)[1]))


@cache
def _bench(timeout: float | None) -> Bench:
    return Bench() if timeout is None else Bench(timeout)
