"""What a sweep and a comparison leave on disk: cells, runs, checks, and the two files results.json and compare.json.

Everything here is plain data, read back with validation: a message names the file and the key. Memory is in bytes, time in seconds,
points in time are ISO 8601 in UTC.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from scale.status import UsageError, Verdict

SCHEMA_VERSION = 1
RunStatus = Literal["ok", "failed", "timeout", "memory", "refused"]
MemoryKind = Literal["PSS", "USS", "RSS"]
Criterion = Literal["linear", "memory", "parity", "threads", "regression", "sufficiency", "beside"]


class Record(BaseModel):
    """Base: immutable, and a key that is not known is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Cell(Record):
    """One point of the matrix: which engine, on how much, and how it is run. seed: of the generated census."""

    engine: str
    employees: Annotated[int, Field(ge=1)]
    years: Annotated[int, Field(ge=1)]
    level: str = "high"
    shards: Annotated[int, Field(ge=1)] = 1
    threads: Annotated[int, Field(ge=1)] = 1
    seed: int = 1

    @property
    def key(self) -> str:
        """Name of the cell in files and reports, unique within a sweep."""
        return f"{self.engine} {self.level} {self.employees}x{self.years} shards={self.shards} threads={self.threads}"


class Memory(Record):
    """Memory of the process tree of one run, in bytes.

    peak: what is judged, the larger of the sampled peak and the high-water mark. kind: of the sampled figure (PSS counts shared
    pages once; RSS counts them in each process). sampled_peak, sampled_rss_peak: highest sample of each. high_water: the kernel's
    own mark (VmHWM) over the tree, None where the system has none. before: of the tree when the simulation began, its input in
    memory. samples: taken. longest_gap: seconds between two samples.
    """

    peak: int
    kind: MemoryKind
    sampled_peak: int
    sampled_rss_peak: int
    high_water: int | None
    before: int
    samples: int
    longest_gap: float


class Run(Record):
    """One run of a cell in a process and a database of its own. A run that gave no result is a run too.

    round: number of the repetition, from 0; a warm-up is shown and not judged. seconds: wall time of the simulation with its
    database, without the start of the process and the making of the census. process_seconds: of the whole process. cpu_seconds:
    user and system time during `seconds`, all threads and children. stages: wall seconds by stage. years: wall seconds of each
    simulated year; empty where the engine does not tell. rows_by_year: events and state rows made in each year. hashes: SHA-256
    of `events` and `state`; empty above the size at which it is taken. monitor_seconds: CPU time that sampling took.
    """

    cell: Cell
    round: int
    warm_up: bool = False
    status: RunStatus
    error: str = ""
    started: str
    load: float
    seconds: float | None = None
    process_seconds: float | None = None
    cpu_seconds: float | None = None
    stages: dict[str, float] = {}
    years: list[float] = []
    memory: Memory | None = None
    read_bytes: int | None = None
    written_bytes: int | None = None
    database_bytes: int | None = None
    events: int | None = None
    state_rows: int | None = None
    rows_by_year: list[tuple[int, int]] = []
    statements: int | None = None
    hashes: dict[str, str] = {}
    proof: dict[str, str | int | list[str]] = {}
    monitor_seconds: float | None = None

    @property
    def counted(self) -> bool:
        """Whether its figures take part in statistics."""
        return self.status == "ok" and not self.warm_up


class Leak(Record):
    """Repeated runs of one cell in one process: memory in use after each run (bytes), and its wall seconds."""

    cell: Cell
    status: RunStatus
    error: str = ""
    after: list[int] = []
    seconds: list[float] = []


class Machine(Record):
    """Where it was measured. fingerprint: of what makes times comparable (processor, cores, memory, system), not of names."""

    fingerprint: str
    processor: str
    cores: int
    memory: int
    system: str
    python: str
    libraries: dict[str, str]


class Code(Record):
    """Which code was measured. commit: with `+` for uncommitted changes, None outside git. fingerprint: SHA-256 over the engine's
    source files, so that two names for one code are seen."""

    spec: str
    commit: str | None
    fingerprint: str


class Check(Record):
    """One judged (or shown) fact. evidence: what was measured, in words and numbers. advice: what to do where it does not pass."""

    id: str
    title: str
    criterion: Criterion
    engine: str
    verdict: Verdict
    evidence: str
    advice: str = ""


class Point(Record):
    """All values measured at one x."""

    x: float
    values: list[float]


class Series(Record):
    """One quantity over one axis, all else equal, with what was fitted to it; None where there was too little to fit.

    axis: `employees`, `years` (person-years simulated, over the employees asked for) or `threads`. quantity: `seconds` or
    `memory` (bytes). rest: what is held equal, in words.
    """

    engine: str
    level: str
    axis: Literal["employees", "years", "threads"]
    quantity: Literal["seconds", "memory"]
    rest: str
    points: list[Point]
    linear: dict[str, float | str] | None = None
    power: dict[str, float | str] | None = None
    models: list[dict[str, float | str]] = []


class Sweep(Record):
    """results.json. planned: every cell with the scenarios it belongs to. complete: every planned run is there."""

    schema_version: int = SCHEMA_VERSION
    kind: Literal["sweep"] = "sweep"
    run_id: str
    started: str
    finished: str | None = None
    complete: bool = False
    command: str
    commit: str | None
    code: dict[str, Code]
    machine: Machine
    policy: str
    repetitions: int
    planned: list[tuple[Cell, list[str]]]
    runs: list[Run]
    leaks: list[Leak] = []
    series: list[Series] = []
    checks: list[Check] = []
    verdict: Verdict = "insufficient"


class Pairs(Record):
    """Interleaved pairs of one cell: seconds[i] of base and candidate were taken next to each other."""

    base: list[float]
    candidate: list[float]


class ComparedCell(Record):
    """initial, then a confirmation of its own where the initial pairs looked different; only it counts then.

    ratio: median of candidate over median of base. p_value: of Mann-Whitney, two-sided. same_results: whether both left equal
    tables. memory: peaks in bytes beside the times of all pairs.
    """

    cell: Cell
    initial: Pairs
    confirmation: Pairs | None = None
    ratio: float | None
    p_value: float | None
    verdict: Literal["slower", "faster", "unchanged", "insufficient", "failed"]
    same_results: bool | None
    memory: Pairs | None = None
    note: str = ""


class Comparison(Record):
    """compare.json. advisory: made of stored files, so that it never decides. geometric_mean: of the cells' ratios.

    host: name of the host of a cluster that took all pairs, and is `machine`; None: the machine that was asked. lost: hosts that
    were lost while they measured; nothing of theirs is kept.
    """

    schema_version: int = SCHEMA_VERSION
    kind: Literal["compare"] = "compare"
    run_id: str
    started: str
    finished: str | None = None
    command: str
    commit: str | None
    base: Code
    candidate: Code
    machine: Machine
    host: str | None = None
    lost: list[str] = []
    policy: str
    advisory: bool
    cells: list[ComparedCell]
    geometric_mean: float | None
    checks: list[Check]
    verdict: Verdict


_R = TypeVar("_R", bound=Record)


def read_record(path: Path, kind: type[_R]) -> _R:
    """The file as a record. Raises UsageError that names the file, the key and what is wrong with it."""
    try:
        return kind.model_validate_json(path.read_bytes())
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise UsageError(
            f"{path}: {where + ': ' if where else ''}{first['msg']}; is it a file that `python -m scale` wrote?"
        ) from error


def write_record(path: Path, record: Record) -> None:
    """Write the record as JSON in place of an earlier version, all of it or nothing."""
    write_text(path, record.model_dump_json(indent=1) + "\n")


def write_text(path: Path, text: str) -> None:
    """Write the file in place of an earlier version, all of it or nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.draft")
    draft.write_text(text, encoding="utf-8")
    draft.replace(path)
