"""Faults in contributions, match, core and prorated pay: docs/simulation.md, 5.11."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from differential.planted.fault import Fault
from differential.planted.patches import python_patch, sql_patch, text_patch
from differential.planted.populations import anybody

_MONEY = "differential.engines.polars.contributions"


def _truncated(half_up: Callable[..., Any]) -> Callable[..., Any]:
    """Floor where the rule says half up."""
    return lambda numerator, denominator: numerator // denominator


SQL = (
    Fault("S30", "Prorated pay takes every year to have 365 days.",
          {"sql": sql_patch("year/pay_days", {"pay_3 * days_3, days)": "pay_3 * days_3, 365)"})},
          ("D1", "I21"), "leap_year"),
    Fault("S31", "There is no catch-up contribution.",
          {"sql": sql_patch("year/money", {
              "elective_deferral + CASE WHEN has_catch_up THEN catch_up ELSE 0 END": "elective_deferral"})},
          ("D1", "I23", "I24"), "event_contribution"),
    Fault("S32", "The limit on annual additions counts the catch-up contribution.",
          {"sql": sql_patch("year/money", {
              "least(deferral, elective_deferral) + full_match": "least(deferral, deferral_limit) + full_match"})},
          ("D1", "I24"), "additions_limit_with_catch_up"),
    Fault("S33", "Pay after the raise is matched beyond the compensation limit.",
          {"sql": sql_patch("year/plan_days", {"least(pay_3, compensation_limit)::HUGEINT": "pay_3::HUGEINT"})},
          ("D1", "I25"), "compensation_limit_in_force"),
    Fault("S34", "The day of an opt-out still counts for contributions.",
          {"sql": sql_patch("year/plan_days", {"plus_days(e.opted_out_on, -1)": "e.opted_out_on"})},
          ("D1", "I23"), "event_enrollment_change"),
    Fault("S35", "Core contributions are paid before eligibility.",
          {"sql": sql_patch("year/money", {
              "w.core_enabled AND p.eligibility_date <= p.end_day": "w.core_enabled"})},
          ("D1", "I26"), "core_before_eligibility"),
    Fault("S36", "The contribution is not held to its limit.",
          {"sql": sql_patch("year/money", {"least(deferral_limit, deferral)": "deferral"})},
          ("D1", "I23", "I24"), ("deferral_limit_reached", "catch_up_limit_reached", "catch_up_in_part")),
)  # fmt: skip

POLARS = (
    Fault("P01", "The catch-up contribution starts at 51.",
          {"polars": python_patch(_MONEY, "CATCH_UP_AGE", lambda age: age + 1)},
          ("D1", "I24"), "event_contribution"),
    Fault("P02", "Money into the plan is rounded down.",
          {"polars": python_patch(_MONEY, "half_up", _truncated)},
          ("D1", "I21", "I23"), anybody),
    Fault("P30", "Only the first tier of the match counts.",
          {"polars": text_patch(_MONEY, "_matched", {"in range(tiers)": "in range(1)"})},
          ("D1", "I25"), "event_employer_match"),
    Fault("P31", "The match is not held to its cap.",
          {"polars": text_patch(_MONEY, "_matched", {
              'pl.min_horizontal(rules["match.cap"] * BASIS_POINTS, pl.sum_horizontal(parts))':
              "pl.sum_horizontal(parts)"})},
          ("D1", "I25"), lambda world: world.scenario.employer_match.enabled),
    Fault("P32", "The match is rounded down.",
          {"polars": text_patch(_MONEY, "match_amount", {"(rest + days * (BASIS_POINTS**2 // 2))": "rest"})},
          ("D1", "I25"), "event_employer_match"),
    Fault("P33", "The whole year is matched at the rate after the escalation.",
          {"polars": text_patch(_MONEY, "contributions", {
              '_matched(rules, pl.col("rate_before"), tiers)': '_matched(rules, pl.col("final_rate"), tiers)'})},
          ("D1", "I25"), "event_deferral_escalation"),
)  # fmt: skip
