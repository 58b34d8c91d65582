"""Failure: everything known about one failed comparison, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from differential.comparison import ComparisonPolicy, Divergence, Scores
from differential.reduction import FailureCheck
from differential.side import Side
from fixtures.world import World


@dataclass(frozen=True)
class Failure:
    """One world on which two sides differ.

    test: the parity test, such as `sql_vs_polars`. divergence: None when an engine raised; `error` then says what.
    given: the census is a user's own, so identities are masked. profile, hypothesis_seed: of the session, for the record.
    claim: name in differential.comparison.CLAIMS that a replay is held to. versions: library name to version.
    command: how the failing test is run again as a whole, such as `pytest differential --parity threads`.
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
    command: str | None = None
    versions: Mapping[str, str] = field(default_factory=dict)
    commit: str | None = None

    @property
    def signature(self) -> str:
        """Sanitised: the same for the same failure in another world."""
        raise NotImplementedError

    def check(self) -> FailureCheck:
        """The check that reductions and replays repeat."""
        raise NotImplementedError
