"""The pictures of a night: what it met over its time, and how nights went."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator

from scale.nightly.night import line_of
from scale.nightly.records import Night, NightStatus
from scale.nightly.report import facts
from scale.reports.document import Picture
from scale.reports.plots.style import FAILED, GREY, figure, legend, message, panels, save, styled
from scale.reports.units import plural

COVERAGE, TREND = "coverage.png", "trend.png"
_LINE = "#0072B2"
_TICKS = 10
_MARKS: dict[NightStatus, tuple[str, str, str]] = {
    "clean": ("o", _LINE, _LINE),
    "news": ("D", "#D55E00", "#D55E00"),
    "failed": ("X", FAILED, FAILED),
    "interrupted": ("o", "white", GREY),
}
"""Marker, face and edge by how a night went; told apart without colour too."""


def draw(night: Night, folder: Path) -> list[Picture]:
    """Write coverage.png, and trend.png where there were earlier nights; files of an earlier call without data are removed."""
    found = []
    with styled():
        for name, picture in ((COVERAGE, coverage(night)), (TREND, trend(night))):
            if picture is None:
                (folder / name).unlink(missing_ok=True)
                continue
            save(picture, folder / name)
            found.append(Picture(PurePosixPath(name), message(picture)))
    return found


def coverage(night: Night) -> Figure | None:
    """Labels, and pairs of labels, that were known by each minute of the night."""
    points = night.coverage
    if len(points) < 2:  # a line needs two
        return None
    met, every = facts.labels(night)
    added = night.pairs - night.pairs_before
    reading = (
        "Pairs: of labels that occur together in one world. Dashed: all labels there are, and the pairs known before tonight. "
        f"{plural(points[-1].worlds, 'world')} by the end."
    )
    share = f"all {every:,}" if met == every else f"{met:,} of {every:,}"
    title = f"{plural(added, 'pair')} of labels met for the first time; {share} labels known"
    picture, (upper, lower) = panels(title, reading, 2)
    minutes = [point.seconds / 60 for point in points]
    upper.step(minutes, [point.labels for point in points], where="post", color=_LINE)
    upper.axhline(every, color="black", linewidth=1.3, linestyle="--")
    lower.step([0.0, *minutes], [night.pairs_before, *(point.pairs for point in points)], where="post", color=_LINE)
    lower.axhline(night.pairs_before, color="black", linewidth=1.3, linestyle="--")
    for axes, name in ((upper, f"labels known, of {every:,}"), (lower, "pairs of labels known")):
        axes.set_ylabel(name)
        axes.yaxis.set_major_locator(MaxNLocator(5, integer=True))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    lower.set_xlim(0, max(minutes[-1], 1e-3))
    lower.set_xlabel("time of the campaign (minutes)")
    return picture


def trend(night: Night) -> Figure | None:
    """Pairs that were known after each night, and how each night went."""
    if not night.earlier:
        return None
    nights = [*night.earlier, line_of(night, facts.labels(night)[0])]
    grown = nights[-1].pairs - nights[0].pairs
    title = (
        f"Pairs of labels known after {plural(len(nights), 'night')}: {nights[-1].pairs:,} ({grown:+,} since the first)"
    )
    picture, axes = figure(title, "Each mark is a night, and tells how it went; the last is tonight.", height=3.6)
    axes.plot(range(len(nights)), [one.pairs for one in nights], "-", color=GREY, linewidth=1.3, zorder=1)
    for status, (marker, face, edge) in _MARKS.items():
        places = [at for at, one in enumerate(nights) if one.status == status]
        if places:
            pairs = [nights[at].pairs for at in places]
            axes.plot(
                places, pairs, marker, mfc=face, mec=edge, mew=1.4, label=f"{status} ({len(places)})", linestyle=""
            )
    step = -(-len(nights) // _TICKS)
    shown = list(range(len(nights) - 1, -1, -step))
    axes.xaxis.set_major_locator(FixedLocator(shown))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: nights[round(value)].started[5:10]))
    axes.set_xlim(-0.5, len(nights) - 0.5)
    axes.yaxis.set_major_locator(MaxNLocator(5, integer=True))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axes.set_xlabel("night (month-day)")
    axes.set_ylabel("pairs of labels known")
    legend(picture, axes, 4)
    return picture
