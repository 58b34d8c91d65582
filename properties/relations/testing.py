"""Engines with one fault each, for the tests: Polars' with a world changed before it runs, or its tables after."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from differential.engines import get_engine
from differential.run import Capabilities, Run, WorldResult
from differential.schemas import STATE_TABLE
from differential.variant import Variant, legacy_forced
from fixtures.world import World
from properties.relations.edits import column_replaced, under
from properties.relations.judgement import with_column

Tables = tuple[pa.Table, pa.Table]


def same_world(world: World) -> World:
    """No change before the run."""
    return world


def same_tables(_: World, result: WorldResult) -> Tables:
    """No change after the run."""
    return result.events, result.state


def never(_: Variant) -> bool:
    """On no variant."""
    return False


@dataclass(frozen=True)
class FaultyEngine:
    """A built-in engine that misunderstands a world, spoils its tables, or spoils them under some variants.

    world: what it takes a world for. tables: what it makes of its tables. spoils: variants under which everybody's pay is a cent
    too high, in the database as well. meddles: SQL run on the database after each run. ignores: it runs the default variant.
    """

    name: str
    world: Callable[[World], World] = same_world
    tables: Callable[[World, WorldResult], Tables] = same_tables
    spoils: Callable[[Variant], bool] = never
    meddles: Callable[[World], str] | None = None
    ignores: bool = False
    inner: str = "polars"

    @property
    def capabilities(self) -> Capabilities:
        return get_engine(self.inner).capabilities  # type: ignore[attr-defined, no-any-return]

    def run(self, worlds: Sequence[World], variant: Variant) -> Run:
        """As the inner engine, with the fault."""
        taken = Variant(database=variant.database) if self.ignores else variant
        return self._faulty(worlds, variant, get_engine(self.inner).run([self.world(world) for world in worlds], taken))

    def run_years(self, worlds: Sequence[World], variant: Variant, first: int, count: int) -> Run:
        """As the inner engine, with the fault; going on from a database counts as a variant of its own."""
        engine: Any = get_engine(self.inner)
        run = engine.run_years(worlds, variant, first, count)
        return self._faulty(worlds, replace(variant, resume=first or None), run)

    def _faulty(self, worlds: Sequence[World], variant: Variant, run: Run) -> Run:
        tables = [self.tables(world, result) for world, result in zip(worlds, run.results(), strict=True)]
        if self.spoils(variant):
            tables = [(events, _a_cent_more(state)) for events, state in tables]
            if variant.database is not None:
                _execute(variant, f"UPDATE {STATE_TABLE} SET current_salary = current_salary + 0.01")
        if self.meddles is not None and variant.database is not None:
            _execute(variant, *(self.meddles(world) for world in worlds))
        assert run.proof is not None
        bounds = tuple((events.num_rows, state.num_rows) for events, state in tables)
        return replace(
            run,
            events=pa.concat_tables([events for events, _ in tables]),
            state=pa.concat_tables([state for _, state in tables]),
            bounds=bounds,
            proof=replace(run.proof, engine=self.name, inputs=tuple(world.fingerprint for world in worlds)),
        )


def _execute(variant: Variant, *statements: str) -> None:
    with duckdb.connect(str(variant.database)) as connection:
        for statement in statements:
            connection.execute(statement)


def _a_cent_more(state: pa.Table) -> pa.Table:
    kind = state.schema.field("current_salary").type
    return with_column(state, "current_salary", pc.add(state["current_salary"], pa.scalar(_CENT)).cast(kind))


_CENT, _UNIT = Decimal("0.01"), Decimal("1.00")


def _plus(world: World, result: WorldResult, column: str, when: Callable[[dict[str, Any]], bool]) -> Tables:
    """The state with one more in a column, of the rows that `when` picks."""
    state = result.state
    more = _CENT if pa.types.is_decimal(state.schema.field(column).type) else 1
    values = [row[column] + more if when(row) else row[column] for row in state.to_pylist()]
    del world
    return result.events, with_column(state, column, pa.array(values, state.schema.field(column).type))


def _first_row(world: World, result: WorldResult) -> Tables:
    first = world.census.table["employee_id"][0].as_py()
    return _plus(world, result, "current_salary", lambda row: row["employee_id"] == first)


def _last_year(world: World, result: WorldResult) -> Tables:
    return _plus(world, result, "current_age", lambda row: row["simulation_year"] == world.scenario.end_year)


def _after_2040(world: World, result: WorldResult) -> Tables:
    return _plus(world, result, "current_age", lambda row: row["simulation_year"] > 2040)


def _moved_pay(world: World, result: WorldResult) -> Tables:
    moved = {row["employee_id"] for row in result.events.to_pylist() if row["event_type"] in ("promotion", "raise")}
    return _plus(world, result, "prorated_annual_compensation", lambda row: row["employee_id"] in moved)


def _dear_raises(_: World, result: WorldResult) -> Tables:
    events = result.events
    pay = events["compensation_amount"]
    more = pc.add(pay, pa.scalar(_UNIT)).cast(pay.type)
    return with_column(
        events, "compensation_amount", pc.if_else(pc.equal(events["event_type"], "raise"), more, pay)
    ), result.state


def _core_by_escalation(world: World, result: WorldResult) -> Tables:
    on = world.scenario.deferral_auto_escalation.effective_day == "05-17"
    return _plus(world, result, "employer_core_amount", lambda row: on and row["employer_core_amount"] > 0)


def _text_levels(_: World, result: WorldResult) -> Tables:
    """An empty table of events has its levels as text."""
    events = result.events
    if events.num_rows:
        return events, result.state
    index = events.column_names.index("level_id")
    return events.set_column(index, pa.field("level_id", pa.string()), pa.array([], pa.string())), result.state


def _no_empty_years(world: World, result: WorldResult) -> Tables:
    if not result.state.num_rows:
        raise ZeroDivisionError("mean pay of nobody")
    return same_tables(world, result)


def _cutoffs_a_day_late(world: World) -> World:
    """X19: > in place of >=."""
    changes = {
        f"{block}.hire_date_cutoff": cutoff + dt.timedelta(days=1)
        for block in ("auto_enrollment", "deferral_auto_escalation")
        if (cutoff := getattr(world.scenario, block).hire_date_cutoff) is not None
    }
    return under(world, changes)


def _last_limits(world: World) -> World:
    """The limits of the last year that the table has, for all years."""
    limits = world.scenario.limits
    return under(world, {"limits": dict.fromkeys(limits, limits[max(limits)])})


def _off_switch_half(world: World) -> World:
    """X25: the switch of voluntary enrolment is not honoured."""
    return under(world, {"voluntary_enrollment.enabled": True})


def _seed_by(word: Callable[[World], int]) -> Callable[[World], World]:
    return lambda world: under(world, {"random_seed": (world.scenario.random_seed + word(world)) % 2**63})


def _growth_by(bp: Callable[[World], int]) -> Callable[[World], World]:
    return lambda world: under(
        world, {"target_growth_rate": min(10_000, world.scenario.target_growth_rate + bp(world))}
    )


def _nobody_left(world: World) -> World:
    return column_replaced(world, "termination_date", pa.nulls(len(world.census), pa.date32()))


def _everybody_in_time(world: World) -> World:
    hired = world.census.table["hire_date"]
    opening = pa.scalar(world.opening_date, pa.date32())
    return column_replaced(world, "hire_date", pc.if_else(pc.greater(hired, opening), opening, hired))


def _patient_first(world: World) -> World:
    """The longer the wait asked for, the shorter the wait."""
    return under(
        world, {"eligibility.waiting_period_days": max(0, 1_095 - world.scenario.eligibility.waiting_period_days)}
    )


def _named_r(world: World) -> int:
    return 500 if str(world.census.table["employee_id"][0]).startswith("R") else 0


def _ssn_word(world: World) -> int:
    return sum(world.census.table["employee_ssn"][0].as_py().encode())


def _delete_neighbours(world: World) -> str:
    plan = world.scenario.plan_design_id
    return (
        f"DELETE FROM {STATE_TABLE} WHERE scenario_id = '{world.scenario.scenario_id}' AND plan_design_id <> '{plan}'"
    )


def _clock_into(_: World) -> str:
    return f"UPDATE {STATE_TABLE} SET account_balance = account_balance + epoch_us(now()) % 100000 / 100.0 + 0.01"


_ALL = (
    FaultyEngine("first_row", tables=_first_row),
    FaultyEngine("last_year", tables=_last_year),
    FaultyEngine("after_2040", tables=_after_2040),
    FaultyEngine("moved_pay", tables=_moved_pay),
    FaultyEngine("dear_raises", tables=_dear_raises),
    FaultyEngine("core_by_escalation", tables=_core_by_escalation),
    FaultyEngine("text_levels", tables=_text_levels),
    FaultyEngine("no_empty_years", tables=_no_empty_years),
    FaultyEngine("x19_polars", world=_cutoffs_a_day_late),
    FaultyEngine("x19_sql", world=_cutoffs_a_day_late, inner="sql"),
    FaultyEngine("x19_oracle", world=_cutoffs_a_day_late, inner="oracle"),
    FaultyEngine("last_limits", world=_last_limits),
    FaultyEngine("off_switch_half", world=_off_switch_half),
    FaultyEngine("one_seed", world=lambda world: under(world, {"random_seed": 1})),
    FaultyEngine("growth_by_seed", world=_growth_by(lambda world: world.scenario.random_seed % 4_000)),
    FaultyEngine("seed_by_headcount", world=_seed_by(lambda world: len(world.census))),
    FaultyEngine("growth_by_headcount", world=_growth_by(lambda world: 500 * (len(world.census) > 5_000))),
    FaultyEngine("growth_by_name", world=_growth_by(_named_r)),
    FaultyEngine("seed_by_ssn", world=_seed_by(_ssn_word)),
    FaultyEngine("seed_by_scenario", world=_seed_by(lambda world: len(world.scenario.scenario_id))),
    FaultyEngine("nobody_left", world=_nobody_left),
    FaultyEngine("everybody_in_time", world=_everybody_in_time),
    FaultyEngine("patient_first", world=_patient_first),
    FaultyEngine("with_threads", spoils=lambda variant: variant.threads > 1),
    FaultyEngine("with_shards", spoils=lambda variant: variant.shards > 1),
    FaultyEngine("not_high", spoils=lambda variant: variant.level != "high"),
    FaultyEngine("flagged", spoils=lambda _: legacy_forced()),
    FaultyEngine("with_batches", spoils=lambda variant: variant.batch_size is not None),
    FaultyEngine("resumed", spoils=lambda variant: variant.resume is not None),
    FaultyEngine("in_database", spoils=lambda variant: variant.database is not None),
    FaultyEngine("deletes_neighbours", meddles=_delete_neighbours),
    FaultyEngine("clock", meddles=_clock_into),
    FaultyEngine("one_way", ignores=True),
)
ENGINES = SimpleNamespace(**{engine.name: engine for engine in _ALL})


def spec(name: str) -> str:
    """The SPEC of a faulty engine."""
    return f"properties.relations.testing:ENGINES.{name}"
