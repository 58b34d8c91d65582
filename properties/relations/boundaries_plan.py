"""M21, second part: eligibility, enrolment, escalation, limits and the match."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from fixtures.census import Employee
from fixtures.changes import by_age, by_income
from fixtures.world import World
from properties.relations.cases import Triple
from properties.relations.designed import (
    AUTO,
    CORE,
    ESCALATE,
    MATCH,
    START,
    VOLUNTARY,
    count,
    limits,
    people,
    state_total,
    total,
    world,
)

D = dt.date
_ON_DAY = people({"hire_date": D(2021, 6, 15)})
_DEFERRING = people({"hire_date": D(2021, 6, 15), "deferral_bp": 300})
_TENTH = people({"deferral_bp": 1_000})
_NEW_YEARS_EVE = people({"hire_date": D(2024, 12, 31)})
_CUTOFFS = (D(2021, 6, 16), D(2021, 6, 15), D(2021, 6, 14))
"""One day after the hire, on it and before it: the hire lies below, at and above the cutoff."""
_IN_PLAN = ("enrollment", "contribution", "employer_match")


def _by(field: str, *values: Any, deferral_bp: int = 0, **rules: Any) -> tuple[World, World, World]:
    """One person whose field takes the three values."""
    below, at, above = (world(people({"deferral_bp": deferral_bp, field: value}), **rules) for value in values)
    return below, at, above


def _over(
    block: str, key: str, values: Sequence[Any], base: Any, members: Sequence[Employee], **rules: Any
) -> tuple[World, World, World]:
    """One key of a block takes the three values."""
    below, at, above = (world(members, **rules, **{block: {**base, key: value}}) for value in values)
    return below, at, above


def _limit(key: str, values: Sequence[Any], members: Sequence[Employee], **rules: Any) -> tuple[World, World, World]:
    """One limit takes the three values."""
    below, at, above = (world(members, **rules, limits=limits(**{key: value})) for value in values)
    return below, at, above


def _additions(*most: Any) -> tuple[World, World, World]:
    """6 000.00 deferred of 60 000.00, as much again in match, and 600.00 of core, under three limits on the sum."""
    rules = {"employer_core": CORE, "employer_match": MATCH}
    below, at, above = (
        world(_TENTH, limits=limits(elective_deferral=6_000, annual_additions=limit), **rules) for limit in most
    )
    return below, at, above


def _deferring(*bp: int, **rules: Any) -> tuple[World, World, World]:
    below, at, above = (world(people({"deferral_bp": rate, "pay_cents": 100_000_00}), **rules) for rate in bp)
    return below, at, above


_LOW_LIMIT: dict[str, Any] = {"limits": limits(elective_deferral=1_000, catch_up=500)}
_FROM_30: dict[str, Any] = {"voluntary_enrollment": {**VOLUNTARY, "probability_by_age": by_age(0, 1, 1, 1)}}
_FROM_50_000: dict[str, Any] = {"voluntary_enrollment": {**VOLUNTARY, "probability_by_income": by_income(0, 1, 1, 1)}}
_TIERS: dict[str, Any] = {
    "employer_match": {
        **MATCH, "cap_percent": "0.04",
        "tiers": [
            {"employee_min": 0, "employee_max": "0.03", "match_rate": 1},
            {"employee_min": "0.03", "employee_max": "0.06", "match_rate": "0.5"},
        ],
    }
}  # fmt: skip
_MATCHED = ("match in cents", total("employer_match"))
_CORE = ("core in cents", total("employer_core"))

PLAN: tuple[Triple, ...] = (
    Triple("minimum age for the plan", "5.8", _by("birth_date", D(2005, 1, 1), D(2004, 12, 31), D(2004, 12, 30)),
           "eligible at the end of the year", state_total("is_eligible"), (0, 1, 1), ("eligibility",)),
    Triple("eligible before the first year", "5.8",
           _over("eligibility", "waiting_period_days", (0, 1, 2), {}, _NEW_YEARS_EVE),
           "eligibility events", count("eligibility"), (0, 1, 1), ("eligibility",)),
    Triple("eligible in the year or after it", "5.8",
           _over("eligibility", "waiting_period_days", (364, 365, 366), {}, _NEW_YEARS_EVE),
           "eligible at the end of the year", state_total("is_eligible"), (1, 1, 0), ("eligibility",)),
    Triple("cutoff of automatic enrolment", "5.9", _over("auto_enrollment", "hire_date_cutoff", _CUTOFFS, AUTO, _ON_DAY),
           "enrolments", count("enrollment"), (0, 1, 1), _IN_PLAN),
    Triple("automatic enrolment due in the year", "5.9",
           _over("auto_enrollment", "window_days", (364, 365, 366), AUTO, _NEW_YEARS_EVE,
                 eligibility={"waiting_period_days": 0}),
           "enrolments", count("enrollment"), (1, 1, 0), _IN_PLAN),
    Triple("age 30 of the segment", "3", _by("birth_date", D(1995, 1, 2), D(1995, 1, 1), D(1994, 12, 31), **_FROM_30),
           "enrolments", count("enrollment"), (0, 1, 1), _IN_PLAN),
    Triple("50 000 of the segment", "3", _by("pay_cents", 49_999_99, 50_000_00, 50_000_01, **_FROM_50_000),
           "enrolments", count("enrollment"), (0, 1, 1), _IN_PLAN),
    Triple("cutoff of escalation", "5.10", _over("deferral_auto_escalation", "hire_date_cutoff", _CUTOFFS, ESCALATE, _DEFERRING),
           "escalations", count("deferral_escalation"), (0, 1, 1), ("deferral_escalation",)),
    Triple("highest rate of escalation", "5.10", _deferring(999, 1_000, 1_001, deferral_auto_escalation=ESCALATE),
           "rate in basis points", state_total("deferral_rate", 10_000), (1_000, 1_000, 1_001), ("deferral_escalation",)),
    Triple("a year before the first escalation", "5.10",
           _over("deferral_auto_escalation", "effective_day", ("12-30", "12-31", "01-01"),
                 {**ESCALATE, "first_escalation_delay_years": 1}, _DEFERRING, end_year=START + 1),
           "escalations in two years", count("deferral_escalation"), (1, 2, 1), ("deferral_escalation",)),
    Triple("age 50 for the catch-up", "5.11",
           _by("birth_date", D(1976, 1, 1), D(1975, 12, 31), D(1975, 12, 30), deferral_bp=1_000, **_LOW_LIMIT),
           "contribution in cents", total("contribution"), (1_000_00, 1_500_00, 1_500_00)),
    Triple("limit on deferrals", "5.11", _limit("elective_deferral", ("5999.99", 6_000, "6000.01"), _TENTH),
           "contribution in cents", total("contribution"), (5_999_99, 6_000_00, 6_000_00)),
    Triple("compensation limit on core", "5.11",
           _limit("compensation", ("59999.99", 60_000, "60000.01"), _TENTH, employer_core={**CORE, "contribution_rate": 1}),
           *_CORE, (59_999_99, 60_000_00, 60_000_00)),
    Triple("compensation limit on match", "5.11",
           _limit("compensation", ("59999.90", 60_000, "60000.10"), _TENTH, employer_match=MATCH),
           *_MATCHED, (5_999_99, 6_000_00, 6_000_00)),
    Triple("annual additions", "5.11",
           _additions("12599.99", 12_600, "12600.01"),
           *_CORE, (599_99, 600_00, 600_00)),
    Triple("annual additions that leave no core", "5.11",
           _additions("11999.99", 12_000, "12000.01"),
           "match and core in cents", lambda result: (total("employer_match")(result), total("employer_core")(result)),
           ((5_999_99, 0), (6_000_00, 0), (6_000_00, 1)), ("employer_core",)),
    Triple("end of a tier of the match", "5.11", _deferring(299, 300, 301, **_TIERS), *_MATCHED, (2_990_00, 3_000_00, 3_005_00)),
    Triple("cap of the match", "5.11", _deferring(499, 500, 501, **_TIERS), *_MATCHED, (3_995_00, 4_000_00, 4_000_00)),
)  # fmt: skip
