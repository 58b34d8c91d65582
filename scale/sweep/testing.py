"""Made-up sweeps for tests: runs whose time and memory follow a given law, on a machine of two cores."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from random import Random

from scale.records import Cell, Code, Leak, Machine, Memory, Run, Sweep

MACHINE = Machine(
    fingerprint="m1",
    processor="made up",
    cores=2,
    memory=24 * 10**9,
    system="none",
    python="3.11",
    libraries={"duckdb": "2.0.0"},
)
GB = 10**9


def linear_seconds(cell: Cell) -> float:
    """0.2 s, and 10 microseconds per employee and year, shared by up to two threads."""
    work = 1e-5 * cell.employees * cell.years * (2.0 if cell.level == "legacy" else 1.0)
    return 0.2 + work / float(min(cell.threads, 2) ** 0.8)


def made_run(cell: Cell, number: int, seconds: float, **changes: object) -> Run:
    """A run that went well: rows in proportion, hashes by size, a database of 50 bytes a row."""
    people = cell.employees
    rows = [(people * 4, people)] * cell.years
    run = Run(
        cell=cell,
        round=number,
        status="ok",
        started="2026-01-31T02:00:00+00:00",
        load=0.1,
        seconds=seconds,
        process_seconds=seconds + 1,
        cpu_seconds=seconds,
        stages={"event_generation": seconds * 0.6, "database": seconds * 0.4},
        years=[seconds / cell.years] * cell.years,
        memory=made_memory(0.2 * GB + 20_000 * people),
        events=4 * people * cell.years,
        state_rows=people * cell.years,
        rows_by_year=rows,
        database_bytes=50 * 5 * people * cell.years,
        statements=10 + 5 * cell.years,
        hashes={"events": f"e{people}x{cell.years}", "state": f"s{people}x{cell.years}"},
        monitor_seconds=seconds / 500,
    )
    return run.model_copy(update=changes)


def made_memory(peak: float) -> Memory:
    """Memory with this peak in bytes."""
    return Memory(
        peak=int(peak), kind="PSS", sampled_peak=int(peak), sampled_rss_peak=int(peak), high_water=int(peak), before=10**8,
        samples=50, longest_gap=0.05,
    )  # fmt: skip


def made_sweep(
    cells: Sequence[Cell],
    runs: int = 3,
    law: Callable[[Cell], float] = linear_seconds,
    noise: float = 0.02,
    edit: Callable[[Run], Run | None] = lambda run: run,
    leaks: Iterable[Leak] = (),
    scenarios: Sequence[str] = ("series",),
) -> Sweep:
    """A whole sweep of the cells. edit: changes a run, or drops it (None)."""
    dice = Random(3)
    made = [
        edit(made_run(cell, number, law(cell) * (1 + noise * dice.gauss(0, 1))))
        for number in range(runs)
        for cell in cells
    ]
    engines = dict.fromkeys(cell.engine for cell in cells)
    return Sweep(
        run_id="20260131-020000-abcd",
        started="2026-01-31T02:00:00+00:00",
        finished="2026-01-31T02:10:00+00:00",
        complete=True,
        command="python -m scale sweep",
        commit="0123456789ab",
        code={engine: Code(spec=engine, commit="0123456789ab", fingerprint=f"f-{engine}") for engine in engines},
        machine=MACHINE,
        policy="p",
        repetitions=runs,
        planned=[(cell, list(scenarios)) for cell in cells],
        runs=[run for run in made if run is not None],
        leaks=list(leaks) or [made_leak(engine) for engine in engines],
    )


def made_leak(engine: str, growth: float = 0.0, runs: int = 40) -> Leak:
    """Runs in one process, with so many bytes more after each."""
    cell = Cell(engine=engine, employees=2000, years=3)
    held = [int(3e8 + growth * number + 1e5 * (number % 2)) for number in range(runs)]
    return Leak(cell=cell, status="ok", after=held, seconds=[1.0] * runs)


def series_cells(engine: str = "sql", sizes: Sequence[int] = (1000, 2000, 5000, 10_000, 20_000, 50_000)) -> list[Cell]:
    """The scenario `series`, for one engine."""
    return [Cell(engine=engine, employees=size, years=5) for size in sizes]


def all_cells(engine: str = "sql") -> list[Cell]:
    """What every check needs: sizes, years, threads, and a second variant."""
    return [
        *series_cells(engine),
        *[Cell(engine=engine, employees=10_000, years=years) for years in (1, 2, 10, 20)],
        *[Cell(engine=engine, employees=100_000, years=5, threads=threads) for threads in (1, 2, 4)],
        Cell(engine=engine, employees=50_000, years=5, level="legacy"),
        Cell(engine=engine, employees=5000, years=5, shards=4),
    ]
