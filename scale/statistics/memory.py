"""Memory: growth with the census, and a leak over repeated runs in one process."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from scale.policy import GB, MB, Policy
from scale.statistics.linear import fit_linear
from scale.statistics.plain import Array, Points, figures
from scale.status import Verdict

_LEVEL = 0.90  # of the slope's interval: 5 % on the side that is read


@dataclass(frozen=True)
class MemoryGrowth:
    """GB (10^9 bytes) of peak memory for each 1 000 employees more, with an interval at the level of the linear fit."""

    gb_per_1000: float | None
    low: float | None
    high: float | None
    verdict: Verdict
    reason: str

    def as_dict(self) -> dict[str, float | str]:
        """Plain figures for reports."""
        return figures(**vars(self))


@dataclass(frozen=True)
class LeakTest:
    """mb_per_run: Theil-Sen slope (MB, 10^6 bytes) after the warm-up, with its interval at 90 %.

    late_mb_per_run: slope of the second half, which is flat where a cache has filled up. p_value: Mann-Kendall (Kendall's tau
    against time), one-sided.
    """

    mb_per_run: float | None
    low: float | None
    high: float | None
    late_mb_per_run: float | None
    p_value: float | None
    verdict: Verdict
    reason: str

    def as_dict(self) -> dict[str, float | str]:
        """Plain figures for reports."""
        return figures(**vars(self))


def fit_growth(points: Points, policy: Policy) -> MemoryGrowth:
    """Peak memory in bytes by employees: pass where the slope's upper end is below the limit, fail where its lower end is not."""
    line = fit_linear(points, policy)
    if line.slope is None or line.slope_low is None or line.slope_high is None:
        return MemoryGrowth(None, None, None, "insufficient", line.reason)
    slope, low, high = (value * 1000 / GB for value in (line.slope, line.slope_low, line.slope_high))
    limit = policy.memory.growth_below_gb_per_1000
    verdict: Verdict = "pass" if high < limit else "fail" if low >= limit else "inconclusive"
    return MemoryGrowth(
        slope, low, high, verdict, f"{slope:.3g} GB per 1 000 employees ({low:.3g} to {high:.3g}; limit {limit:g})"
    )


def judge_leak(after: Sequence[float], policy: Policy) -> LeakTest:
    """Memory in use (bytes) after each of several runs in one process, the warm-up runs first.

    fail: memory rises steadily (Mann-Kendall), by more than the limit even at the slope's lower end, and still does so in the
    second half and over the typical few runs. pass: flat, falling, saturating, in steps, or a rise too small to matter.
    inconclusive: all slopes are above the limit, but not for certain.
    """
    limits = policy.memory
    kept = np.asarray(after[limits.leak_warm_up_runs :], dtype=float) / MB
    if len(kept) < limits.leak_runs_minimum:
        return LeakTest(
            None, None, None, None, None, "insufficient",
            f"{len(kept)} runs after {limits.leak_warm_up_runs} of warm-up, and {limits.leak_runs_minimum} are needed",
        )  # fmt: skip
    runs = np.arange(len(kept))
    slope, _, low, high = (float(value) for value in stats.theilslopes(kept, runs, alpha=_LEVEL))
    half = len(kept) // 2
    late, _, late_low, _ = (float(value) for value in stats.theilslopes(kept[half:], runs[half:], alpha=_LEVEL))
    p_value = 1.0 if np.ptp(kept) == 0 else float(stats.kendalltau(runs, kept, alternative="greater").pvalue)
    limit = limits.leak_limit_mb_per_run
    rises = min(slope, late, _typical(kept)) > limit
    certain = min(low, late_low) > limit and p_value < limits.leak_p_value_below
    verdict: Verdict = ("fail" if certain else "inconclusive") if rises else "pass"
    reason = (
        f"{slope:+.2f} MB a run ({low:+.2f} to {high:+.2f}; {late:+.2f} in the second half; limit {limit:g}) "
        f"over {len(kept)} runs, p of a steady rise {p_value:.2g}"
    )
    return LeakTest(slope, low, high, late, p_value, verdict, reason)


def _typical(kept: Array) -> float:
    """Median growth a run over an eighth of the runs at a time: what leaks rises throughout, allocators take an arena now and then.

    Measured: 50 runs of one process rose by 60 MB, all of it in three steps.
    """
    stride = max(1, len(kept) // 8)
    return float(np.median(kept[stride:] - kept[:-stride])) / stride
