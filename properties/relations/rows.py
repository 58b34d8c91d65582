"""M01, M10, M17: the order of rows, defaults written out, and rows that take no part."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import pyarrow as pa
import pyarrow.compute as pc
import yaml

from fixtures.census import Census
from fixtures.scenario import Scenario
from fixtures.world import World
from properties.check import Check
from properties.relations.edits import newcomer, under, with_people
from properties.relations.judgement import Judgement
from properties.relations.relation import Family, Twin, TwinRelation


def all_equal(clause_of: Callable[[str], str] = str) -> Callable[[Family, Judgement], None]:
    """A judge that wants every twin equal to the base, under the clause that goes with the twin's name."""

    def judge(family: Family, judgement: Judgement) -> None:
        for name, result in family.results.items():
            judgement.same(clause_of(name), result, family.result)

    return judge


# --- M01


def _shuffled(world: World) -> list[Twin]:
    order = list(range(len(world.census)))
    reverse = World(world.census.take(order[::-1]), world.scenario)
    random.Random(world.scenario.random_seed).shuffle(order)
    mixed = World(world.census.take(order), world.scenario)
    backwards = under(world, {"limits": dict(reversed(world.scenario.limits.items()))})
    return [Twin("reversed", reverse), Twin("shuffled", mixed), Twin("years of limits backwards", backwards)]


M01 = TwinRelation(
    Check(
        "M01",
        "row order",
        "The order of the census rows, and of the years in the table of limits, changes nothing in either table.",
        {
            "reversed": "run(census rows reversed) = run(census), both tables as multisets",
            "shuffled": "run(census rows shuffled) = run(census), both tables as multisets",
            "years of limits backwards": "run(limits written from the last year to the first) = run(limits)",
        },
    ),
    _shuffled,
    all_equal(),
)


# --- M10


def _other_spellings(world: World) -> list[Twin]:
    limits, years = world.scenario.limits, world.scenario.years
    other = {name: cents // 2 + 1 for name, cents in limits[years[0]]}
    strange = limits[years[0]].model_copy(update=other)
    around = {year: strange for year in (years[0] - 1, years[-1] + 1, years[-1] + 40) if year not in limits}
    return [Twin("limits of other years", under(world, {"limits": {**around, **limits}}))]


def _spellings_judged(family: Family, judgement: Judgement) -> None:
    all_equal()(family, judgement)
    scenario = family.world.scenario
    everything = Scenario.create(**scenario.to_dict())
    changes = Scenario.create(**(yaml.safe_load(scenario.to_yaml(only_changed=True)) or {}))
    judgement.equal("written out", everything.to_dict(), scenario.to_dict())
    judgement.equal("left out", changes.to_dict(), scenario.to_dict())
    census = family.world.census
    judgement.require("census", _reread(census).table.equals(census.table), "other rows", "the same rows")


def _reread(census: Census) -> Census:
    """The census as a file would have it, a deferral rate of 0 left empty, and with a column that means nothing."""
    source = census.to_source_table()
    rate = source["employee_deferral_rate"]
    empty = pc.if_else(pc.equal(rate, pa.scalar(Decimal(0), rate.type)), pa.scalar(None, rate.type), rate)
    index = source.column_names.index("employee_deferral_rate")
    source = source.set_column(index, "employee_deferral_rate", empty)
    return Census.from_frame(source.append_column("department", pa.array(["x"] * len(census))))


M10 = TwinRelation(
    Check(
        "M10",
        "defaults",
        "A default that is written out is the same as one left out, in the scenario, in the census and in the table of limits.",
        {
            "written out": "scenario(every key written) = scenario",
            "left out": "scenario(only changed keys, through YAML) = scenario",
            "census": "census(rate 0 left empty, one more column) = census",
            "limits of other years": "run(other limits written for years around) = run(limits of the simulated years)",
        },
    ),
    _other_spellings,
    _spellings_judged,
)


# --- M17


def _bystanders(world: World) -> list[Twin]:
    table, opening = world.census.table, world.opening_date
    day = dt.timedelta(days=1)
    left = newcomer(world, "left", termination_date=opening)
    late = [newcomer(world, "late", hire_date=opening + days * day) for days in (1, 366)]
    twins = [
        Twin("somebody who left on the opening date", with_people(world, [left])),
        Twin("somebody hired the day after the opening date", with_people(world, late[:1])),
        Twin("somebody hired a year after the opening date", with_people(world, late[1:])),
    ]
    staying = table.filter(pc.is_null(table["termination_date"]))
    if 0 < len(staying) < len(table):
        twins.append(Twin("without those who left", replace(world, census=Census(staying.combine_chunks()))))
    return twins


M17 = TwinRelation(
    Check(
        "M17",
        "bystanders",
        "Census rows that left by the opening date, or are hired after it, change nothing in either table.",
        {
            "without those who left": "run(census less rows with a termination date) = run(census)",
            "somebody who left on the opening date": "run(census + one row, left on 31 December) = run(census)",
            "somebody hired the day after the opening date": "run(census + one row, hired on 1 January) = run(census)",
            "somebody hired a year after the opening date": "run(census + one row, hired 366 days late) = run(census)",
        },
    ),
    _bystanders,
    all_equal(),
)
