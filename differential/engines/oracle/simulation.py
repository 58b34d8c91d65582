"""The years of one world, one person at a time: docs/simulation.md, section 5."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import NamedTuple

from differential.engines.oracle import enrolment, money, pay, payload, workforce
from differential.engines.oracle.draws import fold
from differential.engines.oracle.people import (
    CONTRIBUTION,
    CORE,
    ELIGIBILITY,
    ENROLLMENT,
    ESCALATION,
    HIRE,
    MATCH,
    OPT_OUT,
    PROMOTION,
    RAISE,
    TERMINATION,
    Event,
    Person,
    PersonYear,
    State,
    Year,
)
from differential.engines.oracle.quotas import Quota, all_quotas
from differential.engines.oracle.units import days_in_year
from fixtures.scenario import Scenario


class SimulatedYear(NamedTuple):
    """One year as it was lived: the quota, opening headcount per level, and everyone in the year by employee_id."""

    year: Year
    quota: Quota
    headcounts: list[int]
    members: list[PersonYear]


def simulate(scenario: Scenario, people: list[tuple[Person, State]]) -> Iterator[SimulatedYear]:
    """Year after year from the first opening set. Raises InfeasibleError before the first one."""
    for quota in all_quotas(scenario, len(people)):
        year = make_year(scenario, quota.year)
        opening = [PersonYear(person, year, state, fold(person.draws, year.year)) for person, state in people]
        counts = workforce.headcounts(scenario, opening)
        workforce.choose_exits(quota, opening, counts)
        hires = workforce.make_hires(quota, year, counts)
        workforce.choose_new_hire_exits(quota, hires)
        members = sorted(opening + hires, key=lambda member: member.person.employee_id)
        for member in members:
            live(member)
        yield SimulatedYear(year, quota, counts, members)
        people = [(member.person, member.closing()) for member in members if member.exit_day is None]


def make_year(scenario: Scenario, year: int) -> Year:
    """The calendar and limits of one year."""
    month, day = scenario.deferral_auto_escalation.effective_day.split("-")
    return Year(
        scenario, year, dt.date(year, 1, 1), dt.date(year, 12, 31), days_in_year(year), scenario.limits[year],
        dt.date(year, 2, 1), dt.date(year, 7, 15), dt.date(year, int(month), int(day)),
    )  # fmt: skip


def live(member: PersonYear) -> None:
    """One person's year, once exits are known: 5.6 to 5.11 in order."""
    member.start()
    if member.hired_this_year:
        record_hire(member)
    record_eligibility(member)
    apply_promotion(member)
    apply_raise(member)
    apply_enrolment(member)
    apply_money(member)
    if member.exit_day is not None:
        record_termination(member)
    member.events.sort(key=lambda event: (event.day, event.code))


def record_hire(member: PersonYear) -> None:
    """5.4: the event of a hire."""
    person, wage = member.person, member.opening.pay
    assert person.hire_number is not None
    text = payload.hire(wage, person.birth_date, person.hire_number)
    member.events.append(Event(HIRE, person.hire_date, text, amount=wage))


def record_eligibility(member: PersonYear) -> None:
    """5.8: one event on the eligibility date, if the person is there on it."""
    day, rules = member.person.eligibility_date, member.year.scenario.eligibility
    if day.year == member.year.year and member.employed_on(day):
        text = payload.eligibility(rules.minimum_age, rules.waiting_period_days)
        member.events.append(Event(ELIGIBILITY, day, text))


def apply_promotion(member: PersonYear) -> None:
    """5.6: to the next level, with new pay, on 1 February."""
    promotion = pay.promotion(member)
    if promotion is None:
        return
    text = payload.promotion(member.level, promotion.hazard, promotion.level)
    day = member.year.promotion_day
    member.events.append(Event(PROMOTION, day, text, amount=promotion.pay, previous_amount=member.pay))
    member.level = promotion.level
    member.pays.append((day, promotion.pay))


def apply_raise(member: PersonYear) -> None:
    """5.7: merit and cola on 15 July, on pay after the promotion."""
    if not pay.raise_due(member):
        return
    scenario, day, before = member.year.scenario, member.year.raise_day, member.pay
    after = pay.raised_pay(member.year, member.level, before)
    text = payload.pay_raise(scenario.cola_rate, scenario.merit_rates[member.level - 1])
    member.events.append(Event(RAISE, day, text, amount=after, previous_amount=before))
    member.pays.append((day, after))


def apply_enrolment(member: PersonYear) -> None:
    """5.9 and 5.10: enrolment, escalation and opt-out, in order of time."""
    opt_out = None
    enrolled = enrolment.enrolment(member)
    if enrolled is not None:
        text = payload.enrolment(enrolled.source)
        member.events.append(Event(ENROLLMENT, enrolled.day, text, rate=enrolled.rate, previous_rate=0))
        member.rates.append((enrolled.day, enrolled.rate))
        member.enrollment_date = enrolled.day
        opt_out = enrolment.opt_out_day(member, enrolled)
    raised = enrolment.escalated_rate(member, opt_out)
    if raised is not None:
        rules, day = member.year.scenario.deferral_auto_escalation, member.year.escalation_day
        text = payload.escalation(rules.increment_amount, rules.maximum_rate)
        member.events.append(Event(ESCALATION, day, text, rate=raised, previous_rate=member.rate))
        member.rates.append((day, raised))
    if opt_out is not None:
        text = payload.reason("opt_out")
        member.events.append(Event(OPT_OUT, opt_out, text, rate=0, previous_rate=member.rate))
        member.rates.append((opt_out, 0))
        member.opted_out = True


def apply_money(member: PersonYear) -> None:
    """5.11: an event for each amount above 0, at the end of the employed window."""
    member.prorated, member.contribution, member.match, member.core = money.additions(member)
    day, ceiling = member.last_day, member.year.limits.compensation
    if member.contribution > 0:
        text = payload.contribution(money.has_catch_up(member), money.deferral_limit(member))
        member.events.append(Event(CONTRIBUTION, day, text, amount=member.contribution))
    if member.match > 0:
        member.events.append(Event(MATCH, day, payload.employer_match(ceiling), amount=member.match))
    if member.core > 0:
        text = payload.employer_core(ceiling, member.year.scenario.employer_core.contribution_rate)
        member.events.append(Event(CORE, day, text, amount=member.core))


def record_termination(member: PersonYear) -> None:
    """5.3 and 5.5: the event of the exit, with the pay of that day.

    Pay steps that lie after the exit never happened: promotion and raise require employment on their day.
    """
    assert member.exit_day is not None
    text = payload.reason(member.exit_reason)
    member.events.append(Event(TERMINATION, member.exit_day, text, amount=member.pay))
