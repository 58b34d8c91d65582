"""A sweep and a comparison that nobody measured: plausible, the same each time, for tests of what is made of them."""

from __future__ import annotations

import random
from typing import Literal

import numpy as np

from scale.records import (
    Cell,
    Check,
    Code,
    ComparedCell,
    Comparison,
    Leak,
    Machine,
    Memory,
    Pairs,
    Point,
    Run,
    Series,
    Sweep,
)

STARTED = "2026-01-02T03:04:05+00:00"
SIZES = (1_000, 2_000, 5_000, 10_000, 20_000, 50_000)
REPETITIONS = 5
MACHINE = Machine(
    fingerprint="0" * 64,
    processor="Example CPU @ 3.00GHz",
    cores=2,
    memory=25_769_803_776,
    system="Linux 6.1 x86_64",
    python="3.11.7",
    libraries={"duckdb": "2.0.0", "numpy": "2.4.6", "polars": "1.44.2"},
)
_FIXED = {"sql": 0.40, "polars": 0.25}
_PER_PERSON_YEAR = {"sql": 2.4e-5, "polars": 0.9e-5}
_BASE_MEMORY = {"sql": 190e6, "polars": 230e6}
_MEMORY_PER_PERSON_YEAR = {"sql": 1500.0, "polars": 1900.0}
_STAGES = {
    "sql": {"load": 0.02, "quotas": 0.01, "event_generation": 0.63, "state": 0.06, "output": 0.01, "database": 0.22},
    "polars": {"planning": 0.04, "event_generation": 0.31, "state": 0.02, "output": 0.21, "database": 0.38},
}
_PARALLEL = {"sql": 0.78, "polars": 0.62}
_ERROR = """Traceback (most recent call last):
  File "engine.py", line 12, in run
    raise RuntimeError(rows)
RuntimeError: 3 rows | <script>alert('x')</script> **not bold** `code` $n$"""


def sweep(engines: tuple[str, ...] = ("sql", "polars")) -> Sweep:
    """Sizes, years, shards, threads and levels, five runs each; a cell failed, one timed out. Other engines cost what sql does."""
    cells = _plan(engines)
    runs = [_run(cell, number) for number in range(REPETITIONS) for cell, _ in cells]
    series = [one for engine in engines for one in _series(engine, runs)]
    checks = [check for engine in engines for check in _checks(engine)]
    return Sweep(
        run_id="20260102T030405-made-up",
        started=STARTED,
        finished="2026-01-02T03:24:05+00:00",
        complete=True,
        command="python -m scale sweep --runs 5 --output reports/scale",
        commit="0123456789abcdef0123456789abcdef01234567",
        code={engine: Code(spec=engine, commit="0123456789abcdef", fingerprint="a" * 64) for engine in engines},
        machine=MACHINE,
        policy="b" * 64,
        repetitions=REPETITIONS,
        planned=cells,
        runs=[*(_run(Cell(engine=e, employees=1_000, years=3, threads=4), -1, warm_up=True) for e in engines), *runs],
        leaks=[_leak(engine) for engine in engines],
        series=series,
        checks=checks,
        verdict="fail",
    )


def comparison(slowdown: float = 0.12) -> Comparison:
    """Six cells of which one got slower by `slowdown` and was measured again."""
    cells = []
    for at, (engine, employees) in enumerate((e, n) for e in ("sql", "polars") for n in (1_000, 5_000, 20_000)):
        dice, factor = random.Random(at), 1 + (slowdown if at == 2 else 0.004 * (at - 2))
        cell = Cell(engine=engine, employees=employees, years=5)
        initial, again = _pairs(cell, factor, 10, dice), _pairs(cell, factor, 20, dice) if at == 2 else None
        judged = again or initial
        ratio = float(np.median(judged.candidate) / np.median(judged.base))
        verdict: Literal["slower", "unchanged"] = "slower" if ratio > 1.05 else "unchanged"
        cells.append(
            ComparedCell(
                cell=cell, initial=initial, confirmation=again, ratio=ratio, p_value=0.0004 if again else 0.6, verdict=verdict,
                same_results=True,
            )
        )  # fmt: skip
    mean = float(np.exp(np.mean([np.log(cell.ratio or 1) for cell in cells])))
    return Comparison(
        run_id="20260102T040405-made-up",
        started=STARTED,
        finished="2026-01-02T04:24:05+00:00",
        command="python -m scale compare --base-checkout ../base",
        commit="0123456789abcdef",
        base=Code(spec="sql", commit="fedcba9876543210", fingerprint="c" * 64),
        candidate=Code(spec="sql", commit="0123456789abcdef", fingerprint="a" * 64),
        machine=MACHINE,
        policy="b" * 64,
        advisory=False,
        cells=cells,
        geometric_mean=mean,
        checks=[
            Check(
                id="regression", title="No regression over all cells", criterion="regression", engine="*", verdict="pass",
                evidence=f"geometric mean {mean:.3f} of 6 cells, limit 1.05",
            )
        ],
        verdict="pass",
    )  # fmt: skip


def _plan(engines: tuple[str, ...]) -> list[tuple[Cell, list[str]]]:
    plan: dict[Cell, list[str]] = {}
    for engine in engines:
        for cell, name in _wanted(engine):
            plan.setdefault(cell, []).append(name)
    return list(plan.items())


def _wanted(engine: str) -> list[tuple[Cell, str]]:
    found = [(Cell(engine=engine, employees=n, years=5), "series") for n in SIZES]
    found += [
        (Cell(engine=engine, employees=n, years=5, shards=shards), "matrix")
        for n in (5_000, 50_000)
        for shards in (1, 4, 8)
    ]
    found += [(Cell(engine=engine, employees=10_000, years=years), "years") for years in (1, 2, 5, 10, 20)]
    found += [(Cell(engine=engine, employees=100_000, years=5, threads=threads), "threading") for threads in (1, 2, 4)]
    found += [(Cell(engine=engine, employees=50_000, years=5, level=level), "levels") for level in ("legacy", "high")]
    found += [
        (Cell(engine=engine, employees=1_000, years=3, threads=4), "small"),
        (Cell(engine=engine, employees=5_000, years=5, threads=4), "medium"),
        (Cell(engine=engine, employees=10_000, years=5, threads=6), "large"),
        (Cell(engine=engine, employees=20_000, years=10, threads=8), "stress"),
    ]
    return found


def _run(cell: Cell, number: int, *, warm_up: bool = False) -> Run:
    dice = random.Random(f"{cell.key} {number}")
    seconds, work = _seconds(cell) * dice.lognormvariate(0, 0.03), cell.employees * cell.years
    base = Run(cell=cell, round=number, warm_up=warm_up, status="ok", started=STARTED, load=0.3 + 0.1 * dice.random())
    if cell.engine != "sql" and cell.shards == 8 and cell.employees == 50_000:
        return base.model_copy(update={"status": "failed", "error": _ERROR})
    if cell.engine == "sql" and cell.threads == 8:
        return base.model_copy(
            update={
                "status": "timeout",
                "error": "ended after 1,800 s\nlast line of its log",
                "process_seconds": 1800.0,
            }
        )
    peak = _pages(_memory(cell) * dice.lognormvariate(0, 0.01))
    before = _pages(_BASE_MEMORY.get(cell.engine, 190e6))
    yearly = [seconds * 0.95 / cell.years * (0.97 + 0.004 * year) for year in range(cell.years)]
    return base.model_copy(
        update={
            "seconds": seconds,
            "process_seconds": seconds + 1.4,
            "cpu_seconds": seconds * (1 + 0.4 * (min(cell.threads, 2) - 1)),
            "stages": {name: share * seconds for name, share in _STAGES.get(cell.engine, _STAGES["sql"]).items()},
            "years": yearly,
            "memory": Memory(
                peak=peak, kind="PSS", sampled_peak=peak - 2_000_000, sampled_rss_peak=peak + 3_000_000, high_water=peak,
                before=before, samples=int(seconds / 0.05) + 2, longest_gap=0.061,
            ),
            "read_bytes": 1_000_000,
            "written_bytes": 260 * work,
            "database_bytes": 500_000 + 260 * work,
            "events": _rows(work)[0],
            "state_rows": _rows(work)[1],
            "rows_by_year": [_rows(cell.employees * 1.03**year) for year in range(cell.years)],
            "statements": 10 * cell.years,
            "hashes": {"events": "d" * 64, "state": "e" * 64},
            "monitor_seconds": 0.004 * seconds,
        }
    )  # fmt: skip


def _seconds(cell: Cell) -> float:
    serial = _FIXED.get(cell.engine, 0.40) + 0.02 * (cell.shards - 1)
    work = (
        _PER_PERSON_YEAR.get(cell.engine, 2.4e-5)
        * cell.employees
        * cell.years
        * (2.6 if cell.level == "legacy" else 1.0)
    )
    parallel = _PARALLEL.get(cell.engine, 0.7)
    return serial + work * (1 - parallel + parallel / min(cell.threads, MACHINE.cores))


def _memory(cell: Cell) -> float:
    return (
        _BASE_MEMORY.get(cell.engine, 190e6)
        + _MEMORY_PER_PERSON_YEAR.get(cell.engine, 1500.0) * cell.employees * cell.years
    )


def _pages(value: float) -> int:
    return int(value) // 4096 * 4096


def _rows(person_years: float) -> tuple[int, int]:
    """Events and state rows."""
    return int(5.64 * person_years), int(1.25 * person_years)


def _series(engine: str, runs: list[Run]) -> list[Series]:
    plain = [
        run for run in runs if run.counted and run.cell.engine == engine and run.cell.shards == run.cell.threads == 1
    ]
    found = []
    for level in ("high", "legacy"):
        sizes = [
            run for run in plain if run.cell.years == 5 and run.cell.level == level and run.cell.employees <= 50_000
        ]
        found += [_fit(engine, level, "employees", quantity, sizes) for quantity in ("seconds", "memory")]
    years = [run for run in plain if run.cell.employees == 10_000 and run.cell.level == "high"]
    return [*found, _fit(engine, "high", "years", "seconds", years)]


def _fit(engine: str, level: str, axis: Literal["employees", "years"], quantity: str, runs: list[Run]) -> Series:
    by_size: dict[float, list[float]] = {}
    for run in runs:
        value = run.seconds if quantity == "seconds" else run.memory.peak if run.memory else None
        by_size.setdefault(float(getattr(run.cell, axis)), []).append(float(value or 0))
    points = [Point(x=x, values=values) for x, values in sorted(by_size.items())]
    rest = "5 years, 1 shard, 1 thread" if axis == "employees" else "10,000 employees, 1 shard, 1 thread"
    bare = Series(
        engine=engine,
        level=level,
        axis=axis,
        quantity="seconds" if quantity == "seconds" else "memory",
        rest=rest,
        points=points,
    )
    if len(points) < 4:
        return bare
    xs, ys = [p.x for p in points for _ in p.values], [v for p in points for v in p.values]
    slope, intercept = (float(value) for value in np.polyfit(xs, ys, 1))
    r2 = float(np.corrcoef(xs, ys)[0, 1] ** 2)
    linear: dict[str, float | str] = {
        "slope": slope, "intercept": intercept, "r2": r2, "p_value": 1e-20, "slope_low": 0.97 * slope, "slope_high": 1.03 * slope,
        "band": "excellent", "verdict": "pass", "reason": f"R2 {r2:.3f}, at least 0.90",
    }  # fmt: skip
    power: dict[str, float | str] = {
        "a": intercept, "b": slope, "p": 1.0, "p_low": 0.97, "p_high": 1.03, "verdict": "pass",
        "reason": "upper end 1.03, at most 1.30",
    }  # fmt: skip
    models: list[dict[str, float | str]] = [
        {"model": "n", "aicc": -120.4, "difference": 0.0},
        {"model": "n log n", "aicc": -118.1, "difference": 2.3},
        {"model": "n^1.5", "aicc": -61.0, "difference": 59.4},
        {"model": "n^2", "aicc": -33.9, "difference": 86.5},
    ]
    return bare.model_copy(update={"linear": linear, "power": power, "models": models if quantity == "seconds" else []})


def _checks(engine: str) -> list[Check]:
    def check(name: str, title: str, criterion: str, verdict: str, evidence: str, advice: str = "") -> Check:
        return Check.model_validate(
            {
                "id": name,
                "title": title,
                "criterion": criterion,
                "engine": engine,
                "verdict": verdict,
                "evidence": evidence,
                "advice": advice,
            }
        )

    slow = engine != "polars"
    return [
        check("linear", "Time is a straight line over employees", "linear", "pass", "R2 0.999 over 6 sizes x 5 runs, p 1e-20"),
        check("exponent", "Exponent of time over employees", "linear", "pass", "p 1.00 (0.97 to 1.03), at most 1.30"),
        check("peak", "Peak memory", "memory", "pass", "0.70 GB at 50,000 employees, at most 40 GB"),
        check(
            "targets", "Within the scenarios' targets", "regression", "timeout" if slow else "pass",
            "stress: 5 runs ended after 1,800 s, target 900 s" if slow else "stress: 2.1 s of 900 s",
            "Run `python -m scale sweep --scenario stress` alone on a machine with 8 cores." if slow else "",
        ),
        check(
            "threads", "Thread efficiency", "threads", "fail" if not slow else "pass", "56 % on 2 threads, at least 60 %",
            "Measure the longest workload, and look at the stages that use one thread." if not slow else "",
        ),
        check("monitor", "Cost of watching", "sufficiency", "pass", "0.4 % of the wall time, at most 1 %"),
        check("levels", "High against legacy", "beside", "info", "2.4 times as fast, target 2"),
    ]  # fmt: skip


def _leak(engine: str) -> Leak:
    after = [210_000_000 + 4096 * (at % 3) + 500_000 * min(at, 2) for at in range(10)]
    return Leak(cell=Cell(engine=engine, employees=2_000, years=3), status="ok", after=after, seconds=[0.6] * 10)


def _pairs(cell: Cell, factor: float, number: int, dice: random.Random) -> Pairs:
    middle = _seconds(cell)
    base = [middle * dice.lognormvariate(0, 0.02) for _ in range(number)]
    return Pairs(base=base, candidate=[middle * factor * dice.lognormvariate(0, 0.02) for _ in range(number)])
