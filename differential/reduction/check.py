"""The check that a reduction repeats: run both sides on candidate worlds and name each one's first divergence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from differential.comparison import ComparisonPolicy, Divergence, WorldComparison, compare_runs, first_divergence
from differential.reduction.model import Observed, Verdict
from differential.run import Run
from differential.side import Side, UnsuitableWorldsError
from differential.variant import VariantError
from fixtures.world import World


@dataclass(frozen=True)
class FailureCheck:
    """Two sides, compared: a callable fit for `reduce_world`.

    subject: the first part of signatures, such as `sql_vs_polars`. policy: what attached engines are excused from.
    threshold: a world whose least score is at or above it passes; None fails it on any difference at all.
    """

    left: Side
    right: Side
    subject: str
    policy: ComparisonPolicy | None = None
    threshold: float | None = None
    timeout: float | None = None

    @property
    def many(self) -> bool:
        """Whether both sides take many worlds in one pass."""
        # Runs on used databases share a file, so worlds of one name go one by one anyway.
        sides = (self.left, self.right)
        return all(side.capabilities.many_worlds and side.history != "used_database" for side in sides)

    def __call__(self, worlds: Sequence[World]) -> list[Verdict]:
        """A verdict a world. An engine that raises counts as a failure of its own kind (`error`), world by world."""
        worlds = list(worlds)
        if not worlds:
            return []
        try:
            left, right = (side.run(worlds, timeout=self.timeout) for side in (self.left, self.right))
        except UnsuitableWorldsError as error:
            return self._without(worlds, frozenset(error.indexes))
        except Exception:  # noqa: BLE001 - whatever an engine raises is what is being reduced
            if len(worlds) > 1:
                return self._one_by_one(worlds)
            return [self._raised(worlds[0])]
        return observe(left, right, worlds, self.subject, self.policy, self.threshold)

    def _one_by_one(self, worlds: list[World]) -> list[Verdict]:
        """Until one fails: candidates come boldest first, and after a pass that raised each further one costs a run."""
        verdicts: list[Verdict] = [None] * len(worlds)
        for index, world in enumerate(worlds):
            verdicts[index] = self([world])[0]
            if verdicts[index] is not None:
                break
        return verdicts

    def _without(self, worlds: list[World], unsuitable: frozenset[int]) -> list[Verdict]:
        suitable = [index for index in range(len(worlds)) if index not in unsuitable]
        verdicts: list[Verdict] = [None] * len(worlds)
        for index, verdict in zip(suitable, self([worlds[index] for index in suitable]), strict=True):
            verdicts[index] = verdict
        return verdicts

    def _raised(self, world: World) -> Verdict:
        for side in (self.left, self.right):
            try:
                side.run([world], timeout=self.timeout)
            except (UnsuitableWorldsError, VariantError):
                return None
            except Exception as error:  # noqa: BLE001 - as above
                return Observed(error_signature(self.subject, type(error).__name__))
        return None


def observe(
    left: Run,
    right: Run,
    worlds: Sequence[World],
    subject: str,
    policy: ComparisonPolicy | None = None,
    threshold: float | None = None,
) -> list[Verdict]:
    """A verdict a world, from both sides' runs over them."""
    verdicts: list[Verdict] = [None] * len(worlds)
    differing = [one.index for one in compare_runs(left, right, policy) if failing(one, threshold)]
    if differing:
        results = list(zip(left.results(), right.results(), worlds, strict=True))
        for index in differing:
            one, other, world = results[index]
            divergence = first_divergence(one, other, world, policy)
            verdicts[index] = None if divergence is None else observed_of(divergence, subject)
    return verdicts


def observed_of(divergence: Divergence, subject: str) -> Observed:
    """A divergence as the reducer needs it."""
    return Observed(divergence.signature(subject), divergence.employee_id, divergence.year, divergence.event_type)


def error_signature(subject: str, error: str) -> str:
    """The signature of an engine that raised: the exception's type, never its message, which may hold anybody's data."""
    return f"{subject}|-|error|{error}|raised"


def failing(comparison: WorldComparison, threshold: float | None) -> bool:
    """Whether a world fails: any difference at all, or, with a threshold, a score below it."""
    return not comparison.equal if threshold is None else comparison.scores.least < threshold
