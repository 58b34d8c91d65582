"""How many leave and come: docs/simulation.md, 5.2 and the split over levels of 5.3 and 5.4."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from differential.engines.oracle.units import half_up
from differential.run import Infeasible
from fixtures.scenario import Scenario

MAX_HIRES = 999_999


class Quota(NamedTuple):
    """Head counts of one year: opening, previous hires among it, target, experienced exits, hires, new-hire exits."""

    year: int
    opening: int
    recent: int
    target: int
    net: int
    exits: int
    hires: int
    new_hire_exits: int


class InfeasibleError(Exception):
    """The quotas of this world cannot be met; `reason` says which and when."""

    def __init__(self, reason: Infeasible) -> None:
        super().__init__(f"{reason.code} in {reason.year}")
        self.reason = reason


def year_quota(year: int, n: int, p: int, g: int, t: int, h: int) -> Quota:
    """The quota of one year from n people, p of them hired last year; growth g, exit rates t and h in basis points.

    Raises:
        InfeasibleError: someone must be hired and every new hire leaves, or more than 999 999 must be hired.
    """
    e = n - p
    target = half_up(n * (10_000 + g), 10_000)
    exits = (e * t + p * h) // 10_000
    net = target - (n - exits)
    if net <= 0:
        return Quota(year, n, p, target, net, exits - net, 0, 0)
    if h == 10_000:
        raise InfeasibleError(Infeasible("new_hire_exits_certain", year))
    hires = -(-10_000 * net // (10_000 - h))
    if hires > MAX_HIRES:
        raise InfeasibleError(Infeasible("too_many_hires", year))
    return Quota(year, n, p, target, net, exits, hires, hires - net)


def all_quotas(scenario: Scenario, opening: int) -> list[Quota]:
    """The quotas of every simulated year, which follow from the first opening headcount. Raises InfeasibleError."""
    quotas: list[Quota] = []
    n, p = opening, 0
    for year in scenario.years:
        quota = year_quota(
            year, n, p, scenario.target_growth_rate, scenario.total_termination_rate, scenario.new_hire_termination_rate
        )
        quotas.append(quota)
        n, p = quota.target, max(quota.net, 0)
    return quotas


def split_over_levels(total: int, headcounts: Sequence[int]) -> list[int]:
    """`total` in proportion to the headcounts by largest remainder, ties to the lower level; zeros when n = 0."""
    n = sum(headcounts)
    if n == 0:
        return [0] * len(headcounts)
    parts = [total * count // n for count in headcounts]
    by_remainder = sorted(range(len(headcounts)), key=lambda level: (-(total * headcounts[level] % n), level))
    for level in by_remainder[: total - sum(parts)]:
        parts[level] += 1
    return parts
