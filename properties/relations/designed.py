"""Designed worlds: a few people under rules with everything switched off but what is looked at."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

from differential.run import WorldResult
from fixtures.census import Census, Employee
from fixtures.changes import by_age, by_income
from fixtures.scenario import Scenario
from fixtures.world import World

START = 2025
CALM: Mapping[str, Any] = {
    "start_year": START,
    "end_year": START,
    "target_growth_rate": 0,
    "total_termination_rate": 0,
    "new_hire_termination_rate": 0,
    "cola_rate": 0,
    "merit_rates": [0] * 5,
    "promotion": {"base_hazard": 0},
    "auto_enrollment": {"enabled": False},
    "voluntary_enrollment": {"enabled": False},
    "deferral_auto_escalation": {"enabled": False},
    "employer_match": {"enabled": False},
    "employer_core": {"enabled": False},
}
"""One year in which nobody comes, goes, rises or enrols, and nothing is paid into the plan but what census members defer."""

PROMOTE: Mapping[str, Any] = {
    "base_hazard": 1, "tenure_multipliers": [1] * 5, "age_multipliers": [1] * 5, "level_dampener": 0,
    "increase_pct": ["0.2"] * 4, "max_cap_pct": 1, "max_cap_amount": 100_000_000,
}  # fmt: skip
AUTO: Mapping[str, Any] = {
    "enabled": True, "scope": "all_eligible_employees", "window_days": 0, "default_deferral_rate": "0.02",
    "opt_out_by_age": by_age(0), "opt_out_by_income": by_income(1),
}  # fmt: skip
VOLUNTARY: Mapping[str, Any] = {
    "enabled": True, "probability_by_age": by_age(1), "probability_by_income": by_income(1),
    "minimum_rate_by_age": by_age("0.05"), "maximum_rate_by_age": by_age("0.05"),
}  # fmt: skip
ESCALATE: Mapping[str, Any] = {
    "enabled": True, "effective_day": "01-01", "increment_amount": "0.01", "maximum_rate": "0.10",
    "first_escalation_delay_years": 0,
}  # fmt: skip
MATCH: Mapping[str, Any] = {
    "enabled": True, "tiers": [{"employee_min": 0, "employee_max": "0.1", "match_rate": 1}], "cap_percent": 1
}  # fmt: skip
CORE: Mapping[str, Any] = {"enabled": True, "contribution_rate": "0.01"}
LIMITS: Mapping[str, Any] = {
    "elective_deferral": 1_000_000, "catch_up": 0, "compensation": 100_000_000, "annual_additions": 100_000_000
}  # fmt: skip


def person(**fields: Any) -> Employee:
    """Aged 39, hired five years ago, paid 60 000.00, not deferring; some fields changed."""
    plain = {
        "employee_id": "E0001", "employee_ssn": "SSN-000000001", "birth_date": dt.date(1985, 6, 15),
        "hire_date": dt.date(2020, 3, 10), "pay_cents": 60_000_00,
    }  # fmt: skip
    return Employee(**{**plain, **fields})


def people(*fields: Mapping[str, Any]) -> list[Employee]:
    """One such person for each mapping of changed fields, numbered from E0001."""
    return [
        person(employee_id=f"E{number:04d}", employee_ssn=f"SSN-{number:09d}", **changed)
        for number, changed in enumerate(fields, 1)
    ]


def limits(first: int = START, last: int = START, **changed: Any) -> dict[int, dict[str, Any]]:
    """Limits out of reach, some of them changed."""
    return {year: {**LIMITS, **changed} for year in range(first, last + 1)}


def world(members: Sequence[Employee], **keys: Any) -> World:
    """These people under the calm rules with whole keys or keys of blocks changed."""
    years = keys.get("start_year", START), keys.get("end_year", START)
    merged: dict[str, Any] = {"limits": limits(*years), **CALM}
    for key, value in keys.items():
        block = isinstance(value, Mapping) and key != "limits"
        merged[key] = {**merged.get(key, {}), **value} if block else value
    return World(Census.from_employees(members), Scenario.create(**merged))


@cache
def busy() -> World:
    """Forty people and three years with everything at work, people who left, late hires, and limits that bind.

    All relations take it, so that each of their clauses has something to hold whatever else is given.
    """
    members = people(*(_various(number) for number in range(40)))
    rules = Scenario.create(
        start_year=START, end_year=START + 2, random_seed=7, target_growth_rate="0.15", total_termination_rate="0.2",
        new_hire_termination_rate="0.4", promotion={"base_hazard": "0.3"},
        auto_enrollment={"scope": "all_eligible_employees", "opt_out_by_age": by_age("0.5"), "window_days": 20},
        voluntary_enrollment={"probability_by_age": by_age("0.3")}, employer_core={"contribution_rate": "0.03"},
        limits={year: {"elective_deferral": 5_000 + 100 * (year - START), "catch_up": 1_000, "compensation": 90_000,
                       "annual_additions": 9_000} for year in range(START, START + 3)},
    )  # fmt: skip
    return World(Census.from_employees(members), rules)


def _various(number: int) -> dict[str, Any]:
    """The fields in which the busy world's people differ."""
    hired = dt.date(START - 1 - number % 23 * (number % 3), 1 + number % 12, 1 + 3 * number % 28)
    fields: dict[str, Any] = {
        "birth_date": dt.date(START - 20 - 11 * number % 48, 1 + 5 * number % 12, 1 + 7 * number % 28),
        "hire_date": hired, "pay_cents": 30_000_00 + 4_321_09 * number, "deferral_bp": 150 * (number % 9) * (number % 2),
    }  # fmt: skip
    fields["birth_date"] = min(fields["birth_date"], hired.replace(year=hired.year - 16, day=1))
    if number % 13 == 5:
        fields["termination_date"] = dt.date(START - 1, 12, 31)
    elif number % 13 == 6:
        fields["hire_date"] = dt.date(START, 1 + number % 12, 1)
    return fields


Measure = Callable[[WorldResult], Any]
"""What is looked at in a result: a whole number, or anything that can be told apart."""


def count(event: str) -> Measure:
    """How many events of a type."""
    return lambda result: _column(result, "event_type").count(event)


def events(event: str, column: str) -> Measure:
    """The values of a column of the events of a type, in order."""

    def measure(result: WorldResult) -> list[Any]:
        pairs = zip(_column(result, "event_type"), _column(result, column), strict=True)
        return sorted(value for kind, value in pairs if kind == event)

    return measure


def total(event: str, column: str = "compensation_amount", units: int = 100) -> Measure:
    """The sum over the events of a type, in cents; units=10_000 for rates, in basis points."""
    return lambda result: sum(int(value * units) for value in events(event, column)(result))


def days(event: str) -> Measure:
    """The sum of the dates of the events of a type, as day numbers."""
    return lambda result: sum(day.toordinal() for day in events(event, "event_date")(result))


def state(column: str) -> Measure:
    """The values of a state column over all rows, in order."""
    return lambda result: sorted(result.state[column].to_pylist())


def state_total(column: str, units: int = 1) -> Measure:
    """The sum of a state column, in whole units: 100 for cents, 10 000 for basis points."""
    return lambda result: sum(int(value * units) for value in result.state[column].to_pylist())


def rows(result: WorldResult) -> int:
    """How many state rows."""
    return int(result.state.num_rows)


def _column(result: WorldResult, name: str) -> list[Any]:
    return list(result.events[name].to_pylist())
