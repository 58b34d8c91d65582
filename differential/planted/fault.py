"""What a planted fault is: where it goes, who should notice, and which worlds it can show on."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Literal

from fixtures.world import World

Planting = Callable[[], AbstractContextManager[Any]]
"""Makes a context: while it is open, one engine of this process has the fault."""

Population = str | tuple[str, ...] | Callable[[World], bool]
"""An edge label (fixtures.edges) that the clean result shows, or one of several, or a test of the world alone."""

HARNESS = "harness"
"""In place of an engine: the fault is in the suite, in the process that compares."""
ENGINES = ("sql", "polars", "oracle")


class PatchError(RuntimeError):
    """A patch whose place is no longer there: the engine changed, so the fault has to be written anew."""


@dataclass(frozen=True)
class Fault:
    """One fault.

    id: of docs/checks.md (X..); else S.. in the SQL engine, P.. in the Polars engine, B.. in every engine alike. sentence: what
    it does. plantings: by engine, or `harness`. detectors: ids of the checks that should notice it: I.. and M.. of
    docs/checks.md, D1 to D5 for comparisons, L for the life of a database, `error` where the engine's own checks raise.
    population: which worlds it can show on. verdict: `refused` where a comparison must not even come to a verdict.
    """

    id: str
    sentence: str
    plantings: Mapping[str, Planting]
    detectors: tuple[str, ...]
    population: Population
    verdict: Literal["fail", "refused"] = "fail"

    @property
    def engines(self) -> tuple[str, ...]:
        """The engines that have the fault; none for one in the harness."""
        return tuple(name for name in ENGINES if name in self.plantings)

    @property
    def engine(self) -> str:
        """The engine that stands for the fault where one is meant."""
        return self.engines[0] if self.engines else "sql"

    def shows_on(self, world: World, labels: Collection[str]) -> bool:
        """Whether it can show on a world whose clean result has these edge labels."""
        if callable(self.population):
            return self.population(world)
        wanted = (self.population,) if isinstance(self.population, str) else self.population
        return any(label in labels for label in wanted)

    @property
    def everywhere(self) -> bool:
        """Whether all engines get it wrong alike, so that comparing them shows nothing."""
        return self.engines == ENGINES
