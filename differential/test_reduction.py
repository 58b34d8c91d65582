"""The reducer's contract: same failure, within budget, safe to interrupt, never an invalid world; and people's data replaced."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence

import pytest

from differential.quality.worlds import noisy_world
from differential.reduction import (
    Budget,
    FailureCheck,
    NotReproducedError,
    Observed,
    Step,
    Verdict,
    anonymise,
    mask_ssn,
    reduce_world,
)
from differential.reduction.measure import changed_keys, default_employees, weight
from differential.reduction.privacy import SSN_STAYED
from differential.reduction.rules import with_values
from differential.reduction.years import aged
from differential.side import Side
from fixtures.census import Census, Employee
from fixtures.scenario import Scenario
from fixtures.world import World

MODES = pytest.mark.parametrize("many", [True, False], ids=["many", "one"])


class Counting:
    """A check made of a predicate over one world; notes what it was asked."""

    def __init__(self, predicate: Callable[[World], Verdict]) -> None:
        self.predicate, self.calls, self.asked = predicate, 0, 0
        self.most = 0

    def __call__(self, worlds: Sequence[World]) -> list[Verdict]:
        self.calls += 1
        self.asked += len(worlds)
        self.most = max(self.most, len(worlds))
        return [self.predicate(world) for world in worlds]


def high_paid(world: World) -> Verdict:
    return "high" if any(one.pay_cents > 100_000_00 for one in world.census.employees()) else None


def plain_world(count: int = 1, **keys: object) -> World:
    scenario = Scenario.create(**keys)
    return World(Census.from_employees(default_employees(count, scenario)), scenario)


@MODES
def test_one_plain_employee_one_year_default_rules(many: bool) -> None:
    check = Counting(high_paid)

    reduction = reduce_world(noisy_world(500, 1), check, many=many)

    [person] = reduction.world.census.employees()
    assert (person.employee_id, person.birth_date, person.hire_date) == (
        "E0001",
        dt.date(1985, 1, 1),
        dt.date(2020, 1, 1),
    )
    assert (person.deferral_bp, person.termination_date) == (0, None)
    assert len(reduction.world.scenario.years) == 1
    assert changed_keys(reduction.world.scenario) == 0
    assert reduction.verified
    assert reduction.ended == "finished"
    assert reduction.runs == check.calls
    assert reduction.candidates == check.asked


def test_one_candidate_a_call_unless_many() -> None:
    one, many = Counting(high_paid), Counting(high_paid)

    reduce_world(noisy_world(40, 1), one, many=False)
    reduce_world(noisy_world(40, 1), many, many=True)

    assert one.most == 1
    assert many.most > 8


@MODES
def test_another_failure_is_not_taken_for_this_one(many: bool) -> None:
    """Below 8 employees the world fails in another way."""

    def slips(world: World) -> Verdict:
        return None if not high_paid(world) else "high" if len(world.census) >= 8 else "slipped"

    reduction = reduce_world(noisy_world(60, 1), Counting(slips), many=many)

    assert reduction.signature == "high"
    assert len(reduction.world.census) == 8


@MODES
def test_two_far_apart_employees_are_both_kept(many: bool) -> None:
    world = noisy_world(300, 3)
    ids = world.census.table["employee_id"].to_pylist()
    wanted = {ids[7], ids[288]}

    def both(candidate: World) -> Verdict:
        found = wanted & set(candidate.census.table["employee_id"].to_pylist())
        return Observed("both", employee_id=ids[7]) if found == wanted else None

    reduction = reduce_world(world, Counting(both), many=many, budget=Budget(runs=60))

    assert set(reduction.world.census.table["employee_id"].to_pylist()) == wanted


@MODES
@pytest.mark.parametrize("runs", [2, 5, 17])
def test_the_budget_holds_and_the_result_is_verified_within_it(runs: int, many: bool) -> None:
    check = Counting(high_paid)

    reduction = reduce_world(noisy_world(200, 1), check, many=many, budget=Budget(runs=runs))

    assert check.calls <= runs
    assert reduction.verified


def test_seconds_end_the_search() -> None:
    reduction = reduce_world(
        noisy_world(200, 1), Counting(high_paid), budget=Budget(runs=1_000, seconds=0.0), observed="high"
    )

    assert reduction.ended == "budget"
    assert reduction.runs == 1  # the verifying one


def test_a_world_that_passes_is_refused() -> None:
    with pytest.raises(NotReproducedError):
        reduce_world(plain_world(3), Counting(lambda _: None))


def test_a_known_failure_that_does_not_show_again_is_refused() -> None:
    with pytest.raises(NotReproducedError):
        reduce_world(plain_world(3), Counting(lambda _: None), observed="gone")


def test_a_flaky_failure_is_reported_as_not_verified() -> None:
    verdicts = iter([True] * 6)

    def flaky(world: World) -> Verdict:
        return high_paid(world) if next(verdicts, False) else None

    reduction = reduce_world(noisy_world(200, 1), Counting(flaky), many=False)

    assert not reduction.verified


@MODES
def test_an_interruption_keeps_the_best_so_far(many: bool) -> None:
    worlds = iter(range(150 if many else 6))

    def interrupted(world: World) -> Verdict:
        if next(worlds, None) is None:
            raise KeyboardInterrupt
        return high_paid(world)

    reduction = reduce_world(noisy_world(200, 1), Counting(interrupted), many=many)

    assert reduction.ended == "interrupted"
    assert not reduction.verified
    assert high_paid(reduction.world) == "high"
    assert len(reduction.world.census) < 200


def test_progress_is_told_and_only_gets_smaller() -> None:
    steps: list[Step] = []

    reduce_world(noisy_world(200, 1), Counting(high_paid), progress=steps.append)

    sizes = [(step.employees, step.years) for step in steps]
    assert sizes == sorted(sizes, reverse=True)
    assert "1 employee" in steps[-1].describe(Budget())


def test_candidates_are_valid_worlds_also_with_terminated_people_and_early_years() -> None:
    """Default people of 2020 cannot be in a simulation of 1960, nor end after its opening date."""
    scenario = Scenario.create(
        start_year=1960,
        end_year=1963,
        limits={
            y: {"elective_deferral": 1, "catch_up": 0, "compensation": 1, "annual_additions": 1}
            for y in range(1960, 1964)
        },
    )
    people = [
        Employee("A", "1", dt.date(1930, 5, 5), dt.date(1955, 5, 5), 200_000_00),
        Employee("B", "2", dt.date(1931, 5, 5), dt.date(1955, 5, 5), 50_000_00, 0, dt.date(1959, 1, 1)),
    ]
    reduction = reduce_world(World(Census.from_employees(people), scenario), Counting(high_paid))

    assert len(reduction.world.census) == 1
    assert reduction.world.scenario.start_year == 2025


def test_scenario_values_get_plain() -> None:
    world = plain_world(2, cola_rate="0.0137", merit_rates=["0.0311", "0.04", "0.045", "0.05", "0.055"])

    def cola(candidate: World) -> Verdict:
        return "cola" if candidate.scenario.cola_rate > 100 else None

    reduction = reduce_world(world, Counting(cola))

    assert reduction.world.scenario.to_dict(only_changed=True).keys() <= {"cola_rate", "end_year"}
    assert reduction.world.scenario.cola_rate in (200, 5_000, 10_000)


def test_lists_by_level_are_reset_together() -> None:
    levels = [{"minimum": 1_000 * n, "maximum": 2_000 * n} for n in (1, 2, 3)]
    world = plain_world(
        2, levels=levels, merit_rates=[0, 0, 0], promotion={"increase_pct": ["0.1", "0.1"]}, cola_rate="0.02"
    )

    reduction = reduce_world(world, Counting(lambda w: "cola" if w.scenario.cola_rate == 200 else None))

    assert reduction.world.scenario.to_dict(only_changed=True).keys() == {"end_year", "cola_rate"}


def test_limits_of_years_that_are_not_simulated_go_away() -> None:
    low = {"elective_deferral": 100, "catch_up": 0, "compensation": 1_000, "annual_additions": 100}
    world = plain_world(1, limits=dict.fromkeys(range(2020, 2031), low))

    def limited(candidate: World) -> Verdict:
        limits = candidate.scenario.limits[candidate.scenario.start_year]
        return "low" if limits.compensation == 100_000 else None

    reduction = reduce_world(world, Counting(limited))

    assert list(reduction.world.scenario.to_dict(only_changed=True)["limits"]) == [reduction.world.scenario.start_year]


def test_weight_prefers_people_then_years_then_rules() -> None:
    base = plain_world(2)

    assert weight(plain_world(1, cola_rate="0.5")) < weight(base)
    assert weight(plain_world(2, end_year=2026, cola_rate="0.5")) < weight(base)
    assert weight(base) < weight(plain_world(2, cola_rate="0.5")) < weight(plain_world(2, cola_rate="0.5123"))


def test_values_are_replaced_at_any_depth() -> None:
    changed = with_values(Scenario(), {("limits", 2025, "catch_up"): 0, ("promotion", "age_multipliers", 1): 2})

    assert changed.limits[2025].catch_up == 0
    assert changed.promotion.age_multipliers[1] == 20_000


def test_an_aged_census_is_the_oracles_state() -> None:
    world = plain_world(3, target_growth_rate=1)

    older = aged(world, 2026, 2027)

    assert older is not None
    assert len(older.census) == 6
    assert (older.scenario.start_year, older.scenario.end_year) == (2026, 2027)
    assert {one.hire_date.year for one in older.census.employees()} == {2020, 2025}


def test_ssn_are_masked_in_row_order() -> None:
    census = mask_ssn(noisy_world(3, 1).census)

    assert census.table["employee_ssn"].to_pylist() == ["SSN-000000001", "SSN-000000002", "SSN-000000003"]
    assert mask_ssn(census).table.equals(census.table)


@MODES
@pytest.mark.parametrize("rows", [3, 300])
def test_everything_is_replaced_where_the_failure_survives(rows: int, many: bool) -> None:
    world = noisy_world(rows, 4)

    found = anonymise(world, Counting(lambda _: "always"), many=many)

    assert found.stayed == ()
    assert not found.own
    for column in ("employee_id", "employee_ssn", "birth_date", "hire_date", "pay_cents"):
        before, after = (w.census.table[column].to_pylist() for w in (world, found.world))
        assert not any(a == b for a, b in zip(before, after, strict=True)), column


@MODES
def test_what_the_failure_needs_stays_and_is_named(many: bool) -> None:
    world = noisy_world(2, 4)
    pay = world.census.employees()[1].pay_cents

    def needs_pay(candidate: World) -> Verdict:
        return "pay" if pay in candidate.census.table["pay_cents"].to_pylist() else None

    groups = anonymise(world, Counting(needs_pay), many=many)
    cells = anonymise(world, Counting(needs_pay), many=many, cells=True)

    assert groups.own == {"pay"}
    assert groups.stayed == ("employee_gross_compensation of all people",)
    assert cells.stayed == ("employee_gross_compensation of row 2",)
    assert cells.world.census.employees()[0].pay_cents != world.census.employees()[0].pay_cents


def test_ssn_are_masked_even_if_the_failure_is_lost() -> None:
    world = noisy_world(3, 4)
    ssn = world.census.table["employee_ssn"].to_pylist()[0]

    found = anonymise(world, Counting(lambda w: "ssn" if ssn in w.census.table["employee_ssn"].to_pylist() else None))

    assert found.observed is None
    assert SSN_STAYED in found.stayed
    assert ssn not in found.world.census.table["employee_ssn"].to_pylist()


def test_check_names_the_divergence_and_single_worlds_of_a_batch() -> None:
    wrong = Side("differential.quality.faults:ENGINES.raise_on_pay_before_promotion")
    check = FailureCheck(Side("oracle"), wrong, "here")

    verdicts = check([plain_world(1, end_year=2025), noisy_world(60, 61)])

    assert check.many
    assert verdicts[0] is None
    assert isinstance(verdicts[1], Observed)
    assert verdicts[1].signature == "here|fct_yearly_events|raise|compensation_amount|value"
    assert verdicts[1].employee_id is not None


def test_an_engine_that_raises_is_a_failure_of_its_own_world() -> None:
    check = FailureCheck(Side("oracle"), Side("differential.quality.faults:RAISES_ON_TWO"), "here")

    verdicts = check([plain_world(1), plain_world(2), plain_world(3)])

    assert verdicts == [None, Observed("here|-|error|ZeroDivisionError|raised"), None]
