"""Each check of the sweep passes on a sound sweep, and fails or is insufficient on the sweep made to break it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from scale.policy import Policy
from scale.records import Cell, Check, Run, Sweep
from scale.status import Verdict, gravest
from scale.sweep.analysis import analyse, undecided
from scale.sweep.testing import (
    GB,
    all_cells,
    linear_seconds,
    made_leak,
    made_memory,
    made_run,
    made_sweep,
    series_cells,
)

POLICY = Policy.load(None)


def checks_of(sweep: Sweep) -> dict[str, Check]:
    return {check.id: check for check in analyse(sweep, POLICY)[1]}


def test_a_sound_sweep_passes_every_check() -> None:
    checks = checks_of(made_sweep(all_cells(), scenarios=("series", "medium")))

    assert {name: check.evidence for name, check in checks.items() if check.verdict not in ("pass", "info")} == {}
    assert gravest(check.verdict for check in checks.values()) == "pass"


def slower_years(run: Run) -> Run:
    """Each year takes half as long again as the first for every year before it."""
    return run.model_copy(update={"years": [0.1 * (1 + 0.5 * year) for year in range(run.cell.years)]})


def more_rows(run: Run) -> Run:
    rows = [(run.cell.employees * (4 + year), run.cell.employees) for year in range(run.cell.years)]
    return run.model_copy(update={"rows_by_year": rows})


def larger_file(run: Run) -> Run:
    return run.model_copy(update={"database_bytes": (run.database_bytes or 0) * run.cell.years})


def more_statements(run: Run) -> Run:
    return run.model_copy(update={"statements": 10 + run.cell.years**2})


def other_result(run: Run) -> Run:
    return run.model_copy(update={"hashes": {"events": "x", "state": "x"}}) if run.cell.shards == 4 else run


def same_census(run: Run) -> Run:
    """The harness that this replaces never scaled its input."""
    return run.model_copy(update={"rows_by_year": [(4000, 1000)] * run.cell.years})


def failing(run: Run) -> Run:
    return (
        made_run(run.cell, run.round, 1.0, status="failed", error="Traceback\nValueError: no")
        if run.cell.shards == 4
        else run
    )


def hungry(run: Run) -> Run:
    return run.model_copy(update={"memory": made_memory(60 * GB if run.cell.employees == 50_000 else GB)})


def fickle_memory(run: Run) -> Run:
    return run.model_copy(update={"memory": made_memory(GB * (1 + run.round))})


def fickle_time(run: Run) -> Run:
    return run.model_copy(update={"seconds": (run.seconds or 0) * (1 + run.round)})


def watched(run: Run) -> Run:
    return run.model_copy(update={"monitor_seconds": (run.seconds or 0) / 20})


BROKEN: list[tuple[Callable[[Run], Run], str, Verdict]] = [
    (slower_years, "S2", "fail"),
    (more_rows, "S4 rows", "fail"),
    (larger_file, "S4 bytes", "fail"),
    (more_statements, "S5", "fail"),
    (other_result, "tables", "fail"),
    (same_census, "scaled", "fail"),
    (failing, "runs", "fail"),
    (hungry, "peak", "fail"),
    (hungry, "peak at 50 000", "fail"),
    (fickle_memory, "memory CV", "fail"),
    (fickle_time, "time CV", "inconclusive"),
    (watched, "monitor", "inconclusive"),
]


@pytest.mark.parametrize(
    ("edit", "name", "verdict"), BROKEN, ids=[f"{edit.__name__}: {name}" for edit, name, _ in BROKEN]
)
def test_what_is_broken_is_seen(edit: Callable[[Run], Run], name: str, verdict: Verdict) -> None:
    check = checks_of(made_sweep(all_cells(), edit=edit))[name]

    assert check.verdict == verdict, check.evidence
    assert check.advice


@pytest.mark.parametrize("name", ["linear fit", "exponent", "S1"])
def test_a_quadratic_engine_fails(name: str) -> None:
    check = checks_of(made_sweep(all_cells(), law=lambda cell: 0.1 + 1e-8 * cell.employees**2))[name]

    assert check.verdict == "fail" or name == "linear fit", check.evidence


def test_a_quadratic_behind_overhead_has_a_good_line_and_fails_by_its_exponent() -> None:
    checks = checks_of(made_sweep(series_cells(), law=lambda cell: 2 + 4e-9 * cell.employees**2))

    assert checks["linear fit"].verdict == "pass"
    assert checks["exponent"].verdict == "fail"


def test_time_that_grows_faster_than_the_years_fails() -> None:
    checks = checks_of(made_sweep(all_cells(), law=lambda cell: 1e-6 * cell.employees * cell.years**2))

    assert checks["exponent of years"].verdict == "fail"


def test_a_leak_fails() -> None:
    assert checks_of(made_sweep(all_cells(), leaks=[made_leak("sql", growth=5e6)]))["leak"].verdict == "fail"


def test_threads_that_bring_nothing_fail_and_those_beyond_the_cores_are_not_judged() -> None:
    alone = checks_of(made_sweep(all_cells(), law=lambda cell: 1e-5 * cell.employees * cell.years))["thread efficiency"]
    only_four = [cell for cell in all_cells() if cell.threads != 2]

    assert alone.verdict == "fail"
    assert checks_of(made_sweep(only_four))["thread efficiency"].verdict == "insufficient"


@pytest.mark.parametrize(
    ("cells", "runs", "name"),
    [
        (series_cells(sizes=(1000, 50_000)), 3, "exponent"),
        (series_cells(sizes=(1000, 50_000)), 3, "linear fit"),
        (series_cells(sizes=(5000, 10_000, 20_000, 50_000)), 3, "exponent"),
        (series_cells(), 2, "exponent"),
        (series_cells(), 2, "complete"),
        (series_cells(), 3, "thread efficiency"),
        (series_cells(), 3, "exponent of years"),
        (series_cells(sizes=(1000, 2000, 5000, 20_000)), 3, "peak at 50 000"),
    ],
)
def test_too_little_is_insufficient_and_never_a_pass(cells: list[Cell], runs: int, name: str) -> None:
    """Two points always lie on a line with R2 = 1 and p = 0."""
    check = checks_of(made_sweep(cells, runs=runs))[name]

    assert check.verdict == "insufficient", check.evidence
    assert check.advice


def test_a_size_that_failed_is_not_quietly_left_out_of_the_fit() -> None:
    """The harness that this replaces dropped failed scenarios before it fitted."""

    def edit(run: Run) -> Run:
        return run.model_copy(update={"status": "timeout"}) if run.cell.employees == 50_000 else run

    checks = checks_of(made_sweep(series_cells(), edit=edit))

    assert checks["exponent"].verdict == "insufficient"
    assert checks["runs"].verdict == "timeout"


def test_more_memory_than_the_machine_has_is_insufficient_only_if_the_target_allows_it() -> None:
    cells = [Cell(engine="sql", employees=20_000, years=10, threads=8)]

    def edit(run: Run) -> Run:
        return run.model_copy(update={"status": "memory"})

    allowed = checks_of(made_sweep(cells, edit=edit, scenarios=("stress",)))[
        "runs"
    ]  # may take 32 GB, of 24 GB there are
    too_much = checks_of(made_sweep(cells, edit=edit, scenarios=("medium",)))["runs"]  # may take 16 GB

    assert (allowed.verdict, too_much.verdict) == ("insufficient", "fail")


def test_missing_runs_make_the_sweep_incomplete() -> None:
    sweep = made_sweep(series_cells(), edit=lambda run: None if run.round == 2 and run.cell.employees == 1000 else run)

    assert checks_of(sweep)["complete"].verdict == "insufficient"


def test_a_scenario_over_its_targets_fails() -> None:
    cells = [Cell(engine="sql", employees=5000, years=5, threads=4)]
    checks = checks_of(made_sweep(cells, law=lambda _: 130.0, scenarios=("medium",)))

    assert checks["time target"].verdict == "fail"
    assert checks["memory target"].verdict == "pass"


def test_an_undecided_exponent_names_the_cells_to_repeat() -> None:
    steady = made_sweep(series_cells(), law=linear_seconds)
    between = made_sweep(series_cells(), law=lambda cell: 0.05 + 1e-5 * cell.employees**1.2, noise=0.3)

    assert undecided(steady, POLICY) == []
    assert undecided(between, POLICY) == series_cells()
    assert checks_of(between)["exponent"].verdict == "inconclusive"


def test_what_is_shown_beside_never_decides() -> None:
    checks = [
        check
        for check in analyse(made_sweep([*all_cells(), *all_cells("polars")]), POLICY)[1]
        if check.criterion == "beside"
    ]

    assert {check.id for check in checks} == {"high over legacy", "polars over sql"}
    assert {check.verdict for check in checks} == {"info"}
