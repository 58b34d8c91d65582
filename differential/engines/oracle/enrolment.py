"""Enrolment, opt-out and escalation: docs/simulation.md, 5.9 and 5.10."""

from __future__ import annotations

import datetime as dt
from typing import NamedTuple

from differential.engines.oracle import draws
from differential.engines.oracle.people import PersonYear
from differential.engines.oracle.units import anniversary, band, completed_years
from fixtures.scenario import MultiplierByIncome, PositiveRateByAge, RateByAge

AGE_SEGMENTS = (30, 45, 60)
INCOME_SEGMENTS = (50_000_00, 100_000_00, 200_000_00)


class Enrolment(NamedTuple):
    """An enrolment on a day at a rate (basis points), from `auto` or `voluntary`."""

    day: dt.date
    rate: int
    source: str


def by_age(table: RateByAge | PositiveRateByAge, age: int) -> int:
    """The entry of the age segment that `age` lies in."""
    return (table.young, table.mid_career, table.mature, table.senior)[band(age, AGE_SEGMENTS)]


def by_income(table: MultiplierByIncome, pay: int) -> int:
    """The entry of the income segment that annual pay (cents) lies in."""
    return (table.low_income, table.moderate, table.high, table.executive)[band(pay, INCOME_SEGMENTS)]


def probability(rate: int, multiplier: int) -> int:
    """Rate (bp) times multiplier (bp) in parts per million, at most certain."""
    return min(draws.MILLION, rate * 100 * multiplier // 10_000)


def within_cutoff(hire_date: dt.date, cutoff: dt.date | None) -> bool:
    """Hired on or after the cutoff; no cutoff lets everyone in."""
    return cutoff is None or hire_date >= cutoff


def automatic_candidate(member: PersonYear) -> bool:
    """Whether the plan enrols this member automatically at all: the conditions that do not concern the day."""
    rules, scenario, hire = member.year.scenario.auto_enrollment, member.year.scenario, member.person.hire_date
    in_scope = rules.scope == "all_eligible_employees" or hire.year >= scenario.start_year
    return (
        rules.enabled
        and rules.default_deferral_rate > 0
        and not member.opening.opted_out
        and within_cutoff(hire, rules.hire_date_cutoff)
        and in_scope
    )


def automatic_due(member: PersonYear) -> dt.date:
    """The end of the window after eligibility."""
    window = dt.timedelta(days=member.year.scenario.auto_enrollment.window_days)
    return member.person.eligibility_date + window


def automatic_enrolment(member: PersonYear) -> Enrolment | None:
    """The automatic enrolment whose day lies in this year, before looking at the exit."""
    year = member.year
    rules = year.scenario.auto_enrollment
    if not automatic_candidate(member):
        return None
    due = automatic_due(member)
    if due.year == year.year:
        return Enrolment(due, rules.default_deferral_rate, "auto")
    if due < year.first_day and year.is_first and rules.scope == "all_eligible_employees":
        return Enrolment(year.first_day, rules.default_deferral_rate, "auto")
    return None


def voluntary_probability(member: PersonYear, age: int) -> int:
    """The probability (ppm) of a voluntary enrolment at this age and the opening pay."""
    rules = member.year.scenario.voluntary_enrollment
    return probability(
        by_age(rules.probability_by_age, age), by_income(rules.probability_by_income, member.opening.pay)
    )


def voluntary_enrolment(member: PersonYear) -> Enrolment | None:
    """The voluntary enrolment of this year, before looking at the exit."""
    year, person = member.year, member.person
    rules = year.scenario.voluntary_enrollment
    if not rules.enabled or person.eligibility_date > year.last_day:
        return None
    first = max(year.first_day, person.eligibility_date)
    age = completed_years(person.birth_date, first)
    if not draws.happens(draws.fold(member.draws, draws.VOLUNTARY), voluntary_probability(member, age)):
        return None
    days = (year.last_day - first).days + 1
    day = first + dt.timedelta(days=draws.fold(member.draws, draws.VOLUNTARY_DATE) % days)
    low, high = by_age(rules.minimum_rate_by_age, age), by_age(rules.maximum_rate_by_age, age)
    rate = low + draws.fold(member.draws, draws.VOLUNTARY_RATE) % (high - low + 1)
    return Enrolment(day, rate, "voluntary")


def enrolment(member: PersonYear) -> Enrolment | None:
    """At most one enrolment a year of those not enrolled at its start: the earlier, of a tie the voluntary one."""
    if member.opening.rate > 0:
        return None
    # A later minimum wins over an equal earlier one only if it is less, so the voluntary one comes first.
    both = (voluntary_enrolment(member), automatic_enrolment(member))
    possible = [one for one in both if one is not None and one.day <= member.last_day]
    return min(possible, key=lambda one: one.day, default=None)


def opt_out_probability(member: PersonYear, day: dt.date) -> int:
    """The probability (ppm) of opting out of an automatic enrolment on this day."""
    rules = member.year.scenario.auto_enrollment
    age = completed_years(member.person.birth_date, day)
    return probability(by_age(rules.opt_out_by_age, age), by_income(rules.opt_out_by_income, member.opening.pay))


def opt_out_day(member: PersonYear, enrolled: Enrolment) -> dt.date | None:
    """The day on which the member opts out of this year's automatic enrolment, or None."""
    if enrolled.source != "auto":
        return None
    if not draws.happens(draws.fold(member.draws, draws.OPT_OUT), opt_out_probability(member, enrolled.day)):
        return None
    grace = member.year.scenario.auto_enrollment.opt_out_grace_period
    after = 1 + draws.fold(member.draws, draws.OPT_OUT_DATE) % grace
    return min(enrolled.day + dt.timedelta(days=after), member.last_day)


def escalation_conditions(member: PersonYear, opt_out: dt.date | None) -> dict[str, bool]:
    """Each condition of 5.10 by name, on the member as enrolled so far this year; all must hold."""
    rules, day = member.year.scenario.deferral_auto_escalation, member.year.escalation_day
    enrolled = member.enrollment_date
    in_plan = member.rate > 0 and enrolled is not None
    delay = rules.first_escalation_delay_years
    return {
        "enabled": rules.enabled,
        "enrolled before the day": in_plan and enrolled is not None and enrolled < day,
        "employed on the day": member.employed_on(day),
        "never opted out": not member.opening.opted_out and (opt_out is None or opt_out > day),
        "delay passed": enrolled is not None and anniversary(enrolled, enrolled.year + delay) <= day,
        "rate below the maximum": member.rate < rules.maximum_rate,
        "hired on or after the cutoff": within_cutoff(member.person.hire_date, rules.hire_date_cutoff),
    }


def escalated_rate(member: PersonYear, opt_out: dt.date | None) -> int | None:
    """The rate after this year's escalation, or None when there is none."""
    rules = member.year.scenario.deferral_auto_escalation
    if not rules.enabled or member.rate == 0 or not all(escalation_conditions(member, opt_out).values()):
        return None
    return min(rules.maximum_rate, member.rate + rules.increment_amount)
