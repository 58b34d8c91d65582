"""M14: one employee more.

Who may be touched follows from the quotas alone: of each level the people between the two cuts, hires whose number or level
differs, new hires between the two cuts, and whoever was touched in a year before. Everybody else has the very same rows.
"""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from differential.run import WorldResult
from fixtures.world import World
from properties.check import Check
from properties.relations.edits import newcomer, with_people
from properties.relations.judgement import Judgement, feasible, in_year
from properties.relations.quotas import first_opening, opening_after, year_plan
from properties.relations.relation import Family, Twin, TwinRelation


def _one_more(world: World) -> list[Twin]:
    level = world.scenario.random_seed % len(world.scenario.levels)
    return [
        Twin("one employee more", with_people(world, [newcomer(world, "one-more")])),
        Twin(
            "one of another level more",
            with_people(world, [newcomer(world, "another", pay_cents=_pay_in(world, level))]),
        ),
    ]


def _pay_in(world: World, level: int) -> int:
    return world.scenario.levels[level].minimum


def _one_more_judged(family: Family, judgement: Judgement) -> None:
    for name, twin in family.results.items():
        if feasible(family.result, twin):
            _untouched_judged(family, family.worlds[name], twin, judgement)


def _leavers(result: WorldResult, year: int) -> list[str]:
    events = in_year(result, year).events
    rows = zip(events["event_type"].to_pylist(), events["employee_id"].to_pylist(), strict=True)
    return sorted(name for event, name in rows if event == "termination")


def _untouched_judged(family: Family, other: World, twin: WorldResult, judgement: Judgement) -> None:
    """Year by year: whoever no quota has touched has the very same rows, and the selections are those the quotas give."""
    scenario = family.world.scenario
    one, two = first_opening(family.world), first_opening(other)
    touched = set(two.levels) - set(one.levels)
    for year in scenario.years:
        plans = year_plan(scenario, year, one), year_plan(scenario, year, two)
        for result, plan in ((family.result, plans[0]), (twin, plans[1])):
            expected_leavers = sorted(plan.exits | plan.new_hire_exits)
            judgement.equal("who leaves", _leavers(result, year), expected_leavers, year=year, event="termination")
        touched |= plans[0].exits ^ plans[1].exits
        touched |= plans[0].new_hire_exits ^ plans[1].new_hire_exits
        touched |= _hires_that_differ(year, plans[0].hires, plans[1].hires)
        found, expected = (_less(in_year(result, year), touched) for result in (twin, family.result))
        judgement.same("the others", found, expected)
        one, two = (opening_after(result, year) for result in (family.result, twin))


def _hires_that_differ(year: int, one: Sequence[int], two: Sequence[int]) -> set[str]:
    """Hire numbers that only one side has, or that get another level: their pay is drawn in another band."""
    longest = max(len(one), len(two))
    levels = [tuple(side[s] if s < len(side) else 0 for side in (one, two)) for s in range(longest)]
    return {f"NH_{year}_{s:06d}" for s, (a, b) in enumerate(levels, 1) if a != b}


def _less(result: WorldResult, people: set[str]) -> WorldResult:
    """The result without some people."""

    def rest(table: pa.Table) -> pa.Table:
        keep = [name not in people for name in table["employee_id"].to_pylist()]
        return table.filter(pa.array(keep, pa.bool_()))

    return WorldResult(rest(result.events), rest(result.state), result.infeasible)


M14 = TwinRelation(
    Check(
        "M14",
        "one employee more",
        "An unrelated employee more changes nothing for anybody but those whom the quotas of the year or of a year before select "
        "otherwise: exits, hire numbers and their levels, and new-hire exits.",
        {
            "who leaves": "terminations(year) = the k smallest by (draw, id) of each level's quota, with and without the newcomer",
            "the others": "rows(person, year) with the newcomer = rows(person, year) without, for everybody whom no selection has "
            "touched by then",
        },
    ),
    _one_more,
    _one_more_judged,
)
