"""OracleEngine: the judge when two engines disagree. Slow and obvious; it has one way to run."""

from __future__ import annotations

import os
import platform
import time
from collections import Counter
from collections.abc import Sequence

import pyarrow as pa

from differential.engines.oracle.people import Person, State
from differential.engines.oracle.quotas import InfeasibleError
from differential.engines.oracle.simulation import simulate
from differential.engines.oracle.tables import Rows
from differential.engines.oracle.workforce import opening_set
from differential.run import Capabilities, Infeasible, Proof, Run
from differential.variant import Variant, VariantError
from fixtures.scenario import Scenario
from fixtures.world import World


class OracleEngine:
    """Plain Python over one employee at a time, written from docs/simulation.md rule by rule."""

    name = "oracle"
    capabilities = Capabilities(
        many_worlds=True, levels=("high",), switches=(), threads=False, shards=False, resume=False, batch_size=False,
        database=False, legacy_flag=False,
    )  # fmt: skip

    def run(self, worlds: Sequence[World], variant: Variant) -> Run:
        """Simulate world after world.

        Raises:
            VariantError: for anything but the default variant.
        """
        refuse_other_ways(variant)
        started = time.perf_counter()
        rows = Rows()
        planned: Counter[str] = Counter(hires=0, exits=0, new_hire_exits=0)
        infeasible: dict[int, Infeasible] = {}
        bounds: list[tuple[int, int]] = []
        ignored = 0
        for index, world in enumerate(worlds):
            events, state = len(rows.events), len(rows.state)
            opening = opening_set(world)
            ignored += opening.ignored_hires
            try:
                add_world(world.scenario, opening.people, rows, planned)
            except InfeasibleError as error:
                infeasible[index] = error.reason
            bounds.append((len(rows.events) - events, len(rows.state) - state))
        simulated = time.perf_counter()
        event_table, state_table = rows.tables()
        seconds = {"simulation": simulated - started, "output": time.perf_counter() - simulated}
        proof = Proof(
            engine=self.name,
            versions={"python": platform.python_version(), "pyarrow": pa.__version__},
            pid=os.getpid(),
            threads=1,
            switches=frozenset(),
            inputs=tuple(world.fingerprint for world in worlds),
            shard_rows=(state_table.num_rows,),
            rows={"events": event_table.num_rows, "state": state_table.num_rows},
            planned=dict(planned),
            ignored_hires=ignored,
            seconds=seconds,
        )
        single = len(worlds) == 1
        return Run(event_table, state_table, proof, None if single else tuple(bounds), infeasible)


def add_world(scenario: Scenario, people: list[tuple[Person, State]], rows: Rows, planned: Counter[str]) -> None:
    """Append one world's rows and count its quotas. Raises InfeasibleError before any row is made."""
    for lived in simulate(scenario, people):
        rows.add(lived)
        planned.update(hires=lived.quota.hires, exits=lived.quota.exits, new_hire_exits=lived.quota.new_hire_exits)


def refuse_other_ways(variant: Variant) -> None:
    """The oracle is one plain loop: every axis but the default raises VariantError."""
    default = Variant()
    for axis in ("level", "threads", "shards", "resume", "batch_size", "database"):
        value = getattr(variant, axis)
        if value != getattr(default, axis):
            raise VariantError(f"the oracle engine has one way to run; it lacks {axis}={value}")
