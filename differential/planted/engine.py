"""PlantedEngine: a built-in engine that runs with a fault."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from differential.engines import get_engine
from differential.planted.faults import Fault
from differential.run import Capabilities, Run, capabilities_of
from differential.variant import Variant
from fixtures.world import World


class PlantedEngine:
    """A built-in engine whose runs have one fault. Runs that would happen in another process are not offered."""

    def __init__(self, fault: Fault) -> None:
        self.fault = fault
        self.name = f"{fault.engine}+{fault.id}"

    @property
    def capabilities(self) -> Capabilities:
        # A fault is planted in this process, so axes that need another one would run without it.
        inner = capabilities_of(get_engine(self.fault.engine))
        return replace(inner, resume=False, batch_size=False, threads=inner.threads and self.fault.engine == "sql")

    def run(self, worlds: Sequence[World], variant: Variant) -> Run:
        """The built-in engine's run with the fault in it, under this engine's name."""
        with self.fault.planted():
            run = get_engine(self.fault.engine).run(worlds, variant)
        return replace(run, proof=run.proof and replace(run.proof, engine=self.name))
