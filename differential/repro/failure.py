"""Failure: everything known about one failed comparison, as data."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from differential.comparison import ComparisonPolicy, Divergence, Scores, compare_runs, first_divergence
from differential.reduction import FailureCheck, Observed
from differential.reduction.check import error_signature, observed_of
from differential.side import Side
from fixtures.world import World


@dataclass(frozen=True)
class Failure:
    """One world on which two sides differ.

    test: the parity test, such as `sql_vs_polars`. divergence: None when an engine raised; `error` then says what, as
    `TypeName: message`. claim: name in differential.comparison.CLAIMS that a replay is held to. threshold: the least score
    that passes; None when any difference fails. profile, hypothesis_seed: of the session, for the record.
    given: the census is a user's own; masked: with masked ssn by now; anonymous: with nothing of its people left; stayed:
    in words, what of them the failure needs. command: how the failing test is run again as a whole, such as
    `pytest differential --parity threads`. versions: library name to version. timeout: seconds that an attached engine may take.
    """

    test: str
    left: Side
    right: Side
    world: World
    divergence: Divergence | None = None
    scores: Scores | None = None
    error: str | None = None
    claim: str | None = None
    threshold: float | None = None
    policy: ComparisonPolicy | None = None
    profile: str | None = None
    hypothesis_seed: int | None = None
    given: bool = False
    masked: bool = False
    anonymous: bool = False
    stayed: tuple[str, ...] = ()
    command: str | None = None
    versions: Mapping[str, str] = field(default_factory=dict)
    commit: str | None = None
    timeout: float | None = None

    @property
    def signature(self) -> str:
        """Sanitised: the same for the same failure in another world."""
        return self.observed.signature

    @property
    def observed(self) -> Observed:
        """The failure as the reducer sees it."""
        if self.divergence is not None:
            return observed_of(self.divergence, self.test)
        return Observed(error_signature(self.test, (self.error or "unknown").split(":")[0]))

    @property
    def names(self) -> tuple[str, str]:
        """What to call the two sides in texts: without the modules of attached engines, if that tells them apart."""
        left, right = (side.describe() for side in (self.left, self.right))
        short = tuple(re.sub(r"^[\w.]+:(?:\w+\.)*", "", text) for text in (left, right))
        if short[0] != short[1]:
            return short[0], short[1]
        return (left, right) if left != right else (f"{left} (left)", f"{right} (right)")

    def check(self) -> FailureCheck:
        """The check that reductions and replays repeat."""
        return FailureCheck(self.left, self.right, self.test, self.policy, self.threshold, self.timeout)

    def on(self, world: World) -> Failure:
        """The same failure as it shows on another world: both sides run once more. An engine that raises is the failure."""
        try:
            left, right = (side.run([world], timeout=self.timeout) for side in (self.left, self.right))
        except Exception as error:  # noqa: BLE001 - whatever an engine raises is what failed
            text = f"{type(error).__name__}: {error}"
            return replace(self, world=world, divergence=None, scores=None, error=text)
        comparison = compare_runs(left, right, self.policy)[0]
        divergence = first_divergence(next(left.results()), next(right.results()), world, self.policy)
        return replace(self, world=world, divergence=divergence, scores=comparison.scores, error=None)
