"""M12: a matrix of knob groups and what they must leave alone.

Each row of the matrix turns one group of knobs hard and names the event types that must come out the same, with the columns of
theirs that may move, and the state columns that may move. Everything else must not. Where levels or enrolment feed back into
later years, only the first year is held (docs/simulation.md, 5.12: a year depends on the past through the state before it).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from differential.run import WorldResult
from differential.schemas import EVENT_TYPES
from fixtures.scenario import AgeWeight, Scenario
from fixtures.units import MAX_PAY_CENTS
from fixtures.world import World
from properties.check import Check
from properties.relations.edits import CERTAIN, always_promoted, filled, under, unlimited_additions, with_limits
from properties.relations.judgement import Judgement, feasible, in_year, with_column, with_events, without
from properties.relations.relation import Family, Twin, TwinRelation

_BASE = "annual additions out of reach"
_MONEY = ("annual_contribution", "employer_match_amount", "account_balance")
_PLAN = ("is_enrolled", "deferral_rate", "enrollment_date", "has_opted_out", *_MONEY)
_CAREER = ("hire", "promotion", "raise", "termination", "eligibility")


@dataclass(frozen=True)
class Knobs:
    """One row of the matrix.

    turn: the changed world. kept: event types that must stay. moving: their columns that may move (event_sequence may always,
    since other types come and go). free: state columns that may move. first_year: only that year is held.
    """

    name: str
    turn: Callable[[World], World]
    kept: tuple[str, ...]
    free: tuple[str, ...]
    moving: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    first_year: bool = False

    @property
    def clause(self) -> str:
        """The formula of this row, for the report."""
        moving = "".join(f"; {event}: all but {', '.join(columns)}" for event, columns in self.moving.items())
        years = ", first year" if self.first_year else ""
        return f"events {', '.join(self.kept)} and state less {', '.join(self.free)} are the same{years}{moving}"


def _all_but(*types: str) -> tuple[str, ...]:
    return tuple(event for event in EVENT_TYPES if event not in types)


def _turned(changes: Callable[[Scenario], dict[str, Any]]) -> Callable[[World], World]:
    return lambda world: under(world, changes(world.scenario))


def _escalation(_: Scenario) -> dict[str, Any]:
    values = {
        "enabled": True, "increment_amount": 500, "maximum_rate": CERTAIN, "first_escalation_delay_years": 0,
        "hire_date_cutoff": None, "effective_day": "05-17",
    }  # fmt: skip
    return {f"deferral_auto_escalation.{key}": value for key, value in values.items()}


def _match(scenario: Scenario) -> dict[str, Any]:
    tier = scenario.employer_match.tiers[0]
    generous = (tier.model_copy(update={"employee_min": 0, "employee_max": 700, "match_rate": 15_000}),)
    return {"employer_match.enabled": True, "employer_match.tiers": generous, "employer_match.cap_percent": 2_000}


def _core(scenario: Scenario) -> dict[str, Any]:
    rate = 300 if scenario.employer_core.contribution_rate != 300 else 400
    return {"employer_core.enabled": True, "employer_core.contribution_rate": rate}


def _voluntary(scenario: Scenario) -> dict[str, Any]:
    old = scenario.voluntary_enrollment
    on = {
        "enabled": True, "probability_by_age": filled(old.probability_by_age, CERTAIN),
        "probability_by_income": filled(old.probability_by_income, CERTAIN),
        "minimum_rate_by_age": filled(old.minimum_rate_by_age, 700),
        "maximum_rate_by_age": filled(old.maximum_rate_by_age, 2_000),
    }  # fmt: skip
    return {f"voluntary_enrollment.{key}": value for key, value in on.items()}


def _auto(scenario: Scenario) -> dict[str, Any]:
    old = scenario.auto_enrollment
    on = {
        "enabled": True, "scope": "all_eligible_employees", "hire_date_cutoff": None, "window_days": 3,
        "default_deferral_rate": 650, "opt_out_by_age": filled(old.opt_out_by_age, 5_000), "opt_out_grace_period": 90,
    }  # fmt: skip
    return {f"auto_enrollment.{key}": value for key, value in on.items()}


def _eligibility(scenario: Scenario) -> dict[str, Any]:
    old = scenario.eligibility
    return {
        "eligibility.minimum_age": 18 if old.minimum_age != 18 else 30,
        "eligibility.waiting_period_days": 200 if old.waiting_period_days != 200 else 0,
    }


def _raises(scenario: Scenario) -> dict[str, Any]:
    return {
        "cola_rate": 250 if scenario.cola_rate != 250 else 0,
        "merit_rates": tuple((rate + 100) % CERTAIN for rate in scenario.merit_rates),
    }


def _promotion(scenario: Scenario) -> dict[str, Any]:
    more = always_promoted() if scenario.promotion.base_hazard < 5_000 else {"promotion.base_hazard": 0}
    return {**more, "promotion.max_cap_pct": 1_234}


def _ages(scenario: Scenario) -> dict[str, Any]:
    age = 41 if scenario.new_hire_ages[0].age != 41 else 52
    return {"new_hire_ages": (AgeWeight(age=age, weight=1),)}


def _low_limits(world: World) -> World:
    return with_limits(world, elective_deferral=1_234_56, catch_up=100_00, compensation=7_654_32)


def _least_additions(world: World) -> World:
    limits = {
        year: limit.model_copy(update={"annual_additions": limit.elective_deferral})
        for year, limit in world.scenario.limits.items()
        if year in world.scenario.years
    }
    return under(world, {"limits": limits})


_LEVEL = dict.fromkeys(("eligibility", "enrollment", "enrollment_change", "deferral_escalation"), ("level_id",))
MATRIX: tuple[Knobs, ...] = (
    Knobs("escalation", _turned(_escalation), (*_CAREER, "enrollment", "enrollment_change", "employer_core"),
          ("deferral_rate", *_MONEY), {"enrollment_change": ("prev_employee_deferral_rate",)}),
    Knobs("match", _turned(_match), _all_but("employer_match"), ("employer_match_amount", "account_balance")),
    Knobs("core", _turned(_core), _all_but("employer_core"), ("employer_core_amount", "account_balance")),
    Knobs("limits", _low_limits, _all_but("contribution", "employer_match", "employer_core"), (*_MONEY, "employer_core_amount")),
    Knobs("annual additions", _least_additions, _all_but("employer_match", "employer_core"),
          ("employer_match_amount", "employer_core_amount", "account_balance")),
    Knobs("voluntary enrolment", _turned(_voluntary), (*_CAREER, "employer_core"), _PLAN),
    Knobs("automatic enrolment", _turned(_auto), (*_CAREER, "employer_core"), _PLAN),
    Knobs("eligibility", _turned(_eligibility), tuple(event for event in _CAREER if event != "eligibility"),
          ("is_eligible", "eligibility_date", "employer_core_amount", *_PLAN)),
    Knobs("raises", _turned(_raises), ("hire", "promotion", "termination", "eligibility"),
          ("current_salary", "prorated_annual_compensation", "employer_core_amount", *_PLAN),
          {"promotion": ("compensation_amount", "previous_compensation"), "termination": ("compensation_amount",)}),
    Knobs("promotion", _turned(_promotion), ("hire", "termination", *_LEVEL),
          ("current_level", "current_salary", "prorated_annual_compensation", "employer_core_amount", *_MONEY),
          {**_LEVEL, "termination": ("compensation_amount", "level_id")}, first_year=True),
    Knobs("ages of new hires", _turned(_ages), ("hire", "termination", "promotion", "raise"),
          ("birth_date", "current_age", "is_eligible", "eligibility_date", "employer_core_amount", *_PLAN),
          {"hire": ("employee_age", "event_payload"), "termination": ("employee_age",)}, first_year=True),
)  # fmt: skip


def _twins(world: World) -> list[Twin]:
    limits = world.scenario.limits.values()
    if any(4 * limit.compensation + limit.elective_deferral + limit.catch_up > MAX_PAY_CENTS for limit in limits):
        return []  # then even the highest annual additions there are could bind
    base = unlimited_additions(world)
    return [Twin(_BASE, base), *(Twin(knobs.name, knobs.turn(base)) for knobs in MATRIX)]


def _judge(family: Family, judgement: Judgement) -> None:
    base = family.results.get(_BASE, family.result)
    for knobs in MATRIX:
        turned = family.results.get(knobs.name)
        if turned is None or not feasible(base, turned):
            continue
        year = family.world.scenario.start_year if knobs.first_year else None
        found, expected = (_held(knobs, result, year) for result in (turned, base))
        judgement.same(knobs.name, found, expected)


def _held(knobs: Knobs, result: WorldResult, year: int | None) -> WorldResult:
    """What must stay: the kept types with their moving columns blanked, and the state less its free columns."""
    kept = with_events(result if year is None else in_year(result, year), knobs.kept)
    events = kept.events
    for event, moving in knobs.moving.items():
        events = _blanked(events, event, moving)
    return without(WorldResult(events, kept.state), ("event_sequence",), knobs.free)


def _blanked(events: pa.Table, event: str, columns: tuple[str, ...]) -> pa.Table:
    mine = pc.equal(events["event_type"], event)
    for name in columns:
        nothing = pa.scalar(None, events.schema.field(name).type)
        events = with_column(events, name, pc.if_else(mine, nothing, events[name]))
    return events


M12 = TwinRelation(
    Check(
        "M12",
        "non-interference",
        "Turning one group of knobs leaves alone what that group has no part in: event types, their columns, and state columns.",
        {knobs.name: f"turn({knobs.name}): {knobs.clause}" for knobs in MATRIX},
    ),
    _twins,
    _judge,
)
