"""Series of a sweep and the curves that were fitted to them, as the pictures use them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from statistics import median
from typing import Literal

import numpy as np

from scale.records import Series
from scale.reports.plots.style import capital

Quantity = Literal["seconds", "memory"]
SizeAxis = Literal["employees", "years"]
Curve = Callable[[np.ndarray], np.ndarray]


def chosen(series: Sequence[Series], axis: SizeAxis, quantity: Quantity) -> list[Series]:
    """The series to draw together: those that hold the same equal, over as many sizes as there are."""
    groups: dict[str, list[Series]] = {}
    for one in series:
        if one.axis == axis and one.quantity == quantity and any(point.values for point in one.points):
            groups.setdefault(rest(one), []).append(one)
    return max(groups.values(), key=lambda group: sum(len(one.points) for one in group), default=[])


def rest(one: Series) -> str:
    """What is held equal, without the engine and its level."""
    return one.rest.removeprefix(f"{one.engine} {one.level}, ")


def held_equal(one: Series) -> str:
    """The same as a sentence."""
    return f"{capital(rest(one))}." if rest(one) else ""


def curve(one: Series) -> Curve | None:
    """The curve that was fitted: a + b n^p, else the straight line; None where neither has figures."""
    power = figures(one.power, "a", "b", "p")
    if power:
        a, b, p = power
        return lambda x: a + b * x**p
    line = figures(one.linear, "intercept", "slope")
    if line:
        intercept, slope = line
        return lambda x: intercept + slope * x
    return None


def departures(one: Series) -> dict[float, float]:
    """By size, the median over the fitted value, less 1."""
    fitted = curve(one)
    assert fitted is not None
    return {
        point.x: median(point.values) / float(fitted(np.array([point.x]))[0]) - 1
        for point in one.points
        if point.values
    }


def figures(fit: dict[str, float | str] | None, *keys: str) -> tuple[float, ...] | None:
    """The values of the keys, where all are finite numbers."""
    found = [(fit or {}).get(key) for key in keys]
    numbers = tuple(float(value) for value in found if isinstance(value, (int, float)) and math.isfinite(value))
    return numbers if len(numbers) == len(keys) else None
