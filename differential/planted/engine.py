"""PlantedEngine: a built-in engine that runs with a fault."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from differential.engines import get_engine
from differential.planted.elsewhere import carried_along
from differential.planted.fault import Fault
from differential.run import Capabilities, Run, capabilities_of
from differential.variant import Variant
from fixtures.world import World

_PLANTER = "differential.planted:planted_there"


class PlantedEngine:
    """A built-in engine whose runs have one fault, also what of them happens in other processes."""

    def __init__(self, fault: Fault, engine: str | None = None) -> None:
        self.fault, self.base = fault, engine or fault.engine
        self.name = f"{self.base}+{fault.id}"

    @property
    def capabilities(self) -> Capabilities:
        return capabilities_of(get_engine(self.base))

    def run(self, worlds: Sequence[World], variant: Variant) -> Run:
        """The built-in engine's run with the fault in it, under this engine's name."""
        with self._planted():
            return self._signed(get_engine(self.base).run(worlds, variant))

    def run_years(self, worlds: Sequence[World], variant: Variant, first: int, count: int) -> Run:
        """As the built-in engine's; the oracle has none."""
        engine: Any = get_engine(self.base)
        with self._planted():
            return self._signed(engine.run_years(worlds, variant, first, count))

    @contextmanager
    def _planted(self) -> Iterator[None]:
        planting = self.fault.plantings.get(self.base)
        if planting is None:  # a fault of the harness leaves engines as they are
            yield
            return
        with planting(), carried_along(_PLANTER, f"{self.fault.id}_{self.base}"):
            yield

    def _signed(self, run: Run) -> Run:
        # A proof that names another engine is left as it is: that is what a silent fall-back looks like.
        if run.proof is None or run.proof.engine != self.base:
            return run
        return replace(run, proof=replace(run.proof, engine=self.name))
