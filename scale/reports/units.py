"""Figures as people read them: three significant digits, the unit beside, `-` for what was not measured."""

from __future__ import annotations

import math

NONE = "-"
_BYTES = ((10**9, "GB"), (10**6, "MB"), (10**3, "kB"))


def number(value: float | None, digits: int = 3) -> str:
    """12,345 or 1.23: `digits` significant digits below a thousand, whole numbers with separators above."""
    if value is None or not math.isfinite(value):
        return NONE
    if abs(value) >= 10 ** (digits - 1):
        return f"{value:,.0f}"
    return f"{value:.{digits}g}" if abs(value) >= 1e-4 or value == 0 else f"{value:.1e}"


def seconds(value: float | None) -> str:
    """0.123 s, 12.3 s, 1,234 s."""
    return NONE if value is None else f"{_steady(value)} s"


def size(value: float | None) -> str:
    """Bytes as kB, MB or GB of powers of ten."""
    if value is None:
        return NONE
    for unit, name in _BYTES:
        if abs(value) >= unit:
            return f"{_steady(value / unit)} {name}"
    return f"{value:.0f} B"


def percent(value: float | None, digits: int = 0) -> str:
    """A fraction as a percentage."""
    return NONE if value is None or not math.isfinite(value) else f"{100 * value:.{digits}f} %"


def count(value: float | None) -> str:
    """1,234,567"""
    return NONE if value is None else f"{value:,.0f}"


def short_count(value: float) -> str:
    """1k, 20k, 1M: sizes on axes."""
    for unit, name in ((10**6, "M"), (10**3, "k")):
        if value >= unit:
            return f"{value / unit:g}{name}"
    return f"{value:.3g}"


def plural(value: int, one: str, many: str = "") -> str:
    """`1 run`, `3 runs`."""
    return f"{value:,} {one if value == 1 else many or one + 's'}"


def _steady(value: float) -> str:
    """Three significant digits with their zeros, so that columns compare: 1.20, 12.0, 120."""
    if value == 0 or not math.isfinite(value):
        return f"{value:.3g}"
    places = max(0, 2 - math.floor(math.log10(abs(value))))
    return f"{value:,.{min(places, 4)}f}"
