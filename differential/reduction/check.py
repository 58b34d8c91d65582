"""The check that a reduction repeats: run candidate worlds, and name what each one fails on."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from differential.comparison import ComparisonPolicy, Divergence, WorldComparison, compare_runs, first_divergence
from differential.reduction.model import Observed, Verdict
from differential.run import Run
from differential.side import Side, UnsuitableWorldsError
from differential.variant import VariantError
from fixtures.world import World

T = TypeVar("T")


class WorldCheck(ABC, Generic[T]):
    """Candidate worlds are run in one pass and judged: a callable fit for `reduce_world`.

    subject: the first part of signatures. An engine that raises counts as a failure of its own kind (`error`), world by world.
    """

    subject: str

    @property
    @abstractmethod
    def many(self) -> bool:
        """Whether one pass takes many worlds."""

    @abstractmethod
    def run(self, worlds: Sequence[World]) -> T:
        """What the engines make of the worlds; raises whatever they raise."""

    @abstractmethod
    def judge(self, made: T, worlds: Sequence[World]) -> list[Verdict]:
        """A verdict a world."""

    def __call__(self, worlds: Sequence[World]) -> list[Verdict]:
        worlds = list(worlds)
        if not worlds:
            return []
        try:
            made = self.run(worlds)
        except UnsuitableWorldsError as error:
            return self._without(worlds, frozenset(error.indexes))
        except Exception as error:  # noqa: BLE001 - whatever an engine raises is what is being reduced
            if len(worlds) > 1:
                return self._one_by_one(worlds)
            if isinstance(error, VariantError):  # a variant that the engine lacks is no failure of it
                return [None]
            return [Observed(error_signature(self.subject, type(error).__name__))]
        return self.judge(made, worlds)

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


@dataclass(frozen=True)
class FailureCheck(WorldCheck[tuple[Run, Run]]):
    """Two sides, compared.

    subject: such as `sql_vs_polars`. policy: what attached engines are excused from. threshold: a world whose least score is
    at or above it passes; None fails it on any difference at all.
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
        return all(takes_many(side) for side in (self.left, self.right))

    def run(self, worlds: Sequence[World]) -> tuple[Run, Run]:
        return self.left.run(worlds, timeout=self.timeout), self.right.run(worlds, timeout=self.timeout)

    def judge(self, made: tuple[Run, Run], worlds: Sequence[World]) -> list[Verdict]:
        return observe(*made, worlds, self.subject, self.policy, self.threshold)


def takes_many(side: Side) -> bool:
    """Whether a side takes many worlds in one pass; runs on used databases share a file, so worlds of one name go one by one."""
    return side.capabilities.many_worlds and side.history != "used_database"


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
