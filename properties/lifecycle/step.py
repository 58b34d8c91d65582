"""One run on the database file, as data, and how it is done: here, in a new process, or in one that is killed on the way."""

from __future__ import annotations

import os
import signal
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol, Self, cast
from unittest import mock

import duckdb

from differential import workers
from differential.engines import get_engine, is_built_in
from differential.run import Engine, Run
from differential.variant import Variant
from fixtures.world import World


@dataclass(frozen=True)
class Moment:
    """Before or after the nth statement of its kind that is executed on the database file."""

    when: Literal["before", "after"]
    word: str
    nth: int = 1

    def describe(self) -> str:
        return f"{self.when} {self.word}{f' {self.nth}' if self.nth > 1 else ''}"


MOMENTS = (
    Moment("before", "COMMIT"),
    Moment("after", "DELETE"),
    Moment("after", "INSERT"),
    Moment("after", "DELETE", 2),
    Moment("after", "COMMIT"),
)
"""A write deletes from and inserts into two tables in turn."""


class YearsEngine(Protocol):
    """An engine that can simulate some years and go on from the file, as both built-in ones can."""

    def run_years(self, worlds: Sequence[World], variant: Variant, first: int, count: int) -> Run: ...


@dataclass(frozen=True)
class Way:
    """How a run is done. engine: SPEC. fresh: in a process of its own that has done nothing before."""

    engine: str
    level: str = "high"
    threads: int = 1
    shards: int = 1
    fresh: bool = False

    def describe(self) -> str:
        parts = [self.engine, self.level]
        parts += [f"{name} {n}" for name, n in (("threads", self.threads), ("shards", self.shards)) if n > 1]
        return f"({', '.join(parts)}){' in a new process' if self.fresh else ''}"


@dataclass(frozen=True)
class Job:
    """What to run. years: first year index and count; None = all, through Engine.run. legs: Variant.resume.

    kill: the process kills itself with SIGKILL at that moment of writing, or so many milliseconds after the run began.
    """

    way: Way
    worlds: tuple[World, ...]
    database: Path
    years: tuple[int, int] | None = None
    legs: int | None = None
    kill: Moment | int | None = None

    @property
    def variant(self) -> Variant:
        way = self.way
        return Variant(way.level, way.threads, way.shards, resume=self.legs, database=self.database)


def has_run_years(spec: str) -> bool:
    """Whether the engine can run some years only."""
    return callable(getattr(get_engine(spec), "run_years", None))


def run_job(job: Job, timeout: float | None = None) -> Run:
    """The run's result. A built-in engine runs here unless the way asks for a new process, an attached one in a worker.

    Raises:
        WorkerError: the process gave no result; expected of a job that is to be killed.
        Exception: whatever the engine raised.
    """
    if job.way.fresh or job.kill is not None:
        run: Run = workers.call("properties.lifecycle.step:execute", job, fresh=True, timeout=timeout)
        return run
    if is_built_in(job.way.engine):
        return execute(job)
    attached: Run = workers.call("properties.lifecycle.step:execute", job, timeout=timeout)
    return attached


def execute(job: Job) -> Run:
    """Do the job in this process."""
    engine = get_engine(job.way.engine)
    if job.kill is None:
        return _run(engine, job)
    if isinstance(job.kill, int):
        with _alarm(job.kill):
            return _run(engine, job)
    with mock.patch.object(duckdb, "connect", _watched_connect(job.database, job.kill)):
        return _run(engine, job)


def _run(engine: Engine, job: Job) -> Run:
    if job.years is None:
        return engine.run(job.worlds, job.variant)
    return cast(YearsEngine, engine).run_years(job.worlds, job.variant, *job.years)


@contextmanager
def _alarm(milliseconds: int) -> Iterator[None]:
    """Have the operating system end this process: no handler, no thread and no lock of Python has a part in it."""
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, milliseconds / 1000)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def _watched_connect(database: Path, moment: Moment) -> Callable[..., Any]:
    connect = duckdb.connect

    def watched(path: Any = ":memory:", *args: Any, **keys: Any) -> Any:
        connection = connect(path, *args, **keys)
        if os.path.realpath(str(path)) != os.path.realpath(database):
            return connection
        return _Watched(connection, moment)

    return watched


class _Watched:
    """A connection that ends its process at a statement of the write. Everything else it hands on."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, moment: Moment) -> None:
        self._connection = connection
        self._moment = moment
        self._executed: Counter[str] = Counter()
        # one more frame lies between the engine and DuckDB, which looks there for data frames named in SQL
        connection.execute("SET python_scan_all_frames = true")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def execute(self, query: Any, *args: Any) -> Any:
        word = str(query).split(maxsplit=1)[0].upper()
        self._executed[word] += 1
        is_here = (word, self._executed[word]) == (self._moment.word, self._moment.nth)
        if is_here and self._moment.when == "before":
            _kill_self()
        result = self._connection.execute(query, *args)
        if is_here:
            _kill_self()
        return result

    def commit(self) -> Any:
        return self.execute("COMMIT")


def _kill_self() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def was_killed(error: workers.WorkerError) -> bool:
    """Whether the process ended in one of the two ways that a kill ends it, rather than by a crash of its own."""
    return error.kind == "memory" or "SIGALRM" in str(error)
