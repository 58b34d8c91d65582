"""What all plots share: size, type, colours, and titles that say what is to be seen."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, NullFormatter, NullLocator

from differential.engines import BUILT_IN
from scale.reports.document import one_line
from scale.reports.units import short_count

WIDTH, HEIGHT, DPI = 9.0, 5.4, 140
_MARGIN = 0.012
_LEGEND_SIGNS, _HANDLE_SIGNS = 100, 8  # signs of a legend's type in a row, and those that a line's sample takes up
GREY = "#59636e"
FAILED = "#8b0000"
_FAMILY = "DejaVu Sans"  # comes with matplotlib, so that pictures are alike everywhere
_STYLE: Any = {
    "font.family": _FAMILY,
    "font.size": 13,
    "axes.labelsize": 13,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": GREY,
    "axes.labelcolor": "#1b1f24",
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#e3e7eb",
    "legend.frameon": False,
    "legend.fontsize": 12,
    "lines.linewidth": 2,
    "lines.markersize": 8,
    "text.parse_math": False,  # an engine's name may hold dollar signs
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
}
# Okabe and Ito's palette, apart for all common kinds of colour blindness; its yellow is too light for lines on white.
_COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
_MARKERS = "os^DvPX"


@dataclass(frozen=True)
class Look:
    """How an engine is drawn in every plot; the marker tells engines apart without colour."""

    color: str
    marker: str


def looks(engines: Iterable[str]) -> dict[str, Look]:
    """A look for each engine: the same in every plot, and for built-in engines in every report."""
    found = set(engines)
    others = sorted(found - set(BUILT_IN))
    order = [*BUILT_IN, *others]
    return {
        engine: Look(_COLORS[order.index(engine) % len(_COLORS)], _MARKERS[order.index(engine) % len(_MARKERS)])
        for engine in order
        if engine in found
    }


@contextmanager
def styled() -> Iterator[None]:
    """Everything that is drawn or saved inside looks alike."""
    with mpl.rc_context(_STYLE):
        yield


def figure(title: str, reading: str, *, height: float = HEIGHT) -> tuple[Figure, Axes]:
    """An empty plot. title: its message, in a sentence. reading: how to read it and what is held equal."""
    drawn, (axes,) = panels(title, reading, 1, height=height)
    return drawn, axes


def panels(title: str, reading: str, number: int, *, height: float = HEIGHT) -> tuple[Figure, list[Axes]]:
    """As `figure`, with so many plots one above the other over a shared x axis."""
    drawn = Figure(figsize=(WIDTH, height), dpi=DPI, layout="constrained")
    every = list(drawn.subplots(number, sharex=True, squeeze=False)[:, 0])
    drawn.suptitle(_wrapped(title, 68), x=_MARGIN, ha="left", fontsize=15, fontweight="bold")
    every[0].set_title("\n".join(textwrap.wrap(_tied(reading, 340), 114)[:3]), loc="left", fontsize=11, color=GREY)
    return drawn, every


def _wrapped(text: str, width: int) -> str:
    """At most three lines of about equal length."""
    tied = _tied(text, 3 * width)
    lines = len(textwrap.wrap(tied, width))
    narrower = (each for each in range(len(tied) // max(1, lines), width) if len(textwrap.wrap(tied, each)) <= lines)
    return "\n".join(textwrap.wrap(tied, max(1, next(narrower, width)))[:3])


def _tied(text: str, limit: int) -> str:
    """The text on one line, each number with its unit next to it."""
    return re.sub(r"(?<=\d) (?=%|s\b|[GM]B\b)", "\N{NO-BREAK SPACE}", clean(text, limit))


def message(drawn: Figure) -> str:
    """The title of a plot as one sentence."""
    return " ".join(drawn.get_suptitle().split())


def legend(drawn: Figure, axes: Axes, columns: int = 3) -> None:
    """A legend below the axes, never over the data: fewer columns for long names, and a higher picture for many rows."""
    handles, labels = axes.get_legend_handles_labels()
    if not handles:
        return
    fitting = _LEGEND_SIGNS // (max(map(len, labels)) + _HANDLE_SIGNS)
    across = max(1, min(columns, len(handles), fitting))
    rows = -(-len(handles) // across)
    drawn.set_figheight(drawn.get_figheight() + 0.26 * max(0, rows - 2))
    drawn.legend(handles, labels, loc="outside lower center", ncols=across, handlelength=3)


def save(drawn: Figure, path: Path) -> None:
    """Write a PNG; the same picture gives the same bytes with the same versions."""
    path.parent.mkdir(parents=True, exist_ok=True)
    _align(drawn)
    drawn.savefig(path, metadata={"Software": None})


def _align(drawn: Figure) -> None:
    """Let the line under the title begin where the title does: the axes' own place is known only once the figure is laid out."""
    drawn.draw_without_rendering()
    for axes in drawn.axes:
        place = axes.get_position()
        axes._left_title.set_x((_MARGIN - place.x0) / place.width)  # type: ignore[attr-defined] # noqa: SLF001


def clean(text: str, limit: int = 30) -> str:
    """A stranger's text on one line, with what the font cannot draw replaced."""
    return "".join(sign if ord(sign) in _glyphs() else "?" for sign in one_line(text, limit))


def capital(text: str) -> str:
    """The text with its first letter as a capital."""
    return text[:1].upper() + text[1:]


def face(level: str, color: str) -> str:
    """Markers are filled for level high and hollow for any other."""
    return color if level == "high" else "white"


def line_style(level: str) -> str:
    """Solid for level high, dashed for any other."""
    return "-" if level == "high" else "--"


@cache
def _glyphs() -> frozenset[int]:
    return frozenset(font_manager.get_font(font_manager.findfont(_FAMILY)).get_charmap())


def size_axis(axes: Axes, sizes: Iterable[float], label: str = "employees (log scale)") -> None:
    """A logarithmic x axis with the measured sizes as its ticks."""
    found = sorted(set(sizes))
    axes.set_xscale("log")
    axes.set_xlabel(label)
    axes.xaxis.set_major_locator(FixedLocator(_apart(found)))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: short_count(value)))
    axes.set_xlim(found[0] / 1.25, found[-1] * 1.25)


def log_axis(axis: Axis, low: float, high: float) -> None:
    """Ticks of a logarithmic axis at 1, 2 and 5 of each decade; more within one decade, fewer over many."""
    span = high / low
    subs: Sequence[float] = (1.0, 1.5, 2.0, 3.0, 5.0, 7.0) if span < 10 else (1.0, 2.0, 5.0) if span < 2e3 else (1.0,)
    axis.set_major_locator(LogLocator(subs=subs))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}"))
    axis.set_minor_formatter(NullFormatter())


def _apart(sizes: list[float]) -> list[float]:
    """The sizes whose labels do not touch, from the largest down."""
    kept: list[float] = []
    room = 0.045 * np.log10(sizes[-1] / sizes[0]) if len(sizes) > 1 else 0
    for value in reversed(sizes):
        if not kept or np.log10(kept[-1] / value) > room:
            kept.append(value)
    return kept[::-1]
