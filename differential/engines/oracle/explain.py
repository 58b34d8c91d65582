"""What the oracle says about one person: each decision of each year with the numbers behind it.

Used in failure reports. Every number comes from the functions that the engine itself decides with.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator

from differential.engines.oracle import draws, enrolment, money, pay, workforce
from differential.engines.oracle.people import PersonYear
from differential.engines.oracle.quotas import InfeasibleError, Quota, split_over_levels
from differential.engines.oracle.simulation import SimulatedYear, simulate
from differential.engines.oracle.units import completed_years
from fixtures.world import World


def explain(world: World, employee_id: str) -> list[str]:
    """The chain of decisions about this person, year by year, as lines of text without the ssn.

    Someone the simulation never sees gets one line that says why.
    """
    try:
        years = list(simulate(world.scenario, workforce.opening_set(world).people))
    except InfeasibleError as error:
        return [f"no result: {error.reason.code} in {error.reason.year} (5.2)"]
    lines: list[str] = []
    for lived in years:
        member = next((one for one in lived.members if one.person.employee_id == employee_id), None)
        if member is not None:
            lines += [f"{lived.year.year}  {line}" for line in explain_year(lived, member)]
    return lines or [f"{employee_id}: {why_absent(world, employee_id)}"]


def why_absent(world: World, employee_id: str) -> str:
    """Why someone is in no year at all."""
    person = next((one for one in world.census.employees() if one.employee_id == employee_id), None)
    if person is None:
        return "not in the census and never hired"
    if person.termination_date is not None:
        return f"not in the opening set: terminated on {person.termination_date} (5.1)"
    return f"not in the opening set: hired on {person.hire_date}, after {world.opening_date} (5.1)"


def explain_year(lived: SimulatedYear, member: PersonYear) -> Iterator[str]:
    """The decisions of one person-year, in the order of section 5."""
    yield quota_line(lived.quota, member)
    yield opening_line(member)
    yield from exit_lines(lived, member)
    yield promotion_line(member)
    yield raise_line(member)
    yield eligibility_line(member)
    yield from enrolment_lines(member)
    yield escalation_line(member)
    yield from money_lines(member)


def quota_line(q: Quota, member: PersonYear) -> str:
    """5.2 with its numbers."""
    rules = member.year.scenario
    return (
        f"quotas: n {q.opening}, of them {q.recent} hired last year; target half_up({q.opening} x "
        f"{10_000 + rules.target_growth_rate} / 10000) = {q.target}; net {q.net}; exits {q.exits}, hires {q.hires}, "
        f"new-hire exits {q.new_hire_exits}"
    )


def opening_line(member: PersonYear) -> str:
    """What the year starts with."""
    person, opening = member.person, member.opening
    since = f"{_rate(opening.rate)} since {opening.enrollment_date}" if opening.rate else "not enrolled"
    left = ", has opted out" if opening.opted_out else ""
    start = "hired" if member.hired_this_year else "opens"
    return (
        f"{start}: born {person.birth_date}, hired {person.hire_date}, level {opening.level}, pay {_money(opening.pay)}, "
        f"{since}{left}, balance {_money(opening.balance)}"
    )


def exit_lines(lived: SimulatedYear, member: PersonYear) -> Iterator[str]:
    """5.3 to 5.5: rank against quota, and the date."""
    n, hired = sum(lived.headcounts), member.hired_this_year
    level = member.opening.level
    if hired:
        share = split_over_levels(lived.quota.hires, lived.headcounts)[level - 1]
        yield (
            f"hire {member.person.hire_number} of {lived.quota.hires}; level {level} gets {share} of them for "
            f"{lived.headcounts[level - 1]} of {n} people"
        )
        peers = [one for one in lived.members if one.hired_this_year]
        quota, rank = lived.quota.new_hire_exits, workforce.new_hire_exit_rank
    else:
        peers = [one for one in lived.members if not one.hired_this_year and one.opening.level == level]
        quota, rank = split_over_levels(lived.quota.exits, lived.headcounts)[level - 1], workforce.exit_rank
    who = "new hires" if hired else f"in level {level}"
    outcome = f"leaves on {member.exit_day}" if member.exit_day else "stays"
    yield f"exit: rank {_position(member, peers, rank)} of {len(peers)} {who}, {quota} leave: {outcome}"


def _position(member: PersonYear, peers: list[PersonYear], rank: Callable[[PersonYear], tuple[int, str]]) -> str:
    mine = rank(member)
    return f"{1 + sum(rank(one) < mine for one in peers)} (draw {mine[0]})"


def promotion_line(member: PersonYear) -> str:
    """5.6: the hazard and the draw, or why there was none."""
    day, opening, rules = member.year.promotion_day, member.opening, member.year.scenario.promotion
    tenure = completed_years(member.person.hire_date, day)
    age = completed_years(member.person.birth_date, day)
    if not pay.promotion_candidate(member):
        return (
            f"promotion: no candidate (in the opening set: {not member.hired_this_year}, employed on {day}: "
            f"{member.employed_on(day)}, level {opening.level} of {len(member.year.scenario.levels)}, "
            f"service {tenure}, age {age})"
        )
    promotion, drawn = pay.promotion(member), draws.fold(member.draws, draws.PROMOTION) % draws.MILLION
    text = (
        f"promotion: service {tenure}, age {age}, level {opening.level}: hazard {pay.member_hazard(member)} ppm, "
        f"draw {drawn}: "
    )
    if promotion is None:
        return text + "no"
    return text + (
        f"level {promotion.level} on {day}, pay {_money(opening.pay)} -> {_money(promotion.pay)} (step "
        f"{_rate(rules.increase_pct[opening.level - 1])}, caps {_rate(rules.max_cap_pct)} and {_money(rules.max_cap_amount)})"
    )


def raise_line(member: PersonYear) -> str:
    """5.7: both rates and both pays."""
    day, scenario = member.year.raise_day, member.year.scenario
    if not pay.raise_due(member):
        service = completed_years(member.person.hire_date, day)
        return f"raise: none (employed on {day}: {member.employed_on(day)}, service {service})"
    before, after = member.pays[-2][1], member.pays[-1][1]
    return (
        f"raise: {day}, level {member.level}, merit {_rate(scenario.merit_rates[member.level - 1])} + cola "
        f"{_rate(scenario.cola_rate)}: half_up({_money(before)} x ..) = {_money(after)}"
    )


def eligibility_line(member: PersonYear) -> str:
    """5.8: the later of the two dates."""
    rules, person = member.year.scenario.eligibility, member.person
    return (
        f"eligibility: {person.eligibility_date} (age {rules.minimum_age}, {rules.waiting_period_days} days after "
        f"{person.hire_date})"
    )


def enrolment_lines(member: PersonYear) -> Iterator[str]:
    """5.9: both ways in, which one won, and the opt-out."""
    if member.opening.rate > 0:
        yield f"enrolment: enrolled already, {_rate(member.opening.rate)} since {member.opening.enrollment_date}"
        return
    yield automatic_line(member)
    yield voluntary_line(member)
    won = enrolment.enrolment(member)
    if won is None:
        yield f"enrolment: none on or before {member.last_day}"
        return
    yield f"enrolment: {won.source} on {won.day} at {_rate(won.rate)}"
    if won.source == "auto":
        drawn = draws.fold(member.draws, draws.OPT_OUT) % draws.MILLION
        day = enrolment.opt_out_day(member, won)
        yield (
            f"opt-out: probability {enrolment.opt_out_probability(member, won.day)} ppm, draw {drawn}: "
            f"{f'on {day}' if day else 'no'}"
        )


def automatic_line(member: PersonYear) -> str:
    """The automatic enrolment of the year, or why there is none."""
    rules, due = member.year.scenario.auto_enrollment, enrolment.automatic_due(member)
    found = enrolment.automatic_enrolment(member)
    return (
        f"automatic: candidate {enrolment.automatic_candidate(member)} (enabled {rules.enabled}, scope {rules.scope}, cutoff "
        f"{rules.hire_date_cutoff}, opted out {member.opening.opted_out}), due {member.person.eligibility_date} + "
        f"{rules.window_days} days = {due}: {found.day if found else 'not this year'}"
    )


def voluntary_line(member: PersonYear) -> str:
    """The voluntary enrolment of the year, or why there is none."""
    year, eligible = member.year, member.person.eligibility_date
    if not year.scenario.voluntary_enrollment.enabled or eligible > year.last_day:
        return f"voluntary: not possible (enabled {year.scenario.voluntary_enrollment.enabled}, eligible {eligible})"
    first = max(year.first_day, eligible)
    age = completed_years(member.person.birth_date, first)
    drawn = draws.fold(member.draws, draws.VOLUNTARY) % draws.MILLION
    found = enrolment.voluntary_enrolment(member)
    return (
        f"voluntary: age {age} on {first}, opening pay {_money(member.opening.pay)}: probability "
        f"{enrolment.voluntary_probability(member, age)} ppm, draw {drawn}: "
        f"{f'{found.day} at {_rate(found.rate)}' if found else 'no'}"
    )


def escalation_line(member: PersonYear) -> str:
    """5.10: old and new rate, or the conditions that fail."""
    day, rules = member.year.escalation_day, member.year.scenario.deferral_auto_escalation
    before, opt_out = state_at_escalation(member)
    failing = [name for name, holds in enrolment.escalation_conditions(before, opt_out).items() if not holds]
    if failing:
        return f"escalation on {day}: none, fails: {', '.join(failing)}"
    raised = enrolment.escalated_rate(before, opt_out)
    assert raised is not None
    return (
        f"escalation on {day}: {_rate(before.rate)} + {_rate(rules.increment_amount)}, at most "
        f"{_rate(rules.maximum_rate)} = {_rate(raised)}"
    )


def state_at_escalation(member: PersonYear) -> tuple[PersonYear, dt.date | None]:
    """The member as enrolled this year but not yet escalated, and the opt-out day: what 5.10 decides on."""
    before = PersonYear(member.person, member.year, member.opening, member.draws, member.exit_day, member.exit_reason)
    before.start()
    won = enrolment.enrolment(before)
    if won is None:
        return before, None
    before.rates.append((won.day, won.rate))
    before.enrollment_date = won.day
    return before, enrolment.opt_out_day(before, won)


def money_lines(member: PersonYear) -> Iterator[str]:
    """5.11: the segments, and each amount before and after its limits."""
    year, limits = member.year, member.year.limits
    parts = money.segments(member)
    for part in parts:
        yield f"pay: from {part.first_day} {part.days} days at {_money(part.pay)}, rate {_rate(part.rate)}"
    match, core = money.employer_match(member, parts), money.employer_core(member, parts)
    yield f"prorated pay {_money(member.prorated)} (of {year.days} days)"
    yield f"contribution {_money(member.contribution)} (limit {_money(money.deferral_limit(member))})"
    yield (
        f"match {_money(match)}, core {_money(core)} (pay up to {_money(limits.compensation)}); within annual additions "
        f"{_money(limits.annual_additions)}: match {_money(member.match)}, core {_money(member.core)}"
    )


def _money(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02d}"


def _rate(bp: int) -> str:
    return f"{bp / 100:.2f} %"
