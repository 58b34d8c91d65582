"""Candidate over base, cell by cell."""

from __future__ import annotations

import math
from collections.abc import Sequence

from matplotlib.figure import Figure

from scale.policy import Policy
from scale.records import ComparedCell, Comparison
from scale.reports.cells import held
from scale.reports.plots.style import FAILED, GREY, clean, figure, looks

MAX_CELLS = 24


def ratios(comparison: Comparison, policy: Policy) -> Figure | None:
    """Ratio of each pair and of the medians, a row a cell, with the limit; only the largest changes where there are many cells."""
    told = [cell for cell in comparison.cells if cell.ratio]
    if not told:
        return None
    drawn = _most_changed(told)
    left_out = f" The {len(drawn)} cells of {len(told)} that changed most." if len(drawn) < len(told) else ""
    limit = policy.regression.median_difference_above
    reading = (
        f"Small points: pairs; large: ratio of the medians; dashed: {100 * limit:.0f} % either way. "
        f"Right of 1 the candidate is slower.{left_out}"
    )
    picture, axes = figure(_title(comparison, told), reading, height=1.9 + 0.42 * len(drawn))
    look = looks(cell.cell.engine for cell in drawn)
    for row, cell in enumerate(drawn):
        pairs = cell.confirmation or cell.initial
        values = [c / b for b, c in zip(pairs.base, pairs.candidate, strict=False) if b > 0]
        mine = look[cell.cell.engine]
        axes.plot(values, [row] * len(values), mine.marker, color=mine.color, alpha=0.35, markersize=5, mew=0)
        axes.plot([cell.ratio or 1.0], [row], mine.marker, color=mine.color, mec="black", mew=1.2, markersize=11)
        axes.text(
            1.01, row, f"{cell.ratio:.2f} {cell.verdict}", transform=axes.get_yaxis_transform(), va="center", fontsize=12,
            color=FAILED if cell.verdict in ("slower", "failed") else "black",
        )  # fmt: skip
    axes.axvline(1, color="black", linewidth=1.3)
    for value in (1 - limit, 1 + limit):
        axes.axvline(value, color="black", linewidth=1.3, linestyle="--")
    axes.set_yticks(range(len(drawn)), [_label(cell) for cell in drawn], fontsize=11)
    axes.set_ylim(len(drawn) - 0.4, -0.6)
    axes.grid(axis="y", visible=False)
    axes.set_xlabel("time of the candidate over time of the base")
    axes.tick_params(axis="y", colors=GREY, labelcolor="black")
    return picture


def _title(comparison: Comparison, told: Sequence[ComparedCell]) -> str:
    slower = sum(cell.verdict == "slower" for cell in told)
    tail = f"{slower} of {len(told)} cells slower" if slower else f"no cell of {len(told)} slower"
    if comparison.geometric_mean is None:
        return f"Candidate against base: {tail}"
    return f"The candidate takes {comparison.geometric_mean:.3f} times the base's time (geometric mean); {tail}"


def _most_changed(cells: Sequence[ComparedCell]) -> list[ComparedCell]:
    kept = sorted(cells, key=lambda cell: -abs(math.log(cell.ratio or 1.0)))[:MAX_CELLS]
    return [cell for cell in cells if cell in kept]


def _label(cell: ComparedCell) -> str:
    one = cell.cell
    return f"{clean(one.engine, 24)}, {one.employees:,} employees\n{clean(held(one), 48)}"
