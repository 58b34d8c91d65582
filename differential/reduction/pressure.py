"""Rules under which things happen to few people: at the default rates nobody leaves or is hired below nine employees."""

from __future__ import annotations

from collections.abc import Mapping

from fixtures.scenario import Scenario, ScenarioError

_RATES: tuple[tuple[str, Mapping[str, str]], ...] = (
    ("grow", {"target_growth_rate": "1"}),
    ("grow only", {"target_growth_rate": "1", "total_termination_rate": "0", "new_hire_termination_rate": "0"}),
    ("leave", {"target_growth_rate": "0", "total_termination_rate": "1"}),
    ("half leave", {"target_growth_rate": "0", "total_termination_rate": "0.5"}),
    ("shrink", {"target_growth_rate": "-1"}),
    ("churn", {"target_growth_rate": "0.5", "total_termination_rate": "0.5", "new_hire_termination_rate": "0.5"}),
    ("half more", {"target_growth_rate": "0.5"}),
    ("half", {"target_growth_rate": "-0.5"}),
    ("tenth", {"target_growth_rate": "0.1", "total_termination_rate": "0.4"}),
)
_FIRST_FOR = {"hire": ("grow", "grow only"), "termination": ("leave", "half leave")}


def pressures(scenario: Scenario, event_type: str | None) -> list[Scenario]:
    """The scenario under higher rates, the likeliest for the event type first."""
    likely = _FIRST_FOR.get(event_type or "", ())
    ordered = sorted(_RATES, key=lambda item: item[0] not in likely)
    return [changed for _, keys in ordered if (changed := _replaced(scenario, keys)) is not None]


def _replaced(scenario: Scenario, keys: Mapping[str, object]) -> Scenario | None:
    try:
        return scenario.replace(**keys)
    except ScenarioError:
        return None
