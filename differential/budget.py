"""Runs that cost minutes: each is done once in a session, counted, and held to --budget-runs or --budget-minutes.

The budget is for the whole session. What is still to come has a share kept for it: reductions and further worlds may use only
what is over, so that the comparisons that were asked for are not starved by the first that fails.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field

from differential.run import Run
from differential.variant import VariantError
from fixtures.scenario import ScenarioError

FROM_CACHE = "taken from the cache of finished runs"
"""The note by which an engine tells that a run cost nothing."""


class BudgetSpentError(RuntimeError):
    """A run that the budget no longer allows; nothing was started."""


@dataclass
class CostlyRuns:
    """The runs of one session. runs, minutes: the budget; None = none. used: runs that were really done.

    expected: keys of runs that comparisons still to come will need.
    """

    runs: int | None = None
    minutes: float | None = None
    used: int = 0
    expected: set[Hashable] = field(default_factory=set)
    _done: dict[Hashable, Run] = field(default_factory=dict)
    _spent_seconds: float = 0.0
    _started: float = field(default_factory=time.monotonic)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def get(self, key: Hashable, make: Callable[[], Run], *, kept: bool = False) -> Run:
        """The run of that key: as this session has it already, or done now. kept: it will come from a cache and cost nothing.

        Raises:
            BudgetSpentError: it would be one too many.
        """
        with self._lock:
            if key in self._done:
                return self._done[key]
            if not kept and self.left < 1:
                raise BudgetSpentError(f"{self.describe()} is spent")
            self.used += not kept
        started = time.monotonic()
        try:
            run = make()
        except (ScenarioError, VariantError):  # the engine cannot express what is asked, and has started nothing
            with self._lock:
                self.used -= not kept
            raise
        finally:
            with self._lock:
                self.expected.discard(key)
                self._spent_seconds += time.monotonic() - started
        with self._lock:
            if not kept and run.proof is not None and FROM_CACHE in run.proof.notes:
                self.used -= 1
            self._done[key] = run
        return run

    @property
    def left(self) -> float:
        """Runs that may still be done; under a budget of minutes as many as would fit, at the mean of those so far."""
        left = float("inf") if self.runs is None else float(self.runs - self.used)
        if self.minutes is None:
            return left
        seconds = 60 * self.minutes - (time.monotonic() - self._started)
        if seconds <= 0:
            return 0
        return min(left, seconds // self._mean) if self.used else left

    @property
    def over(self) -> float:
        """Runs that nothing still to come needs."""
        return max(0.0, self.left - len(self.expected))

    def for_reduction(self, most: int) -> int:
        """Runs that one reduction may take: what is over, or half of what is left where that is more."""
        return int(min(most, max(self.over, self.left // 2)))

    def expect(self, keys: Iterable[Hashable]) -> None:
        """Keep a share for these runs."""
        self.expected.update(keys)

    def no_longer(self, keys: Iterable[Hashable]) -> None:
        """These are not needed any more."""
        for key in keys:
            with suppress(KeyError):
                self.expected.remove(key)

    def describe(self) -> str:
        """The budget in words."""
        parts = [
            f"{self.runs} runs" if self.runs is not None else "",
            f"{self.minutes:g} minutes" if self.minutes else "",
        ]
        return "the budget of " + " and ".join(part for part in parts if part) if any(parts) else "no budget"

    @property
    def _mean(self) -> float:
        return max(1.0, self._spent_seconds / max(1, self.used))


_current = CostlyRuns()


def costly_runs() -> CostlyRuns:
    """Those of the running session."""
    return _current


def begin_costly_runs(runs: CostlyRuns) -> CostlyRuns:
    """Start a session's account; returns it."""
    global _current
    _current = runs
    return runs
