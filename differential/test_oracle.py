"""The oracle against docs/simulation.md: every expectation is arithmetic written out here, none is copied from output."""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
import json
import uuid
from decimal import Decimal
from typing import Any

import pytest

from differential.engines.oracle import OracleEngine, draws, enrolment, money, pay, payload, quotas, units, workforce
from differential.engines.oracle.explain import explain
from differential.engines.oracle.people import Person, PersonYear, State
from differential.engines.oracle.simulation import make_year
from differential.run import Infeasible, Run
from differential.schemas import EVENT_TYPES, EVENTS_SCHEMA, STATE_SCHEMA
from differential.variant import Variant, VariantError
from fixtures.census import Census, Employee, employee_key
from fixtures.scenario import Scenario
from fixtures.world import World

pytestmark = pytest.mark.suite

D = dt.date
BORN, HIRED = D(1985, 6, 15), D(2015, 3, 10)
EVEN = dict.fromkeys(("young", "mid_career", "mature", "senior"), 1)
NEVER = dict.fromkeys(("young", "mid_career", "mature", "senior"), 0)
ANY_INCOME = dict.fromkeys(("low_income", "moderate", "high", "executive"), 1)
STILL: dict[str, Any] = {
    "target_growth_rate": 0,
    "total_termination_rate": 0,
    "promotion": {"base_hazard": 0},
    "auto_enrollment": {"enabled": False},
    "voluntary_enrollment": {"enabled": False},
}
"""Nobody comes, goes, rises or enrols: what is left is the rule under test."""


def employee(number: int = 1, **over: Any) -> Employee:
    plain = Employee(f"E{number:04d}", f"SSN-{number:09d}", BORN, HIRED, 60_000_00)
    return dataclasses.replace(plain, **over)


def run(people: list[Employee], **scenario: Any) -> Run:
    return OracleEngine().run([World(Census.from_employees(people), Scenario.create(**scenario))], Variant())


def events(result: Run, event_type: str, employee_id: str = "E0001") -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = result.events.to_pylist()
    return [row for row in rows if row["event_type"] == event_type and row["employee_id"] == employee_id]


def state(result: Run, year: int = 2025, employee_id: str = "E0001") -> dict[str, Any]:
    rows: list[dict[str, Any]] = result.state.to_pylist()
    (row,) = (row for row in rows if row["simulation_year"] == year and row["employee_id"] == employee_id)
    return row


def member(
    year: int = 2025,
    *,
    birth: dt.date = BORN,
    hire: dt.date = HIRED,
    exit_day: dt.date | None = None,
    opening: State | None = None,
    **scenario: Any,
) -> PersonYear:
    """One person-year, started, with the default rules and level 1, 60 000.00, not enrolled."""
    rules = Scenario.create(**{"start_year": year, "end_year": year, **scenario})
    key = employee_key("E0001")
    seeded = draws.fold(draws.fold(0, rules.random_seed), key)
    eligible = workforce.eligibility_date(rules, birth, hire)
    person = Person("E0001", "SSN-000000001", key, birth, hire, eligible, seeded)
    start = opening or State(1, 60_000_00, 0, None, False, 0)
    made = PersonYear(person, make_year(rules, year), start, draws.fold(seeded, year), exit_day)
    made.start()
    return made


def enrolled_member(since: dt.date, rate: int = 300, *, opted_out: bool = False, **over: Any) -> PersonYear:
    return member(opening=State(1, 60_000_00, rate, since, opted_out, 0), **over)


# --- units and draws (sections 1, 4)


def test_half_up_rounds_halves_up_and_nothing_else() -> None:
    assert [units.half_up(n, 2) for n in (0, 1, 2, 3)] == [0, 1, 1, 2]
    assert [units.half_up(n, 3) for n in (1, 2, 4, 5)] == [0, 1, 1, 2]
    assert units.half_up(10**30 + 1, 2) == 5 * 10**29 + 1  # exact far beyond 53 bits


@pytest.mark.parametrize(
    ("born", "day", "years"),
    [
        (D(2000, 2, 29), D(2025, 2, 27), 24),
        (D(2000, 2, 29), D(2025, 2, 28), 25),  # the anniversary of 29 February in a common year is the 28th
        (D(2000, 2, 29), D(2024, 2, 28), 23),
        (D(2000, 2, 29), D(2024, 2, 29), 24),
        (D(2000, 2, 28), D(2024, 2, 28), 24),
        (D(2000, 12, 31), D(2025, 12, 30), 24),
        (D(2000, 12, 31), D(2025, 12, 31), 25),
        (D(2025, 3, 1), D(2025, 3, 1), 0),
    ],
)
def test_completed_years(born: dt.date, day: dt.date, years: int) -> None:
    assert units.completed_years(born, day) == years


def test_anniversary_of_29_february_at_century_years() -> None:
    assert units.anniversary(D(2096, 2, 29), 2100) == D(2100, 2, 28)  # 2100 is no leap year
    assert units.anniversary(D(1996, 2, 29), 2000) == D(2000, 2, 29)  # 2000 is one
    assert [units.days_in_year(year) for year in (2000, 2023, 2024, 2100)] == [366, 365, 366, 365]


def test_draws_are_splitmix64() -> None:
    assert draws.fold(0, 1234567) == 6457827717110365317
    # SplitMix64's next output for that seed: the state advances by the constant once more.
    assert draws.fold(0, 1234567 + 0x9E3779B97F4A7C15) == 3203168211198807973
    assert draws.draw(7, 8, 9, 10) == draws.fold(draws.fold(draws.fold(draws.fold(0, 7), 8), 9), 10)


def test_probability_is_strict() -> None:
    assert not draws.happens(5_000_000, 0)
    assert draws.happens(5_000_000, 1)
    assert draws.happens(999_999, 1_000_000)
    assert not draws.happens(999_999, 999_999)


def test_selection_takes_the_smallest_and_breaks_ties_by_utf8_bytes() -> None:
    rows = [(5, "z"), (5, "é"), (3, "x"), (5, "A"), (9, "a")]
    assert draws.smallest(rows, 4, lambda row: row) == [(3, "x"), (5, "A"), (5, "z"), (5, "é")]


# --- quotas (5.2 to 5.4)


def test_quotas_of_two_years_follow_from_the_first_headcount() -> None:
    first, second = quotas.all_quotas(Scenario.create(end_year=2026), 6764)
    # 6764 x 1.03 = 6966.92; 6764 x .12 = 811.68; 6967 - (6764 - 811) = 1014; 1014 / .75 = 1352; 1352 - 1014 = 338
    assert first == quotas.Quota(2025, 6764, 0, 6967, 1014, 811, 1352, 338)
    # 5953 x .12 + 1014 x .25 = 714.36 + 253.5 = 967.86; 6967 x 1.03 = 7176.01; 7176 - 6000 = 1176; / .75 = 1568
    assert second == quotas.Quota(2026, 6967, 1014, 7176, 1176, 967, 1568, 392)


def test_target_rounds_half_up() -> None:
    assert quotas.year_quota(2025, 50, 0, 100, 0, 0).target == 51  # 50.5


def test_hires_round_up_so_that_the_target_is_met() -> None:
    quota = quotas.year_quota(2025, 100, 0, 2100, 0, 3000)
    assert (quota.net, quota.hires, quota.new_hire_exits) == (21, 30, 9)  # 21 / .7 = 30 exactly
    quota = quotas.year_quota(2025, 100, 0, 2200, 0, 3000)
    assert (quota.net, quota.hires, quota.new_hire_exits) == (22, 32, 10)  # 31.4 up


def test_negative_growth_raises_exits_only_when_they_do_not_suffice() -> None:
    assert quotas.year_quota(2025, 100, 0, -500, 1000, 2500)[3:] == (95, 5, 10, 7, 2)  # 95 - 90 = 5; 5/.75 = 6.67 up
    assert quotas.year_quota(2025, 100, 0, -500, 200, 2500)[3:] == (95, -3, 5, 0, 0)  # 2 exits, 3 more
    assert quotas.year_quota(2025, 100, 0, -10_000, 200, 2500)[3:] == (0, -98, 100, 0, 0)
    assert quotas.year_quota(2025, 100, 0, -500, 500, 2500)[3:] == (95, 0, 5, 0, 0)  # net 0: no hires, no more exits


def test_impossible_quotas_name_code_and_year() -> None:
    with pytest.raises(quotas.InfeasibleError) as caught:
        quotas.year_quota(2031, 10, 0, 1000, 0, 10_000)
    assert caught.value.reason == Infeasible("new_hire_exits_certain", 2031)
    assert quotas.year_quota(2031, 10, 0, 0, 0, 10_000).hires == 0  # nobody is needed: no error
    assert quotas.year_quota(2031, 999_999, 0, 10_000, 0, 0).hires == 999_999
    with pytest.raises(quotas.InfeasibleError) as caught:
        quotas.year_quota(2031, 1_000_000, 0, 10_000, 0, 0)
    assert caught.value.reason == Infeasible("too_many_hires", 2031)


def test_largest_remainder_ties_go_to_the_lower_level() -> None:
    assert quotas.split_over_levels(1, [1, 1, 1]) == [1, 0, 0]
    assert quotas.split_over_levels(2, [1, 1, 1]) == [1, 1, 0]
    assert quotas.split_over_levels(2, [0, 3, 3, 0]) == [0, 1, 1, 0]
    # 7 over 5:3:2 = 3.5, 2.1, 1.4: floors 3, 2, 1, the one left to .5
    assert quotas.split_over_levels(7, [5, 3, 2]) == [4, 2, 1]
    assert quotas.split_over_levels(9, [0, 0]) == [0, 0]
    assert quotas.split_over_levels(6, [1, 2, 3]) == [1, 2, 3]


def test_an_infeasible_world_has_no_rows_and_fails_alone() -> None:
    census = Census.from_employees([employee(n) for n in range(1, 21)])
    good = World(census, Scenario.create())
    # 20 x 1.03 = 20.6 -> 21 and 2 of 20 leave: 3 must be hired, and all of them would leave.
    bad = World(census, Scenario.create(new_hire_termination_rate=1))
    batch = OracleEngine().run([good, bad, good], Variant())
    assert batch.infeasible == {1: Infeasible("new_hire_exits_certain", 2025)}
    first, second, third = batch.results()
    alone = OracleEngine().run([good], Variant())
    assert (second.events.num_rows, second.state.num_rows) == (0, 0)
    for result in (first, third):
        assert result.events.equals(alone.events)
        assert result.state.equals(alone.state)


def test_infeasibility_of_a_later_year_leaves_no_rows_of_earlier_ones() -> None:
    rules: dict[str, Any] = STILL | {
        "target_growth_rate": "-0.1",
        "total_termination_rate": "0.25",
        "new_hire_termination_rate": 1,
    }
    people = [employee(n) for n in range(1, 8)]
    # 7: target 6.3 -> 6, exits 1.75 -> 1, net 0. 6: 5.4 -> 5, exits 1.5 -> 1, net 0. 5: 4.5 -> 5, exits 1, net 1.
    assert run(people, **rules, end_year=2026).infeasible == {}
    result = run(people, **rules, end_year=2027)
    assert result.infeasible == {0: Infeasible("new_hire_exits_certain", 2027)}
    assert (result.events.num_rows, result.state.num_rows) == (0, 0)


# --- opening set (5.1)


def test_opening_set_drops_leavers_and_counts_later_hires() -> None:
    result = run(
        [
            employee(1, hire_date=D(2024, 12, 31)),
            employee(2, hire_date=D(2025, 1, 1)),
            employee(3, termination_date=D(2024, 12, 31)),
            employee(4, deferral_bp=1, pay_cents=55_999_99),
            employee(5, pay_cents=81_000_00),
        ],
        **STILL,
        end_year=2025,
        deferral_auto_escalation={"enabled": False},
    )
    assert result.state["employee_id"].to_pylist() == ["E0001", "E0004", "E0005"]
    assert result.proof is not None
    assert result.proof.ignored_hires == 1
    assert state(result)["current_level"] == 1
    low = state(result, employee_id="E0004")
    assert (low["current_level"], low["is_enrolled"], low["enrollment_date"]) == (1, True, D(2024, 12, 31))
    assert low["deferral_rate"] == Decimal("0.0001")
    assert state(result, employee_id="E0005")["current_level"] == 2


def test_initial_level_uses_minima_only() -> None:
    scenario = Scenario.create()
    pays = [1, 56_000_00, 80_500_00, 80_999_99, 81_000_00, 274_999_99, 275_000_00, 10_000_000_000]
    assert [workforce.initial_level(scenario, p) for p in pays] == [1, 1, 1, 1, 2, 4, 5, 5]


# --- exits and hires (5.3 to 5.5)


def test_exits_take_the_smallest_draws_of_the_level_on_the_drawn_day() -> None:
    people = [employee(n) for n in range(1, 11)]
    result = run(people, **STILL | {"total_termination_rate": "0.3", "target_growth_rate": "-0.3"}, end_year=2025)
    drawn = {p.employee_id: draws.draw(42, employee_key(p.employee_id), 2025, 1) for p in people}
    expected = sorted(drawn, key=lambda i: drawn[i])[:3]  # 10 x .3 = 3 exits, target 7, net 0
    leavers = [row for row in result.events.to_pylist() if row["event_type"] == "termination"]
    assert sorted(row["employee_id"] for row in leavers) == sorted(expected)
    for row in leavers:
        offset = draws.draw(42, employee_key(row["employee_id"]), 2025, 2) % 365
        assert row["event_date"] == D(2025, 1, 1) + dt.timedelta(days=offset)
        assert row["event_payload"] == '{"reason":"experienced"}'


def test_exits_are_chosen_level_by_level() -> None:
    # 6 and 4 people, 4 exits: 2.4 and 1.6, so 2 and 2; by draw alone more might come from one level
    people = [employee(n, pay_cents=60_000_00 if n <= 6 else 90_000_00) for n in range(1, 11)]
    rules = STILL | {"total_termination_rate": "0.4", "target_growth_rate": "-0.4", "end_year": 2025}
    distinct = 0
    for number in range(20):
        result = run(people, **rules, random_seed=number)
        drawn = {p.employee_id: draws.draw(number, employee_key(p.employee_id), 2025, 1) for p in people}
        low, high = (
            sorted((p.employee_id for p in part), key=lambda i: drawn[i])[:2] for part in (people[:6], people[6:])
        )
        leavers = {row["employee_id"] for row in result.events.to_pylist() if row["event_type"] == "termination"}
        assert leavers == {*low, *high}
        distinct += leavers != set(sorted(drawn, key=lambda i: drawn[i])[:4])
    assert distinct > 5  # the levels mattered


def test_hires_are_numbered_over_levels_and_drawn_from_their_id() -> None:
    # Two in level 1, two in level 2, doubling: 4 hires, 2 in each.
    people = [employee(n, pay_cents=60_000_00 if n < 3 else 90_000_00) for n in range(1, 5)]
    result = run(people, **STILL | {"target_growth_rate": 1}, new_hire_termination_rate=0, end_year=2025)
    hires = [row for row in result.events.to_pylist() if row["event_type"] == "hire"]
    assert [row["employee_id"] for row in hires] == [f"NH_2025_00000{s}" for s in (1, 2, 3, 4)]
    assert [row["employee_ssn"] for row in hires] == [f"SSN-90000000{s}" for s in (1, 2, 3, 4)]
    assert [row["level_id"] for row in hires] == [1, 1, 2, 2]
    key = int.from_bytes(hashlib.sha256(b"NH_2025_000003").digest()[:8], "big")
    third, paid = hires[2], json.loads(hires[2]["event_payload"], parse_float=Decimal)
    assert third["event_date"] == D(2025, 1, 1) + dt.timedelta(days=draws.draw(42, key, 2025, 3) % 364)
    pay_cents = 81_000_00 + draws.draw(42, key, 2025, 6) % 3_900_001  # 81 000.00 .. 120 000.00, both included
    assert third["compensation_amount"] == paid["annual_compensation"] == Decimal(pay_cents).scaleb(-2)
    left, weights = draws.draw(42, key, 2025, 4) % 100, [(22, 5), (25, 20), (28, 40), (32, 65), (35, 80), (40, 90)]
    age = next((a for a, cumulative in weights if cumulative > left), 45 if left < 98 else 50)
    days = 366 if (2025 - age) % 4 == 0 else 365
    born = D(2025 - age, 1, 1) + dt.timedelta(days=draws.draw(42, key, 2025, 5) % days)
    assert paid["birth_date"] == born.isoformat()
    assert paid["hire_number"] == 3


def test_ssn_of_hires_counts_a_million_a_year() -> None:
    result = run([employee()], **STILL | {"target_growth_rate": 1}, new_hire_termination_rate=0, end_year=2026)
    ssn = {row["employee_id"]: row["employee_ssn"] for row in result.state.to_pylist()}
    # 1 -> 2 -> 4: one hire, then two
    assert {k: v for k, v in ssn.items() if k[0] == "N"} == {
        "NH_2025_000001": "SSN-900000001",
        "NH_2026_000001": "SSN-901000001",
        "NH_2026_000002": "SSN-901000002",
    }


@pytest.mark.parametrize(
    ("drawn", "age"), [(0, 22), (4, 22), (5, 25), (19, 25), (20, 28), (97, 45), (98, 50), (199, 50)]
)
def test_hire_age_by_cumulative_weight(drawn: int, age: int) -> None:
    assert workforce.hire_age(Scenario.create(), drawn) == age


def test_new_hire_exits_lie_after_the_hire() -> None:
    # 40 people, 50 % growth: net 20, h = .5: 40 hires, 20 of them leave.
    rules: dict[str, Any] = STILL | {"target_growth_rate": "0.5", "new_hire_termination_rate": "0.5"}
    result = run([employee(n) for n in range(1, 41)], **rules, end_year=2025)
    rows = [row for row in result.events.to_pylist() if row["event_type"] == "termination"]
    drawn = {f"NH_2025_{s:06d}": draws.draw(42, employee_key(f"NH_2025_{s:06d}"), 2025, 7) for s in range(1, 41)}
    assert {row["employee_id"] for row in rows} == set(sorted(drawn, key=lambda i: drawn[i])[:20])
    for row in rows:
        hired = events(result, "hire", row["employee_id"])[0]["event_date"]
        days = (D(2025, 12, 31) - hired).days
        offset = draws.draw(42, employee_key(row["employee_id"]), 2025, 8) % days
        assert row["event_date"] == hired + dt.timedelta(days=1 + offset)
        assert row["event_payload"] == '{"reason":"new_hire"}'


# --- promotion and raise (5.6, 5.7)


def test_hazard_by_level_tenure_and_age() -> None:
    scenario = Scenario.create()
    # .02 x 1.5 x 1.4 = .042; level 3 dampens by 2 x .15: x .7 = .0294
    assert pay.promotion_hazard(scenario, 1, 2, 34) == 42_000
    assert pay.promotion_hazard(scenario, 3, 4, 25) == 29_400
    # band edges: < 2 | 2-4 | 5-9 | 10-19 | 20+ at age 24 (1.6): 20 000 ppm x 1.6 = 32 000 x .5, 1.5, 1.8, .8, .2
    by_tenure = [pay.promotion_hazard(scenario, 1, tenure, 24) for tenure in (1, 2, 4, 5, 9, 10, 19, 20)]
    assert by_tenure == [16_000, 48_000, 48_000, 57_600, 57_600, 25_600, 25_600, 6_400]
    by_age = [pay.promotion_hazard(scenario, 1, 1, age) for age in (24, 25, 34, 35, 44, 45, 54, 55, 64)]
    assert by_age == [16_000, 14_000, 14_000, 11_000, 11_000, 7_000, 7_000, 3_000, 3_000]


def test_hazard_is_floored_capped_and_never_negative() -> None:
    odd = Scenario.create(
        promotion={"base_hazard": "0.0001", "tenure_multipliers": ["0.3333"] * 5, "age_multipliers": [1] * 5}
    )
    assert pay.promotion_hazard(odd, 1, 3, 30) == 33  # 100 ppm x .3333 = 33.33
    assert pay.promotion_hazard(odd, 2, 3, 30) == 28  # floor(33 x .85 = 28.05): the first floor counts
    sure = Scenario.create(promotion={"base_hazard": 1, "tenure_multipliers": [5] * 5, "age_multipliers": [5] * 5})
    assert pay.promotion_hazard(sure, 1, 3, 30) == 1_000_000
    steep = Scenario.create(promotion={"base_hazard": 1, "level_dampener": "0.6"})
    assert pay.promotion_hazard(steep, 3, 3, 30) == 0  # 1 - 2 x .6 < 0


@pytest.mark.parametrize(
    ("over", "candidate"),
    [
        ({}, True),
        ({"hire": D(2024, 2, 1)}, True),
        ({"hire": D(2024, 2, 2)}, False),  # a completed year on 2 February only
        ({"birth": D(1960, 2, 2)}, True),
        ({"birth": D(1960, 2, 1)}, False),  # 65 on the day
        ({"exit_day": D(2025, 2, 1)}, True),
        ({"exit_day": D(2025, 1, 31)}, False),
        ({"opening": State(5, 300_000_00, 0, None, False, 0)}, False),
        ({"opening": State(4, 300_000_00, 0, None, False, 0)}, True),
    ],
)
def test_promotion_candidates(over: dict[str, Any], candidate: bool) -> None:
    assert pay.promotion_candidate(member(**over)) is candidate


def test_promoted_pay_is_the_least_of_step_and_caps() -> None:
    def promoted(pay_cents: int, **rules: Any) -> int:
        return pay.promoted_pay(Scenario.create(promotion=rules), 1, pay_cents)

    assert promoted(60_000_01) == 72_000_01  # 72 000.012
    assert promoted(60_000_03) == 72_000_04  # 72 000.036
    assert promoted(60_000_00, increase_pct=["0.4"] * 4) == 78_000_00  # capped at 30 %
    assert promoted(60_000_00, max_cap_amount="5000.01") == 65_000_01
    assert promoted(60_000_00, max_cap_amount="12000.01") == 72_000_00  # the cap is a cent above the step
    assert promoted(9_000_000_000, max_cap_amount=100_000_000) == 10_000_000_000  # 108 000 000.00 would pass MAX_PAY


def test_raise_follows_the_promotion_with_the_new_levels_merit() -> None:
    always = {"base_hazard": 1, "tenure_multipliers": [1] * 5, "age_multipliers": [1] * 5}
    result = run([employee()], **STILL | {"promotion": always}, end_year=2025, cola_rate="0.01")
    (promotion,), (raised,) = events(result, "promotion"), events(result, "raise")
    assert promotion["event_payload"] == '{"from_level":1,"hazard_ppm":1000000,"to_level":2}'
    assert (promotion["event_date"], promotion["compensation_amount"]) == (D(2025, 2, 1), Decimal("72000.00"))
    assert promotion["previous_compensation"] == Decimal("60000.00")
    # level 2: merit 4 % + cola 1 % of 72 000.00
    assert (raised["compensation_amount"], raised["previous_compensation"]) == (
        Decimal("75600.00"),
        Decimal("72000.00"),
    )
    assert raised["event_payload"] == '{"cola_rate":0.0100,"merit_rate":0.0400}'
    assert (promotion["level_id"], raised["level_id"], state(result)["current_level"]) == (2, 2, 2)


@pytest.mark.parametrize(
    ("over", "due"),
    [
        ({"hire": D(2024, 7, 15)}, True),
        ({"hire": D(2024, 7, 16)}, False),
        ({"exit_day": D(2025, 7, 15)}, True),
        ({"exit_day": D(2025, 7, 14)}, False),
        ({"merit_rates": [0] * 5, "cola_rate": 0}, False),
        ({"merit_rates": [0] * 5, "cola_rate": "0.0001"}, True),
    ],
)
def test_raise_due(over: dict[str, Any], due: bool) -> None:
    assert pay.raise_due(member(**over)) is due


def test_a_raise_without_effect_is_still_an_event() -> None:
    result = run([employee(pay_cents=10_000_000_000), employee(2, pay_cents=1)], **STILL, end_year=2025)
    for who, amount in (("E0001", Decimal("100000000.00")), ("E0002", Decimal("0.01"))):
        (row,) = events(result, "raise", who)
        assert (row["compensation_amount"], row["previous_compensation"]) == (amount, amount)


# --- rules 5.8 and 5.9: eligibility, enrolment, opt-out


@pytest.mark.parametrize(
    ("birth", "hire", "expected"),
    [
        (D(1985, 6, 15), D(2024, 12, 10), D(2025, 1, 9)),
        (D(2004, 2, 29), D(2024, 12, 10), D(2025, 2, 28)),  # 21 on 28 February
        (D(2004, 1, 9), D(2024, 12, 10), D(2025, 1, 9)),
        (D(2004, 1, 10), D(2024, 12, 10), D(2025, 1, 10)),
    ],
)
def test_eligibility_date(birth: dt.date, hire: dt.date, expected: dt.date) -> None:
    result = run([employee(birth_date=birth, hire_date=hire)], **STILL, end_year=2025)
    (row,) = events(result, "eligibility")
    assert (row["event_date"], row["event_payload"]) == (expected, '{"minimum_age":21,"waiting_period_days":30}')
    assert (state(result)["is_eligible"], state(result)["eligibility_date"]) == (True, expected)


def test_no_eligibility_event_before_the_first_year_nor_after_exit() -> None:
    early = run([employee(hire_date=D(2024, 12, 1))], **STILL, end_year=2025)  # 31 December 2024
    assert events(early, "eligibility") == []
    assert state(early)["eligibility_date"] == D(2024, 12, 31)
    rules: dict[str, Any] = STILL | {"target_growth_rate": -1, "eligibility": {"waiting_period_days": 365}}
    gone = run([employee(hire_date=D(2024, 12, 31))], **rules, end_year=2025)
    assert state(gone)["termination_date"] < D(2025, 12, 31)
    assert (events(gone, "eligibility"), state(gone)["is_eligible"], state(gone)["eligibility_date"]) == (
        [],
        False,
        None,
    )


@pytest.mark.parametrize(("wait", "eligible"), [(365, True), (366, False)])
def test_eligible_on_31_december_counts_for_the_year(wait: int, eligible: bool) -> None:
    rules = STILL | {"eligibility": {"waiting_period_days": wait}}
    end = state(run([employee(hire_date=D(2024, 12, 31))], **rules, end_year=2025))
    assert (end["is_eligible"], end["eligibility_date"]) == (eligible, D(2025, 12, 31) if eligible else None)


AUTO: dict[str, Any] = {"enabled": True, "scope": "all_eligible_employees", "opt_out_by_age": NEVER}


@pytest.mark.parametrize(
    ("hire", "rules", "expected"),
    [
        # eligibility = hire + 30 days, due = + 45 days more
        (D(2024, 12, 31), {}, D(2025, 3, 16)),
        (D(2024, 10, 18), {}, D(2025, 1, 1)),
        (D(2024, 10, 17), {}, D(2025, 1, 1)),  # due on 31 December: the first day of the first year
        (D(2015, 3, 10), {}, D(2025, 1, 1)),
        (D(2024, 12, 31), {"scope": "new_hires_only"}, None),
        (D(2015, 3, 10), {"scope": "new_hires_only"}, None),
        (D(2024, 12, 31), {"enabled": False}, None),
        (D(2024, 12, 31), {"default_deferral_rate": 0}, None),
        (D(2024, 12, 31), {"hire_date_cutoff": "2024-12-31"}, D(2025, 3, 16)),  # the cutoff day is in
        (D(2024, 12, 30), {"hire_date_cutoff": "2024-12-31"}, None),
        (D(2024, 12, 31), {"window_days": 335}, D(2025, 12, 31)),  # 30 January + 335
        (D(2024, 12, 31), {"window_days": 336}, None),  # 1 January next year
    ],
)
def test_automatic_enrolment_day(hire: dt.date, rules: dict[str, Any], expected: dt.date | None) -> None:
    found = enrolment.automatic_enrolment(member(hire=hire, auto_enrollment=AUTO | rules))
    assert (found.day if found else None) == expected


def test_automatic_enrolment_due_in_the_next_year_comes_in_the_next_year() -> None:
    rules: dict[str, Any] = STILL | {"auto_enrollment": AUTO | {"window_days": 336}}
    result = run([employee(hire_date=D(2024, 12, 31))], **rules, end_year=2026)
    (row,) = events(result, "enrollment")
    assert (row["event_date"], row["event_payload"]) == (D(2026, 1, 1), '{"source":"auto"}')
    assert (row["employee_deferral_rate"], row["prev_employee_deferral_rate"]) == (Decimal("0.02"), Decimal(0))
    assert state(result, 2025)["is_enrolled"] is False


def test_new_hires_only_takes_the_hires_of_the_simulation() -> None:
    rules: dict[str, Any] = STILL | {
        "target_growth_rate": 1,
        "auto_enrollment": AUTO | {"scope": "new_hires_only", "window_days": 0},
    }
    result = run([employee()], **rules, new_hire_termination_rate=0, eligibility={"waiting_period_days": 0})
    assert events(result, "enrollment") == []
    for row in result.events.to_pylist():
        if row["event_type"] == "hire":
            (enrolled,) = events(result, "enrollment", row["employee_id"])
            assert enrolled["event_date"] == row["event_date"]  # no waiting, no window


def test_due_before_the_first_year_counts_in_the_first_year_only() -> None:
    rules: dict[str, Any] = {"start_year": 2025, "end_year": 2026, "auto_enrollment": AUTO}
    assert enrolment.automatic_enrolment(member(2025, **rules)) == enrolment.Enrolment(D(2025, 1, 1), 200, "auto")
    assert enrolment.automatic_enrolment(member(2026, **rules)) is None


SURE = {"probability_by_age": EVEN, "probability_by_income": ANY_INCOME}


def test_voluntary_enrolment_is_drawn_by_segment() -> None:
    rules: dict[str, Any] = {
        "voluntary_enrollment": {
            "probability_by_age": {"young": "0.3", "mid_career": "0.55", "mature": "0.7", "senior": "0.8"},
            "probability_by_income": {"low_income": "0.7", "moderate": 1, "high": "1.15", "executive": "1.25"},
        }
    }
    found = [
        enrolment.voluntary_probability(member(opening=State(1, cents, 0, None, False, 0), **rules), age)
        for age, cents in [
            (29, 49_999_99), (30, 50_000_00), (44, 99_999_99), (45, 100_000_00), (59, 199_999_99), (60, 200_000_00),
        ]
    ]  # fmt: skip
    # .3 x .7, .55 x 1, .55 x 1, .7 x 1.15, .7 x 1.15, .8 x 1.25 (certain)
    assert found == [210_000, 550_000, 550_000, 805_000, 805_000, 1_000_000]


def test_enrolment_looks_at_pay_at_the_start_of_the_year() -> None:
    one = member(opening=State(1, 49_999_99, 0, None, False, 0))
    one.pays += [(D(2025, 2, 1), 60_000_00), (D(2025, 7, 15), 120_000_00)]
    assert enrolment.voluntary_probability(one, 35) == 385_000  # .55 x .7, low income
    assert enrolment.opt_out_probability(one, D(2025, 8, 1)) == 84_000  # aged 40: .07 x 1.2


def test_voluntary_enrolment_window_day_and_rate() -> None:
    key = employee_key("E0001")
    sure: dict[str, Any] = {"voluntary_enrollment": SURE}
    whole = enrolment.voluntary_enrolment(member(**sure))
    assert whole is not None
    assert whole.day == D(2025, 1, 1) + dt.timedelta(days=draws.draw(42, key, 2025, 13) % 365)
    assert whole.rate == 400 + draws.draw(42, key, 2025, 14) % 601  # mid-career: 4 % .. 10 %, both included
    late = enrolment.voluntary_enrolment(member(hire=D(2024, 12, 10), **sure))  # eligible on 9 January
    assert late is not None
    assert late.day == D(2025, 1, 9) + dt.timedelta(days=draws.draw(42, key, 2025, 13) % (365 - 8))
    wait: dict[str, Any] = {"eligibility": {"waiting_period_days": 365}}
    last = enrolment.voluntary_enrolment(member(hire=D(2024, 12, 31), **sure, **wait))
    assert last is not None
    assert last.day == D(2025, 12, 31)
    wait = {"eligibility": {"waiting_period_days": 366}}
    assert enrolment.voluntary_enrolment(member(hire=D(2024, 12, 31), **sure, **wait)) is None


def test_the_earlier_enrolment_wins_and_a_tie_is_voluntary() -> None:
    # eligible on 30 December or later leaves one or two days for the voluntary draw
    only_day: dict[str, Any] = {"voluntary_enrollment": SURE, "eligibility": {"waiting_period_days": 365}}
    tie = member(hire=D(2024, 12, 31), **only_day, auto_enrollment=AUTO | {"window_days": 0})
    assert enrolment.automatic_enrolment(tie) == enrolment.Enrolment(D(2025, 12, 31), 200, "auto")
    won = enrolment.enrolment(tie)
    assert won is not None
    assert (won.day, won.source) == (D(2025, 12, 31), "voluntary")
    both = member(voluntary_enrollment=SURE, auto_enrollment=AUTO)
    voluntary = enrolment.voluntary_enrolment(both)
    assert voluntary is not None
    assert voluntary.day > D(2025, 1, 1)
    earlier = enrolment.enrolment(both)
    assert earlier == enrolment.Enrolment(D(2025, 1, 1), 200, "auto")


def test_an_enrolment_after_the_exit_leaves_the_other_one() -> None:
    rules: dict[str, Any] = {"voluntary_enrollment": SURE, "auto_enrollment": AUTO}
    voluntary = enrolment.voluntary_enrolment(member(**rules))
    assert voluntary is not None
    assert voluntary.day < D(2025, 12, 1)
    # auto is due long after: hired so that eligibility is past and the window ends in December
    late: dict[str, Any] = {
        "voluntary_enrollment": SURE,
        "auto_enrollment": AUTO | {"window_days": 3660},
        "hire": D(2015, 11, 15),
    }
    auto = enrolment.automatic_enrolment(member(**late))
    assert auto is not None
    assert auto.day == D(2015, 11, 15) + dt.timedelta(days=3690)
    assert enrolment.enrolment(member(**late, exit_day=voluntary.day)) == voluntary
    assert enrolment.enrolment(member(**late, exit_day=voluntary.day - units.ONE_DAY)) is None


OUT = {"opt_out_by_age": EVEN, "opt_out_by_income": ANY_INCOME}


def test_opt_out_day_is_the_least_of_grace_year_end_and_exit() -> None:
    drawn = draws.draw(42, employee_key("E0001"), 2025, 11)
    auto = enrolment.Enrolment(D(2025, 3, 16), 200, "auto")
    plain = member(auto_enrollment=AUTO | OUT)
    assert enrolment.opt_out_day(plain, auto) == D(2025, 3, 17) + dt.timedelta(days=drawn % 30)
    next_day = member(auto_enrollment=AUTO | OUT | {"opt_out_grace_period": 1})
    assert enrolment.opt_out_day(next_day, auto) == D(2025, 3, 17)
    assert enrolment.opt_out_day(next_day, auto._replace(day=D(2025, 12, 31))) == D(2025, 12, 31)
    leaver = member(auto_enrollment=AUTO | OUT, exit_day=D(2025, 3, 16))
    assert enrolment.opt_out_day(leaver, auto) == D(2025, 3, 16)
    assert enrolment.opt_out_day(plain, auto._replace(source="voluntary")) is None
    assert enrolment.opt_out_day(member(auto_enrollment=AUTO), auto) is None


def test_opted_out_people_may_only_come_back_voluntarily() -> None:
    back = State(1, 60_000_00, 0, D(2024, 5, 1), True, 0)
    returning = member(opening=back, hire=D(2024, 12, 31), auto_enrollment=AUTO, voluntary_enrollment=SURE)
    assert enrolment.automatic_enrolment(returning) is None
    won = enrolment.enrolment(returning)
    assert won is not None
    assert won.source == "voluntary"


def test_opt_out_ends_the_rate_and_stays() -> None:
    rules: dict[str, Any] = STILL | {"auto_enrollment": AUTO | OUT | {"opt_out_grace_period": 1}}
    result = run([employee()], **rules, end_year=2026, employer_core={"enabled": False})
    (row,) = events(result, "enrollment_change")
    assert (row["event_date"], row["event_payload"]) == (D(2025, 1, 2), '{"reason":"opt_out"}')
    assert (row["employee_deferral_rate"], row["prev_employee_deferral_rate"]) == (Decimal(0), Decimal("0.02"))
    for year in (2025, 2026):
        end = state(result, year)
        assert (end["is_enrolled"], end["deferral_rate"], end["has_opted_out"]) == (False, Decimal(0), True)
        assert end["enrollment_date"] == D(2025, 1, 1)
    # one enrolled day, 1 January: 60 000.00 x 2 % / 365 = 3.2877
    assert state(result)["annual_contribution"] == Decimal("3.29")
    assert events(result, "deferral_escalation") == []


# --- rule 5.10: escalation


def escalates(one: PersonYear, opt_out: dt.date | None = None) -> int | None:
    return enrolment.escalated_rate(one, opt_out)


def test_escalation_adds_the_increment_up_to_the_maximum_and_never_lowers() -> None:
    since = D(2023, 1, 1)
    assert escalates(enrolled_member(since, 300)) == 400
    assert escalates(enrolled_member(since, 950)) == 1000
    assert escalates(enrolled_member(since, 999)) == 1000
    assert escalates(enrolled_member(since, 1000)) is None
    assert escalates(enrolled_member(since, 1500)) is None


@pytest.mark.parametrize(
    ("since", "escalated"),
    [(D(2024, 1, 1), True), (D(2024, 1, 2), False), (D(2023, 12, 31), True), (D(2024, 12, 31), False)],
)
def test_escalation_waits_for_the_delay(since: dt.date, escalated: bool) -> None:
    assert (escalates(enrolled_member(since)) is not None) is escalated


def test_escalation_delay_counts_from_29_february() -> None:
    rules: dict[str, Any] = {"deferral_auto_escalation": {"effective_day": "02-28"}}
    assert escalates(enrolled_member(D(2024, 2, 29), **rules)) == 400
    rules = {"deferral_auto_escalation": {"effective_day": "02-27"}}
    assert escalates(enrolled_member(D(2024, 2, 29), **rules)) is None


@pytest.mark.parametrize(
    ("since", "escalated"), [(D(2025, 4, 30), True), (D(2025, 5, 1), False), (D(2025, 5, 2), False)]
)
def test_escalation_needs_enrolment_before_the_day(since: dt.date, escalated: bool) -> None:
    rules: dict[str, Any] = {"deferral_auto_escalation": {"effective_day": "05-01", "first_escalation_delay_years": 0}}
    assert (escalates(enrolled_member(since, **rules)) is not None) is escalated


@pytest.mark.parametrize(
    ("exit_day", "escalated"), [(D(2025, 4, 30), False), (D(2025, 5, 1), True), (D(2025, 5, 2), True)]
)
def test_escalation_needs_employment_on_the_day(exit_day: dt.date, escalated: bool) -> None:
    rules: dict[str, Any] = {"deferral_auto_escalation": {"effective_day": "05-01"}}
    assert (escalates(enrolled_member(D(2023, 1, 1), exit_day=exit_day, **rules)) is not None) is escalated


@pytest.mark.parametrize(("cutoff", "escalated"), [("2015-03-09", True), ("2015-03-10", True), ("2015-03-11", False)])
def test_escalation_cutoff_is_inclusive(cutoff: str, escalated: bool) -> None:
    rules: dict[str, Any] = {"deferral_auto_escalation": {"hire_date_cutoff": cutoff}}
    assert (escalates(enrolled_member(D(2023, 1, 1), **rules)) is not None) is escalated


@pytest.mark.parametrize(
    ("opt_out", "escalated"), [(D(2025, 4, 30), False), (D(2025, 5, 1), False), (D(2025, 5, 2), True), (None, True)]
)
def test_escalation_and_opt_out_in_one_year(opt_out: dt.date | None, escalated: bool) -> None:
    rules: dict[str, Any] = {"deferral_auto_escalation": {"effective_day": "05-01", "first_escalation_delay_years": 0}}
    assert (escalates(enrolled_member(D(2025, 4, 1), **rules), opt_out) is not None) is escalated


def test_no_escalation_once_opted_out_when_off_or_when_not_enrolled() -> None:
    assert escalates(enrolled_member(D(2023, 1, 1), opted_out=True)) is None
    assert escalates(enrolled_member(D(2023, 1, 1), deferral_auto_escalation={"enabled": False})) is None
    assert escalates(member()) is None


def test_opt_out_after_escalation_shows_the_raised_rate() -> None:
    rules: dict[str, Any] = STILL | {
        "auto_enrollment": AUTO | OUT | {"opt_out_grace_period": 1},
        "deferral_auto_escalation": {"effective_day": "01-01", "first_escalation_delay_years": 0},
    }
    # enrolled on 31 January, escalated on 1 February, out at the end of the grace period of one day: 1 February.
    hire = D(2024, 11, 17)  # + 30 = 17 December, + 45 = 31 January
    same_day: dict[str, Any] = rules | {
        "deferral_auto_escalation": {"effective_day": "02-01", "first_escalation_delay_years": 0}
    }
    result = run([employee(hire_date=hire)], **same_day, end_year=2025)
    assert events(result, "enrollment")[0]["event_date"] == D(2025, 1, 31)
    assert events(result, "deferral_escalation") == []  # opted out on the very day
    # With a grace of 366 days the opt-out is drawn; escalation comes on the day after enrolment.
    long: dict[str, Any] = same_day | {"auto_enrollment": AUTO | OUT | {"opt_out_grace_period": 366}}
    result = run([employee(hire_date=hire)], **long, end_year=2025)
    (raised,), (out,) = events(result, "deferral_escalation"), events(result, "enrollment_change")
    assert out["event_date"] > raised["event_date"] == D(2025, 2, 1)
    assert (raised["prev_employee_deferral_rate"], raised["employee_deferral_rate"]) == (
        Decimal("0.02"),
        Decimal("0.03"),
    )
    assert raised["event_payload"] == '{"increment_amount":0.0100,"maximum_rate":0.1000}'
    assert out["prev_employee_deferral_rate"] == Decimal("0.03")


# --- rule 5.11: money into the plan


def with_steps(one: PersonYear, pays: list[tuple[dt.date, int]], rates: list[tuple[dt.date, int]]) -> PersonYear:
    one.pays += pays
    one.rates += rates
    return one


def test_proration_across_a_raise_and_an_exit() -> None:
    # 1 January .. 14 July is 195 days at 60 000.00; 15 July .. 31 August is 48 days at 62 700.00.
    one = with_steps(member(exit_day=D(2025, 8, 31)), [(D(2025, 7, 15), 62_700_00)], [])
    assert [(part.days, part.pay) for part in money.segments(one)] == [(195, 60_000_00), (48, 62_700_00)]
    # (195 x 60 000 + 48 x 62 700) / 365 = (11 700 000 + 3 009 600) / 365 = 40 300.2740
    assert money.prorated_pay(one, money.segments(one)) == 40_300_27


def test_days_of_a_leap_year_and_of_one_day() -> None:
    leap = member(2024)
    assert [part.days for part in money.segments(leap)] == [366]
    assert money.prorated_pay(leap, money.segments(leap)) == 60_000_00
    one_day = member(exit_day=D(2025, 1, 1))
    assert money.prorated_pay(one_day, money.segments(one_day)) == 164_38  # 60 000 / 365 = 164.3836


def test_segments_cut_at_both_pay_and_rate_changes() -> None:
    one = with_steps(
        enrolled_member(D(2023, 1, 1)),
        [(D(2025, 2, 1), 70_000_00), (D(2025, 7, 15), 80_000_00)],
        [(D(2025, 7, 15), 400), (D(2025, 9, 1), 0)],
    )
    found = [(part.first_day, part.days, part.pay, part.rate) for part in money.segments(one)]
    assert found == [
        (D(2025, 1, 1), 31, 60_000_00, 300),
        (D(2025, 2, 1), 164, 70_000_00, 300),
        (D(2025, 7, 15), 48, 80_000_00, 400),
        (D(2025, 9, 1), 122, 80_000_00, 0),
    ]
    # 300 x (31 x 60 000 + 164 x 70 000) + 400 x 48 x 80 000 = 300 x 13 340 000 + 1 536 000 000 = 5 538 000 000
    # / (10 000 x 365) = 1517.2603
    assert money.contribution(one, money.segments(one)) == 1517_26


@pytest.mark.parametrize(
    ("birth", "limit"), [(D(1976, 1, 1), 23_500_00), (D(1975, 12, 31), 31_000_00), (D(1975, 1, 1), 31_000_00)]
)
def test_contribution_limit_with_catch_up_from_50_on_31_december(birth: dt.date, limit: int) -> None:
    one = enrolled_member(D(2023, 1, 1), 10_000, birth=birth)
    assert money.deferral_limit(one) == limit
    assert money.contribution(one, money.segments(one)) == limit  # 60 000.00 deferred in full


def test_catch_up_looks_at_31_december_even_of_those_who_left() -> None:
    leaver = enrolled_member(D(2023, 1, 1), birth=D(1975, 12, 31), exit_day=D(2025, 6, 30))
    assert money.deferral_limit(leaver) == 31_000_00


def test_match_by_tier_at_the_borders_and_at_the_cap() -> None:
    rules = Scenario.create().employer_match
    # in bp squared: 1.0 up to 3 %, 0.5 up to 5 %: 4 % of pay at 5 %
    found = [money.match_rate(rules, rate) for rate in (0, 1, 299, 300, 301, 499, 500, 501, 10_000)]
    assert found == [0, 10_000, 2_990_000, 3_000_000, 3_005_000, 3_995_000, 4_000_000, 4_000_000, 4_000_000]
    capped = Scenario.create(employer_match={"cap_percent": "0.0399"}).employer_match
    assert [money.match_rate(capped, rate) for rate in (497, 498, 499)] == [3_985_000, 3_990_000, 3_990_000]
    gap = [{"employee_min": "0.02", "employee_max": "0.04", "match_rate": 2}]
    apart = Scenario.create(employer_match={"tiers": gap, "cap_percent": 1}).employer_match
    assert [money.match_rate(apart, rate) for rate in (199, 200, 201, 400, 401)] == [0, 0, 20_000, 4_000_000, 4_000_000]


def test_match_and_core_use_pay_up_to_the_compensation_limit() -> None:
    rich = member(opening=State(5, 400_000_00, 500, D(2023, 1, 1), False, 0))
    parts = money.segments(rich)
    assert money.employer_match(rich, parts) == 14_000_00  # 4 % of 350 000
    assert money.employer_core(rich, parts) == 3_500_00  # 1 % of 350 000
    assert money.contribution(rich, parts) == 20_000_00  # 5 % of all pay
    assert money.prorated_pay(rich, parts) == 400_000_00


def test_core_needs_eligibility_on_or_before_the_last_day() -> None:
    def core(hire: dt.date, exit_day: dt.date | None = None) -> int:
        one = member(hire=hire, exit_day=exit_day, eligibility={"waiting_period_days": 365})
        return money.employer_core(one, money.segments(one))

    assert core(D(2024, 12, 31)) == 600_00  # eligible on 31 December: the whole year counts
    assert core(D(2025, 1, 1)) == 0
    assert core(D(2024, 6, 1), D(2025, 6, 1)) == 249_86  # 60 000 x 152 / 365 x 1 % = 249.863
    assert core(D(2024, 6, 1), D(2025, 5, 31)) == 0


@pytest.mark.parametrize(
    ("limit", "expected"),
    [
        (30_000_00, (4_000_00, 600_00)),  # 20 000 + 4 000 + 600 fits
        (24_600_00, (4_000_00, 600_00)),
        (24_599_99, (4_000_00, 599_99)),  # core first
        (24_000_00, (4_000_00, 0)),
        (23_999_99, (3_999_99, 0)),  # then match
        (20_000_00, (0, 0)),
    ],
)
def test_annual_additions_lower_core_then_match(limit: int, expected: tuple[int, int]) -> None:
    limits: dict[str, Any] = {"elective_deferral": 20_000, "catch_up": 5_000, "compensation": 350_000}
    scenario: dict[str, Any] = {"limits": {2025: limits | {"annual_additions": Decimal(limit).scaleb(-2)}}}
    assert money.within_annual_additions(member(**scenario), 20_000_00, 4_000_00, 600_00) == expected
    # Catch-up above the elective limit does not count.
    assert money.within_annual_additions(member(**scenario), 25_000_00, 4_000_00, 600_00) == expected


def test_money_events_and_balance() -> None:
    rules: dict[str, Any] = STILL | {
        "deferral_auto_escalation": {"enabled": False},
        "merit_rates": [0] * 5,
        "cola_rate": 0,
    }
    result = run([employee(deferral_bp=400)], **rules, end_year=2026)
    (own,) = (row for row in events(result, "contribution") if row["simulation_year"] == 2026)
    assert own["compensation_amount"] == Decimal("2400.00")
    assert own["event_payload"] == '{"catch_up":false,"limit":24000.00}'
    assert own["event_date"] == D(2026, 12, 31)
    match, core = events(result, "employer_match")[0], events(result, "employer_core")[0]
    assert match["compensation_amount"] == Decimal("2100.00")  # 3 % + half of 1 %
    assert match["event_payload"] == '{"compensation_limit":350000.00}'
    assert core["event_payload"] == '{"compensation_limit":350000.00,"contribution_rate":0.0100}'
    # 2 400 + 2 100 + 600 a year
    assert [state(result, year)["account_balance"] for year in (2025, 2026)] == [
        Decimal("5100.00"),
        Decimal("10200.00"),
    ]


def test_amounts_of_nothing_make_no_event() -> None:
    rules: dict[str, Any] = STILL | {"employer_match": {"enabled": False}, "employer_core": {"contribution_rate": 0}}
    result = run([employee(deferral_bp=1, pay_cents=4_000)], **rules, end_year=2025)
    # .0001 x 40.00 a year, 41.80 from 15 July: under half a cent
    assert {row["event_type"] for row in result.events.to_pylist()} == {"raise"}
    assert state(result)["annual_contribution"] == Decimal("0.00")


# --- events, payloads, tables (section 6)


def test_payload_formats() -> None:
    texts = [
        payload.hire(56_000_05, D(1990, 2, 3), 7),
        payload.eligibility(21, 30),
        payload.promotion(1, 33_000, 2),
        payload.pay_raise(100, 350),
        payload.enrolment("auto"),
        payload.escalation(100, 10_000),
        payload.reason("opt_out"),
        payload.contribution(True, 31_000_00),
        payload.employer_match(350_000_00),
        payload.employer_core(350_000_00, 1),
        payload.reason("experienced"),
    ]
    assert texts == [
        '{"annual_compensation":56000.05,"birth_date":"1990-02-03","hire_number":7}',
        '{"minimum_age":21,"waiting_period_days":30}',
        '{"from_level":1,"hazard_ppm":33000,"to_level":2}',
        '{"cola_rate":0.0100,"merit_rate":0.0350}',
        '{"source":"auto"}',
        '{"increment_amount":0.0100,"maximum_rate":1.0000}',
        '{"reason":"opt_out"}',
        '{"catch_up":true,"limit":31000.00}',
        '{"compensation_limit":350000.00}',
        '{"compensation_limit":350000.00,"contribution_rate":0.0001}',
        '{"reason":"experienced"}',
    ]
    for text in texts:
        keys = list(json.loads(text))
        assert keys == sorted(keys)


def test_event_id_by_the_recipe() -> None:
    result = run([employee()], **STILL, end_year=2025, scenario_id="s.1", plan_design_id="p")

    def key(text: str) -> int:
        return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")

    high = 0
    for word in (key("s.1"), key("p"), key("E0001"), 2025, 4):  # code 4: raise
        high = draws.fold(high, word)
    low = draws.fold(high, 0)
    digits = f"{high:016x}{low:016x}"
    expected = list(digits)
    expected[12] = "8"  # version
    expected[16] = "89ab"[int(digits[16], 16) & 3]  # variant: the two high bits are 10
    (raised,) = events(result, "raise")
    assert raised["event_id"].replace("-", "") == "".join(expected)
    identifier = uuid.UUID(raised["event_id"])
    assert (str(identifier), identifier.version, identifier.variant) == (raised["event_id"], 8, uuid.RFC_4122)


def test_order_and_sequence() -> None:
    census = Census.load("fixtures/data/census_cps1976.csv")
    result = OracleEngine().run([World(census, Scenario())], Variant())
    rows = result.events.to_pylist()
    assert {row["event_type"] for row in rows} == set(EVENT_TYPES)
    order = [(row["simulation_year"], row["employee_id"].encode(), row["event_sequence"]) for row in rows]
    assert order == sorted(order)
    assert len({row["event_id"] for row in rows}) == len(rows)
    people: dict[tuple[int, str], list[dict[str, Any]]] = {}
    for row in rows:
        people.setdefault((row["simulation_year"], row["employee_id"]), []).append(row)
    for own in people.values():
        assert [row["event_sequence"] for row in own] == list(range(1, len(own) + 1))
        days = [(row["event_date"], EVENT_TYPES.index(row["event_type"])) for row in own]
        assert days == sorted(set(days))
    keys = [(row["simulation_year"], row["employee_id"].encode()) for row in result.state.to_pylist()]
    assert keys == sorted(set(keys))


def test_level_of_an_event_is_the_one_held_after_it() -> None:
    rules: dict[str, Any] = STILL | {
        "promotion": {"base_hazard": 1, "tenure_multipliers": [1] * 5, "age_multipliers": [1] * 5}
    }
    # 21 on 1 February, with a year of service: eligibility, then promotion, on one day
    result = run([employee(birth_date=D(2004, 2, 1), hire_date=D(2023, 5, 1))], **rules, end_year=2025)
    levels = {row["event_type"]: (row["event_sequence"], row["level_id"]) for row in result.events.to_pylist()}
    assert (levels["eligibility"], levels["promotion"]) == ((1, 1), (2, 2))


def test_state_of_a_leaver() -> None:
    rules: dict[str, Any] = STILL | {"target_growth_rate": -1, "deferral_auto_escalation": {"enabled": False}}
    result = run([employee(deferral_bp=300)], **rules)
    assert result.state.num_rows == 1  # nobody is left in the later years
    end, (gone,) = state(result), events(result, "termination")
    last = end["termination_date"]
    assert last == gone["event_date"] == events(result, "contribution")[0]["event_date"]
    assert (end["is_active"], end["employment_status"]) == (False, "terminated")
    assert end["detailed_status_code"] == "experienced_termination"
    assert (end["is_enrolled"], end["deferral_rate"]) == (False, Decimal(0))
    assert end["enrollment_date"] == D(2024, 12, 31)
    assert (end["current_age"], end["current_tenure"]) == (
        39 if last < D(2025, 6, 15) else 40,
        2025 - 2015 - (last < D(2025, 3, 10)),
    )
    assert gone["compensation_amount"] == end["current_salary"]
    assert gone["event_sequence"] == max(row["event_sequence"] for row in result.events.to_pylist())


def test_empty_tables_keep_their_types() -> None:
    nobody = run([employee(termination_date=D(2020, 1, 1))])
    none = OracleEngine().run([], Variant())
    for result in (nobody, none):
        assert result.events.schema.equals(EVENTS_SCHEMA)
        assert result.state.schema.equals(STATE_SCHEMA)
        assert (result.events.num_rows, result.state.num_rows) == (0, 0)
    assert (len(nobody), len(none), nobody.bounds, none.bounds) == (1, 0, None, ())
    assert nobody.infeasible == {}


def test_tables_are_exact_and_valid() -> None:
    result = run([employee(pay_cents=10_000_000_000, deferral_bp=10_000)], **STILL, end_year=2025)
    result.events.validate(full=True)
    result.state.validate(full=True)
    assert result.state.schema.equals(STATE_SCHEMA)
    assert state(result)["prorated_annual_compensation"] == Decimal("100000000.00")


# --- the engine


@pytest.mark.parametrize(
    "variant",
    [Variant(level="legacy"), Variant(threads=2), Variant(shards=4), Variant(resume=1), Variant(batch_size=4)],
)
def test_other_variants_are_refused(variant: Variant) -> None:
    with pytest.raises(VariantError, match="oracle engine has one way to run"):
        OracleEngine().run([], variant)


def test_proof_counts_what_was_done() -> None:
    world = World(Census.from_employees([employee(n) for n in range(1, 21)]), Scenario.create(end_year=2025))
    result = OracleEngine().run([world, world], Variant())
    assert result.proof is not None
    # 20 x .12 = 2 exits; 20.6 -> 21 - 18 = 3 net; 3 / .75 = 4 hires, 1 of them leaves; two worlds
    assert result.proof.planned == {"hires": 8, "exits": 4, "new_hire_exits": 2}
    assert result.proof.inputs == (world.fingerprint, world.fingerprint)
    assert result.proof.rows == {"events": result.events.num_rows, "state": result.state.num_rows}
    assert (result.proof.engine, result.proof.threads, result.proof.switches) == ("oracle", 1, frozenset())


# --- explanations


def test_explanation_names_quotas_draws_and_amounts() -> None:
    world = World(Census.from_employees([employee(deferral_bp=300)]), Scenario.create(**STILL, end_year=2026))
    lines = explain(world, "E0001")
    assert {line[:4] for line in lines} == {"2025", "2026"}
    text = "\n".join(lines)
    for part in (
        "target half_up(1 x 10000 / 10000) = 1",
        "exit: rank 1 (draw",
        "hazard 0 ppm",
        "merit 3.50 % + cola 1.00 %",
        "= 62700.00",  # 60 000 x 1.045
        "escalation on 2026-01-01: 3.00 % + 1.00 %, at most 10.00 % = 4.00 %",
        "pay: from 2025-01-01 195 days at 60000.00, rate 3.00 %",
        "contribution",
    ):
        assert part in text
    assert "SSN" not in text


def test_explanation_of_everyone_agrees_with_the_tables() -> None:
    census = Census.load("fixtures/data/census_cps1976.csv").take(range(60))
    world = World(census, Scenario.create(end_year=2026, auto_enrollment=AUTO | OUT))
    result = OracleEngine().run([world], Variant())
    promoted = {
        (r["employee_id"], r["simulation_year"]) for r in result.events.to_pylist() if r["event_type"] == "promotion"
    }
    for row in result.state.to_pylist():
        year = row["simulation_year"]
        lines = [line[6:] for line in explain(world, row["employee_id"]) if line.startswith(str(year))]
        text = "\n".join(lines)
        assert f"contribution {row['annual_contribution']} " in text
        assert (f"leaves on {row['termination_date']}" in text) is (not row["is_active"])
        assert ("level " in text and f" on {year}-02-01, pay" in text) is ((row["employee_id"], year) in promoted)
        assert ("opt-out: " in text and ": on " in text) is any(
            r["event_type"] == "enrollment_change" and r["simulation_year"] == year
            for r in events(result, "enrollment_change", row["employee_id"])
        )


def test_explanation_of_people_without_a_year() -> None:
    people = [employee(1), employee(2, hire_date=D(2025, 1, 1)), employee(3, termination_date=D(2020, 5, 1))]
    world = World(Census.from_employees(people), Scenario.create(**STILL))
    assert explain(world, "E0002") == ["E0002: not in the opening set: hired on 2025-01-01, after 2024-12-31 (5.1)"]
    assert explain(world, "E0003") == ["E0003: not in the opening set: terminated on 2020-05-01 (5.1)"]
    assert explain(world, "E0009") == ["E0009: not in the census and never hired"]
    bad = World(Census.from_employees([employee()]), Scenario.create(target_growth_rate=1, new_hire_termination_rate=1))
    assert explain(bad, "E0001") == ["no result: new_hire_exits_certain in 2025 (5.2)"]
