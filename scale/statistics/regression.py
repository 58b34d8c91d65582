"""Base against candidate: interleaved pairs of one machine, a confirmation round, and the build over all cells.

After DuckDB's regression runner: first pairs screen; a cell that looks different is measured again and only that counts; the build
is decided on the geometric mean over cells, so that one noisy cell cannot break it. No statistic mends a
comparison across machines.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import stats

from scale.policy import Policy
from scale.statistics.plain import figures
from scale.status import Verdict

Change = Literal["slower", "faster", "unchanged", "insufficient"]
Sides = tuple[list[float], list[float]]
"""Seconds of base and candidate, pair by pair."""


@dataclass(frozen=True)
class PairVerdict:
    """ratio: median of candidate over median of base. median_difference: ratio - 1. p_value: Mann-Whitney, two-sided.

    change: slower or faster where the p-value is below the limit and the medians differ by more than the limit. verdict: fail for
    slower, pass for unchanged and faster. pairs: that were judged.
    """

    ratio: float | None
    p_value: float | None
    median_difference: float | None
    change: Change
    verdict: Verdict
    reason: str
    pairs: int = 0

    def as_dict(self) -> dict[str, float | str]:
        """Plain figures for reports."""
        return figures(**vars(self))


@dataclass(frozen=True)
class BuildVerdict:
    """geometric_mean: of the cells' ratios. warnings: one sentence for each slower cell where the build as a whole passes."""

    geometric_mean: float | None
    verdict: Verdict
    reason: str
    warnings: tuple[str, ...] = ()


def compare_pairs(
    base: Sequence[float], candidate: Sequence[float], policy: Policy, needed: int | None = None
) -> PairVerdict:
    """One round of pairs (seconds). Insufficient below `needed` pairs, by default the policy's number of first pairs."""
    needed = policy.regression.pairs_initial if needed is None else needed
    pairs = min(len(base), len(candidate))
    if pairs < needed or len(base) != len(candidate):
        return _insufficient(f"{len(base)} runs of base and {len(candidate)} of candidate; {needed} pairs are needed")
    if not min(*base, *candidate) > 0 or not np.isfinite([*base, *candidate]).all():
        return _insufficient("a measured time is not a number above 0")
    ratio = float(np.median(candidate) / np.median(base))
    p_value = float(stats.mannwhitneyu(base, candidate, alternative="two-sided").pvalue)
    limits = policy.regression
    differs = p_value < limits.p_value_below and abs(ratio - 1) > limits.median_difference_above
    change: Change = ("slower" if ratio > 1 else "faster") if differs else "unchanged"
    reason = f"{change}: {ratio - 1:+.1%} in the median, p = {p_value:.2g}, {pairs} pairs"
    return PairVerdict(ratio, p_value, ratio - 1, change, "fail" if change == "slower" else "pass", reason, pairs)


def needs_confirmation(initial: PairVerdict, policy: Policy) -> bool:
    """Whether the first pairs look different enough, either way, to be measured again."""
    difference = initial.median_difference
    return difference is not None and abs(difference) > policy.regression.screening_difference_above


def pairs_wanted(initial: PairVerdict, confirmation: PairVerdict | None, policy: Policy) -> int:
    """How many more pairs the cell needs to be decided: none, or another round of the confirmation.

    A round that neither clears the cell (medians within the screening limit) nor finds it changed is followed by another, up to
    the policy's most: on a noisy machine 20 pairs see a slowdown of 10 % without being sure of it.
    """
    limits = policy.regression
    if confirmation is None:
        return limits.pairs_confirmation if needs_confirmation(initial, policy) else 0
    open_still = confirmation.change == "unchanged" and needs_confirmation(confirmation, policy)
    return limits.pairs_confirmation if open_still and confirmation.pairs < limits.pairs_confirmation_most else 0


def decided(take: Callable[[int], Sides], policy: Policy) -> tuple[Sides, Sides | None]:
    """First pairs and as many to confirm as they want, taken by `take(count)`."""
    first, second = take(policy.regression.pairs_initial), None
    initial = compare_pairs(*first, policy)
    while count := pairs_wanted(initial, compare_pairs(*second, policy) if second else None, policy):
        base, candidate = take(count)
        second = (second[0] + base, second[1] + candidate) if second else (base, candidate)
    return first, second


def judge_cell(
    initial: tuple[Sequence[float], Sequence[float]],
    confirmation: tuple[Sequence[float], Sequence[float]] | None,
    policy: Policy,
) -> PairVerdict:
    """A cell by its (base, candidate) pairs: unchanged where the first are within the screening limit, else as confirmed."""
    first = compare_pairs(*initial, policy)
    if first.change == "insufficient":
        return first
    if not needs_confirmation(first, policy):
        return PairVerdict(
            first.ratio, first.p_value, first.median_difference, "unchanged", "pass", first.reason, first.pairs
        )
    if confirmation is None:
        return _insufficient(f"{first.reason}; not confirmed by pairs of its own")
    return compare_pairs(*confirmation, policy, needed=policy.regression.pairs_confirmation)


def judge_build(cells: Mapping[str, PairVerdict], policy: Policy) -> BuildVerdict:
    """The build by name of cell: fail where cells are slower and the geometric mean of ratios is above the limit.

    A slower cell within a mean that holds is a warning by name. A mean above the limit without a slower cell is inconclusive.
    Nothing compared, or a cell without enough pairs, is insufficient, unless the rest fails.
    """
    ratios = [cell.ratio for cell in cells.values() if cell.ratio is not None]
    if not ratios:
        return BuildVerdict(None, "insufficient", "no cell was compared")
    mean = float(stats.gmean(ratios))
    limit = policy.regression.geometric_mean_above
    slower = [name for name, cell in cells.items() if cell.change == "slower"]
    short = [name for name, cell in cells.items() if cell.ratio is None]
    found = f"geometric mean {mean - 1:+.1%} over {len(ratios)} cells (limit +{limit:.0%}), {len(slower)} slower"
    if mean - 1 > limit and slower:
        return BuildVerdict(mean, "fail", f"{found}: {', '.join(slower)}")
    warnings = tuple(f"{name} is {cells[name].reason}" for name in slower)
    if short:
        return BuildVerdict(mean, "insufficient", f"{found}; without enough pairs: {', '.join(short)}", warnings)
    if mean - 1 > limit:
        return BuildVerdict(mean, "inconclusive", f"{found}: no cell is slower by itself; compare again", warnings)
    return BuildVerdict(mean, "pass", found, warnings)


def _insufficient(reason: str) -> PairVerdict:
    return PairVerdict(None, None, None, "insufficient", "insufficient", reason)
