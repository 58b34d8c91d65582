"""A straight line over sizes: R2 with its band, slope with interval and p-value."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import stats

from scale.policy import Policy
from scale.statistics.plain import Array, Points, figures, medians, shortage
from scale.status import Verdict


@dataclass(frozen=True)
class LinearFit:
    """y = intercept + slope x, least squares over the medians of the sizes, so that one disturbed run does not decide.

    slope_low, slope_high: interval at the policy's level, of an error that allows for noise that grows with the size (HC3,
    MacKinnon and White 1985; Student's t, sizes - 2 degrees of freedom). The usual one takes the noise for equal and covers 60 %
    instead of 95 % here, this one 90 %. p_value: of a slope of 0, two-sided, as scipy.stats.linregress gives it. band: excellent,
    good, acceptable or poor, by R2; empty where nothing was fitted, and then every figure is None.

    A line says little: t = a + b n^2 has R2 of 0.9 and more over these sizes. The exponent decides beside it.
    """

    slope: float | None
    intercept: float | None
    r2: float | None
    p_value: float | None
    slope_low: float | None
    slope_high: float | None
    band: str
    verdict: Verdict
    reason: str

    def as_dict(self) -> dict[str, float | str]:
        """For records.Series.linear."""
        return figures(
            slope=self.slope,
            intercept=self.intercept,
            r2=self.r2,
            p_value=self.p_value,
            slope_low=self.slope_low,
            slope_high=self.slope_high,
            band=self.band,
            verdict=self.verdict,
            reason=self.reason,
        )


def fit_linear(points: Points, policy: Policy) -> LinearFit:
    """The line and what the policy says of it; insufficient below the policy's sizes and runs, never a pass."""
    missing = shortage(points, policy)
    if missing:
        return LinearFit(None, None, None, None, None, None, "", "insufficient", missing)
    x, y = medians(points)
    slope, intercept, r2, p_value = _line(x, y)
    half = float(stats.t.ppf((1 + policy.linear.level) / 2, len(x) - 2)) * _slope_error(x, y - intercept - slope * x)
    verdict, reason = _judge(slope, r2, p_value, policy)
    return LinearFit(slope, intercept, r2, p_value, slope - half, slope + half, _band(r2, policy), verdict, reason)


def _line(x: Array, y: Array) -> tuple[float, float, float, float]:
    if np.ptp(y) == 0:  # R2 of a flat line is 0 / 0; nothing grows, so nothing is explained
        return 0.0, float(y[0]), 0.0, 1.0
    found = stats.linregress(x, y)
    p_value = float(found.pvalue)
    return (
        float(found.slope),
        float(found.intercept),
        float(found.rvalue) ** 2,
        p_value if math.isfinite(p_value) else 1.0,
    )


def _slope_error(x: Array, residuals: Array) -> float:
    """HC3: each residual over 1 - leverage, since a size far from the rest draws the line to itself."""
    away = x - x.mean()
    leverage = 1 / len(x) + away**2 / (away @ away)
    return float(np.sqrt(((away * residuals / (1 - leverage)) ** 2).sum()) / (away @ away))


def _band(r2: float, policy: Policy) -> str:
    limits = policy.linear
    bands = (("excellent", limits.r2_excellent), ("good", limits.r2_good), ("acceptable", limits.r2_acceptable))
    return next((name for name, least in bands if r2 >= least), "poor")


def _judge(slope: float, r2: float, p_value: float, policy: Policy) -> tuple[Verdict, str]:
    limits = policy.linear
    faults = []
    if not slope > limits.slope_above:
        faults.append(f"the slope {slope:.3g} is not above {limits.slope_above:g}: was the input scaled?")
    if r2 < limits.r2_minimum:
        faults.append(f"R2 {r2:.3f} is below {limits.r2_minimum:g}")
    if not p_value < limits.p_value_below:
        faults.append(f"p = {p_value:.3g} is not below {limits.p_value_below:g}")
    if faults:
        return "fail", "; ".join(faults)
    return "pass", f"R2 {r2:.3f} ({_band(r2, policy)}), p = {p_value:.2g}"
