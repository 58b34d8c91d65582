"""The check that a reduction repeats: run both sides on candidate worlds and name each one's first divergence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from differential.comparison import ComparisonPolicy
from differential.reduction.model import Verdict
from differential.side import Side
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
        raise NotImplementedError

    def __call__(self, worlds: Sequence[World]) -> list[Verdict]:
        """A verdict a world. An engine that raises counts as a failure of its own kind (`error`), world by world."""
        raise NotImplementedError
