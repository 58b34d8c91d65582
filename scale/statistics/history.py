"""A nightly history: the trend of the last weeks, and the nights at which the level changed.

Change points are found as E-divisive does (Matteson and James 2014; Apache Otava, MongoDB), by splitting at the largest difference
while a permutation test finds it significant; here with ranks instead of energy distances, so that single bad nights do not count.
Times of one machine only: a change of machine is a change point.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
from scipy import stats

from scale.policy import Policy
from scale.statistics.plain import Array, figures
from scale.status import Verdict

_SEED = 20_240_601


@dataclass(frozen=True)
class Trend:
    """change: over the window, as a fraction of its start (Theil-Sen on logarithms). p_value: Mann-Kendall, two-sided."""

    label: Literal["improving", "stable", "degrading", ""]
    change: float | None
    p_value: float | None
    nights: int
    verdict: Verdict
    reason: str

    def as_dict(self) -> dict[str, float | str]:
        """Plain figures for reports."""
        return figures(
            label=self.label,
            change=self.change,
            p_value=self.p_value,
            nights=self.nights,
            verdict=self.verdict,
            reason=self.reason,
        )


@dataclass(frozen=True)
class ChangePoint:
    """index: of the first night of the new level. before, after: medians of the two levels. change: after / before - 1."""

    index: int
    before: float
    after: float
    change: float
    p_value: float


@dataclass(frozen=True)
class ChangePoints:
    """points in order of time. verdict: fail where one of the last `trend_nights` nights is the start of a slower level."""

    points: tuple[ChangePoint, ...]
    verdict: Verdict
    reason: str


def fit_trend(medians: Sequence[float], policy: Policy) -> Trend:
    """The label of the last nights' medians (oldest first; seconds or bytes, all above 0). A label is shown and never decides."""
    limits = policy.history
    if len(medians) < limits.nights_minimum:
        return Trend("", None, None, len(medians), "insufficient", _short(medians, policy))
    window = np.log(np.asarray(medians[-limits.trend_nights :], dtype=float))
    nights = np.arange(len(window))
    change = float(np.expm1(stats.theilslopes(window, nights)[0] * (len(window) - 1)))
    p_value = 1.0 if np.ptp(window) == 0 else float(stats.kendalltau(nights, window).pvalue)
    label: Literal["improving", "stable", "degrading"] = "stable"
    if p_value < limits.trend_p_value_below and abs(change) > limits.trend_change_above:
        label = "degrading" if change > 0 else "improving"
    return Trend(
        label,
        change,
        p_value,
        len(window),
        "info",
        f"{label}: {change:+.1%} over {len(window)} nights, p = {p_value:.2g}",
    )


def find_changes(medians: Sequence[float], policy: Policy) -> ChangePoints:
    """The nights at which the level changed by more than the limit, for the whole history (oldest first, all above 0)."""
    limits = policy.history
    if len(medians) < limits.nights_minimum:
        return ChangePoints((), "insufficient", _short(medians, policy))
    values = np.asarray(medians, dtype=float)
    rng = np.random.default_rng(_SEED)
    points = _levels(values, _split(values, 0, len(values), policy, rng), policy)
    recent = [point for point in points if point.change > 0 and point.index >= len(values) - limits.trend_nights]
    if not recent:
        return ChangePoints(points, "pass", f"{len(points)} changes over {len(values)} nights, none slower of late")
    last = recent[-1]
    return ChangePoints(
        points, "fail", f"{last.change:+.1%} since night {last.index + 1} of {len(values)} (p = {last.p_value:.2g})"
    )


def issue_text(what: str, changes: ChangePoints, nights: Sequence[str]) -> str:
    """Markdown of an issue on the changes of `what`; nights[i] names night i, by date and commit."""
    lines = [f"# {what}: {changes.reason}", ""]
    for point in changes.points:
        before = nights[point.index - 1] if point.index else "-"
        lines.append(
            f"- {point.change:+.1%}: {point.before:.4g} up to {before}, {point.after:.4g} from {nights[point.index]} on "
            f"(p = {point.p_value:.2g})"
        )
    lines += ["", "Compare the two commits on one machine: `python -m scale compare --base-checkout DIR`.", ""]
    return "\n".join(lines)


def _split(values: Array, start: int, stop: int, policy: Policy, rng: np.random.Generator) -> dict[int, float]:
    """{first night of a level: p-value}, by splitting [start, stop) at its largest change until none is significant."""
    limits = policy.history
    if stop - start < 2 * limits.segment_minimum:
        return {}
    ranks = stats.rankdata(values[start:stop])
    statistics = _rank_sums(ranks[None], limits.segment_minimum)[0]
    shuffled = rng.permuted(np.broadcast_to(ranks, (limits.permutations, len(ranks))), axis=1)
    chance = _rank_sums(shuffled, limits.segment_minimum).max(axis=1)
    p_value = (1 + int((chance >= statistics.max()).sum())) / (1 + limits.permutations)
    if p_value >= limits.change_p_value_below:
        return {}
    at = start + limits.segment_minimum + int(statistics.argmax())
    return {at: p_value, **_split(values, start, at, policy, rng), **_split(values, at, stop, policy, rng)}


def _rank_sums(ranks: Array, least: int) -> Array:
    """|Z| of the rank sum left of each allowed split (columns), for each row of ranks: Mann-Whitney's statistic at every split."""
    count = ranks.shape[1]
    left = np.arange(least, count - least + 1)
    sums = np.cumsum(ranks, axis=1)[:, left - 1]
    spread = np.sqrt(left * (count - left) * (count + 1) / 12)
    z: Array = np.abs(sums - left * (count + 1) / 2) / spread
    return z


def _levels(values: Array, found: Mapping[int, float], policy: Policy) -> tuple[ChangePoint, ...]:
    """The splits whose levels differ by more than the limit; else the smallest is dropped and its levels joined, one by one."""
    borders = sorted(found)
    while True:
        edges = [0, *borders, len(values)]
        level = [float(np.median(values[low:high])) for low, high in pairwise(edges)]
        changes = [after / before - 1 for before, after in pairwise(level)]
        smallest = min(range(len(borders)), key=lambda i: abs(changes[i]), default=None)
        if smallest is None or abs(changes[smallest]) > policy.history.change_above:
            break
        del borders[smallest]
    return tuple(ChangePoint(at, level[i], level[i + 1], changes[i], found[at]) for i, at in enumerate(borders))


def _short(medians: Sequence[float], policy: Policy) -> str:
    return f"{len(medians)} nights, and {policy.history.nights_minimum} are needed"
