"""M07: the calendar repeats after 28 years, so a simulation moved by 28 years repeats too, where nothing is drawn."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pyarrow as pa

from differential.run import WorldResult
from fixtures.census import Census
from fixtures.world import World
from properties.check import Check
from properties.relations.edits import flat_limits, nothing_drawn, rules
from properties.relations.judgement import Judgement, feasible, with_column, without
from properties.relations.quotas import moves
from properties.relations.relation import Family, Twin, TwinRelation

_YEARS = 28
_FIRST, _LAST = 1901, 2099
"""Between 1900 and 2100, which are no leap years, every fourth year is one."""
_MOVES = ("hires", "experienced exits", "new-hire exits")
_DRAWN, _FIXED = "flat limits", "nothing drawn"
_MOVED = "28 years later"


def _later(day: dt.date | None) -> dt.date | None:
    return None if day is None else day.replace(year=day.year + _YEARS)


def _shifted(world: World) -> World:
    """The same people under the same rules, everything 28 years later."""
    scenario, table = world.scenario, world.census.table
    for name in ("birth_date", "hire_date", "termination_date"):
        days = pa.array([_later(day) for day in table[name].to_pylist()], pa.date32())
        table = with_column(table, name, days)
    changes: dict[str, Any] = {
        "start_year": scenario.start_year + _YEARS,
        "end_year": scenario.end_year + _YEARS,
        "limits": {year + _YEARS: limit for year, limit in scenario.limits.items()},
    }
    for block in ("auto_enrollment", "deferral_auto_escalation"):
        changes[f"{block}.hire_date_cutoff"] = _later(getattr(scenario, block).hire_date_cutoff)
    return World(Census(table.combine_chunks()), rules(scenario, changes))


def _twins(world: World) -> list[Twin]:
    scenario = world.scenario
    if not (_earliest(world) >= _FIRST and scenario.end_year + _YEARS <= _LAST):
        return []
    flat = rules(scenario, {"limits": flat_limits(world)})
    # the seed decides which of the certain cases this world takes, so that worlds take different ones
    promoted, opt_out = bool(scenario.random_seed & 1), bool(scenario.random_seed & 2)
    drawn = World(world.census, flat)
    fixed = World(world.census, rules(flat, nothing_drawn(scenario, promoted=promoted, opt_out=opt_out)))
    return [
        Twin(_DRAWN, drawn), Twin(f"{_DRAWN}, {_MOVED}", _shifted(drawn)),
        Twin(_FIXED, fixed), Twin(f"{_FIXED}, {_MOVED}", _shifted(fixed)),
    ]  # fmt: skip


def _earliest(world: World) -> int:
    """The earliest year that a date of the world lies in; 1900 is moved to 1928, which has a 29 February more."""
    cutoffs = (
        world.scenario.auto_enrollment.hire_date_cutoff,
        world.scenario.deferral_auto_escalation.hire_date_cutoff,
    )
    days: list[dt.date] = [*world.census.table["birth_date"].to_pylist(), *(day for day in cutoffs if day is not None)]
    return min(day.year for day in days)


def _judge(family: Family, judgement: Judgement) -> None:
    drawn, fixed = (family.results.get(name, family.result) for name in (_DRAWN, _FIXED))
    later = family.results.get(f"{_DRAWN}, {_MOVED}")
    if later is not None and feasible(drawn, later):
        mine, theirs = moves(drawn), moves(later)
        for year in family.world.scenario.years:
            for what in _MOVES:
                judgement.equal(f"plan: {what}", theirs[year + _YEARS, what], mine[year, what], year=year)
    later = family.results.get(f"{_FIXED}, {_MOVED}")
    if later is not None:
        judgement.same("events and state", without(later, ["event_id"]), _moved(without(fixed, ["event_id"])))


def _moved(result: WorldResult) -> WorldResult:
    """What the later simulation must have made: every date and year 28 years on."""
    tables = []
    for table in (result.events, result.state):
        for field in table.schema:
            if pa.types.is_date(field.type):
                days = pa.array([_later(day) for day in table[field.name].to_pylist()], field.type)
                table = with_column(table, field.name, days)  # noqa: PLW2901
        years = [year + _YEARS for year in table["simulation_year"].to_pylist()]
        index = table.column_names.index("simulation_year")
        tables.append(with_column(table, "simulation_year", pa.array(years, table.schema.field(index).type)))
    return WorldResult(tables[0], tables[1], result.infeasible and _later_reason(result))


def _later_reason(result: WorldResult) -> Any:
    assert result.infeasible is not None
    return type(result.infeasible)(result.infeasible.code, result.infeasible.year + _YEARS)


M07 = TwinRelation(
    Check(
        "M07",
        "28 years later",
        "With flat limits and every date moved by 28 years the totals of hires and exits are the same, and where every probability "
        "is 0 or 1 so is every row, its dates moved, but for event_id.",
        {
            **{f"plan: {what}": f"{what}(year + 28, moved) = {what}(year)" for what in _MOVES},
            "events and state": "rows(moved) less event_id = rows + 28 years less event_id, nobody moving and nothing drawn",
        },
    ),
    _twins,
    _judge,
)
