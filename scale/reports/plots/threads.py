"""What more threads bring, on the cores that exist."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from scale.policy import Policy
from scale.reports.cells import CellView
from scale.reports.plots.style import GREY, Look, clean, figure, legend
from scale.reports.threads import Workload, workloads

_STYLES = ("--", "-")
_SHOWN_WORKLOADS = len(_STYLES)


def thread_efficiency(views: Sequence[CellView], looks: dict[str, Look], cores: int, policy: Policy) -> Figure | None:
    """Efficiency (speed-up over threads) by number of threads; counts beyond the cores are shaded."""
    every = workloads(views, cores, policy)
    if not every:
        return None
    # other scenarios happen to have two counts of threads, and short workloads tell little; the table has them all
    most = max(len(work.found.rows) for work in every)
    longest = sorted({work.work for work in every if len(work.found.rows) == most})[-_SHOWN_WORKLOADS:]
    found = [work for work in every if len(work.found.rows) == most and work.work in longest]
    reading = "Efficiency: time on one thread over time on n threads, divided by n. Medians of the runs."
    picture, axes = figure(_title(found, cores), reading)
    counts = sorted({row.threads for work in found for row in work.found.rows})
    for work in found:
        look = looks[work.engine]
        style = _STYLES[longest.index(work.work) - len(longest)]
        axes.plot(
            [row.threads for row in work.found.rows],
            [100 * row.efficiency for row in work.found.rows],
            look.marker,
            linestyle=style,
            color=look.color,
            markersize=9,
            label=f"{clean(work.engine)}, {work.employees:,} employees, {work.years} years",
        )
    _lines(axes, policy)
    _shade(axes, counts, cores)
    axes.set_xscale("log", base=2)
    axes.xaxis.set_major_locator(FixedLocator(counts))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.set_xlabel("threads")
    axes.set_ylabel("efficiency (%)")
    top = max(118.0, 1.15 * max(100 * row.efficiency for work in found for row in work.found.rows))
    axes.set_ylim(0, top)
    axes.set_xlim(counts[0] / 1.25, counts[-1] * 1.35)
    legend(picture, axes, 2)
    return picture


def _title(found: Sequence[Workload], cores: int) -> str:
    judged = [(work, row) for work in found for row in work.found.rows if row.judged]
    if not judged:
        return f"Thread efficiency is not judged: {found[-1].found.reason}"
    largest = max(work.work for work, _ in judged)
    threads = max(row.threads for _, row in judged)
    told = ", ".join(
        f"{clean(work.engine, 24)} {100 * row.efficiency:.0f} %"
        for work, row in judged
        if work.work == largest and row.threads == threads
    )
    return f"Efficiency on {threads} threads of {cores} cores, longest workload: {told}"


def _lines(axes: Axes, policy: Policy) -> None:
    marks = (
        (1.0, "ideal", "-"),
        (policy.threads.efficiency_target, "target", "--"),
        (policy.threads.efficiency_minimum, "minimum", ":"),
    )
    for value, name, style in marks:
        axes.axhline(100 * value, color="black", linewidth=1.3, linestyle=style)
        axes.text(
            0.995, 100 * value, f"{name} {100 * value:.0f} %", transform=axes.get_yaxis_transform(), ha="right", va="bottom",
            fontsize=11,
        )  # fmt: skip


def _shade(axes: Axes, counts: Sequence[int], cores: int) -> None:
    beyond = [count for count in counts if count > cores]
    if not beyond:
        return
    within = [count for count in counts if count <= cores]
    edge = float(np.sqrt(beyond[0] * within[-1])) if within else counts[0] / 1.25
    axes.axvspan(edge, counts[-1] * 1.35, color="#d8dde2", alpha=0.55, linewidth=0, zorder=0)
    axes.text(
        edge * 1.04, 3, f"beyond {cores} core{'s' * (cores > 1)}:\nnot judged", fontsize=11, color=GREY, va="bottom"
    )
