"""The exponent p of t = a + b n^p with a bootstrap interval, and what it decides."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from scale.policy import Policy
from scale.statistics.curve import Curves, fit_curves
from scale.statistics.plain import Array, Axis, Indices, Points, figures, shortage
from scale.status import Verdict

_SEED = 20_240_601  # of the bootstrap: the same runs give the same interval


@dataclass(frozen=True)
class PowerFit:
    """t = a + b n^p, a >= 0, b > 0. p_low, p_high: bootstrap interval of p at the policy's level.

    residuals: of each size, log of median over fitted value (0.1 is about 10 % above the curve). overhead_ratio: fitted time of the
    largest size over a, infinite without overhead. All None where nothing was fitted.

    Interval: percentiles over samples made of the fitted curve and residuals drawn from all sizes alike, widened by
    sqrt(runs / (runs - 3)) for the three fitted parameters. Of the schemes tried it comes nearest to its 90 %: drawing runs within
    each size covers 55 to 75 % at 3 runs a size. Without overhead a >= 0 biases p upwards by 0.01 to 0.02 at 5 % noise, and the
    lower end lies above the truth more often than 5 %, by as little (power_table prints the coverage).
    """

    a: float | None
    b: float | None
    p: float | None
    p_low: float | None
    p_high: float | None
    overhead_ratio: float | None
    verdict: Verdict
    reason: str
    residuals: Mapping[float, float] = field(default_factory=dict)

    def as_dict(self) -> dict[str, float | str]:
        """For records.Series.power; residuals as `residual 1000`."""
        return figures(
            a=self.a,
            b=self.b,
            p=self.p,
            p_low=self.p_low,
            p_high=self.p_high,
            overhead_ratio=self.overhead_ratio,
            verdict=self.verdict,
            reason=self.reason,
            **{f"residual {x:g}" if x < 1e6 else f"residual {x:.0f}": value for x, value in self.residuals.items()},
        )


def fit_power(points: Points, policy: Policy, axis: Axis = "employees") -> PowerFit:
    """The exponent and its verdict.

    fail: lower end above the policy's `lower_end_above`, whatever else holds. Else insufficient: too few sizes or runs, sizes too
    close together, or too much of the largest run is overhead. Else pass: upper end at most `upper_end_at_most`. Else inconclusive.
    """
    missing = shortage(points, policy)
    if missing:
        return PowerFit(None, None, None, None, None, None, "insufficient", missing)
    xs = np.array(sorted(points), dtype=float)
    sizes = np.repeat(np.arange(len(xs)), [len(points[x]) for x in sorted(points)])
    log_t = np.log(np.concatenate([np.asarray(points[x], dtype=float) for x in sorted(points)]))
    log_u = np.log(xs / xs[-1])
    fitted = fit_curves(log_u[sizes], log_t[None], sizes)
    samples = fit_curves(
        log_u[sizes], _resample(fitted.log_values(log_u[sizes])[0], log_t, policy.power.resamples), sizes
    )
    tail = (1 - policy.power.level) / 2
    low, high = (float(end) for end in np.quantile(samples.p, [tail, 1 - tail]))
    return _result(xs, log_u, log_t, sizes, fitted, low, high, policy, axis)


def _resample(fitted: Array, log_t: Array, samples: int) -> Array:
    residuals = log_t - fitted
    residuals = (residuals - residuals.mean()) * np.sqrt(len(log_t) / (len(log_t) - 3))
    drawn: Array = fitted + np.random.default_rng(_SEED).choice(residuals, (samples, len(log_t)))
    return drawn


def _result(
    xs: Array,
    log_u: Array,
    log_t: Array,
    sizes: Indices,
    fitted: Curves,
    low: float,
    high: float,
    policy: Policy,
    axis: Axis,
) -> PowerFit:
    p, c, scale = float(fitted.p[0]), float(fitted.c[0]), float(np.exp(fitted.beta[0]))
    overhead_ratio = (1 + c) / c if c > 0 else float("inf")
    verdict, reason = _judge(p, low, high, float(xs[-1] / xs[0]), overhead_ratio, policy, axis)
    curve = fitted.log_values(log_u)[0]
    residuals = {float(x): float(np.median(log_t[sizes == i]) - curve[i]) for i, x in enumerate(xs)}
    return PowerFit(scale * c, scale / float(xs[-1]) ** p, p, low, high, overhead_ratio, verdict, reason, residuals)


def _judge(
    p: float, low: float, high: float, size_ratio: float, overhead_ratio: float, policy: Policy, axis: Axis
) -> tuple[Verdict, str]:
    limits, need = policy.power, policy.sufficiency
    found = f"p = {p:.2f} ({low:.2f} to {high:.2f} at {limits.level:.0%})"
    if low > limits.lower_end_above:
        return "fail", f"{found}: the lower end is above {limits.lower_end_above:g}"
    wanted = need.size_ratio_minimum if axis == "employees" else need.year_ratio_minimum
    if size_ratio < wanted:
        return "insufficient", f"{found}: largest over smallest is {size_ratio:.3g} and has to be at least {wanted:g}"
    if overhead_ratio < need.overhead_ratio_minimum:
        return "insufficient", (
            f"{found}: the largest run is {overhead_ratio:.1f} times the fixed cost and has to be at least "
            f"{need.overhead_ratio_minimum:g}; measure a larger one"
        )
    if high <= limits.upper_end_at_most:
        return "pass", f"{found}: the upper end is at most {limits.upper_end_at_most:g}"
    return "inconclusive", (
        f"{found}: neither is the upper end at most {limits.upper_end_at_most:g} nor the lower end above "
        f"{limits.lower_end_above:g}; more runs or a quieter machine decide"
    )
