"""M25: empty years and empty tables."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import pyarrow as pa

from differential.comparison.exact import schema_differences
from differential.run import WorldResult
from differential.schemas import EVENTS_SCHEMA, EVENTS_TABLE, STATE_SCHEMA, STATE_TABLE
from fixtures.empties import empties
from fixtures.world import World
from properties.check import Check
from properties.relations.edits import column_replaced, nobody_moves, under
from properties.relations.judgement import Judgement
from properties.relations.relation import Family, Twin, TwinRelation


@dataclass(frozen=True)
class Empty:
    """One way to leave something empty. make: the world. events: types that then do not occur; years: from which on there are
    no rows at all, counted from the first (None: never)."""

    name: str
    make: Callable[[World], World]
    events: tuple[str, ...] = ()
    years: int | None = None


def _nobody_enrolled(world: World) -> World:
    nothing = pa.array([0] * len(world.census), pa.int32())
    off = {"voluntary_enrollment.enabled": False, "auto_enrollment.enabled": False}
    return under(column_replaced(world, "deferral_bp", nothing), off)


def _nobody_survives(world: World) -> World:
    return under(world, {"target_growth_rate": -10_000})


def _nobody_at_all(world: World) -> World:
    """Everybody is hired after the opening date."""
    hired = max(world.opening_date, *world.census.table["hire_date"].to_pylist())
    late = [hired.replace(year=hired.year + 1, day=1)] * len(world.census)
    after = column_replaced(world, "hire_date", pa.array(late, pa.date32()))
    return column_replaced(after, "termination_date", pa.nulls(len(late), pa.date32()))


def _one_level(world: World) -> World:
    """Everybody at the lowest level, all others empty."""
    pay = pa.array([1] * len(world.census), pa.int64())
    return under(column_replaced(world, "pay_cents", pay), {"promotion.base_hazard": 0, **nobody_moves()})


def _quiet(world: World) -> bool:
    """One person to whom nothing happens, as in fixtures.empties. Such worlds go alone: beside others in a pass the tables of an
    empty one are a slice of theirs and have their types. They are few, since a pass for each world is dear."""
    rules = world.scenario
    return (
        len(world.census) == 1
        and not rules.employer_core.enabled
        and rules.target_growth_rate == rules.total_termination_rate == 0
    )


_PLAN = ("enrollment", "enrollment_change", "deferral_escalation", "contribution", "employer_match")
EMPTIES = (
    Empty("nobody comes or goes", lambda world: under(world, nobody_moves()), ("hire", "termination")),
    Empty("nobody survives the first year", _nobody_survives, ("hire",), years=1),
    Empty("nobody is there to begin with", _nobody_at_all, years=0),
    Empty("nobody is enrolled", _nobody_enrolled, _PLAN),
    Empty("all levels but the lowest are empty", _one_level, ("hire", "termination", "promotion")),
)


def _judge(family: Family, judgement: Judgement) -> None:
    for empty in EMPTIES:
        result = family.results.get(empty.name)
        if result is not None and result.infeasible is None:
            _typed(result, judgement)
            _emptied(empty, family.world.scenario.start_year, result, judgement)


def _typed(result: WorldResult, judgement: Judgement) -> None:
    for name, table, schema in (
        (EVENTS_TABLE, result.events, EVENTS_SCHEMA),
        (STATE_TABLE, result.state, STATE_SCHEMA),
    ):
        wrong = schema_differences(table.schema, schema)
        found = f"{name}: {wrong[0].column} {wrong[0].left or 'is missing'}" if wrong else name
        judgement.require("typed", not wrong, found, wrong[0].right if wrong else name)


def _emptied(empty: Empty, start: int, result: WorldResult, judgement: Judgement) -> None:
    found = set(result.events["event_type"].to_pylist()) & set(empty.events)
    judgement.equal(empty.name, sorted(found), [], event=min(found, default=None))
    if empty.years is not None:
        rows = _from(start + empty.years, result.events) + _from(start + empty.years, result.state)
        judgement.equal(empty.name, rows, 0, year=start + empty.years)


def _from(year: int, table: pa.Table) -> int:
    years: Iterable[int] = table["simulation_year"].to_pylist()
    return sum(row >= year for row in years)


M25 = TwinRelation(
    Check(
        "M25",
        "empties",
        "No hires, no exits, no survivors, nobody at all, empty levels, nobody enrolled: the run completes, and its tables have "
        "the columns and types they always have.",
        {
            "typed": "columns and types of both tables = docs/simulation.md, section 6",
            **{
                empty.name: (f"no rows from year {empty.years + 1} on; " if empty.years is not None else "")
                + (f"no {', '.join(empty.events)} events" if empty.events else "")
                for empty in EMPTIES
            },
        },
    ),
    lambda world: [Twin(empty.name, empty.make(world)) for empty in EMPTIES],
    _judge,
    inputs=lambda _: empties()[1:],
    alone=_quiet,
)
