"""M11, second part: eligibility, enrolment, escalation, the employer's money and the limits."""

from __future__ import annotations

import datetime as dt
from typing import Any

from fixtures.changes import by_age, by_income
from properties.relations.cases import Key
from properties.relations.designed import (
    AUTO,
    CORE,
    ESCALATE,
    MATCH,
    VOLUNTARY,
    count,
    days,
    limits,
    people,
    state_total,
    total,
)

_LATER = dt.date(2030, 1, 1)
_AT_3_PERCENT = people({"deferral_bp": 300})
_AT_10_PERCENT = people({"deferral_bp": 1_000})
_NEW = people({"hire_date": dt.date(2024, 12, 31)})
_AGES = people(*({"birth_date": dt.date(born, 3, 1)} for born in (1999, 1985, 1975, 1960)))
_INCOMES = people(*({"pay_cents": pay} for pay in (40_000_00, 60_000_00, 150_000_00, 250_000_00)))
_OVER_50 = people({"deferral_bp": 1_000, "birth_date": dt.date(1970, 1, 1)})


def _auto(**changed: Any) -> dict[str, Any]:
    return {"auto_enrollment": {**AUTO, **changed}}


def _voluntary(**changed: Any) -> dict[str, Any]:
    return {"voluntary_enrollment": {**VOLUNTARY, **changed}}


def _escalation(**changed: Any) -> dict[str, Any]:
    return {"deferral_auto_escalation": {**ESCALATE, **changed}}


def _tier(**changed: Any) -> dict[str, Any]:
    return {
        "employer_match": {**MATCH, "tiers": [{"employee_min": 0, "employee_max": "0.1", "match_rate": 1, **changed}]}
    }


_ENROLLED = ("enrolments", count("enrollment"))
_OPTED_OUT = ("opt-outs", count("enrollment_change"))
_ESCALATED = ("escalations", count("deferral_escalation"))
_RATE = ("deferral rates in basis points", state_total("deferral_rate", 10_000))
_MATCHED = ("match in cents", total("employer_match"))
_PAID_IN = ("contributions in cents", total("contribution"))
_CORE = ("core in cents", total("employer_core"))
_ELIGIBLE = ("eligible people", state_total("is_eligible"))
_ALL_OUT = {"opt_out_by_age": by_age(1)}

PLAN: tuple[Key, ...] = (
    Key("eligibility.minimum_age", {}, {"eligibility": {"minimum_age": 60}}, *_ELIGIBLE, "down", (1, 0)),
    Key("eligibility.waiting_period_days", {}, {"eligibility": {"waiting_period_days": 3_660}}, *_ELIGIBLE, "down", (1, 0)),
    Key("auto_enrollment.enabled", _auto(enabled=False), _auto(), *_ENROLLED, values=(0, 1)),
    Key("auto_enrollment.scope", _auto(scope="new_hires_only"), _auto(), *_ENROLLED, values=(0, 1)),
    Key("auto_enrollment.hire_date_cutoff", _auto(), _auto(hire_date_cutoff=_LATER), *_ENROLLED, "down", (1, 0)),
    Key("auto_enrollment.window_days", _auto(window_days=30), _auto(window_days=90), "day of the enrolment", days("enrollment"),
        values=(dt.date(2025, 3, 1).toordinal(), dt.date(2025, 4, 30).toordinal()), people=_NEW),
    Key("auto_enrollment.default_deferral_rate", _auto(), _auto(default_deferral_rate="0.05"), *_RATE, values=(200, 500)),
    Key("auto_enrollment.opt_out_by_age", _auto(), _auto(**_ALL_OUT), "opt-outs, one person a segment", _OPTED_OUT[1],
        values=(0, 4), people=_AGES),
    Key("auto_enrollment.opt_out_by_income", _auto(**_ALL_OUT, opt_out_by_income=by_income(0)), _auto(**_ALL_OUT),
        "opt-outs, one person a segment", _OPTED_OUT[1], values=(0, 4), people=_INCOMES),
    Key("auto_enrollment.opt_out_grace_period", _auto(**_ALL_OUT, opt_out_grace_period=1),
        _auto(**_ALL_OUT, opt_out_grace_period=366), "days of opt-outs, summed", days("enrollment_change"), people=_AGES),
    Key("voluntary_enrollment.enabled", _voluntary(enabled=False), _voluntary(), *_ENROLLED, values=(0, 1)),
    Key("voluntary_enrollment.probability_by_age", _voluntary(probability_by_age=by_age(0)), _voluntary(),
        "enrolments, one person a segment", _ENROLLED[1], values=(0, 4), people=_AGES),
    Key("voluntary_enrollment.probability_by_income", _voluntary(probability_by_income=by_income(0)), _voluntary(),
        "enrolments, one person a segment", _ENROLLED[1], values=(0, 4), people=_INCOMES),
    Key("voluntary_enrollment.minimum_rate_by_age", _voluntary(minimum_rate_by_age=by_age("0.01")), _voluntary(), *_RATE,
        people=_AGES),
    Key("voluntary_enrollment.maximum_rate_by_age", _voluntary(), _voluntary(maximum_rate_by_age=by_age("0.2")), *_RATE,
        people=_AGES),
    Key("deferral_auto_escalation.enabled", _escalation(enabled=False), _escalation(), *_ESCALATED, values=(0, 1),
        people=_AT_3_PERCENT),
    Key("deferral_auto_escalation.effective_day", _escalation(), _escalation(effective_day="06-01"), "day of the escalation",
        days("deferral_escalation"), values=(dt.date(2025, 1, 1).toordinal(), dt.date(2025, 6, 1).toordinal()),
        people=_AT_3_PERCENT),
    Key("deferral_auto_escalation.increment_amount", _escalation(), _escalation(increment_amount="0.02"), *_RATE,
        values=(400, 500), people=_AT_3_PERCENT),
    Key("deferral_auto_escalation.maximum_rate", _escalation(maximum_rate="0.03"), _escalation(), *_ESCALATED, values=(0, 1),
        people=_AT_3_PERCENT),
    Key("deferral_auto_escalation.hire_date_cutoff", _escalation(), _escalation(hire_date_cutoff=_LATER), *_ESCALATED, "down",
        (1, 0), _AT_3_PERCENT),
    Key("deferral_auto_escalation.first_escalation_delay_years", _escalation(), _escalation(first_escalation_delay_years=5),
        *_ESCALATED, "down", (1, 0), _AT_3_PERCENT),
    Key("employer_match.enabled", {"employer_match": {**MATCH, "enabled": False}}, {"employer_match": MATCH}, *_MATCHED,
        values=(0, 1_800_00), people=_AT_3_PERCENT),
    Key("employer_match.tiers.employee_min", _tier(), _tier(employee_min="0.01"), *_MATCHED, "down", (1_800_00, 1_200_00),
        _AT_3_PERCENT),
    Key("employer_match.tiers.employee_max", _tier(employee_max="0.02"), _tier(), *_MATCHED, values=(1_200_00, 1_800_00),
        people=_AT_3_PERCENT),
    Key("employer_match.tiers.match_rate", _tier(match_rate="0.5"), _tier(), *_MATCHED, values=(900_00, 1_800_00),
        people=_AT_3_PERCENT),
    Key("employer_match.cap_percent", {"employer_match": {**MATCH, "cap_percent": "0.02"}}, {"employer_match": MATCH}, *_MATCHED,
        values=(1_200_00, 1_800_00), people=_AT_3_PERCENT),
    Key("employer_core.enabled", {}, {"employer_core": CORE}, *_CORE, values=(0, 600_00)),
    Key("employer_core.contribution_rate", {"employer_core": CORE}, {"employer_core": {**CORE, "contribution_rate": "0.02"}},
        *_CORE, values=(600_00, 1_200_00)),
    Key("limits.elective_deferral", {"limits": limits(elective_deferral=1_000)}, {"limits": limits(elective_deferral=2_000)},
        *_PAID_IN, values=(1_000_00, 2_000_00), people=_AT_10_PERCENT),
    Key("limits.catch_up", {"limits": limits(elective_deferral=1_000)}, {"limits": limits(elective_deferral=1_000, catch_up=500)},
        *_PAID_IN, values=(1_000_00, 1_500_00), people=_OVER_50),
    Key("limits.compensation", {"employer_core": CORE, "limits": limits(compensation=10_000)},
        {"employer_core": CORE, "limits": limits(compensation=20_000)}, *_CORE, values=(100_00, 200_00)),
    Key("limits.annual_additions", {"employer_core": CORE, "limits": limits(elective_deferral=6_000, annual_additions=6_100)},
        {"employer_core": CORE, "limits": limits(elective_deferral=6_000, annual_additions=6_200)}, *_CORE,
        values=(100_00, 200_00), people=_AT_10_PERCENT),
)  # fmt: skip
