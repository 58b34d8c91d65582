"""M11, first part: years, names, workforce, pay, levels and promotion."""

from __future__ import annotations

import datetime as dt
from typing import Any

from properties.relations.cases import Key
from properties.relations.designed import PROMOTE, count, events, people, rows, state, state_total, total

_TEN = people(*[{}] * 10)
_FORTY = people(*[{}] * 40)
_BY_TENURE = people(*({"hire_date": dt.date(2025 - years, 1, 10)} for years in (1, 3, 6, 12, 22)))
_BY_AGE = people(*({"birth_date": dt.date(2025 - age, 1, 10)} for age in (24, 30, 40, 50, 60)))
_GROWING = {"target_growth_rate": 1}
_OTHERS = [{"minimum": 1_000_000 * n, "maximum": 1_000_000 * n} for n in (2, 3, 4)]


def _promotion(**changed: Any) -> dict[str, Any]:
    return {"promotion": {**PROMOTE, **changed}}


def _bands(first: tuple[int, int], second: int) -> dict[str, Any]:
    two = [{"minimum": first[0], "maximum": first[1]}, {"minimum": second, "maximum": 100_000}]
    return {**_GROWING, "levels": [*two, *_OTHERS]}


def _headcount(result: Any) -> int:
    return sum(result.state["is_active"].to_pylist())


def _new_hire_exits(result: Any) -> int:
    return int(state("detailed_status_code")(result).count("new_hire_termination"))


_PAY = ("closing pay in cents", state_total("current_salary", 100))

WORKFORCE: tuple[Key, ...] = (
    Key("start_year", {"start_year": 2024, "end_year": 2025}, {}, "first simulated year",
        lambda result: min(result.state["simulation_year"].to_pylist()), values=(2024, 2025)),
    Key("end_year", {}, {"end_year": 2027}, "state rows", rows, values=(1, 3)),
    Key("random_seed", {"total_termination_rate": "0.5", "random_seed": 1}, {"total_termination_rate": "0.5", "random_seed": 2},
        "who leaves", events("termination", "employee_id"), "other", people=_FORTY),
    Key("scenario_id", {"scenario_id": "one"}, {"scenario_id": "two"}, "scenario_id", state("scenario_id"), "other",
        (["one"], ["two"])),
    Key("plan_design_id", {"plan_design_id": "one"}, {"plan_design_id": "two"}, "plan_design_id", state("plan_design_id"),
        "other", (["one"], ["two"])),
    Key("target_growth_rate", {}, {"target_growth_rate": "0.5"}, "headcount", _headcount, values=(10, 15), people=_TEN),
    Key("total_termination_rate", {}, {"total_termination_rate": "0.5"}, "exits", count("termination"), values=(0, 5),
        people=_TEN),
    Key("new_hire_termination_rate", _GROWING, {**_GROWING, "new_hire_termination_rate": "0.5"}, "new-hire exits",
        _new_hire_exits, values=(0, 10), people=_TEN),
    Key("cola_rate", {"cola_rate": "0.01"}, {"cola_rate": "0.02"}, *_PAY, values=(60_600_00, 61_200_00)),
    Key("levels.minimum", _bands((50_000, 50_000), 60_000), _bands((50_000, 50_000), 60_001), "initial levels",
        state_total("current_level"), "down", people=_TEN),
    Key("levels.maximum", _bands((50_000, 50_000), 90_000), _bands((50_000, 80_000), 90_000), "pay of new hires in cents",
        total("hire"), people=_TEN),
    Key("merit_rates", {"merit_rates": ["0.03"] * 5}, {"merit_rates": ["0.05"] * 5}, *_PAY, values=(61_800_00, 63_000_00)),
    Key("promotion.base_hazard", _promotion(base_hazard=0), _promotion(), "promotions", count("promotion"), values=(0, 1)),
    Key("promotion.tenure_multipliers", _promotion(tenure_multipliers=[0] * 5), _promotion(), "promotions, one person a band",
        count("promotion"), values=(0, 5), people=_BY_TENURE),
    Key("promotion.age_multipliers", _promotion(age_multipliers=[0] * 5), _promotion(), "promotions, one person a band",
        count("promotion"), values=(0, 5), people=_BY_AGE),
    Key("promotion.level_dampener", _promotion(), _promotion(level_dampener=1), "promotions from level 2",
        count("promotion"), "down", (1, 0), people(*[{"pay_cents": 90_000_00}])),
    Key("promotion.increase_pct", _promotion(increase_pct=["0.1"] * 4), _promotion(), *_PAY, values=(66_000_00, 72_000_00)),
    Key("promotion.max_cap_pct", _promotion(max_cap_pct="0.05"), _promotion(), *_PAY, values=(63_000_00, 72_000_00)),
    Key("promotion.max_cap_amount", _promotion(max_cap_amount="1000.01"), _promotion(), *_PAY, values=(61_000_01, 72_000_00)),
    Key("new_hire_ages.age", {**_GROWING, "new_hire_ages": [{"age": 20, "weight": 1}]},
        {**_GROWING, "new_hire_ages": [{"age": 50, "weight": 1}]}, "ages of new hires, summed",
        lambda result: sum(events("hire", "employee_age")(result)), people=_TEN),
    Key("new_hire_ages.weight", {**_GROWING, "new_hire_ages": [{"age": 20, "weight": 1_000_000}, {"age": 60, "weight": 1}]},
        {**_GROWING, "new_hire_ages": [{"age": 20, "weight": 1}, {"age": 60, "weight": 1_000_000}]},
        "ages of new hires, summed", lambda result: sum(events("hire", "employee_age")(result)), people=_TEN),
)  # fmt: skip
