"""How many leave and are hired, per world, year and level. Source: docs/simulation.md, 5.2 to 5.5.

Arrays over worlds (and levels) in NumPy int64: these are a few numbers per world, not people.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from differential.run import Infeasible

MAX_HIRES = 999_999
_ONE = 10_000  # basis points

Counts = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Plan:
    """Quotas by year offset (rows) and world (columns); zero where a world has no such year or is infeasible.

    running: whether the world simulates that year. opening: headcount on 1 January.
    """

    running: npt.NDArray[np.bool_]
    opening: Counts
    exits: Counts
    hires: Counts
    new_hire_exits: Counts
    infeasible: dict[int, Infeasible]

    def totals(self, first: int, last: int) -> dict[str, int]:
        """Sums over worlds and the year offsets first..last - 1, named as in Proof.planned."""
        return {
            "hires": int(self.hires[first:last].sum()),
            "exits": int(self.exits[first:last].sum()),
            "new_hire_exits": int(self.new_hire_exits[first:last].sum()),
        }


def plan_quotas(
    headcount: Counts, growth: Counts, exit_rate: Counts, new_hire_rate: Counts, start: Counts, years: Counts
) -> Plan:
    """All years' quotas from the first opening headcounts; rates in basis points, `years` = simulated years per world."""
    span = int(years.max(initial=0))
    shape = (span, len(headcount))
    running = np.arange(span)[:, None] < years[None, :]
    opening, exits, hires, new_hire_exits = (np.zeros(shape, np.int64) for _ in range(4))
    infeasible: dict[int, Infeasible] = {}
    n, recent = headcount.astype(np.int64), np.zeros(len(headcount), np.int64)
    for offset in range(span):
        opening[offset] = n = np.where(running[offset], n, 0)
        recent = np.where(running[offset], recent, 0)
        target = (2 * n * (_ONE + growth) + _ONE) // (2 * _ONE)
        leaving = (exit_rate * (n - recent) + new_hire_rate * recent) // _ONE
        net = target - (n - leaving)
        grows = net > 0
        certain = grows & (new_hire_rate == _ONE)
        keep = np.where(new_hire_rate == _ONE, 1, _ONE - new_hire_rate)
        hired = np.where(grows, -(-_ONE * net // keep), 0)
        too_many = ~certain & (hired > MAX_HIRES)
        for code, where in (("new_hire_exits_certain", certain), ("too_many_hires", too_many)):
            for world in np.flatnonzero(where):
                infeasible[int(world)] = Infeasible(code, int(start[world]) + offset)
        running[:, certain | too_many] = False
        exits[offset], hires[offset] = np.where(grows, leaving, leaving - net), hired
        new_hire_exits[offset] = np.where(grows, hired - net, 0)
        n, recent = target, np.where(grows, net, 0)
    opening, exits, hires, new_hire_exits = (table * running for table in (opening, exits, hires, new_hire_exits))
    return Plan(running, opening, exits, hires, new_hire_exits, dict(sorted(infeasible.items())))


def split_by_level(total: Counts, counts: Counts) -> Counts:
    """Each world's total over its levels, (worlds, levels), by largest remainder of the headcounts; ties to the lower level."""
    headcount = np.maximum(counts.sum(axis=1, keepdims=True), 1)
    product = total[:, None] * counts
    share, remainder = product // headcount, product % headcount
    left = np.where(counts.sum(axis=1) > 0, total - share.sum(axis=1), 0)
    by_remainder = np.argsort(-remainder, axis=1, kind="stable")
    place = np.empty_like(by_remainder)
    np.put_along_axis(place, by_remainder, np.arange(counts.shape[1])[None, :], axis=1)
    split: Counts = share + (place < left[:, None])
    return split
