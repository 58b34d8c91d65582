"""M09: a feature that is switched off, one at rate 0, and an optional value that says nothing are the same."""

from __future__ import annotations

import datetime as dt

from fixtures.world import World
from properties.check import Check
from properties.relations.edits import filled, under
from properties.relations.judgement import Judgement
from properties.relations.relation import Family, Twin, TwinRelation

_EVERYBODY = dt.date(1900, 1, 1)
_OFF = "switched off"


def _zeros(world: World) -> dict[str, dict[str, dict[str, object]]]:
    """For each feature the ways to say that it does nothing, as changes to the scenario."""
    scenario = world.scenario
    auto, voluntary = scenario.auto_enrollment, scenario.voluntary_enrollment
    free = tuple(tier.model_copy(update={"match_rate": 0}) for tier in scenario.employer_match.tiers)
    return {
        "automatic enrolment": {
            _OFF: {"auto_enrollment.enabled": False},
            "default rate 0": {"auto_enrollment.default_deferral_rate": 0},
        },
        "voluntary enrolment": {
            _OFF: {"voluntary_enrollment.enabled": False},
            "by age 0": {"voluntary_enrollment.probability_by_age": filled(voluntary.probability_by_age, 0)},
            "by income 0": {"voluntary_enrollment.probability_by_income": filled(voluntary.probability_by_income, 0)},
        },
        "opt-out": {
            "by age 0": {"auto_enrollment.opt_out_by_age": filled(auto.opt_out_by_age, 0)},
            "by income 0": {"auto_enrollment.opt_out_by_income": filled(auto.opt_out_by_income, 0)},
        },
        "escalation": {
            _OFF: {"deferral_auto_escalation.enabled": False},
            "maximum rate 0": {"deferral_auto_escalation.maximum_rate": 0},
        },
        "match": {
            _OFF: {"employer_match.enabled": False},
            "cap 0": {"employer_match.cap_percent": 0},
            "every tier 0": {"employer_match.tiers": free},
        },
        "core": {
            _OFF: {"employer_core.enabled": False},
            "rate 0": {"employer_core.contribution_rate": 0},
        },
        "promotion": {
            "hazard 0": {"promotion.base_hazard": 0},
            "tenure multipliers 0": {"promotion.tenure_multipliers": (0,) * 5},
            "age multipliers 0": {"promotion.age_multipliers": (0,) * 5},
        },
        "automatic enrolment cutoff": {
            "none": {"auto_enrollment.hire_date_cutoff": None},
            "before everybody": {"auto_enrollment.hire_date_cutoff": _EVERYBODY},
        },
        "escalation cutoff": {
            "none": {"deferral_auto_escalation.hire_date_cutoff": None},
            "before everybody": {"deferral_auto_escalation.hire_date_cutoff": _EVERYBODY},
        },
    }  # fmt: skip


def _twins(world: World) -> list[Twin]:
    return [
        Twin(f"{feature}: {spelling}", under(world, changes))
        for feature, spellings in _zeros(world).items()
        for spelling, changes in spellings.items()
    ]


def _judge(family: Family, judgement: Judgement) -> None:
    for feature, spellings in _zeros(family.world).items():
        first, *others = spellings
        for other in others:
            # a twin that is the base itself was left out: its result is the base's
            one, two = (family.results.get(f"{feature}: {name}", family.result) for name in (first, other))
            if one is not two:
                judgement.same(feature, two, one)


M09 = TwinRelation(
    Check(
        "M09",
        "off is off",
        "A feature switched off, at rate 0 or with every probability 0 gives the same tables; so does a cutoff before everybody "
        "and none.",
        {
            "automatic enrolment": "run(enabled false) = run(default_deferral_rate 0)",
            "voluntary enrolment": "run(enabled false) = run(probability_by_age 0) = run(probability_by_income 0)",
            "opt-out": "run(opt_out_by_age 0) = run(opt_out_by_income 0)",
            "escalation": "run(enabled false) = run(maximum_rate 0)",
            "match": "run(enabled false) = run(cap_percent 0) = run(match_rate 0 in every tier)",
            "core": "run(enabled false) = run(contribution_rate 0)",
            "promotion": "run(base_hazard 0) = run(tenure_multipliers 0) = run(age_multipliers 0)",
            "automatic enrolment cutoff": "run(hire_date_cutoff null) = run(hire_date_cutoff 1900-01-01)",
            "escalation cutoff": "run(hire_date_cutoff null) = run(hire_date_cutoff 1900-01-01)",
        },
    ),
    _twins,
    _judge,
)
