"""Edge labels: each is generated, and each says what its sentence says, on a world that has it and on its neighbour."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from differential.engines.oracle import OracleEngine
from differential.run import Run
from differential.variant import Variant
from fixtures import edge_facts
from fixtures.census import Census, Employee
from fixtures.changes import by_age, by_income
from fixtures.edges import EDGE_LABELS, labels_of, labels_of_run
from fixtures.scenario import Scenario
from fixtures.strategies import worlds
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


def simulated(many: list[World]) -> Run:
    return OracleEngine().run(many, Variant())


def employee(number: int = 1, **over: Any) -> Employee:
    known = Employee(f"E{number:04d}", f"SSN-{number:09d}", D(1985, 6, 15), D(2015, 3, 10), 60_000_00)
    return dataclasses.replace(known, **over)


def world_of(*people: Employee, **scenario: Any) -> World:
    keys = {"end_year": 2025, "target_growth_rate": 0, "total_termination_rate": 0} | scenario
    return World(Census.from_employees(people or [employee()]), Scenario.create(**keys))


def crowd(n: int, **over: Any) -> list[Employee]:
    return [employee(number, **over) for number in range(1, n + 1)]


ALL_IN: dict[str, Any] = {"scope": "all_eligible_employees", "opt_out_by_age": by_age(0)}
ALL_OUT: dict[str, Any] = {
    "scope": "all_eligible_employees",
    "opt_out_by_age": by_age(1),
    "opt_out_by_income": by_income(1),
}
OFF = {"enabled": False}
SURE = {"probability_by_age": by_age(1), "probability_by_income": by_income(1)}
LAST_DAY = {"waiting_period_days": 365}
"""Hired on the opening date, one is eligible on 31 December of the first year."""
HIRED_LAST = D(2024, 12, 31)
TWO_BANDS: dict[str, Any] = {
    "levels": [{"minimum": 1, "maximum": 2}, {"minimum": 100_000_000, "maximum": 100_000_000}],
    "merit_rates": [0, 0],
}
CERTAIN = {"base_hazard": 1, "tenure_multipliers": [1] * 5, "age_multipliers": [1] * 5}
LIMITS: dict[str, Any] = {
    "elective_deferral": 2_000,
    "catch_up": 500,
    "compensation": 350_000,
    "annual_additions": 70_000,
}
NOW_ESCALATING = {"effective_day": "02-01", "first_escalation_delay_years": 0}

CASES: dict[str, tuple[World, World]] = {
    "opt_out_on_enrollment_day": (
        # due on 31 December, so that the opt-out cannot come later
        world_of(
            employee(hire_date=HIRED_LAST),
            auto_enrollment=ALL_OUT | {"window_days": 0},
            eligibility=LAST_DAY,
            voluntary_enrollment=OFF,
        ),
        world_of(
            employee(hire_date=D(2024, 12, 30)),
            auto_enrollment=ALL_OUT | {"window_days": 0, "opt_out_grace_period": 1},
            eligibility=LAST_DAY,
            voluntary_enrollment=OFF,
        ),
    ),
    "opt_out_31_december": (
        world_of(
            employee(hire_date=D(2024, 12, 30)),
            auto_enrollment=ALL_OUT | {"window_days": 0, "opt_out_grace_period": 1},
            eligibility=LAST_DAY,
            voluntary_enrollment=OFF,
        ),
        world_of(auto_enrollment=ALL_OUT, voluntary_enrollment=OFF),
    ),
    "escalation_then_opt_out": (
        world_of(
            *crowd(8),
            auto_enrollment=ALL_OUT | {"opt_out_grace_period": 366},
            voluntary_enrollment=OFF,
            deferral_auto_escalation=NOW_ESCALATING,
        ),
        world_of(*crowd(8), auto_enrollment=ALL_IN, voluntary_enrollment=OFF, deferral_auto_escalation=NOW_ESCALATING),
    ),
    "opt_out_on_escalation_day": (
        world_of(
            auto_enrollment=ALL_OUT | {"opt_out_grace_period": 1},
            voluntary_enrollment=OFF,
            deferral_auto_escalation={"effective_day": "01-02"},
        ),
        world_of(
            auto_enrollment=ALL_OUT | {"opt_out_grace_period": 1},
            voluntary_enrollment=OFF,
            deferral_auto_escalation={"effective_day": "01-03"},
        ),
    ),
    "re_enrollment_after_opt_out": (
        world_of(
            *crowd(20),
            auto_enrollment=ALL_OUT,
            voluntary_enrollment={"probability_by_age": by_age("0.5")},
            end_year=2026,
        ),
        world_of(
            *crowd(20),
            auto_enrollment=ALL_IN,
            voluntary_enrollment={"probability_by_age": by_age("0.5")},
            end_year=2026,
        ),
    ),
    "voluntary_tie": (
        world_of(
            employee(hire_date=HIRED_LAST),
            auto_enrollment=ALL_IN | {"window_days": 0},
            eligibility=LAST_DAY,
            voluntary_enrollment=SURE,
        ),
        world_of(
            employee(hire_date=HIRED_LAST),
            auto_enrollment=ALL_IN | {"window_days": 1},
            eligibility=LAST_DAY,
            voluntary_enrollment=SURE,
        ),
    ),
    "auto_due_next_year": (
        world_of(
            employee(hire_date=HIRED_LAST), auto_enrollment=ALL_IN | {"window_days": 336}, voluntary_enrollment=OFF
        ),
        world_of(
            employee(hire_date=HIRED_LAST), auto_enrollment=ALL_IN | {"window_days": 335}, voluntary_enrollment=OFF
        ),
    ),
    "auto_due_31_december": (
        world_of(
            employee(hire_date=HIRED_LAST), auto_enrollment=ALL_IN | {"window_days": 335}, voluntary_enrollment=OFF
        ),
        world_of(
            employee(hire_date=HIRED_LAST), auto_enrollment=ALL_IN | {"window_days": 336}, voluntary_enrollment=OFF
        ),
    ),
    "auto_at_opening": (
        world_of(employee(hire_date=D(2024, 10, 17)), auto_enrollment=ALL_IN, voluntary_enrollment=OFF),
        world_of(employee(hire_date=D(2024, 10, 18)), auto_enrollment=ALL_IN, voluntary_enrollment=OFF),
    ),
    "auto_due_1_january": (
        world_of(employee(hire_date=D(2024, 10, 18)), auto_enrollment=ALL_IN, voluntary_enrollment=OFF),
        world_of(employee(hire_date=D(2024, 10, 17)), auto_enrollment=ALL_IN, voluntary_enrollment=OFF),
    ),
    "auto_cutoff_day": (
        world_of(auto_enrollment=ALL_IN | {"hire_date_cutoff": "2015-03-10"}, voluntary_enrollment=OFF),
        world_of(auto_enrollment=ALL_IN | {"hire_date_cutoff": "2015-03-11"}, voluntary_enrollment=OFF),
    ),
    "auto_cutoff_day_before": (
        world_of(auto_enrollment=ALL_IN | {"hire_date_cutoff": "2015-03-11"}, voluntary_enrollment=OFF),
        world_of(auto_enrollment={"hire_date_cutoff": "2015-03-11"}, voluntary_enrollment=OFF),  # never due
    ),
    "escalation_cutoff_day_after": (
        world_of(employee(deferral_bp=300), deferral_auto_escalation={"hire_date_cutoff": "2015-03-09"}),
        world_of(employee(), deferral_auto_escalation={"hire_date_cutoff": "2015-03-09"}, voluntary_enrollment=OFF),
    ),
    "escalation_delay_ends": (
        # in the plan since 31 December 2024: a year later on 31 December
        world_of(employee(deferral_bp=300), deferral_auto_escalation={"effective_day": "12-31"}),
        world_of(employee(deferral_bp=300), deferral_auto_escalation={"effective_day": "12-30"}),
    ),
    "escalation_delay_one_day_short": (
        world_of(employee(deferral_bp=300), deferral_auto_escalation={"effective_day": "12-30"}),
        world_of(employee(deferral_bp=300), deferral_auto_escalation={"effective_day": "12-31"}),
    ),
    "escalation_clamped": (
        world_of(employee(deferral_bp=950), end_year=2026),
        world_of(employee(deferral_bp=900), end_year=2026),
    ),
    "escalation_to_maximum": (
        world_of(employee(deferral_bp=900), end_year=2026),
        world_of(employee(deferral_bp=950), end_year=2026),
    ),
    "rate_above_maximum": (world_of(employee(deferral_bp=1_001)), world_of(employee(deferral_bp=1_000))),
    "rate_at_maximum": (world_of(employee(deferral_bp=1_000)), world_of(employee(deferral_bp=1_001))),
    "turns_50_31_december": (
        world_of(employee(birth_date=D(1975, 12, 31), deferral_bp=300)),
        world_of(employee(birth_date=D(1976, 1, 1), deferral_bp=300)),
    ),
    "deferral_limit_reached": (
        world_of(employee(deferral_bp=600), limits={2025: LIMITS}),
        world_of(employee(deferral_bp=600, birth_date=D(1970, 1, 1)), limits={2025: LIMITS}),
    ),
    "catch_up_limit_reached": (
        world_of(employee(deferral_bp=600, birth_date=D(1970, 1, 1)), limits={2025: LIMITS}),
        world_of(employee(deferral_bp=600), limits={2025: LIMITS}),
    ),
    "catch_up_in_part": (
        # 61 462.19 prorated, with the raise of 4.5 %, at 4 % is 2 458.49
        world_of(employee(deferral_bp=400, birth_date=D(1970, 1, 1)), limits={2025: LIMITS}),
        world_of(employee(deferral_bp=300, birth_date=D(1970, 1, 1)), limits={2025: LIMITS}),
    ),
    "additions_limit_lowers_core": (
        # 1 843.87 deferred and as much matched: 12.26 of 614.62 core still fit
        world_of(employee(deferral_bp=300), limits={2025: LIMITS | {"annual_additions": 3_700}}),
        world_of(employee(deferral_bp=300), limits={2025: LIMITS | {"annual_additions": 3_600}}),
    ),
    "additions_limit_lowers_match": (
        world_of(employee(deferral_bp=300), limits={2025: LIMITS | {"annual_additions": 3_600}}),
        world_of(employee(deferral_bp=300), limits={2025: LIMITS | {"annual_additions": 3_700}}),
    ),
    "compensation_limit_in_force": (
        world_of(employee(pay_cents=400_000_00)),
        world_of(employee(pay_cents=300_000_00)),
    ),
    "promotion_capped_by_pct": (
        world_of(promotion=CERTAIN | {"increase_pct": ["0.4"] * 4}),
        world_of(promotion=CERTAIN | {"increase_pct": ["0.3"] * 4}),
    ),
    "promotion_capped_by_amount": (
        world_of(promotion=CERTAIN | {"max_cap_amount": 5_000}),
        world_of(promotion=CERTAIN | {"max_cap_amount": 12_000}),
    ),
    "promotion_to_maximum_pay": (
        world_of(employee(pay_cents=9_999_999_999), **TWO_BANDS, promotion=CERTAIN | {"increase_pct": ["0.2"]}),
        world_of(employee(pay_cents=9_000_000_000), **TWO_BANDS, promotion=CERTAIN | {"increase_pct": ["0.1"]}),
    ),
    "eligible_on_promotion_day": (
        world_of(employee(birth_date=D(2004, 2, 1), hire_date=D(2022, 5, 1)), promotion=CERTAIN),
        world_of(employee(birth_date=D(2004, 2, 2), hire_date=D(2022, 5, 1)), promotion=CERTAIN),
    ),
    "tenure_band_edge": (
        world_of(employee(hire_date=D(2020, 2, 1))),
        world_of(employee(hire_date=D(2019, 2, 1))),
    ),
    "age_band_edge_missed": (
        world_of(employee(birth_date=D(1990, 2, 2))),
        world_of(employee(birth_date=D(1990, 2, 3))),
    ),
    "one_day_short_of_raise": (
        world_of(employee(hire_date=D(2024, 7, 16))),
        world_of(employee(hire_date=D(2024, 7, 15))),
    ),
    "born_29_february": (
        world_of(employee(birth_date=D(1984, 2, 29))),
        world_of(employee(birth_date=D(1984, 2, 29)), start_year=2024, end_year=2024),
    ),
    "raise_without_effect": (world_of(employee(pay_cents=1)), world_of(employee(pay_cents=100))),
    "no_raise_at_rate_zero": (
        world_of(merit_rates=[0] * 5, cola_rate=0),
        world_of(employee(hire_date=D(2024, 7, 16)), merit_rates=[0] * 5, cola_rate=0),
    ),
    "target_half": (
        world_of(*crowd(50), target_growth_rate="0.01"),
        world_of(*crowd(49), target_growth_rate="0.01"),
    ),
    "net_need_zero": (
        world_of(*crowd(8), target_growth_rate="-0.25", total_termination_rate="0.25"),
        world_of(*crowd(8), target_growth_rate="-0.5", total_termination_rate="0.25"),
    ),
    "more_exits_than_the_rate": (
        world_of(*crowd(8), target_growth_rate="-0.5", total_termination_rate="0.25"),
        world_of(*crowd(8), target_growth_rate="-0.25", total_termination_rate="0.25"),
    ),
    "hires_rounded_up": (
        # net 4 at 1/4: 5.33 up to 6; at 1/5: 5 exactly
        world_of(*crowd(8), target_growth_rate="0.5", new_hire_termination_rate="0.25"),
        world_of(*crowd(8), target_growth_rate="0.5", new_hire_termination_rate="0.2"),
    ),
    "exit_split_tie": (
        # one exit for two levels of two; then for three and one
        world_of(
            employee(1),
            employee(2),
            employee(3, pay_cents=90_000_00),
            employee(4, pay_cents=90_000_00),
            total_termination_rate="0.25",
            target_growth_rate="-0.25",
        ),
        world_of(
            employee(1),
            employee(2),
            employee(3),
            employee(4, pay_cents=90_000_00),
            total_termination_rate="0.25",
            target_growth_rate="-0.25",
        ),
    ),
    "hire_split_tie": (
        world_of(employee(1), employee(2, pay_cents=90_000_00), target_growth_rate="0.5", new_hire_termination_rate=0),
        world_of(employee(1), employee(2, pay_cents=90_000_00), target_growth_rate=1, new_hire_termination_rate=0),
    ),
    "nobody_left": (world_of(target_growth_rate=-1), world_of()),
    "year_without_people": (
        world_of(target_growth_rate=-1, end_year=2026),
        world_of(target_growth_rate=-1, end_year=2025),
    ),
    "nobody_to_start_with": (
        world_of(employee(1, termination_date=D(2024, 12, 31)), employee(2, hire_date=D(2025, 1, 1))),
        world_of(employee(1, termination_date=D(2024, 12, 31)), employee(2, hire_date=D(2024, 12, 31))),
    ),
    "infeasible_new_hire_exits": (
        world_of(target_growth_rate=1, new_hire_termination_rate=1),
        world_of(target_growth_rate=0, new_hire_termination_rate=1),
    ),
    "infeasible_too_many_hires": (
        world_of(*crowd(50), target_growth_rate=1, total_termination_rate=1, new_hire_termination_rate="0.9999"),
        world_of(target_growth_rate=1, new_hire_termination_rate=1),
    ),
    "census_pay_under_level_minimum": (
        world_of(employee(pay_cents=80_999_99)),
        world_of(employee(pay_cents=81_000_00)),
    ),
    "enrolled_without_contribution": (
        world_of(employee(deferral_bp=1, pay_cents=4_000), deferral_auto_escalation=OFF),
        world_of(employee(deferral_bp=1, pay_cents=6_000_00), deferral_auto_escalation=OFF),
    ),
    "common_century": (
        world_of(
            employee(birth_date=D(2060, 1, 1), hire_date=D(2090, 1, 1)),
            start_year=2100,
            end_year=2100,
            limits={2100: LIMITS},
        ),
        world_of(
            employee(birth_date=D(1960, 1, 1), hire_date=D(1990, 1, 1)),
            start_year=2000,
            end_year=2000,
            limits={2000: LIMITS},
        ),
    ),
}


@pytest.mark.parametrize("label", CASES)
def test_label_is_on_the_world_that_has_it_and_not_on_its_neighbour(label: str) -> None:
    found = labels_of_run(list(CASES[label]), simulated(list(CASES[label])))
    assert [label in names for names in found] == [True, False]


@pytest.fixture(scope="module")
def generated() -> tuple[list[World], Run]:
    made: list[World] = []

    @settings(DRAWN, max_examples=2_500)
    @given(worlds())
    def collect(world: World) -> None:
        made.append(world)

    collect()
    return made, simulated(made)


def test_every_label_is_generated(generated: tuple[list[World], Run]) -> None:
    counts = Counter(name for names in labels_of_run(*generated) for name in names)
    assert set(EDGE_LABELS) - set(counts) == set()


def test_labels_of_a_batch_are_those_of_each_world(generated: tuple[list[World], Run]) -> None:
    made, run = generated
    together = labels_of_run(made, run)
    for index, (world, result) in enumerate(zip(made, run.results(), strict=True)):
        if index % 40 == 0:
            assert labels_of(world, result.events, result.state, result.infeasible) == together[index]
    assert labels_of_run([], simulated([])) == []


def _drop(events: pa.Table, state: pa.Table) -> tuple[pa.Table, pa.Table]:
    return events.slice(0, events.num_rows // 2), state.slice(state.num_rows // 2)


def _repeat(events: pa.Table, state: pa.Table) -> tuple[pa.Table, pa.Table]:
    return pa.concat_tables([events, events]), pa.concat_tables([state, state])


def _overwrite(name: str, value: int) -> Callable[[pa.Table, pa.Table], tuple[pa.Table, pa.Table]]:
    def edit(events: pa.Table, state: pa.Table) -> tuple[pa.Table, pa.Table]:
        index = state.schema.get_field_index(name)
        return events, state.set_column(index, state.schema.field(name), pa.array([value] * state.num_rows, pa.int32()))

    return edit


@pytest.mark.parametrize(
    "edit",
    [
        _drop,
        _repeat,
        _overwrite("simulation_year", 2222),
        _overwrite("current_level", 99),
        _overwrite("current_level", 0),
    ],
)
def test_labels_of_a_faulty_run_are_still_read(edit: Any) -> None:
    made = [world for pair in CASES.values() for world in pair]
    assert len(labels_of_run(made, simulated(made).map(edit))) == len(made)


def test_label_table_is_written_for_people() -> None:
    assert all(
        sentence.endswith(".") and sentence[0].isupper() and len(sentence) > 10 for sentence in EDGE_LABELS.values()
    )
    assert len(set(EDGE_LABELS.values())) == len(EDGE_LABELS)


@given(st.dates(D(1900, 1, 1), D(2300, 12, 31)), st.dates(D(1900, 1, 1), D(2300, 12, 31)))
@settings(DRAWN, max_examples=200)
def test_calendar_arrays_agree_with_datetime(born: dt.date, day: dt.date) -> None:
    born, day = min(born, day), max(born, day)
    days = np.array([edge_facts.ordinal(born)]), np.array([edge_facts.ordinal(day)])
    birthday = (born.month, born.day) if (born.month, born.day) != (2, 29) or day.year % 4 == 0 else (2, 28)
    if day.year in (1900, 2100, 2200, 2300) and birthday == (2, 29):
        birthday = (2, 28)
    expected = day.year - born.year - ((day.month, day.day) < birthday)
    assert edge_facts.completed_years(*days)[0] == expected
    assert edge_facts.year_of(days[1])[0] == day.year
    assert edge_facts.month_and_day(days[1])[0] == day.month * 100 + day.day
