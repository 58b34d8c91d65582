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

    uses: what was done, and how often. steps, examples: counted until something broke. failure: what broke, and the
    steps that led there.
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
    failure: Failure | None = None
    actions: tuple[Action, ...] = ()
    refused: str | None = None

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
