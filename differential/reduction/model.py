"""What the reducer is given and what it hands back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from fixtures.world import World

DEFAULT_RUNS = 60
DEFAULT_SECONDS = 60.0


class NotReproducedError(RuntimeError):
    """A world whose failure did not show again when the reducer ran it first: a flaky failure, or another input."""


@dataclass(frozen=True)
class Observed:
    """One candidate's failure, as its check saw it.

    signature: sanitised (table, event type, column, kind), equal for the same failure in another world. The rest are hints
    about the first divergence that save the reducer a search; None where unknown.
    """

    signature: str
    employee_id: str | None = None
    year: int | None = None
    event_type: str | None = None


Verdict = Observed | str | None
"""A candidate's failure, or just its signature, or None: it passes, cannot be compared, or cannot run."""

Fails = Callable[[Sequence[World]], Sequence[Verdict]]
"""Runs candidates, one verdict each, in order. One call is one run of the budget, whatever the number of candidates."""


@dataclass(frozen=True)
class Budget:
    """What a reduction may cost: calls of the check, and wall seconds (looked at between calls)."""

    runs: int = DEFAULT_RUNS
    seconds: float = DEFAULT_SECONDS


@dataclass(frozen=True)
class Step:
    """Progress: the best world so far, for a live line such as `shrinking: 3 employees, 2 years (run 14/60)`."""

    stage: str
    employees: int
    years: int
    runs: int
    seconds: float

    def describe(self, budget: Budget) -> str:
        people = "1 employee" if self.employees == 1 else f"{self.employees} employees"
        years = "1 year" if self.years == 1 else f"{self.years} years"
        return f"shrinking ({self.stage}): {people}, {years} (run {self.runs}/{budget.runs}, {self.seconds:.1f} s)"


Progress = Callable[[Step], None]


@dataclass(frozen=True)
class Reduction:
    """The smallest failing world found.

    observed: its failure. runs: calls of the check, the verifying one included. candidates: worlds tried in them.
    verified: one more run of `world` gave the same failure. ended: `finished` (nothing smaller was found), `budget`, or
    `interrupted` (KeyboardInterrupt; the world is the best so far and not verified).
    stayed: in words, what anonymising could not replace (differential/reduction/privacy.py).
    """

    world: World
    observed: Observed
    runs: int
    candidates: int
    seconds: float
    verified: bool
    ended: Literal["finished", "budget", "interrupted"]
    stayed: tuple[str, ...] = ()

    @property
    def signature(self) -> str:
        return self.observed.signature
