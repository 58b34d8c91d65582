"""The tables of what was fitted: lines, exponents, growth laws, speed-up."""

from __future__ import annotations

import math
from collections.abc import Sequence

from scale.records import Series
from scale.reports.document import Mark, Table, Value, table
from scale.reports.plots.fitted import rest
from scale.reports.threads import Workload
from scale.reports.units import NONE, count, number, percent, seconds

_QUANTITY = {"seconds": "time", "memory": "memory"}


def fit_table(series: Sequence[Series]) -> Table:
    """The line and the exponent of every series that was fitted, or why it was not."""
    rows = [
        (
            one.engine,
            one.level,
            f"{_QUANTITY[one.quantity]} over {one.axis}",
            rest(one),
            str(len(one.points)),
            number(_figure(one.linear, "r2"), 4),
            _word(one.linear, "band"),
            _slope(one),
            number(_figure(one.linear, "p_value"), 2),
            _verdict(one.linear),
            _interval(one.power, "p", "{:.2f}"),
            _verdict(one.power),
        )
        for one in series
        if one.linear or one.power
    ]
    return table(
        "engine|level|what|held equal|>sizes|>R2|band|slope (interval)|>p-value|line|exponent (interval)|exponent's verdict",
        rows,
    )


def fit_reasons(series: Sequence[Series]) -> tuple[str, ...]:
    """Why a fit does not pass, a sentence each."""
    return tuple(
        f"{one.engine} {one.level}, {_QUANTITY[one.quantity]} over {one.axis}, {name}: {fit['verdict']}: {fit.get('reason', '')}"
        for one in series
        for name, fit in (("line", one.linear), ("exponent", one.power))
        if fit and fit.get("verdict", "pass") not in ("pass", "info")
    )


def model_table(series: Sequence[Series]) -> Table:
    """Growth laws of each series, best first."""
    rows: list[tuple[Value, ...]] = [
        (
            one.engine,
            one.level,
            f"{_QUANTITY[one.quantity]} over {one.axis}",
            str(model.get("model", NONE)),
            number(_figure(model, "aicc"), 4),
            number(_figure(model, "difference"), 3),
            _word(model, "possible"),
        )
        for one in series
        for model in one.models
    ]
    return table("engine|level|what|law|>AICc|>difference to the best|not ruled out", rows)


def thread_table(found: Sequence[Workload]) -> Table:
    """Speed-up and efficiency of every workload by number of threads."""
    rows = [
        (
            work.engine,
            work.level,
            count(work.employees),
            str(work.years),
            str(work.shards),
            str(row.threads),
            seconds(row.seconds),
            f"{row.speedup:.2f}",
            percent(row.efficiency),
            row.label or ("-" if row.threads == 1 else "not judged"),
            _interval_of(work.found.serial_fraction, work.found.serial_low, work.found.serial_high, "{:.2f}")
            if row.threads == 1
            else "",
        )
        for work in found
        for row in work.found.rows
    ]
    return table(
        "engine|level|>employees|>years|>shards|>threads|>median|>speed-up|>efficiency|label|serial fraction (interval)",
        rows,
    )


def _figure(fit: dict[str, float | str] | None, key: str) -> float | None:
    value = (fit or {}).get(key)
    return float(value) if isinstance(value, (int, float)) and math.isfinite(value) else None


def _word(fit: dict[str, float | str] | None, key: str) -> str:
    return str((fit or {}).get(key) or NONE)


def _verdict(fit: dict[str, float | str] | None) -> Mark | str:
    return Mark(str(fit["verdict"])) if fit and "verdict" in fit else NONE


def _interval(fit: dict[str, float | str] | None, key: str, form: str) -> str:
    return _interval_of(_figure(fit, key), _figure(fit, f"{key}_low"), _figure(fit, f"{key}_high"), form)


def _interval_of(value: float | None, low: float | None, high: float | None, form: str) -> str:
    if value is None:
        return NONE
    return form.format(value) + (
        f" ({form.format(low)} to {form.format(high)})" if low is not None and high is not None else ""
    )


def _slope(one: Series) -> str:
    """Per 1,000 employees or per year, in seconds or MB."""
    per, unit = (1000, "1,000 employees") if one.axis == "employees" else (1, one.axis.removesuffix("s"))
    scale, name = (per / 1e6, "MB") if one.quantity == "memory" else (per, "s")
    values = [_figure(one.linear, key) for key in ("slope", "slope_low", "slope_high")]
    if values[0] is None:
        return NONE
    told = [number(None if value is None else value * scale) for value in values]
    interval = f" ({told[1]} to {told[2]})" if None not in values else ""
    return f"{told[0]}{interval} {name} per {unit}"
