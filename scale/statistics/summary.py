"""Mean, median, spread, and a distribution-free interval of the median."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from scale.policy import Policy
from scale.status import Verdict


@dataclass(frozen=True)
class Summary:
    """Of one cell's runs, in their unit. std: of the sample (n - 1), 0 for one run. cv: std over mean, None for one run.

    median_low, median_high: interval of the median at 95 % or more that assumes nothing about the distribution (order statistics,
    binomial); None below 6 runs, where no such interval exists.
    """

    n: int
    mean: float
    median: float
    std: float
    min: float
    max: float
    cv: float | None
    median_low: float | None
    median_high: float | None


@dataclass(frozen=True)
class Variation:
    """Whether runs of one cell agree: cv is std over mean."""

    cv: float | None
    verdict: Verdict
    reason: str


def summarise(values: Sequence[float]) -> Summary:
    """The summary of at least one value. Raises ValueError for none."""
    if not values:
        raise ValueError("nothing to summarise")
    data = np.asarray(values, dtype=float)
    low, high = median_interval(values) or (None, None)
    mean, std = float(data.mean()), float(data.std(ddof=1)) if len(data) > 1 else 0.0
    cv = std / mean if len(data) > 1 and mean > 0 else None
    return Summary(len(data), mean, float(np.median(data)), std, float(data.min()), float(data.max()), cv, low, high)


def median_interval(values: Sequence[float], level: float = 0.95) -> tuple[float, float] | None:
    """Order statistics that hold the median between them with at least `level`; None where n is too small for any.

    The widest pair, smallest and largest, misses with 2 / 2^n: at 95 % it takes 6 values. Like benchstat's, nothing is given below.
    """
    n = len(values)
    below = int(stats.binom.ppf((1 - level) / 2, n, 0.5)) if n else 0
    if below == 0:
        return None
    ordered = sorted(values)
    return float(ordered[below - 1]), float(ordered[n - below])


def judge_variation(values: Sequence[float], limit: float, policy: Policy) -> Variation:
    """CV below `limit` (a fraction) passes; fewer runs than the policy's minimum are insufficient."""
    need = policy.sufficiency.runs_minimum
    if len(values) < need:
        return Variation(None, "insufficient", f"{len(values)} runs; {need} are needed for a variation")
    cv = summarise(values).cv
    if cv is None:
        return Variation(None, "insufficient", "the mean is not above 0")
    verdict: Verdict = "pass" if cv < limit else "fail"
    return Variation(cv, verdict, f"CV {cv:.1%} over {len(values)} runs (limit {limit:.0%})")
