"""M15: k copies of the census under new ids."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from hashlib import sha256

import numpy as np
import pyarrow as pa

from differential.run import WorldResult
from fixtures.census import CENSUS_SCHEMA, Census
from fixtures.populations import generate
from fixtures.scenario import Scenario
from fixtures.world import World
from properties.check import Check
from properties.relations.edits import lean
from properties.relations.judgement import Judgement, feasible
from properties.relations.quotas import moves
from properties.relations.relation import Family, Size, Twin, TwinRelation

_COPIES = 3
_LARGE = 20_000
_TWIN = "copies"
_CLAUSES = {"hires": "hires", "experienced exits": "experienced exits", "new-hire exits": "new-hire exits"}


def copied(world: World, k: int) -> World:
    """Everybody k times, under ids and social security numbers of their own."""
    table, n = world.census.table, len(world.census)
    rows = pa.concat_tables([table] * k).combine_chunks()
    ids = [f"C{number:08d}" for number in range(k * n)]
    keys = b"".join(sha256(name.encode()).digest()[:8] for name in ids)
    columns = {
        "employee_id": pa.array(ids, pa.string()),
        "employee_ssn": pa.array([f"SSN-{number:09d}" for number in range(k * n)], pa.string()),
        "employee_key": pa.array(np.frombuffer(keys, ">u8").astype(np.uint64)),
    }
    arrays = [columns.get(name, rows[name]) for name in CENSUS_SCHEMA.names]
    return World(Census(pa.Table.from_arrays(arrays, schema=CENSUS_SCHEMA)), world.scenario)


@dataclass(frozen=True)
class Slack:
    """How far k x count(census) and count(k copies) may be apart in one year, by what is counted."""

    by: Mapping[str, Fraction]


def slacks(scenario: Scenario, k: int) -> list[Slack]:
    """What rounding may do (docs/simulation.md, 5.2), year by year.

    Each quota is rounded once on either side. Half up moves a number by at most 1/2, floor and ceiling by less than 1; so k x
    one side and the other part by at most (k + 1)/2 or k, and what the year before left apart goes through the same formulas,
    which are linear but for max(0, net), and that never widens a gap.
    """
    g, t, h = (Fraction(value, 10_000) for value in (
        scenario.target_growth_rate, scenario.total_termination_rate, scenario.new_hire_termination_rate
    ))  # fmt: skip
    opening = previous = Fraction(0)
    found = []
    for _ in scenario.years:
        target = opening * (1 + g) + Fraction(k + 1, 2)
        planned = opening * t + previous * abs(h - t) + k
        net = target + opening + planned
        hires = net / (1 - h) + k if h < 1 else Fraction(0)
        found.append(Slack({"hires": hires, "experienced exits": planned + net, "new-hire exits": hires + net}))
        opening, previous = target, net
    return found


@cache
def _population(size: Size) -> World:
    """2 500 people, 7 500 in three copies; large: 20 000, which are 60 000."""
    rules = Scenario.create(end_year=2026, target_growth_rate="0.0333", total_termination_rate="0.1111")
    return lean(World(generate(2_500, 15) if size == "small" else generate(_LARGE, 16), rules))


def _inputs(size: Size) -> list[World]:
    return [_population("small")] if size == "small" else [_population("small"), _population("large")]


def _twins(world: World) -> list[Twin]:
    if world.scenario.new_hire_termination_rate == 10_000:
        return []  # feasible only where nobody is hired, which rounding decides
    return [Twin(_TWIN, copied(world, _COPIES))]


def _judge(family: Family, judgement: Judgement) -> None:
    twin = family.results.get(_TWIN)
    if twin is None or not feasible(family.result, twin):
        return
    mine, theirs = moves(family.result), moves(twin)
    for year, slack in zip(family.world.scenario.years, slacks(family.world.scenario, _COPIES), strict=True):
        for what, clause in _CLAUSES.items():
            expected, found = _COPIES * mine[year, what], theirs[year, what]
            gap = slack.by[what]
            judgement.require(
                clause,
                abs(found - expected) <= gap,
                found,
                f"{expected} within {gap.numerator // gap.denominator}",
                year=year,
            )
    _levels_judged(family, twin, judgement)


def _levels_judged(family: Family, twin: WorldResult, judgement: Judgement) -> None:
    """Nobody's initial level, age or service depends on how many others there are."""
    year = family.world.scenario.start_year
    expected = _people(family.result, year, _COPIES)
    judgement.equal("who they are", _people(twin, year, 1), expected, year=year)


def _people(result: WorldResult, year: int, times: int) -> dict[tuple[object, ...], int]:
    """Census people of the first year by birth and hire date, each counted `times` times."""
    columns = ("simulation_year", "employee_id", "birth_date", "hire_date")
    found: dict[tuple[object, ...], int] = {}
    for of, name, *facts in zip(*(result.state[column].to_pylist() for column in columns), strict=True):
        if of == year and not name.startswith("NH_"):
            found[tuple(facts)] = found.get(tuple(facts), 0) + times
    return found


M15 = TwinRelation(
    Check(
        "M15",
        "copies",
        "Three copies of the census under new ids have three times the hires and exits, within what rounding may do.",
        {
            **{
                clause: f"|{what}(3 copies, year) - 3 x {what}(census, year)| <= what rounding may do"
                for what, clause in _CLAUSES.items()
            },
            "who they are": "people(3 copies, first year) by birth and hire date = 3 x people(census, first year)",
        },
    ),
    _twins,
    _judge,
    inputs=_inputs,
)
