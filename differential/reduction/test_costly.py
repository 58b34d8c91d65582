"""Reduction of failures whose runs take minutes: at most five employees within eight runs, for faults of many kinds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pytest

from differential.comparison import Divergence, first_divergence
from differential.comparison.alike import alike, swapped_with
from differential.engines.oracle import OracleEngine
from differential.quality.faults import FAULTS, Fault
from differential.quality.worlds import noisy_world
from differential.reduction import NotReproducedError, Observed, Reduction
from differential.reduction.check import observed_of
from differential.reduction.costly import COSTLY_RUNS, Runs, reduce_costly
from differential.run import WorldResult
from differential.variant import Variant
from fixtures.world import World

MOST_EMPLOYEES = 5
BY_NAME = {fault.name: fault for fault in FAULTS}
COINCIDENCES = ("target half even", "hires rounded, not raised")
"""Rounding of a total: it takes a count of people at which the two roundings part, which eight runs find by luck."""
OF_MANY = ("raise on pay before promotion", "largest draws selected", "new-hire exit from 1 January")
_ATTEMPTS = 20


@dataclass
class Slow:
    """Two engines that count their runs: the oracle, and the oracle with a fault."""

    fault: Fault
    runs: int = 0
    asked: list[World] = field(default_factory=list)

    def both(self, world: World) -> tuple[WorldResult, WorldResult]:
        self.runs += 2
        self.asked.append(world)
        return next(OracleEngine().run([world], Variant()).results()), next(self.fault.run([world]).results())


def reduced(fault: Fault, rows: int) -> tuple[Slow, World, Divergence, Reduction]:
    for attempt in range(_ATTEMPTS):
        slow, world = Slow(fault), noisy_world(rows - attempt, rows + attempt, **fault.keys)
        results = slow.both(world)
        found = first_divergence(*results, world)
        if found is not None:
            break
    else:
        raise AssertionError(f"{fault.name}: does not show on about {rows} people")
    slow.runs = 0
    slow.asked.clear()
    return slow, world, found, reduce_by(slow, world, found, results)


def reduce_by(slow: Slow, world: World, found: Divergence, results: tuple[WorldResult, WorldResult]) -> Reduction:
    def shows(candidate: World) -> Observed | None:
        shown = alike(*slow.both(candidate), found)
        return replace(observed_of(found, "x"), employee_id=shown[0][1], year=shown[0][0]) if shown else None

    first = [found.employee_id] if found.employee_id else []
    shown = [employee for _, employee in alike(*results, found)]
    others = swapped_with(*results, found)
    runs = Runs(COSTLY_RUNS, 2, lambda: slow.runs)
    return reduce_costly(world, shows, observed_of(found, "x"), runs, alike=[*first, *shown], others=others)


@pytest.mark.parametrize(
    "fault", [fault for fault in FAULTS if fault.name not in COINCIDENCES], ids=lambda fault: fault.slug
)
def test_a_hundred_people_become_five_within_eight_runs(fault: Fault) -> None:
    slow, world, found, reduction = reduced(fault, 100)

    assert slow.runs <= COSTLY_RUNS
    assert reduction.runs == slow.runs
    assert len(reduction.world.census) <= MOST_EMPLOYEES
    assert reduction.verified
    assert alike(*slow.both(reduction.world), found)
    assert set(ids(reduction.world)) <= set(ids(world))


@pytest.mark.parametrize("name", OF_MANY)
def test_seven_thousand_five_hundred_people_become_five_within_eight_runs(name: str) -> None:
    slow, world, _, reduction = reduced(replace(BY_NAME[name], keys={**BY_NAME[name].keys, "years": 1}), 7_500)

    assert len(world.census) > 7_400
    assert slow.runs <= COSTLY_RUNS
    assert len(reduction.world.census) <= MOST_EMPLOYEES


def test_no_run_beyond_what_is_allowed() -> None:
    fault = BY_NAME["hires rounded, not raised"]
    slow, world, _, reduction = reduced(fault, 98)

    assert slow.runs <= COSTLY_RUNS
    if reduction.world is world:
        assert not reduction.verified
        assert reduction.ended == "budget"


def test_runs_that_cost_nothing_are_not_counted() -> None:
    """As where a finished run is taken from a cache."""
    world, tried = noisy_world(40, 1), []

    def never(candidate: World) -> None:
        tried.append(candidate)

    observed = Observed("x|t|raise|-|value", employee_id=ids(world)[3], year=2026, event_type="raise")
    reduction = reduce_costly(world, never, observed, Runs(2, 2, lambda: 0), alike=ids(world)[3:9])

    assert len(tried) == reduction.candidates > 2
    assert reduction.runs == 0
    assert (reduction.world is world, reduction.verified, reduction.ended) == (True, False, "finished")


def test_an_interruption_returns_the_best_so_far() -> None:
    world = noisy_world(40, 1)

    def once(candidate: World) -> Observed:
        if len(candidate.census) < MOST_EMPLOYEES:
            raise KeyboardInterrupt
        return Observed("x")

    reduction = reduce_costly(
        world, once, Observed("x", ids(world)[0], 2026, "raise"), Runs(8, 2, lambda: 0), alike=ids(world)
    )

    assert reduction.ended == "interrupted"
    assert len(reduction.world.census) == MOST_EMPLOYEES


def test_one_person_in_one_year_is_as_small_as_it_gets() -> None:
    world = noisy_world(1, 1, years=1)

    with pytest.raises(NotReproducedError, match="no smaller world"):
        reduce_costly(world, lambda _: None, Observed("x"), Runs(8, 2, lambda: 0), alike=ids(world))


def ids(world: World) -> Sequence[str]:
    found: list[str] = world.census.table["employee_id"].to_pylist()
    return found
