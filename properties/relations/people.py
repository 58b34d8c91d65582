"""M13, M16: another seed, other names."""

from __future__ import annotations

from collections import Counter
from functools import cache
from hashlib import sha256

import numpy as np
import pyarrow as pa

from differential.run import WorldResult
from fixtures.census import employee_key
from fixtures.populations import generate
from fixtures.scenario import Scenario
from fixtures.world import World
from properties.check import Check
from properties.relations.edits import (
    column_replaced,
    in_force,
    initial_level,
    lean,
    nothing_drawn,
    under,
)
from properties.relations.judgement import Judgement, feasible, in_year, with_column, without
from properties.relations.quotas import moves
from properties.relations.relation import Family, Twin, TwinRelation

_ENOUGH = 15
"""Members of a family among which two seeds agreeing in all is no accident."""
_MOVES = ("hires", "experienced exits", "new-hire exits")


def _same_totals(family: Family, twin: WorldResult, judgement: Judgement, clause: str) -> None:
    """Quota totals of every year, and those of the first year by opening level."""
    mine, theirs = moves(family.result), moves(twin)
    for year in family.world.scenario.years:
        for what in _MOVES:
            judgement.equal(f"{clause}: {what}", theirs[year, what], mine[year, what], year=year)


def _hires_by_level(result: WorldResult, year: int) -> Counter[int]:
    events = in_year(result, year).events
    types, levels = events["event_type"].to_pylist(), events["level_id"].to_pylist()
    return Counter(level for event, level in zip(types, levels, strict=True) if event == "hire")


def _exits_by_level(world: World, result: WorldResult, year: int) -> Counter[int]:
    """Experienced exits of the first year by the level that the census gives."""
    people = in_force(world)
    pay = dict(zip(people["employee_id"].to_pylist(), people["pay_cents"].to_pylist(), strict=True))
    events = in_year(result, year).events
    rows = zip(events["event_type"].to_pylist(), events["employee_id"].to_pylist(), strict=True)
    return Counter(
        initial_level(world.scenario, pay[name]) for event, name in rows if event == "termination" and name in pay
    )


# --- M13


@cache
def _population() -> World:
    """400 people for two years, with every kind of draw at work on many of them."""
    rules = Scenario.create(
        end_year=2026, target_growth_rate="0.15", total_termination_rate="0.2", new_hire_termination_rate="0.4",
        promotion={"base_hazard": "0.3"},
        auto_enrollment={
            "scope": "all_eligible_employees", "opt_out_grace_period": 200,
            "opt_out_by_age": {"young": "0.5", "mid_career": "0.5", "mature": "0.5", "senior": "0.5"},
        },
        voluntary_enrollment={"probability_by_age": {"young": "0.3", "mid_career": "0.3", "mature": "0.3", "senior": "0.3"}},
    )  # fmt: skip
    return lean(World(generate(400, 13), rules))


def _other_seed(world: World) -> list[Twin]:
    seed = int.from_bytes(sha256(world.scenario.random_seed.to_bytes(8, "big")).digest()[:4], "big")
    return [Twin("other seed", under(world, {"random_seed": seed}))]


_FAMILIES: dict[str, tuple[str, tuple[str, ...]]] = {
    "experienced exits: people": ("termination", ("employee_id",)),
    "exits: dates": ("termination", ("employee_id", "event_date")),
    "hires: dates": ("hire", ("employee_id", "event_date")),
    "hires: ages": ("hire", ("employee_id", "employee_age")),
    "hires: pay": ("hire", ("employee_id", "compensation_amount")),
    "promotions: people": ("promotion", ("employee_id",)),
    "enrolments: people": ("enrollment", ("employee_id",)),
    "enrolments: dates": ("enrollment", ("employee_id", "event_date")),
    "enrolments: rates": ("enrollment", ("employee_id", "employee_deferral_rate")),
    "opt-outs: people": ("enrollment_change", ("employee_id",)),
    "opt-outs: dates": ("enrollment_change", ("employee_id", "event_date")),
}


def _seed_judged(family: Family, judgement: Judgement) -> None:
    twin = family.results.get("other seed")
    if twin is None or not feasible(family.result, twin):
        return
    _same_totals(family, twin, judgement, "totals")
    year = family.world.scenario.start_year
    mine, theirs = _hires_by_level(family.result, year), _hires_by_level(twin, year)
    judgement.equal("first year by level: hires", dict(theirs), dict(mine), year=year)
    mine, theirs = (_exits_by_level(family.world, result, year) for result in (family.result, twin))
    judgement.equal("first year by level: exits", dict(theirs), dict(mine), year=year)
    if family.world.fingerprint != _population().fingerprint:
        return  # among few people two seeds may well agree
    for clause, (event, columns) in _FAMILIES.items():
        one, other = (_facts(result, year, event, columns) for result in (family.result, twin))
        count = f"{len(one)} and {len(other)} events, all alike" if one == other else "others"
        judgement.require(
            clause,
            len(one) >= _ENOUGH and one != other,
            count,
            f"at least {_ENOUGH} events, not all alike",
            event=event,
        )
    born = [_birthdays(result, year) for result in (family.result, twin)]
    differ = len(born[0]) >= _ENOUGH and born[0] != born[1]
    judgement.require("hires: birthdays", differ, f"{len(born[0])} people, all alike", "others", event="hire")
    leaving = [{name for name in _leavers(result, year) if name.startswith("NH_")} for result in (family.result, twin)]
    differ = len(leaving[0]) >= _ENOUGH and leaving[0] != leaving[1]
    judgement.require(
        "new-hire exits: people", differ, f"{len(leaving[0])} people, all alike", "others", event="termination"
    )


def _leavers(result: WorldResult, year: int) -> set[str]:
    return {str(name) for (name,) in _facts(result, year, "termination", ("employee_id",))}


def _facts(result: WorldResult, year: int, event: str, columns: tuple[str, ...]) -> set[tuple[object, ...]]:
    events = in_year(result, year).events
    rows = zip(events["event_type"].to_pylist(), *(events[name].to_pylist() for name in columns), strict=True)
    return {row[1:] for row in rows if row[0] == event}


def _birthdays(result: WorldResult, year: int) -> set[tuple[str, int, int]]:
    """Hire and birthday: the draw of the birth day, whatever the age."""
    state = in_year(result, year).state
    rows = zip(state["employee_id"].to_pylist(), state["birth_date"].to_pylist(), strict=True)
    return {(name, born.month, born.day) for name, born in rows if name.startswith("NH_")}


M13 = TwinRelation(
    Check(
        "M13",
        "another seed",
        "Another seed leaves the totals of hires and exits of every year and, in the first, of every level; in a population of 400 "
        "it chooses other people and days in every family that is drawn.",
        {
            **{f"totals: {what}": f"{what}(seed', year) = {what}(seed, year)" for what in _MOVES},
            "first year by level: hires": "hires(seed', level) = hires(seed, level)",
            "first year by level: exits": "experienced exits(seed', opening level) = experienced exits(seed, opening level)",
            **{
                clause: f"the set of ({', '.join(columns)}) of {event} events differs, and has at least {_ENOUGH} members"
                for clause, (event, columns) in _FAMILIES.items()
            },
            "hires: birthdays": f"the set of (id, month, day) of births of new hires differs, and has at least {_ENOUGH} members",
            "new-hire exits: people": f"the set of hires who leave in their year differs, and has at least {_ENOUGH} members",
        },
    ),
    _other_seed,
    _seed_judged,
    inputs=lambda _: [_population()],
)


# --- M16


def _renamed(world: World) -> list[Twin]:
    table = world.census.table
    new = [f"R{sha256(name.encode()).hexdigest()[:20]}" for name in table["employee_id"].to_pylist()]
    ssn = [f"ID-{number:08d}" for number in range(len(new), 0, -1)]
    others = column_replaced(world, "employee_ssn", pa.array(ssn, pa.string()))
    ids = _with_ids(world, new)
    fixed = under(world, nothing_drawn(world.scenario, promoted=True, opt_out=True))
    names = {"scenario_id": "another-name", "plan_design_id": "another-plan"}
    return [
        Twin("ids", ids),
        Twin("social security numbers", others),
        Twin("scenario and plan", under(world, names)),
        Twin("nothing drawn", fixed),
        Twin("ids, nothing drawn", _with_ids(fixed, new)),
    ]


def _with_ids(world: World, new: list[str]) -> World:
    named = column_replaced(world, "employee_id", pa.array(new, pa.string()))
    keys = np.fromiter((employee_key(name) for name in new), np.uint64, len(new))
    return column_replaced(named, "employee_key", pa.array(keys))


def _renaming_judged(family: Family, judgement: Judgement) -> None:
    results, census = family.results, family.world.census.table
    if (twin := results.get("ids")) is not None and feasible(twin, family.result):
        _same_totals(family, twin, judgement, "totals")
    if (twin := results.get("social security numbers")) is not None:
        new = family.worlds["social security numbers"].census.table["employee_ssn"]
        back = dict(zip(new.to_pylist(), census["employee_ssn"].to_pylist(), strict=True))
        judgement.same("social security numbers", _mapped(twin, "employee_ssn", back), family.result)
    if (twin := results.get("scenario and plan")) is not None:
        judgement.same("scenario and plan", without(twin, ["event_id"]), _under_new_names(family))
    if (twin := results.get("ids, nothing drawn")) is not None:
        new = family.worlds["ids, nothing drawn"].census.table["employee_id"]
        back = dict(zip(new.to_pylist(), census["employee_id"].to_pylist(), strict=True))
        fixed = results.get("nothing drawn", family.result)
        found, expected = (without(result, ["event_id"]) for result in (_mapped(twin, "employee_id", back), fixed))
        judgement.same("ids, nothing drawn", found, expected)


def _under_new_names(family: Family) -> WorldResult:
    """The base, as it must read under the twin's names."""
    scenario = family.worlds["scenario and plan"].scenario
    tables = []
    for table in (without(family.result, ["event_id"]).events, family.result.state):
        for column in ("scenario_id", "plan_design_id"):
            table = with_column(table, column, pa.array([getattr(scenario, column)] * len(table), pa.string()))  # noqa: PLW2901
        tables.append(table)
    return WorldResult(tables[0], tables[1], family.result.infeasible)


def _mapped(result: WorldResult, column: str, names: dict[str, str]) -> WorldResult:
    """The result with the values of a column put back; values that are no part of the census stay."""
    tables = [
        with_column(
            table, column, pa.array([names.get(value, value) for value in table[column].to_pylist()], pa.string())
        )
        for table in (result.events, result.state)
    ]
    return WorldResult(tables[0], tables[1], result.infeasible)


M16 = TwinRelation(
    Check(
        "M16",
        "other names",
        "Other employee ids leave the totals of hires and exits, and every row where nothing is drawn; other social security "
        "numbers, scenario and plan names leave everything but themselves and event_id.",
        {
            **{f"totals: {what}": f"{what}(renamed, year) = {what}(year)" for what in _MOVES},
            "ids, nothing drawn": "rows(renamed), ids put back, less event_id = rows, with every probability 0 or 1",
            "social security numbers": "rows(renumbered), numbers put back = rows",
            "scenario and plan": "rows(other scenario_id and plan_design_id) less event_id = rows under these names",
        },
    ),
    _renamed,
    _renaming_judged,
)
