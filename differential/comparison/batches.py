"""Comparison of two runs over many worlds: the whole tables at once where they are equal, else world by world."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import pyarrow as pa

from differential.comparison.exact import compare_tables, tables_identical
from differential.comparison.policy import ComparisonPolicy, PolicyUse
from differential.comparison.verdict import EVENTS, STATE, ColumnRules, Scores, TableComparison, TableSpec, equal_tables
from differential.run import Infeasible, Run


class ComparisonError(ValueError):
    """Two runs that cannot be put side by side, such as runs over different numbers of worlds."""


@dataclass(frozen=True)
class WorldComparison:
    """One world on both sides: both tables, and why either side has none."""

    index: int
    events: TableComparison
    state: TableComparison
    left_infeasible: Infeasible | None = None
    right_infeasible: Infeasible | None = None

    @property
    def equal(self) -> bool:
        """Exactly equal: both tables and the reason for having no rows."""
        return self.events.equal and self.state.equal and self.left_infeasible == self.right_infeasible

    @property
    def accepted(self) -> bool:
        """Equal under the policy."""
        return self.events.accepted and self.state.accepted and self.left_infeasible == self.right_infeasible

    @property
    def scores(self) -> Scores:
        """Per kind the least over both tables; all 0 where one side is infeasible otherwise than the other."""
        if self.left_infeasible != self.right_infeasible:
            return Scores(0.0, 0.0, 0.0)
        return _least([self.events.scores, self.state.scores])

    def describe(self, left: str = "left", right: str = "right") -> str:
        """Plain text for people: what differs in this world."""
        lines = []
        if self.left_infeasible != self.right_infeasible:
            lines.append(
                f"infeasible: {left} {_reason(self.left_infeasible)}, {right} {_reason(self.right_infeasible)}"
            )
        lines += [table.describe(left, right) for table in (self.events, self.state)]
        return "\n".join(lines)


def compare_runs(
    left: Run, right: Run, policy: ComparisonPolicy | None = None, use: PolicyUse | None = None
) -> list[WorldComparison]:
    """Compare two runs world by world, in order; one comparison per world, also for the equal ones.

    The policy's entries that were needed are noted in `use`. Raises ComparisonError for different numbers of worlds and
    RunError for bounds that contradict the tables.
    """
    if len(left) != len(right):
        raise ComparisonError(f"one side ran {len(left)} worlds, the other {len(right)}: they cannot be compared")
    # one look at the whole tables settles most batches; only where they differ is each world looked at
    for run in (left, right):
        next(run.results(), None)  # raises where bounds contradict the tables
    same_bounds = left.bounds == right.bounds
    same_events = same_bounds and tables_identical(left.events, right.events)
    same_state = same_bounds and tables_identical(left.state, right.state)
    if same_events and same_state:
        return [
            WorldComparison(
                index, equal_tables(EVENTS, events), equal_tables(STATE, states), *_reasons(left, right, index)
            )
            for index, (events, states) in enumerate(left.bounds or ((left.events.num_rows, left.state.num_rows),))
        ]
    policy = policy or ComparisonPolicy()
    rules = {spec.name: policy.rules(spec.name) for spec in (EVENTS, STATE)}
    found = []
    for index, (one, other) in enumerate(zip(left.results(), right.results(), strict=True)):
        events = _compare(one.events, other.events, EVENTS, rules, same_events)
        state = _compare(one.state, other.state, STATE, rules, same_state)
        if use is not None:
            use.record(policy, events)
            use.record(policy, state)
        found.append(WorldComparison(index, events, state, *_reasons(left, right, index)))
    return found


def least_scores(comparisons: Iterable[WorldComparison]) -> Scores:
    """A test's scores: per kind the least over worlds and tables, never an average; 1 without worlds."""
    return _least(comparison.scores for comparison in comparisons)


def _reasons(left: Run, right: Run, index: int) -> tuple[Infeasible | None, Infeasible | None]:
    return left.infeasible.get(index), right.infeasible.get(index)


def _compare(
    left: pa.Table, right: pa.Table, spec: TableSpec, rules: dict[str, ColumnRules], identical: bool
) -> TableComparison:
    if identical:
        return equal_tables(spec, left.num_rows)
    return compare_tables(left, right, spec, rules[spec.name])


def _least(scores: Iterable[Scores]) -> Scores:
    known = list(scores)
    return Scores(
        min((score.count for score in known), default=1.0),
        min((score.overlap for score in known), default=1.0),
        min((score.value for score in known), default=1.0),
    )


def _reason(infeasible: Infeasible | None) -> str:
    return f"{infeasible.code} in {infeasible.year}" if infeasible else "has a result"
