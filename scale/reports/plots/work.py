"""How much gets done: events per second over employees, and the time of each simulated year."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import median

from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter

from scale.reports.cells import CellView, held
from scale.reports.plots.style import Look, capital, clean, face, figure, legend, line_style, size_axis
from scale.reports.units import short_count


def throughput(series: Sequence[CellView], looks: dict[str, Look]) -> Figure | None:
    """Events per second of wall time over employees."""
    views = [view for view in series if view.events_per_second]
    if not views:
        return None
    lines = _by_engine(views)
    largest = max(view.cell.employees for view in views)
    told = ", ".join(
        f"{clean(engine, 24)} {_rate(view)}"
        for (engine, level), found in lines.items()
        for view in found
        if view.cell.employees == largest and level == _main_level(lines, engine)
    )
    reading = (
        f"{capital(held(views[0].cell, level=False))}. Small points: runs; large: median. "
        "A level line means that time grows with the work."
    )
    picture, axes = figure(f"Events per second at {largest:,} employees: {told}", reading)
    for (engine, level), found in lines.items():
        look = looks[engine]
        for view in found:
            rates = view.values(lambda run: run.events / run.seconds if run.events and run.seconds else None)
            axes.plot(
                [view.cell.employees] * len(rates),
                rates,
                look.marker,
                color=look.color,
                alpha=0.35,
                markersize=4.5,
                mew=0,
            )
        axes.plot(
            [view.cell.employees for view in found],
            [view.events_per_second or 0.0 for view in found],
            look.marker,
            linestyle=line_style(level),
            color=look.color,
            mfc=face(level, look.color),
            mew=1.2,
            markersize=9,
            label=f"{clean(engine)} {clean(level, 16)}",
        )
    size_axis(axes, [view.cell.employees for view in views])
    axes.set_ylim(bottom=0)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: short_count(value)))
    axes.set_ylabel("events per second")
    legend(picture, axes)
    return picture


def years(views: Sequence[CellView], looks: dict[str, Look]) -> Figure | None:
    """Wall time of each simulated year, of the cells with the most years (then the most employees)."""
    told = [view for view in views if any(len(run.years) > 1 for run in view.counted)]
    if not told:
        return None
    most = max((view.cell.years, view.cell.employees, -view.cell.threads, -view.cell.shards) for view in told)
    drawn = [v for v in told if (v.cell.years, v.cell.employees, -v.cell.threads, -v.cell.shards) == most]
    cell = drawn[0].cell
    middles = {(view.cell.engine, view.cell.level): _year_medians(view) for view in drawn}
    reference = 1 if cell.years > 2 else 0  # the first year also opens the run
    ratios = ", ".join(
        f"{values[-1] / values[reference]:.2f} in {clean(engine, 24)}"
        for (engine, level), values in middles.items()
        if level == _main_level(middles, engine) and values[reference]
    )
    reading = (
        f"{cell.employees:,} employees, {held(cell, level=False)}. "
        f"Line: median of the runs; band: lowest to highest.{_growth(drawn[0])}"
    )
    picture, axes = figure(f"Time of year {cell.years} over that of year {reference + 1}: {ratios}", reading)
    for view in drawn:
        values, look = middles[view.cell.engine, view.cell.level], looks[view.cell.engine]
        index = range(1, len(values) + 1)
        by_year = list(zip(*(run.years for run in view.counted if len(run.years) == len(values)), strict=True))
        low, high = [min(at) for at in by_year], [max(at) for at in by_year]
        axes.fill_between(index, low, high, color=look.color, alpha=0.18, linewidth=0)
        axes.plot(
            index,
            values,
            look.marker,
            linestyle=line_style(view.cell.level),
            color=look.color,
            mfc=face(view.cell.level, look.color),
            label=f"{clean(view.cell.engine)} {clean(view.cell.level, 16)}",
        )
    axes.set_ylim(bottom=0)
    shown = range(1, cell.years + 1) if cell.years <= 12 else [1, *range(5, cell.years + 1, 5)]
    axes.xaxis.set_major_locator(FixedLocator(list(shown)))
    axes.set_xlabel("simulated year")
    axes.set_ylabel("wall time of the year (seconds)")
    legend(picture, axes)
    return picture


def _by_engine(views: Sequence[CellView]) -> dict[tuple[str, str], list[CellView]]:
    lines: dict[tuple[str, str], list[CellView]] = {}
    for view in sorted(views, key=lambda view: view.cell.employees):
        lines.setdefault((view.cell.engine, view.cell.level), []).append(view)
    return lines


def _main_level(lines: Iterable[tuple[str, str]], engine: str) -> str:
    levels = [level for name, level in lines if name == engine]
    return "high" if "high" in levels else levels[0]


def _year_medians(view: CellView) -> list[float]:
    """By year; runs that tell of another number of years are left out."""
    length = max(len(run.years) for run in view.counted)
    return [median(at) for at in zip(*(run.years for run in view.counted if len(run.years) == length), strict=True)]


def _growth(view: CellView) -> str:
    rows = next((run.rows_by_year for run in view.counted if len(run.rows_by_year) > 1), [])
    if len(rows) < 2 or not rows[0][1]:
        return ""
    yearly = (rows[-1][1] / rows[0][1]) ** (1 / (len(rows) - 1)) - 1
    return f" State rows change by {100 * yearly:+.1f} % a year."


def _rate(view: CellView) -> str:
    return f"{view.events_per_second:,.0f}" if view.events_per_second else "-"
