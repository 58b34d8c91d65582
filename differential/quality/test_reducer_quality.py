"""The reducer, measured: planted faults in censuses of 50, 250 and 10 000 rows, many candidates a run and one.

`pytest differential/quality -s` prints the table.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import pytest

from differential.engines.oracle import OracleEngine
from differential.quality.faults import FAULTS, Fault
from differential.quality.worlds import noisy_world
from differential.reduction import Budget, Reduction, Verdict, reduce_world
from differential.reduction.check import observe
from differential.variant import Variant
from fixtures.world import World

MOST_RUNS = 60
BUDGET = Budget(runs=MOST_RUNS, seconds=60)
SIZES, LARGE = (50, 250), 10_000
_ATTEMPTS = 40

FROM_LARGE = (FAULTS[0], FAULTS[1], FAULTS[5])
"""A fault in a person's own year, one on an edge that few meet, and one of quotas."""

TABLE: list[tuple[str, int, str, Reduction]] = []


@dataclass(frozen=True, eq=False)
class Check:
    """The oracle against itself with a fault."""

    fault: Fault

    def __call__(self, worlds: Sequence[World]) -> list[Verdict]:
        return observe(OracleEngine().run(worlds, Variant()), self.fault.run(worlds), worlds, "quality")


@cache
def failing_world(fault: Fault, rows: int) -> World:
    """A world of about so many rows on which the fault shows; some hang on a coincidence of counts."""
    for attempt in range(_ATTEMPTS):
        world = noisy_world(rows - attempt, rows + attempt, **fault.keys)
        if Check(fault)([world])[0] is not None:
            return world
    raise AssertionError(f"{fault.name}: does not show in {_ATTEMPTS} worlds of about {rows} rows")


def reduce(fault: Fault, rows: int, *, many: bool) -> Reduction:
    world = failing_world(fault, rows)
    reduction = reduce_world(world, Check(fault), budget=BUDGET, many=many)
    TABLE.append((fault.name, len(world.census), "many" if many else "one", reduction))
    return reduction


@pytest.mark.parametrize("many", [True, False], ids=["many", "one"])
@pytest.mark.parametrize("rows", SIZES)
@pytest.mark.parametrize("fault", FAULTS, ids=[fault.slug for fault in FAULTS])
def test_few_employees_within_sixty_runs(fault: Fault, rows: int, many: bool) -> None:
    reduction = reduce(fault, rows, many=many)
    assert reduction.verified
    assert reduction.runs <= MOST_RUNS
    assert len(reduction.world.census) <= 5


@pytest.mark.parametrize("fault", FROM_LARGE, ids=[fault.slug for fault in FROM_LARGE])
def test_ten_thousand_rows(fault: Fault) -> None:
    reduction = reduce(fault, LARGE, many=True)
    assert reduction.verified
    assert reduction.runs <= MOST_RUNS
    assert len(reduction.world.census) <= 5


def test_medians() -> None:
    """At most three employees and three years, over all of the above; runs last, since it reads what they found."""
    if len(TABLE) < len(FAULTS):
        pytest.skip("run the whole file: the medians are over its tests")
    print_table()
    for mode in ("many", "one"):
        found = [reduction for _, _, how, reduction in TABLE if how == mode]
        assert statistics.median(len(reduction.world.census) for reduction in found) <= 3
        assert statistics.median(len(reduction.world.scenario.years) for reduction in found) <= 3


def print_table() -> None:
    print(
        f"\n{'fault':38} {'rows':>6} {'mode':>4} {'employees':>9} {'years':>5} {'runs':>4} {'tried':>5} {'seconds':>7} end"
    )
    for name, rows, mode, r in TABLE:
        size = f"{len(r.world.census):9} {len(r.world.scenario.years):5} {r.runs:4} {r.candidates:5}"
        print(f"{name:38} {rows:6} {mode:>4} {size} {r.seconds:7.1f} {r.ended}")
