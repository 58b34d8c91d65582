"""Strategies make valid worlds within their bounds, and shrink well."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from differential.engines.oracle import OracleEngine
from differential.run import Run
from differential.variant import Variant
from fixtures.census import Census, Employee
from fixtures.changes import CHANGES
from fixtures.scenario import Scenario
from fixtures.strategies import (
    MAX_PERSON_YEARS,
    Row,
    affordable_years,
    build_people,
    build_scenario,
    build_world,
    censuses,
    scenarios,
    seeds,
    worlds,
)
from fixtures.traits import TRAITS, Frame, plain
from fixtures.world import World

pytestmark = pytest.mark.suite

D = dt.date
DRAWN = settings(
    deadline=None,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.too_slow],
    derandomize=True,
)


def collected(strategy: st.SearchStrategy[Any], count: int) -> list[Any]:
    """`count` values, always the same ones."""
    values: list[Any] = []

    @settings(DRAWN, max_examples=count)
    @given(strategy)
    def collect(value: Any) -> None:
        values.append(value)

    collect()
    return values


def simulated(many: list[World]) -> Run:
    return OracleEngine().run(many, Variant())


# --- what is drawn


def test_worlds_are_valid_by_construction() -> None:
    made = collected(worlds(max_employees=40, max_years=4), 300)
    assert len(made) == 300  # nothing is filtered, so nothing runs dry
    for world in made:
        assert 1 <= len(world.census) <= 40
        assert 1 <= len(world.scenario.years) <= 4
        assert Census.from_frame(world.census.to_source_table()).table.equals(world.census.table)
        assert Scenario(**world.scenario.to_dict()) == world.scenario


def test_worlds_stay_affordable_and_mostly_small() -> None:
    made = collected(worlds(), 400)
    run = simulated(made)
    assert max(result.state.num_rows for result in run.results()) <= MAX_PERSON_YEARS
    assert np.median([len(world.census) for world in made]) <= 20
    assert len({world.fingerprint for world in made}) >= 300
    assert len(run.infeasible) <= 0.06 * len(made)


def test_scenarios_censuses_and_seeds_alone() -> None:
    for scenario in collected(scenarios(max_years=3), 200):
        assert 1 <= len(scenario.years) <= 3
    for census in collected(censuses(max_employees=10), 200):
        World(census, Scenario())
    late = Scenario.create(start_year=2031, end_year=2031)
    for census in collected(censuses(late), 50):
        World(census, late)
    assert {value for value in collected(seeds(), 100) if not 0 <= value < 2**63} == set()


@pytest.mark.parametrize("start", [None, 1950, 2024, 2100, 2200])
def test_every_change_and_trait_is_valid_alone(start: int | None) -> None:
    first = [{"start_year": start}] if start else []
    frames = []
    for change in CHANGES:
        scenario = build_scenario([*first, change], 5, 42)
        assert len(scenario.years) == 5
        frames.append(Frame.of(scenario))
    for frame in frames[:: 7 if start else 1]:
        rows = [Row(((trait, number),), 1) for trait in TRAITS for number in {0, trait.numbers - 1}]
        World(Census.from_employees(build_people(rows, frame, 10**6)), frame.scenario)


@settings(DRAWN, max_examples=300)
@given(st.lists(st.sampled_from(TRAITS), min_size=2, max_size=6), st.integers(0, 3))
def test_traits_go_together(traits: list[Any], share: int) -> None:
    frame = Frame.of(Scenario())
    row = Row(tuple((trait, (trait.numbers - 1) * share // 3) for trait in traits), 2)
    World(Census.from_employees(build_people([row], frame, 60)), frame.scenario)


def test_the_size_bound_follows_the_quotas() -> None:
    # 10 people doubling without exits: 10 + 10, 20 + 20, 40 + 40 person-years; a fourth year would need 160 more.
    scenario = Scenario.create(
        target_growth_rate=1, total_termination_rate=0, new_hire_termination_rate=0, end_year=2035
    )
    assert affordable_years(scenario, 10) == 3
    impossible = Scenario.create(target_growth_rate=1, new_hire_termination_rate=1)
    assert affordable_years(impossible, 10) == 1  # costs nothing, and is worth seeing


def test_a_world_too_large_for_its_first_year_is_calmed() -> None:
    storm = {"target_growth_rate": 1, "total_termination_rate": 1, "new_hire_termination_rate": "0.9"}
    calm = build_world([Row((), 30)], [storm], 5, 42, 60)  # 60 needed at once, 600 hires
    assert calm.scenario.new_hire_termination_rate == 5_000
    assert simulated([calm]).state.num_rows <= MAX_PERSON_YEARS


# --- how it shrinks


def smallest(predicate: Callable[[World], bool], number: int) -> World:
    """What Hypothesis alone ends at for a planted failure."""
    last: list[World] = []

    @seed(number)
    @settings(
        DRAWN, max_examples=4_000, phases=[Phase.generate, Phase.shrink], derandomize=False, report_multiple_bugs=False
    )
    @given(worlds())
    def find(world: World) -> None:
        if predicate(world):
            last[:] = [world]
            raise AssertionError

    with pytest.raises(AssertionError):
        find()
    return last[0]


def test_the_simplest_world_is_one_plain_employee_in_one_year_of_default_rules() -> None:
    world = smallest(lambda _: True, 1)
    fields = plain(Frame.of(Scenario()))
    assert world.census.employees() == [Employee("E0001", "SSN-000000001", **fields)]
    assert world.scenario == Scenario.create(end_year=2025)


def opening_people(world: World) -> list[Employee]:
    return [
        one for one in world.census.employees() if one.termination_date is None and one.hire_date <= world.opening_date
    ]


def long_served_and_well_paid(world: World) -> bool:
    early = world.opening_date.replace(year=world.opening_date.year - 10)
    found = any(one.hire_date <= early and one.pay_cents > 100_000_00 for one in opening_people(world))
    return found and len(world.scenario.years) >= 2


def two_people_and_a_rule(world: World) -> bool:
    people = opening_people(world)
    old = sum(one.birth_date.year < world.scenario.start_year - 50 for one in people)
    poor = sum(one.pay_cents < 56_000_00 for one in people)
    return world.scenario.auto_enrollment.scope == "all_eligible_employees" and old >= 1 and poor >= 2


@pytest.mark.parametrize("number", [1, 2])
def test_shrinking_ends_near_one_row(number: int) -> None:
    world = smallest(long_served_and_well_paid, number)
    assert len(world.census) <= 2
    assert len(world.scenario.years) == 2
    assert list(world.scenario.to_dict(only_changed=True)) == ["end_year"]
    assert sum(part != whole for part, whole in zip(*_cells(world), strict=True)) <= 3


def _cells(world: World) -> tuple[list[Any], list[Any]]:
    """The first row's fields beside the plain ones."""
    fields = plain(Frame.of(world.scenario))
    first = dataclasses.asdict(world.census.employees()[0])
    return [first[name] for name in fields], list(fields.values())


@pytest.mark.parametrize("number", [2])
def test_shrinking_keeps_only_the_rule_and_rows_needed(number: int) -> None:
    world = smallest(two_people_and_a_rule, number)
    assert len(world.census) <= 4
    assert len(world.scenario.years) == 1
    assert set(world.scenario.to_dict(only_changed=True)) <= {
        "end_year",
        "auto_enrollment",
        "voluntary_enrollment",
        "deferral_auto_escalation",
    }
