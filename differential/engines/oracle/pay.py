"""Promotion and raise: docs/simulation.md, 5.6 and 5.7."""

from __future__ import annotations

from typing import NamedTuple

from differential.engines.oracle import draws
from differential.engines.oracle.people import PersonYear, Year
from differential.engines.oracle.units import band, completed_years, half_up
from fixtures.scenario import Scenario
from fixtures.units import MAX_PAY_CENTS

TENURE_BANDS = (2, 5, 10, 20)
AGE_BANDS = (25, 35, 45, 55)
RETIREMENT_AGE = 65


class Promotion(NamedTuple):
    """A promotion with the hazard (ppm) it was drawn with; pay in cents."""

    level: int
    pay: int
    hazard: int


def promotion_candidate(member: PersonYear) -> bool:
    """Whether the member may be promoted at all this year."""
    day = member.year.promotion_day
    return (
        not member.hired_this_year
        and member.employed_on(day)
        and member.opening.level < len(member.year.scenario.levels)
        and completed_years(member.person.hire_date, day) >= 1
        and completed_years(member.person.birth_date, day) < RETIREMENT_AGE
    )


def promotion_hazard(scenario: Scenario, level: int, tenure: int, age: int) -> int:
    """The probability of a promotion in ppm, by level and completed years of service and age on 1 February."""
    rules = scenario.promotion
    by_tenure = rules.tenure_multipliers[band(tenure, TENURE_BANDS)]
    by_age = rules.age_multipliers[band(age, AGE_BANDS)]
    undampened = rules.base_hazard * 100 * by_tenure * by_age // 10**8
    dampening = max(0, 10_000 - rules.level_dampener * (level - 1))
    return min(draws.MILLION, undampened * dampening // 10_000)


def member_hazard(member: PersonYear) -> int:
    """The hazard of a promotion candidate, in ppm."""
    day, person = member.year.promotion_day, member.person
    tenure, age = completed_years(person.hire_date, day), completed_years(person.birth_date, day)
    return promotion_hazard(member.year.scenario, member.opening.level, tenure, age)


def promoted_pay(scenario: Scenario, level: int, pay: int) -> int:
    """Pay after a promotion out of this level, in cents."""
    rules = scenario.promotion
    return min(
        half_up(pay * (10_000 + rules.increase_pct[level - 1]), 10_000),
        half_up(pay * (10_000 + rules.max_cap_pct), 10_000),
        pay + rules.max_cap_amount,
        MAX_PAY_CENTS,
    )


def promotion(member: PersonYear) -> Promotion | None:
    """The member's promotion of this year, if any."""
    if not promotion_candidate(member):
        return None
    hazard = member_hazard(member)
    if not draws.happens(draws.fold(member.draws, draws.PROMOTION), hazard):
        return None
    level, pay = member.opening.level, member.opening.pay
    return Promotion(level + 1, promoted_pay(member.year.scenario, level, pay), hazard)


def raise_due(member: PersonYear) -> bool:
    """Whether the member is employed on 15 July with a completed year of service and there is something to give."""
    day, scenario = member.year.raise_day, member.year.scenario
    return (
        member.employed_on(day)
        and completed_years(member.person.hire_date, day) >= 1
        and scenario.merit_rates[member.level - 1] + scenario.cola_rate > 0
    )


def raised_pay(year: Year, level: int, pay: int) -> int:
    """Pay after the raise at this level, in cents."""
    rate = year.scenario.merit_rates[level - 1] + year.scenario.cola_rate
    return min(MAX_PAY_CENTS, half_up(pay * (10_000 + rate), 10_000))
