"""What each simulated year costs and leaves: S2, S4 and S5 of docs/checks.md."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from scipy import stats

from scale.policy import Policy
from scale.records import Cell, Check, Run
from scale.sweep.measured import lines, middle
from scale.sweep.question import Question

MINIMUM_YEARS = 5
"""Fewer years show no growth from year to year."""
_Runs = dict[Cell, list[Run]]

S2 = Question(
    "S2",
    "Time per year does not grow with the year",
    "linear",
    "Something scans or keeps all earlier years: profile the last year against the second.",
)
S4_ROWS = Question(
    "S4 rows",
    "Rows per person and year are constant",
    "linear",
    "Later years leave more rows per person: compare the events of the second and the last year by type.",
)
S4_BYTES = Question(
    "S4 bytes",
    "Bytes per row of the database are constant over the years",
    "linear",
    "Rows are written again or space is not given back: look at what is deleted and inserted each year.",
)
S5 = Question(
    "S5",
    "Each year takes the same number of statements",
    "linear",
    "Something is built again each year: keep what the first year built.",
)
_MORE_YEARS = "Run the scenario `years`."


class Growth(NamedTuple):
    """Relative growth a year over the cell's years, and the lower end of its 90 % interval."""

    cell: Cell
    per_year: float
    low: float


def year_checks(engine: str, runs: _Runs, policy: Policy) -> list[Check]:
    """S2, S4 and S5 of one engine's runs."""
    limit = policy.bounds.s4_growth_per_year_at_most
    return [
        _judged(S2, engine, _time_growth(runs), policy.bounds.s2_growth_per_year_at_most),
        _judged(S4_ROWS, engine, _row_growth(runs), limit),
        bytes_per_row(engine, runs, limit),
        statements_per_year(engine, runs, policy.bounds.s5_extra_statements_per_year_at_most),
    ]


def growth_by_year(values: Iterable[tuple[int, float]]) -> tuple[float, float]:
    """Theil-Sen slope over the year index relative to the median, and its lower end at 90 %; values of several runs together."""
    pairs = list(values)
    taken = np.array([value for _, value in pairs])
    if np.ptp(taken) == 0:  # scipy's interval does not exist where all values are tied
        return 0.0, 0.0
    slope = stats.theilslopes(taken, [year for year, _ in pairs], alpha=0.90)
    level = float(np.median(taken))
    return float(slope.slope) / level, float(slope.low_slope) / level


def _time_growth(runs: _Runs) -> list[Growth]:
    """Seconds of a year over the rows it makes. Level legacy folds all events so far by definition and is left out; so is the
    first year, which reads the census in place of a state."""
    found = []
    for cell, taken in runs.items():
        if cell.level != "high" or cell.years < MINIMUM_YEARS:
            continue
        values = [
            (year, seconds / max(1, sum(run.rows_by_year[year])))
            for run in taken
            if len(run.years) == len(run.rows_by_year)
            for year, seconds in enumerate(run.years)
            if year > 0
        ]
        if values:
            found.append(Growth(cell, *growth_by_year(values)))
    return found


def _row_growth(runs: _Runs) -> list[Growth]:
    """Rows of a year over its people; the first year enrols everyone and is left out."""
    found = []
    for cell, taken in runs.items():
        rows = taken[0].rows_by_year
        if cell.years >= MINIMUM_YEARS and len(rows) == cell.years:
            values = [(year, (events + state) / max(1, state)) for year, (events, state) in enumerate(rows) if year > 0]
            found.append(Growth(cell, *growth_by_year(values)))
    return found


def _judged(question: Question, engine: str, found: list[Growth], limit: float) -> Check:
    if not found:
        return question.missing(
            engine,
            f"no run of {MINIMUM_YEARS} years or more tells its years",
            f"{_MORE_YEARS} Proof.year_seconds tells them.",
        )
    worst = max(found, key=lambda growth: growth.low)
    return question.answer(
        engine,
        "fail" if worst.low > limit else "pass",
        f"most: {worst.per_year:+.1%} a year (at least {worst.low:+.1%}) in {worst.cell.key}; limit {limit:.0%}",
    )


def bytes_per_row(engine: str, runs: _Runs, limit: float) -> Check:
    """S4: the database holds a row in the same number of bytes, however many years it has."""
    worst: tuple[float, str] | None = None
    for line in lines(runs, "years").values():
        sizes = [(cell.years, size) for cell in line if (size := middle(runs[cell], _bytes_per_row)) is not None]
        long = [(years, size) for years, size in sizes if years > 1]
        if len(long) < 2:
            continue
        (first, low), (last, high) = long[0], long[-1]
        grown = (high / low - 1) / (last - first)
        told = f"{low:.0f} bytes a row after {first} years, {high:.0f} after {last}: {grown:+.2%} a year; limit {limit:.0%}"
        worst = max(worst or (grown, told), (grown, told))
    if worst is None:
        return S4_BYTES.missing(engine, "no two runs of other numbers of years with a database", _MORE_YEARS)
    return S4_BYTES.answer(engine, "fail" if worst[0] > limit else "pass", worst[1])


def _bytes_per_row(run: Run) -> float | None:
    if run.database_bytes is None or run.events is None or run.state_rows is None:
        return None
    return run.database_bytes / max(1, run.events + run.state_rows)


def statements_per_year(engine: str, runs: _Runs, limit: int) -> Check:
    """S5: from the second year on, a year adds the same number of statements, whichever it is."""
    worst: tuple[float, str] | None = None
    for line in lines(runs, "years").values():
        counts = [(cell.years, count) for cell in line if (count := middle(runs[cell], lambda run: run.statements))]
        steps = [(more - less) / (late - early) for (early, less), (late, more) in pairwise(counts)]
        if len(steps) < 2:
            continue
        extra = max(steps) - min(steps)
        told = (
            f"a further year adds {', '.join(f'{step:g}' for step in steps)} statements, up to {line[-1].years} years"
        )
        worst = max(worst or (extra, told), (extra, told))
    if worst is None:
        return S5.missing(
            engine,
            "no three numbers of years with a count of statements",
            f"{_MORE_YEARS} Proof.statements tells the count.",
        )
    return S5.answer(engine, "fail" if worst[0] > limit else "pass", worst[1])
