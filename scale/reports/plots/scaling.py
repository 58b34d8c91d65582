"""Time and memory over employees or years, with the curves that were fitted to them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import median

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from scale.records import Series
from scale.reports.cells import CellView
from scale.reports.plots.fitted import Quantity, SizeAxis, chosen, curve, figures, held_equal
from scale.reports.plots.style import (
    FAILED,
    Look,
    clean,
    face,
    figure,
    legend,
    line_style,
    log_axis,
    size_axis,
)
from scale.reports.targets import Target
from scale.reports.units import size

_AXIS_LABEL = {"employees": "employees", "years": "person-years simulated, per employee"}
_NAME = {"employees": "employees", "years": "person-years"}
_FAILURES = {"memory": "out of memory"}
_REACH = 100
"""A target so many times above everything measured would press the curves flat; it is in the table of scenarios alone."""


def scaling(
    series: Sequence[Series],
    views: Sequence[CellView],
    looks: dict[str, Look],
    targets: Sequence[Target],
    axis: SizeAxis,
    quantity: Quantity,
) -> Figure | None:
    """Runs, medians and fitted curve of each engine, on logarithmic axes. views: cells of the series, for those that failed."""
    drawn = chosen(series, axis, quantity)
    if not drawn:
        return None
    unit, factor = _unit(drawn, quantity)
    marks = " Bars: targets." if targets else ""
    reading = f"{held_equal(drawn[0])} Small points: runs; large: median; line: fitted curve.{marks}"
    picture, axes = figure(_title(drawn, axis, quantity), reading)
    for one in drawn:
        _draw(axes, one, looks[one.engine], factor)
    _targets(axes, targets, quantity, factor)
    sizes = [point.x for one in drawn for point in one.points]
    bad = [view for view in views if view.runs and not view.counted]
    size_axis(axes, [*sizes, *(float(getattr(view.cell, axis)) for view in bad)], f"{_AXIS_LABEL[axis]} (log scale)")
    _failed(axes, bad, axis, looks)
    axes.set_yscale("log")
    log_axis(axes.yaxis, *_span(axes))
    axes.set_ylabel(f"{'wall time' if quantity == 'seconds' else 'peak memory'} ({unit}, log scale)")
    legend(picture, axes, 2)
    return picture


def _draw(axes: Axes, one: Series, look: Look, factor: float) -> None:
    xs = [point.x for point in one.points if point.values]
    for point in one.points:
        axes.plot(
            [point.x] * len(point.values), [value / factor for value in point.values], look.marker,
            color=look.color, alpha=0.35, markersize=4.5, mew=0,
        )  # fmt: skip
    middles = [median(point.values) / factor for point in one.points if point.values]
    fitted, style = curve(one), line_style(one.level)
    label = f"{clean(one.engine)} {clean(one.level, 16)}: {_law(one)}"
    fill = face(one.level, look.color)
    name = label if fitted is None else None
    axes.plot(xs, middles, look.marker, color=look.color, mfc=fill, mec=_edge(one.level, look), mew=1.2, label=name)
    if fitted is None:
        return
    grid = np.geomspace(min(xs), max(xs), 200)
    values = fitted(grid) / factor
    # a straight line may run below zero at its small end, where a logarithmic axis has no place for it
    axes.plot(
        grid[values > 0],
        values[values > 0],
        style,
        color=look.color,
        marker=look.marker,
        mfc=fill,
        markevery=[],
        label=label,
    )


def _targets(axes: Axes, targets: Sequence[Target], quantity: Quantity, factor: float) -> None:
    """A short bar at each target that lies in reach of the data; the far ones are in the table of scenarios."""
    top = axes.get_ylim()[1]
    for target in targets:
        limit = target.seconds if quantity == "seconds" else target.memory
        if limit is None or limit / factor > _REACH * top:
            continue
        axes.plot([target.employees / 1.12, target.employees * 1.12], [limit / factor] * 2, color="black", linewidth=3)
        shown = f"{limit:,g} s" if quantity == "seconds" else size(limit)
        text = f"target {clean(target.scenario, 20)} {shown}"
        axes.annotate(
            text, (target.employees, limit / factor), (0, 5), textcoords="offset points", ha="center", fontsize=11
        )


def _failed(axes: Axes, bad: Sequence[CellView], axis: SizeAxis, looks: dict[str, Look]) -> None:
    """A cross at the foot for each cell without a result."""
    places: dict[float, int] = {}
    low, high = axes.get_xlim()
    middle = math.sqrt(low * high)
    for view in bad:
        x = float(getattr(view.cell, axis))
        height = 0.035 + 0.07 * places.get(x, 0)
        places[x] = places.get(x, 0) + 1
        at = axes.get_xaxis_transform()
        axes.plot(
            [x],
            [height],
            "X",
            color=looks[view.cell.engine].color,
            mec="white",
            markersize=12,
            transform=at,
            clip_on=False,
        )
        aside = -1 if x > middle else 1  # the text keeps clear of the axis
        axes.annotate(
            f"{clean(view.cell.engine, 18)}: {_FAILURES.get(view.status, view.status)}",
            (x, height),
            (9 * aside, 0),
            xycoords=at,
            textcoords="offset points",
            ha="left" if aside > 0 else "right",
            va="center",
            fontsize=11,
            color=FAILED,
        )


def _title(drawn: Sequence[Series], axis: SizeAxis, quantity: Quantity) -> str:
    what = "Time" if quantity == "seconds" else "Memory"
    main = [one for one in drawn if one.level == "high"] or list(drawn)
    laws = [f"{_law(one, interval=False)} in {clean(one.engine, 24)}{_open(one)}" for one in main if curve(one)]
    if not laws:
        return f"{what} over {_NAME[axis]}: too little was measured to fit a curve"
    return f"{what} grows over {_NAME[axis]} {', '.join(laws)}"


def _open(one: Series) -> str:
    """A figure that its own verdict does not bear must not look like a finding."""
    verdict = (one.power or one.linear or {}).get("verdict")
    return "" if verdict in ("pass", "fail") else f" ({verdict})"


def _law(one: Series, *, interval: bool = True) -> str:
    """as n^1.02 (0.99 to 1.05), or the slope of the straight line."""
    power = figures(one.power, "p", "p_low", "p_high")
    if power and curve(one):
        return "as n^{:.2f}".format(*power) + (" ({:.2f} to {:.2f})".format(*power[1:]) if interval else "")
    line = figures(one.linear, "slope")
    if not line:
        return "no fit"
    per = 1000 if one.axis == "employees" else 1
    rate = f"{line[0] * per / 1e6:,.3g} MB" if one.quantity == "memory" else f"{line[0] * per:,.3g} s"
    return f"by {rate} per {'1,000 employees' if per > 1 else 'year'}"


def _edge(level: str, look: Look) -> str:
    return "white" if level == "high" else look.color


def _unit(drawn: Sequence[Series], quantity: Quantity) -> tuple[str, float]:
    if quantity == "seconds":
        return "seconds", 1.0
    top = max(value for one in drawn for point in one.points for value in point.values)
    return ("GB", 1e9) if top >= 2e9 else ("MB", 1e6)


def _span(axes: Axes) -> tuple[float, float]:
    low, high = axes.get_ylim()
    axes.set_ylim(low / 1.35, high * 1.25)  # room for crosses at the foot and labels of targets
    return axes.get_ylim()
