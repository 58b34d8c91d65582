"""Rules under which things happen to few people: at the default rates nobody leaves or is hired below nine employees."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fixtures.scenario import Scenario, ScenarioError

_GROW = {"target_growth_rate": "1"}
_RATES: tuple[tuple[str, Mapping[str, str]], ...] = (
    ("grow", _GROW),
    ("leave", {"target_growth_rate": "0", "total_termination_rate": "1"}),
    ("half leave", {"target_growth_rate": "0", "total_termination_rate": "0.5"}),
    ("half", {"target_growth_rate": "-0.5"}),
    ("half after all leave", {"target_growth_rate": "-0.5", "total_termination_rate": "1"}),
    ("grow and leave again", {"target_growth_rate": "1", "new_hire_termination_rate": "0.5"}),
    ("churn", {"target_growth_rate": "0.5", "total_termination_rate": "0.5", "new_hire_termination_rate": "0.5"}),
    ("half more", {"target_growth_rate": "0.5"}),
    ("grow only", {"target_growth_rate": "1", "total_termination_rate": "0", "new_hire_termination_rate": "0"}),
    ("shrink", {"target_growth_rate": "-1"}),
    ("tenth", {"target_growth_rate": "0.1", "total_termination_rate": "0.4"}),
)
_FIVE_ONES = ("1",) * 5
_BY_AGE = dict.fromkeys(("young", "mid_career", "mature", "senior"), "1")
_BY_INCOME = dict.fromkeys(("low_income", "moderate", "high", "executive"), "1")
_CERTAIN: Mapping[str, Mapping[str, Mapping[str, Any]]] = {
    "promotion": {
        "promotion": {
            "base_hazard": "1", "tenure_multipliers": _FIVE_ONES, "age_multipliers": _FIVE_ONES, "level_dampener": "0",
        }
    },
    "enrollment": {"voluntary_enrollment": {"probability_by_age": _BY_AGE, "probability_by_income": _BY_INCOME}},
    "enrollment_change": {
        "auto_enrollment": {"opt_out_by_age": _BY_AGE, "opt_out_by_income": _BY_INCOME},
        "voluntary_enrollment": {"enabled": False},
    },
}  # fmt: skip
"""By event type: what makes its draw certain, for people drawn anew (hires of a smaller world are other people)."""


def pressures(scenario: Scenario, event_type: str | None) -> list[Scenario]:
    """The scenario under other rates, and with the event type's draw made certain while growing; the likeliest first."""
    certain = _CERTAIN.get(event_type or "", {})
    likely = ("leave", "half leave") if event_type == "termination" else ("grow",)
    ordered = [keys for _, keys in sorted(_RATES, key=lambda item: item[0] not in likely)]
    changes: list[Mapping[str, Any]] = [{**_GROW, **certain}, *ordered, certain] if certain else [*ordered]
    return [changed for keys in changes if (changed := _changed(scenario, keys)) is not None]


def under(scenario: Scenario, name: str) -> Scenario | None:
    """The scenario under the rates of one name, such as `grow` or `half leave`; None where they do not go with it."""
    return _changed(scenario, dict(_RATES)[name])


def _changed(scenario: Scenario, keys: Mapping[str, Any]) -> Scenario | None:
    full = scenario.to_dict()
    merged = {key: {**full[key], **value} if isinstance(value, Mapping) else value for key, value in keys.items()}
    try:
        return scenario.replace(**merged)
    except ScenarioError:
        return None
