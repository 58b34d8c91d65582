"""What the time is spent on: shares of the wall time by stage."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from scale.reports.cells import CellView, held
from scale.reports.plots.style import Look, clean, figure
from scale.reports.units import seconds

_SHOWN_SHARE = 0.09
"""A stage with a smaller share has no room for its name and is joined to the rest."""
_REST = "other"
_SPELLED_OUT = 3
"""With more bars than this the title and the line below it name no more."""


def stages(series: Sequence[CellView], looks: dict[str, Look]) -> Figure | None:
    """Shares of the wall time by stage at the largest size, one bar an engine and level."""
    told = [view for view in series if view.seconds and any(run.stages for run in view.counted)]
    if not told:
        return None
    largest = max(view.cell.employees for view in told)
    drawn = [view for view in told if view.cell.employees == largest]
    parts = [_stage_shares(view) for view in drawn]
    cell = drawn[0].cell
    reading = f"{cell.employees:,} employees, {held(cell, level=False)}. Medians; stages in the order of the run."
    if len(drawn) <= _SPELLED_OUT:
        reading += f" {_small(drawn, parts)}"
    picture, axes = figure(_message(drawn, parts), reading, height=1.9 + 1.15 * len(drawn))
    for row, (view, shares) in enumerate(zip(drawn, parts, strict=True)):
        _bar(axes, row, _joined(shares), looks[view.cell.engine].color)
    labels = [f"{_bar_name(view, drawn)}\n{seconds(view.seconds.median if view.seconds else None)}" for view in drawn]
    axes.set_yticks(range(len(drawn)), labels)
    axes.set_ylim(len(drawn) - 0.5, -0.5)
    axes.set_xlim(0, 100)
    axes.grid(visible=False)
    axes.set_xlabel("share of wall time (%)")
    return picture


def _message(drawn: Sequence[CellView], parts: Sequence[dict[str, float]]) -> str:
    """The longest stage of each engine, at level high where that was run."""
    high = [(view, shares) for view, shares in zip(drawn, parts, strict=True) if view.cell.level == "high"]
    told = []
    for view, shares in (high or list(zip(drawn, parts, strict=True)))[:_SPELLED_OUT]:
        name = max((name for name in shares if name != _REST), key=lambda one: shares[one], default="")
        if name:
            told.append(f"{clean(view.cell.engine, 24)} on {clean(name, 24)} ({100 * shares[name]:.0f} %)")
    return f"Most time is spent by {', '.join(told)}" if told else "What the time is spent on"


def _bar(axes: Axes, row: int, shares: dict[str, float], color: str) -> None:
    left = 0.0
    for at, (name, share) in enumerate(shares.items()):
        tint = 0.0 if len(shares) == 1 else 0.75 * at / (len(shares) - 1)
        shade = tuple(part + (1 - part) * tint for part in to_rgb(color))
        axes.barh(row, 100 * share, left=100 * left, height=0.62, color=shade, edgecolor="white", linewidth=1.5)
        if share >= _SHOWN_SHARE:
            dark = 0.299 * shade[0] + 0.587 * shade[1] + 0.114 * shade[2] < 0.55
            text = f"{clean(name, 24)}\n{100 * share:.0f} %".replace("_", "\n")
            axes.text(
                100 * (left + share / 2), row, text, ha="center", va="center", fontsize=11, linespacing=1.05,
                color="white" if dark else "black",
            )  # fmt: skip
        left += share


def _stage_shares(view: CellView) -> dict[str, float]:
    """Median share of each stage, in the order of the run, and what no stage accounts for."""
    runs = [run for run in view.counted if run.stages and run.seconds]
    names = list(dict.fromkeys(name for run in runs for name in run.stages))
    middles = {name: median(run.stages.get(name, 0.0) / (run.seconds or 1.0) for run in runs) for name in names}
    total = sum(middles.values())
    # stages of shards that ran side by side can come to more than the wall time
    return {name: share / max(1.0, total) for name, share in middles.items()} | {_REST: max(0.0, 1 - total)}


def _joined(shares: dict[str, float]) -> dict[str, float]:
    kept = {name: share for name, share in shares.items() if share >= _SHOWN_SHARE}
    rest = sum(share for name, share in shares.items() if name not in kept)
    return {**kept, "rest": rest} if rest > 0.0005 else kept


def _small(views: Sequence[CellView], parts: Sequence[dict[str, float]]) -> str:
    told = []
    for view, shares in zip(views, parts, strict=True):
        small = [f"{clean(n, 24)} {100 * s:.0f} %" for n, s in shares.items() if 0.0005 < s < _SHOWN_SHARE]
        if small:
            told.append(f"{_bar_name(view, views)} rest: {', '.join(small)}")
    return "; ".join(told)


def _bar_name(view: CellView, drawn: Sequence[CellView]) -> str:
    several = len({other.cell.level for other in drawn}) > 1
    return clean(view.cell.engine, 24) + (f" {clean(view.cell.level, 16)}" if several else "")
