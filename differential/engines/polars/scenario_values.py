"""One scenario's parameters as flat integers, by the names that rules use (docs/simulation.md, section 3)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from differential.engines.polars.dates import day_number
from differential.engines.polars.draws import fold_number, text_key
from fixtures.scenario import Scenario

NEVER_BEFORE = day_number(dt.date(1, 1, 1))
"""Stands for "no cutoff": every hire date lies after it."""
NO_BAND = (1 << 63) - 1
"""The minimum of a level that a world lacks: no pay reaches it."""
SEGMENTS_OF_AGE = ("young", "mid_career", "mature", "senior")
SEGMENTS_OF_INCOME = ("low_income", "moderate", "high", "executive")


@dataclass(frozen=True)
class Shape:
    """The most levels, match tiers and new-hire ages of any world."""

    levels: int
    tiers: int
    hire_ages: int

    @classmethod
    def of(cls, scenarios: Sequence[Scenario]) -> Shape:
        """The shape that holds all these scenarios."""
        return cls(
            max((len(s.levels) for s in scenarios), default=1),
            max((len(s.employer_match.tiers) for s in scenarios), default=1),
            max((len(s.new_hire_ages) for s in scenarios), default=1),
        )


def world_values(s: Scenario, shape: Shape) -> dict[str, int | bool]:
    """A world's parameters by name; what it has fewer of than others is filled with values that do nothing."""
    auto, voluntary, escalation = s.auto_enrollment, s.voluntary_enrollment, s.deferral_auto_escalation
    month_day = dt.date.fromisoformat(f"2001-{escalation.effective_day}")
    return {
        "seed_key": fold_number(0, s.random_seed),
        "event_base": fold_number(fold_number(0, text_key(s.scenario_id)), text_key(s.plan_design_id)),
        "first_day": day_number(dt.date(s.start_year, 1, 1)),
        "target_growth_rate": s.target_growth_rate,
        "total_termination_rate": s.total_termination_rate,
        "new_hire_termination_rate": s.new_hire_termination_rate,
        "top_level": len(s.levels),
        "cola_rate": s.cola_rate,
        "promotion.base_hazard": s.promotion.base_hazard,
        "promotion.level_dampener": s.promotion.level_dampener,
        "promotion.max_cap_pct": s.promotion.max_cap_pct,
        "promotion.max_cap_amount": s.promotion.max_cap_amount,
        "eligibility.minimum_age": s.eligibility.minimum_age,
        "eligibility.waiting_period_days": s.eligibility.waiting_period_days,
        "auto.enabled": auto.enabled and auto.default_deferral_rate > 0,
        "auto.everyone": auto.scope == "all_eligible_employees",
        "auto_cutoff": _cutoff(auto.hire_date_cutoff),
        "auto.window_days": auto.window_days,
        "auto.rate": auto.default_deferral_rate,
        "auto.grace": auto.opt_out_grace_period,
        "voluntary.enabled": voluntary.enabled,
        "escalation.enabled": escalation.enabled,
        "escalation_index": month_day.timetuple().tm_yday - 1,
        "escalation.increment": escalation.increment_amount,
        "escalation.maximum": escalation.maximum_rate,
        "escalation_cutoff": _cutoff(escalation.hire_date_cutoff),
        "escalation.delay": escalation.first_escalation_delay_years,
        "match.enabled": s.employer_match.enabled,
        "match.cap": s.employer_match.cap_percent,
        "core.rate": s.employer_core.contribution_rate if s.employer_core.enabled else 0,
        **_by_segment(s),
        **_by_index(s, shape),
        **_hire_ages(s, shape),
    }


def _by_segment(s: Scenario) -> dict[str, int | bool]:
    """What is given by band or segment of age, tenure or income."""
    auto, voluntary = s.auto_enrollment, s.voluntary_enrollment
    values: dict[str, int | bool] = {}
    for band in range(5):
        values[f"tenure_multiplier.{band}"] = s.promotion.tenure_multipliers[band]
        values[f"age_multiplier.{band}"] = s.promotion.age_multipliers[band]
    for segment in SEGMENTS_OF_AGE:
        values[f"opt_out_by_age.{segment}"] = getattr(auto.opt_out_by_age, segment)
        values[f"probability_by_age.{segment}"] = getattr(voluntary.probability_by_age, segment)
        values[f"minimum_rate.{segment}"] = getattr(voluntary.minimum_rate_by_age, segment)
        values[f"maximum_rate.{segment}"] = getattr(voluntary.maximum_rate_by_age, segment)
    for segment in SEGMENTS_OF_INCOME:
        values[f"opt_out_by_income.{segment}"] = getattr(auto.opt_out_by_income, segment)
        values[f"probability_by_income.{segment}"] = getattr(voluntary.probability_by_income, segment)
    return values


def _by_index(s: Scenario, shape: Shape) -> dict[str, int | bool]:
    """Match tiers, and the band minima that decide an initial level."""
    values: dict[str, int | bool] = {}
    for index in range(shape.tiers):
        tier = s.employer_match.tiers[index] if index < len(s.employer_match.tiers) else None
        values[f"tier_minimum.{index}"] = tier.employee_min if tier else 0
        values[f"tier_maximum.{index}"] = tier.employee_max if tier else 0
        values[f"tier_rate.{index}"] = tier.match_rate if tier else 0
    for index in range(shape.levels):
        values[f"level_minimum.{index}"] = s.levels[index].minimum if index < len(s.levels) else NO_BAND
    return values


def _hire_ages(s: Scenario, shape: Shape) -> dict[str, int | bool]:
    """Cumulative weights and the step in age after each; entries that a world lacks have the total and no step."""
    values: dict[str, int | bool] = {"hire_age": s.new_hire_ages[0].age}
    total, age = 0, s.new_hire_ages[0].age
    for index in range(shape.hire_ages):
        if index < len(s.new_hire_ages):
            total += s.new_hire_ages[index].weight
        following = s.new_hire_ages[index + 1].age if index + 1 < len(s.new_hire_ages) else age
        values[f"weight_below.{index}"], values[f"age_step.{index}"] = total, following - age
        age = following
    values["weight_total"] = total
    return values


def level_values(s: Scenario, shape: Shape) -> dict[str, list[int]]:
    """Parameters by level; `merit_above` and `increase` are those of someone promoted out of the level."""
    merit, increase = list(s.merit_rates), list(s.promotion.increase_pct)
    spare = shape.levels - len(merit)
    return {
        "merit": merit + [0] * spare,
        "merit_above": merit[1:] + [0] * (spare + 1),
        "increase": increase + [0] * (spare + 1),
        "band_minimum": [level.minimum for level in s.levels] + [0] * spare,
        "band_size": [int(level.maximum) - int(level.minimum) + 1 for level in s.levels] + [1] * spare,
    }


def _cutoff(date: dt.date | None) -> int:
    return NEVER_BEFORE if date is None else day_number(date)
