"""Context: what all lives of one campaign share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from properties.lifecycle.clean import CleanRuns
from properties.lifecycle.failure import Failure
from properties.lifecycle.palette import Palette

if TYPE_CHECKING:
    from properties.lifecycle.life import Action


@dataclass
class Context:
    """engines: those with a database. going_on: of them, those that can run some years only; resuming, many_worlds: likewise.

    uses: what was done, and how often. steps, examples: counted until something broke; most: of examples, for now. failure:
    what broke, and the steps that led there.
    """

    engines: tuple[str, ...]
    going_on: tuple[str, ...]
    resuming: tuple[str, ...]
    many_worlds: tuple[str, ...]
    palette: Palette
    clean: CleanRuns
    timeout: float | None = None
    progress: Callable[[str], None] | None = None
    uses: Counter[str] = field(default_factory=Counter)
    steps: int = 0
    examples: int = 0
    most: int = 0
    failure: Failure | None = None
    actions: tuple[Action, ...] = ()
    refused: str | None = None

    def begin(self) -> bool:
        """One more life; False when there have been as many as there shall be. Hypothesis alone would not count all of them."""
        if self.examples >= self.most:
            return False
        self.examples += 1
        if self.progress:
            self.progress(f"life {self.examples}, {self.steps} steps so far")
        return True

    def told(self) -> None:
        """One more step."""
        if self.failure is None:
            self.steps += 1
