"""Context: what all lives of one campaign share."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from properties.lifecycle.clean import CleanRuns
from properties.lifecycle.failure import Failure
from properties.lifecycle.palette import Palette


@dataclass
class Context:
    """engines: those with a database. going_on: of them, those that can run some years only; resuming, many_worlds: likewise.

    uses: what was done, and how often. steps, examples: counted until something broke. failure: the smallest so far.
    """

    engines: tuple[str, ...]
    going_on: tuple[str, ...]
    resuming: tuple[str, ...]
    many_worlds: tuple[str, ...]
    palette: Palette
    clean: CleanRuns
    shrink_seconds: float
    timeout: float | None = None
    progress: Callable[[str], None] | None = None
    uses: Counter[str] = field(default_factory=Counter)
    steps: int = 0
    examples: int = 0
    failure: Failure | None = None
    refused: str | None = None
    _until: float | None = None

    def begin(self) -> None:
        """One more life."""
        if self.failure is None:
            self.examples += 1
            if self.progress:
                self.progress(f"life {self.examples}, {self.steps} steps so far")

    def told(self) -> None:
        """One more step."""
        if self.failure is None:
            self.steps += 1

    def note(self, failure: Failure) -> None:
        """Keep the smallest failure. With the first one the time for shrinking begins."""
        if self._until is None:
            self._until = time.monotonic() + self.shrink_seconds
        if self.failure is None or failure.size < self.failure.size:
            self.failure = failure

    def is_over(self) -> bool:
        """Whether a failure was found and the time for shrinking it is spent."""
        return self._until is not None and time.monotonic() > self._until
