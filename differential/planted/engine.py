"""FaultyEngine: a built-in engine that runs with a fault; PlantedEngine: with one of the catalogue."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from differential.engines import get_engine
from differential.planted.elsewhere import carried_along
from differential.planted.fault import Fault, Planting
from differential.run import Capabilities, Run, capabilities_of
from differential.variant import Variant
from fixtures.world import World


class FaultyEngine:
    """A built-in engine whose runs have one fault, also what of them happens in other processes.

    base: its name. label: what is added to it. planting: opened around each run; it may give an engine to run in place of the
    built-in one. planter, key: name the planting for other processes (`carried_along`).
    """

    def __init__(self, base: str, label: str, planting: Planting | None, planter: str, key: str) -> None:
        self.base, self.name = base, f"{base}+{label}"
        self._planting, self._planter, self._key = planting, planter, key

    @property
    def capabilities(self) -> Capabilities:
        return capabilities_of(get_engine(self.base))

    def run(self, worlds: Sequence[World], variant: Variant) -> Run:
        """The built-in engine's run with the fault in it, under this engine's name."""
        with self._planted() as engine:
            return self._signed(engine.run(worlds, variant))

    def run_years(self, worlds: Sequence[World], variant: Variant, first: int, count: int) -> Run:
        """As the built-in engine's; the oracle has none."""
        with self._planted() as engine:
            return self._signed(engine.run_years(worlds, variant, first, count))

    @contextmanager
    def _planted(self) -> Iterator[Any]:
        engine = get_engine(self.base)
        if self._planting is None:
            yield engine
            return
        with self._planting() as own, carried_along(self._planter, self._key):
            yield own or engine

    def _signed(self, run: Run) -> Run:
        # A proof that names another engine is left as it is: that is what a silent fall-back looks like.
        if run.proof is None or run.proof.engine != self.base:
            return run
        return replace(run, proof=replace(run.proof, engine=self.name))


class PlantedEngine(FaultyEngine):
    """A built-in engine with a fault of the catalogue; a fault of the harness leaves engines as they are."""

    def __init__(self, fault: Fault, engine: str | None = None) -> None:
        base = engine or fault.engine
        planting = fault.plantings.get(base)
        super().__init__(base, fault.id, planting, "differential.planted:planted_there", f"{fault.id}_{base}")
        self.fault = fault
