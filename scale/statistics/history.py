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
        return figures(**vars(self))


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
    p_value = _trend_p_value(window)
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


def _trend_p_value(window: Array) -> float:
    """Mann-Kendall, two-sided, for nights that resemble the night before: z shrinks with their lag-1 correlation r by
    sqrt((1 - r) / (1 + r)), as the number of independent nights does (Yue and Wang 2004)."""
    if np.ptp(window) == 0:
        return 1.0
    nights = np.arange(len(window))
    line = stats.theilslopes(window, nights)
    rest = window - line[1] - line[0] * nights
    rest = rest - rest.mean()
    spread = float(rest @ rest)
    resemblance = min(max(float(rest[1:] @ rest[:-1]) / spread, 0.0), 0.99) if spread > 0 else 0.0
    z = stats.norm.isf(float(stats.kendalltau(nights, window).pvalue) / 2)
    return float(2 * stats.norm.sf(z * np.sqrt((1 - resemblance) / (1 + resemblance))))


def _split(values: Array, start: int, stop: int, policy: Policy, rng: np.random.Generator) -> dict[int, float]:
    """{first night of a level: p-value}: the borders of the arc of [start, stop) that stands out most, and of its parts."""
    limits = policy.history
    if stop - start < 2 * limits.segment_minimum:
        return {}
    ranks = stats.rankdata(values[start:stop])
    observed, low, high = _arc(ranks[None], limits.segment_minimum)
    shuffled = rng.permuted(np.broadcast_to(ranks, (limits.permutations, len(ranks))), axis=1)
    chance = _arc(shuffled, limits.segment_minimum)[0]
    p_value = (1 + int((chance >= observed[0]).sum())) / (1 + limits.permutations)
    if p_value >= limits.change_p_value_below:
        return {}
    edges = sorted({start, start + low, start + high, stop})
    found = dict.fromkeys(edges[1:-1], p_value)
    for left, right in pairwise(edges):
        found.update(_split(values, left, right, policy, rng))
    return found


def _arc(ranks: Array, least: int) -> tuple[Array, int, int]:
    """The largest |Z| of the rank sum of an arc [low, high) against the rest, for each row of ranks, and the first row's arc.

    A split in two is an arc that begins or ends with the history. Arcs inside it see a level that came and went again, which one
    split cannot (circular binary segmentation, Olshen and others 2004). No piece is shorter than `least`.
    """
    count = ranks.shape[1]
    sums = np.concatenate([np.zeros((len(ranks), 1)), np.cumsum(ranks, axis=1)], axis=1)
    best, where = np.zeros(len(ranks)), (0, count)
    for low in (0, *range(least, count - least + 1)):
        high = np.array([end for end in (*range(low + least, count - least + 1), count) if 0 < end - low < count])
        length = high - low
        spread = np.sqrt(length * (count - length) * (count + 1) / 12)
        z = np.abs(sums[:, high] - sums[:, [low]] - length * (count + 1) / 2) / spread
        if z[0].max() > best[0]:
            where = (low, int(high[z[0].argmax()]))
        best = np.maximum(best, z.max(axis=1))
    return best, *where


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
