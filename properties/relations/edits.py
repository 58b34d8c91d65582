"""Changed copies of worlds: the building blocks of twins.

Values are those inside the engines: basis points, cents, days. Keys are dotted paths of docs/simulation.md, section 3. A copy
is not validated again, since thousands are made; test_edits.py holds that they are valid.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import BaseModel

from fixtures.census import Census, Employee
from fixtures.scenario import Limits, Scenario
from fixtures.units import MAX_PAY_CENTS
from fixtures.world import World

CERTAIN = 10_000
"""A probability of 1, in basis points."""
HIGHEST_MULTIPLIER = 50_000


def rules(scenario: Scenario, changes: Mapping[str, Any]) -> Scenario:
    """The scenario with values at dotted paths replaced, such as `promotion.base_hazard`."""
    blocks: dict[str, dict[str, Any]] = {}
    top: dict[str, Any] = {}
    for path, value in changes.items():
        block, _, key = path.partition(".")
        if key:
            blocks.setdefault(block, {})[key] = value
        else:
            top[block] = value
    for name, values in blocks.items():
        top[name] = getattr(scenario, name).model_copy(update=values)
    return scenario.model_copy(update=top)


def under(world: World, changes: Mapping[str, Any]) -> World:
    """The same people under changed rules."""
    return World(world.census, rules(world.scenario, changes))


def filled(model: BaseModel, value: int) -> BaseModel:
    """A block of rates or multipliers by segment, all of them set to one value."""
    return model.model_copy(update=dict.fromkeys(type(model).model_fields, value))


def lean(world: World) -> World:
    """Without limits of years that are not simulated: they say nothing, and M10 holds that. They make a world slow to copy."""
    years, limits = world.scenario.years, world.scenario.limits
    if len(limits) == len(years):
        return world
    return under(world, {"limits": {year: limits[year] for year in years}})


def with_limits(world: World, **cents: int) -> World:
    """Limits of the simulated years with some of them replaced, in cents."""
    limits = {year: world.scenario.limits[year].model_copy(update=cents) for year in world.scenario.years}
    return under(world, {"limits": limits})


def unlimited_additions(world: World) -> World:
    """Annual additions (415) far out of reach, so that contributions do not push out what the employer pays."""
    return with_limits(world, annual_additions=MAX_PAY_CENTS)


def flat_limits(world: World) -> dict[int, Limits]:
    """The first year's limits for all simulated years."""
    first = world.scenario.limits[world.scenario.start_year]
    return dict.fromkeys(world.scenario.years, first)


def nobody_moves() -> dict[str, Any]:
    """Nobody is hired or leaves: opening headcount is the target of every year."""
    return {"target_growth_rate": 0, "total_termination_rate": 0, "new_hire_termination_rate": 0}


def nothing_drawn(scenario: Scenario, *, promoted: bool, opt_out: bool) -> dict[str, Any]:
    """Rules under which no draw decides anything: every probability is 0 or 1, and no date is drawn."""
    auto = scenario.auto_enrollment
    return {
        **nobody_moves(),
        **(always_promoted() if promoted else {"promotion.base_hazard": 0}),
        "voluntary_enrollment.enabled": False,
        "auto_enrollment.opt_out_by_age": filled(auto.opt_out_by_age, CERTAIN if opt_out else 0),
        "auto_enrollment.opt_out_by_income": filled(auto.opt_out_by_income, CERTAIN),
        "auto_enrollment.opt_out_grace_period": 1,
    }


def always_promoted() -> dict[str, Any]:
    """A hazard of 1 for everyone below the top who may be promoted at all."""
    return {
        "promotion.base_hazard": CERTAIN,
        "promotion.tenure_multipliers": (CERTAIN,) * 5,
        "promotion.age_multipliers": (CERTAIN,) * 5,
        "promotion.level_dampener": 0,
    }


def column_replaced(world: World, name: str, values: pa.Array | pa.ChunkedArray) -> World:
    """The census with one column replaced."""
    table = world.census.table
    index = table.column_names.index(name)
    return replace(world, census=Census(table.set_column(index, table.schema.field(index), values)))


def with_people(world: World, people: Sequence[Employee]) -> World:
    """The census with more people at its end."""
    more = Census.from_employees(people)
    return replace(world, census=Census(pa.concat_tables([world.census.table, more.table]).combine_chunks()))


def in_force(world: World) -> pa.Table:
    """The rows of the opening set: no termination date, hired by the opening date (docs/simulation.md, 5.1)."""
    table = world.census.table
    hired = pc.less_equal(table["hire_date"], pa.scalar(world.opening_date, pa.date32()))
    return table.filter(pc.and_(pc.is_null(table["termination_date"]), hired))


def free_name(world: World, wish: str) -> str:
    """An employee_id that the census does not have."""
    taken = set(world.census.table["employee_id"].to_pylist())
    while wish in taken:
        wish += "x"
    return wish


def free_ssn(world: World) -> str:
    """A social security number that the census does not have."""
    taken = set(world.census.table["employee_ssn"].to_pylist())
    number = 899_999_999
    while (text := f"SSN-{number:09d}") in taken:
        number -= 1
    return text


def newcomer(world: World, wish: str, **over: Any) -> Employee:
    """Somebody whom the census does not know: 40, five years of service, 60 000.00, not deferring."""
    start = world.scenario.start_year
    plain = Employee(
        free_name(world, wish), free_ssn(world), dt.date(start - 40, 5, 20), dt.date(start - 5, 4, 2), 60_000_00
    )
    return replace(plain, **over)


def initial_level(scenario: Scenario, pay_cents: int) -> int:
    """The highest level whose band minimum is at most the pay, else 1 (docs/simulation.md, section 2)."""
    return max((n for n, level in enumerate(scenario.levels, 1) if level.minimum <= pay_cents), default=1)
