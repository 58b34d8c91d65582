"""How far the runs lie from the fitted curve of time over employees."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from scale.records import Series
from scale.reports.plots.fitted import chosen, curve, departures, held_equal
from scale.reports.plots.style import GREY, Look, clean, figure, legend, line_style, size_axis


def residuals(series: Sequence[Series], looks: dict[str, Look]) -> Figure | None:
    """How far each run lies from the fitted curve of time over employees, in per cent of the curve."""
    drawn = [one for one in chosen(series, "employees", "seconds") if curve(one)]
    if not drawn:
        return None
    farthest = {one.engine: 0.0 for one in drawn}
    for one in drawn:
        farthest[one.engine] = max([farthest[one.engine], *(abs(value) for value in departures(one).values())])
    told = ", ".join(f"{clean(engine, 24)} {100 * value:.0f} %" for engine, value in farthest.items())
    reading = (
        f"{held_equal(drawn[0])} Small points: runs; large: median. "
        "An arc over the sizes would mean another law than the curve's."
    )
    picture, axes = figure(f"Farthest that a median lies from the fitted time: {told}", reading)
    for at, one in enumerate(drawn):
        aside = 1.03 ** (at - (len(drawn) - 1) / 2)  # engines side by side
        fitted = curve(one)
        assert fitted is not None
        look = looks[one.engine]
        for point in one.points:
            expected = float(fitted(np.array([point.x]))[0])
            values = [100 * (value / expected - 1) for value in point.values]
            axes.plot(
                [point.x * aside] * len(values), values, look.marker, color=look.color, alpha=0.4, markersize=5, mew=0
            )
        middles = departures(one)
        axes.plot(
            [x * aside for x in middles],
            [100 * value for value in middles.values()],
            look.marker,
            color=look.color,
            linestyle=line_style(one.level),
            linewidth=1,
            label=_name(one, drawn),
        )
    axes.axhline(0, color=GREY, linewidth=1.2)
    top = max(5.0, 1.1 * max(abs(limit) for limit in axes.get_ylim()))
    axes.set_ylim(-top, top)
    size_axis(axes, [point.x for one in drawn for point in one.points])
    axes.set_ylabel("difference from the fit (%)")
    legend(picture, axes)
    return picture


def _name(one: Series, drawn: Sequence[Series]) -> str:
    several = len({other.level for other in drawn}) > 1
    return clean(one.engine) + (f" {clean(one.level, 16)}" if several else "")
