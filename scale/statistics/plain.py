"""What the statistics share: points of measurement, and figures as JSON takes them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt

from scale.policy import Policy

Points = Mapping[float, Sequence[float]]
"""Values measured at each x (employees, years or threads): {1000: [0.41, 0.42, 0.40], ...}."""
Axis = Literal["employees", "years"]
Array = npt.NDArray[np.float64]
Indices = npt.NDArray[np.intp]


def figures(**values: float | str | None) -> dict[str, float | str]:
    """The values that JSON can hold: None, NaN and infinities are left out."""
    return {
        key: value if isinstance(value, str) else float(value)
        for key, value in values.items()
        if value is not None and (isinstance(value, str) or math.isfinite(value))
    }


def shortage(points: Points, policy: Policy) -> str:
    """Why nothing can be fitted to the points, in a sentence; empty where it can."""
    need = policy.sufficiency
    if len(points) < need.sizes_minimum:
        sizes = "1 size was" if len(points) == 1 else f"{len(points)} sizes were"
        return f"{sizes} measured and {need.sizes_minimum} are needed"
    fewest = min(points, key=lambda x: len(points[x]))
    if len(points[fewest]) < need.runs_minimum:
        return f"{fewest:g} has {len(points[fewest])} runs and each size needs {need.runs_minimum}"
    if not all(math.isfinite(value) and value > 0 for values in points.values() for value in values):
        return "a measured value is not a number above 0"
    if min(points) <= 0:
        return f"a size of {min(points):g} cannot be fitted"
    return ""


def medians(points: Points) -> tuple[Array, Array]:
    """x in rising order, and the median at each."""
    xs = sorted(points)
    return np.array(xs, dtype=float), np.array([float(np.median(points[x])) for x in xs])
