"""One run of the oracle over four worlds, the third infeasible: real tables for the tests of the comparison itself."""

from __future__ import annotations

import datetime as dt
from functools import cache

import pyarrow as pa

from differential.engines.oracle import OracleEngine
from differential.run import Run
from differential.variant import Variant
from fixtures.census import Census, Employee
from fixtures.scenario import Scenario
from fixtures.world import World


@cache
def example_worlds() -> tuple[World, ...]:
    """Three growing workforces of 12, 6 and 3 people, and one whose new hires would all leave."""
    return tuple(
        World(
            _census(people), Scenario(random_seed=people, target_growth_rate="0.2", new_hire_termination_rate=certain)
        )
        for people, certain in ((12, "0.25"), (6, "0.25"), (4, 1), (3, "0.25"))
    )


def example_run() -> Run:
    """The oracle's run over `example_worlds`, in memory of its own each time."""
    run = _run()
    copies = [pa.Table.from_pylist(table.to_pylist(), table.schema) for table in (run.events, run.state)]
    return Run(copies[0], copies[1], run.proof, run.bounds, run.infeasible)


@cache
def _run() -> Run:
    return OracleEngine().run(example_worlds(), Variant())


def _census(size: int) -> Census:
    return Census.from_employees(
        [
            Employee(
                f"E{number:02}",
                f"{number + 1:09}",
                dt.date(1966 + 3 * number, 1 + number % 12, 3),
                dt.date(2015 + number % 9, 5, 1 + number),
                5_000_000 + number * 1_111_111,
                number % 3 * 300,
            )
            for number in range(size)
        ]
    )
