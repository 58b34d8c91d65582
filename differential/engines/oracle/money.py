"""Money into the plan: docs/simulation.md, 5.11."""

from __future__ import annotations

import datetime as dt
from typing import NamedTuple

from differential.engines.oracle.people import PersonYear
from differential.engines.oracle.units import completed_years, half_up
from fixtures.scenario import EmployerMatch

CATCH_UP_AGE = 50


class Segment(NamedTuple):
    """Days of constant pay (cents a year) and deferral rate (basis points; 0 outside the enrolled window)."""

    first_day: dt.date
    days: int
    pay: int
    rate: int


class Additions(NamedTuple):
    """The year's amounts in cents; match and core after the limit on annual additions."""

    prorated: int
    contribution: int
    match: int
    core: int


def segments(member: PersonYear) -> list[Segment]:
    """The employed window cut where pay or rate changes."""
    starts = sorted({day for day, _ in member.pays} | {day for day, _ in member.rates})
    stops = [day.toordinal() for day in starts[1:]] + [member.last_day.toordinal() + 1]
    return [
        Segment(start, stop - start.toordinal(), in_force(member.pays, start), in_force(member.rates, start))
        for start, stop in zip(starts, stops, strict=True)
    ]


def in_force(steps: list[tuple[dt.date, int]], day: dt.date) -> int:
    """The value of the last step on or before the day; of two on one day the later in the list."""
    value = steps[0][1]
    for start, new in steps:
        if start <= day:
            value = new
    return value


def match_rate(rules: EmployerMatch, rate: int) -> int:
    """m(r) in squared basis points: the tiers' sum, at most the cap."""
    by_tier = (tier.match_rate * max(0, min(rate, tier.employee_max) - tier.employee_min) for tier in rules.tiers)
    return min(rules.cap_percent * 10_000, sum(by_tier))


def has_catch_up(member: PersonYear) -> bool:
    """Aged 50 or more on 31 December."""
    return completed_years(member.person.birth_date, member.year.last_day) >= CATCH_UP_AGE


def deferral_limit(member: PersonYear) -> int:
    """The limit on the year's contribution, in cents."""
    limits = member.year.limits
    return limits.elective_deferral + (limits.catch_up if has_catch_up(member) else 0)


def prorated_pay(member: PersonYear, parts: list[Segment]) -> int:
    """Pay over the employed window."""
    return half_up(sum(part.pay * part.days for part in parts), member.year.days)


def contribution(member: PersonYear, parts: list[Segment]) -> int:
    """The employee's own deferrals, up to the limit."""
    deferred = half_up(sum(part.pay * part.rate * part.days for part in parts), 10_000 * member.year.days)
    return min(deferral_limit(member), deferred)


def employer_match(member: PersonYear, parts: list[Segment]) -> int:
    """The match before the limit on annual additions."""
    rules, limit = member.year.scenario.employer_match, member.year.limits.compensation
    if not rules.enabled:
        return 0
    total = sum(min(part.pay, limit) * match_rate(rules, part.rate) * part.days for part in parts if part.rate)
    return half_up(total, 10**8 * member.year.days)


def employer_core(member: PersonYear, parts: list[Segment]) -> int:
    """The core contribution before the limit on annual additions."""
    rules, limit = member.year.scenario.employer_core, member.year.limits.compensation
    if not rules.enabled or member.person.eligibility_date > member.last_day:
        return 0
    total = sum(min(part.pay, limit) * part.days for part in parts)
    return half_up(rules.contribution_rate * total, 10_000 * member.year.days)


def within_annual_additions(member: PersonYear, own: int, match: int, core: int) -> tuple[int, int]:
    """(match, core) after 415: what is over the limit lowers core first, then match. Catch-up does not count."""
    limits = member.year.limits
    base = min(own, limits.elective_deferral)
    over = max(0, base + match + core - limits.annual_additions)
    from_core = min(core, over)
    return match - (over - from_core), core - from_core


def additions(member: PersonYear) -> Additions:
    """All of the year's money of one person."""
    parts = segments(member)
    own = contribution(member, parts)
    match, core = within_annual_additions(member, own, employer_match(member, parts), employer_core(member, parts))
    return Additions(prorated_pay(member, parts), own, match, core)
