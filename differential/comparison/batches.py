"""Comparison of two runs over many worlds: the whole tables at once where they are equal, else world by world."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from differential.comparison.policy import ComparisonPolicy, PolicyUse
from differential.comparison.verdict import Scores, TableComparison
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
        raise NotImplementedError

    def describe(self, left: str = "left", right: str = "right") -> str:
        """Plain text for people: what differs in this world."""
        raise NotImplementedError


def compare_runs(
    left: Run, right: Run, policy: ComparisonPolicy | None = None, use: PolicyUse | None = None
) -> list[WorldComparison]:
    """Compare two runs world by world, in order; one comparison per world, also for the equal ones.

    The policy's entries that were needed are noted in `use`. Raises ComparisonError for different numbers of worlds and
    RunError for bounds that contradict the tables.
    """
    raise NotImplementedError


def least_scores(comparisons: Iterable[WorldComparison]) -> Scores:
    """A test's scores: per kind the least over worlds and tables, never an average; 1 without worlds."""
    raise NotImplementedError
