"""How time grows with employees and with years: the fits, and the verdicts on them. docs/statistics.md says why both are needed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

from scale.policy import Policy
from scale.records import Cell, Check, Point, Run, Series
from scale.statistics import PowerFit, fit_linear, fit_power, rank_models
from scale.sweep.measured import engines_of, lines, main_line, middle, peaks, seconds, shared
from scale.sweep.question import Question

_FIND = "Profile the largest cell and look for what is done once per pair of rows: a join on a constant key, a scan per person."
LINE = Question("linear fit", "Time over employees is a line", "linear", _FIND)
EXPONENT = Question("exponent", "Time grows no faster than the employees", "linear", _FIND)
YEARS = Question(
    "exponent of years",
    "Time grows no faster than the person-years",
    "linear",
    "Profile the last year against the second: something scans or keeps all earlier years.",
)
S1 = Question("S1", "Time between two sizes grows no faster than the employees", "linear", _FIND)
MODELS = Question("models", "Which growth the times are nearest to", "linear", "")
_Runs = dict[Cell, list[Run]]
_Axis = Literal["employees", "years"]


def series_of(runs: _Runs, policy: Policy) -> list[Series]:
    """Every line of cells that differ in one axis, with time and memory; time over employees and years is fitted."""
    found = []
    axes: tuple[Literal["employees", "years", "threads"], ...] = ("employees", "years", "threads")
    for axis in axes:
        for line in lines(runs, axis).values():
            for quantity, values in (("seconds", seconds), ("memory", peaks)):
                points = {place(cell, runs, axis): values(runs[cell]) for cell in line if values(runs[cell])}
                if len(points) > 1:
                    found.append(
                        _series(line[0], axis, "seconds" if quantity == "seconds" else "memory", points, policy)
                    )
    return found


def _series(
    cell: Cell,
    axis: Literal["employees", "years", "threads"],
    quantity: Literal["seconds", "memory"],
    points: dict[float, list[float]],
    policy: Policy,
) -> Series:
    bare = Series(
        engine=cell.engine,
        level=cell.level,
        axis=axis,
        quantity=quantity,
        rest=shared(cell, axis),
        points=[Point(x=x, values=values) for x, values in sorted(points.items())],
    )
    if axis == "threads" or len(points) < policy.sufficiency.sizes_minimum:
        return bare
    if quantity == "memory":
        return bare.model_copy(update={"linear": fit_linear(points, policy).as_dict()})
    return bare.model_copy(
        update={
            "linear": fit_linear(points, policy).as_dict(),
            "power": fit_power(points, policy, axis).as_dict(),
            "models": [model.as_dict() for model in rank_models(points, policy).models],
        }
    )


def scaling_checks(engine: str, runs: _Runs, policy: Policy) -> list[Check]:
    """Of one engine's runs: line, exponent and S1 over employees, exponent over years, and the ranking of models."""
    sizes = main_line(runs, "employees")
    if sizes is None:
        advice = "Run the scenario `series`, or give four or more numbers to --employees."
        checks = [
            question.missing(engine, "no two sizes with all else equal", advice) for question in (LINE, EXPONENT, S1)
        ]
    else:
        times = {float(cell.employees): seconds(runs[cell]) for cell in sizes}
        line, ranking = fit_linear(times, policy), rank_models(times, policy)
        where = shared(sizes[0], "employees")
        checks = [
            LINE.answer(engine, line.verdict, f"{where}: {line.reason}"),
            exponent_check(EXPONENT, engine, runs, "employees", policy),
            _s1(engine, sizes, runs, policy),
            MODELS.answer(engine, "info", f"{where}: {ranking.reason}"),
        ]
    return [*checks, exponent_check(YEARS, engine, runs, "years", policy)]


def exponent_check(question: Question, engine: str, runs: _Runs, axis: _Axis, policy: Policy) -> Check:
    """The exponent of the main line decides; any other line that fails makes it fail."""
    main = main_line(runs, axis)
    if main is None:
        advice = f"Run the scenario `{'series' if axis == 'employees' else 'years'}`."
        return question.missing(engine, f"no two numbers of {axis} with all else equal", advice)
    found = _exponent(main, runs, axis, policy)
    for line in lines(runs, axis).values():
        other = _exponent(line, runs, axis, policy)
        if other.verdict == "fail":
            return question.answer(engine, "fail", f"{shared(line[0], axis)}: {other.reason}")
    return question.answer(engine, found.verdict, f"{shared(main[0], axis)}: {found.reason}")


def undecided_cells(runs: _Runs, policy: Policy) -> list[Cell]:
    """The cells of main lines whose exponent is inconclusive: what more repeats can decide."""
    found: list[Cell] = []
    axes: tuple[_Axis, ...] = ("employees", "years")
    for engine in engines_of(runs):
        own = {cell: taken for cell, taken in runs.items() if cell.engine == engine}
        for axis in axes:
            line = main_line(own, axis)
            if line is not None and _exponent(line, own, axis, policy).verdict == "inconclusive":
                found += [cell for cell in line if cell not in found]
    return found


def _exponent(line: Sequence[Cell], runs: _Runs, axis: _Axis, policy: Policy) -> PowerFit:
    return fit_power({place(cell, runs, axis): seconds(runs[cell]) for cell in line}, policy, axis)


def place(cell: Cell, runs: _Runs, axis: Literal["employees", "years", "threads"]) -> float:
    """Where a cell lies on an axis. Years are counted in person-years over the employees asked for.

    Under the default growth of 3 % twenty years are 32 of the first year's work, so that a linear engine would show an exponent of
    1.1 over the calendar's years, and more behind any overhead.
    """
    if axis != "years":
        return float(getattr(cell, axis))
    rows = middle(runs[cell], lambda run: run.state_rows)
    return rows / cell.employees if rows else float(cell.years)


def _s1(engine: str, line: Sequence[Cell], runs: _Runs, policy: Policy) -> Check:
    """The slope between the largest size and the next that is far enough below, from medians, overhead and all."""
    top = line[-1]
    far = [cell for cell in line if cell.employees * policy.bounds.s1_size_ratio_minimum <= top.employees]
    if not far:
        told = f"no two sizes {policy.bounds.s1_size_ratio_minimum:g} times apart"
        return S1.missing(engine, told, "Run the scenario `series`.")
    low, high = (middle(runs[cell], lambda run: run.seconds) or math.nan for cell in (far[-1], top))
    slope = math.log(high / low) / math.log(top.employees / far[-1].employees)
    limit = policy.bounds.s1_exponent_at_most
    told = f"{slope:.2f} from {far[-1].employees} ({low:.2f} s) to {top.employees} ({high:.2f} s); limit {limit:g}"
    return S1.answer(engine, "pass" if slope <= limit else "fail", told)
