"""Going on from saved public tables alone: the state of the year before, or all events so far with the census."""

from __future__ import annotations

import numpy as np
import polars as pl
import pyarrow as pa

from differential.engines.polars.arrow import counts
from differential.engines.polars.draws import text_key
from differential.engines.polars.families import HIRE
from differential.engines.polars.parameters import Rules
from differential.engines.polars.people import FACTS, STATE, facts, ordered, to_polars
from differential.engines.polars.simulate import HISTORY, Saved, Simulation
from differential.schemas import EVENT_TYPES

_CODES = {name: code for code, name in enumerate(EVENT_TYPES, start=1)}


class SavedStateError(RuntimeError):
    """Saved tables that do not fit the worlds: another scenario's, or years missing."""


def restore(simulation: Simulation, first: int, events: pa.Table | None, state: pa.Table) -> Saved:
    """What the simulation needs to go on at year offset `first`.

    events, state: public tables with a first column `world`, of the years before and of the year before `first`. Without
    events the opening set comes from the state; with them it is folded from census and events.

    Raises:
        SavedStateError: a world's saved headcount is not what its own quotas left.
    """
    running = simulation.plan.running
    going_on = np.flatnonzero(running[first]) if first < len(running) else np.zeros(0, np.int64)
    rules = simulation.parameters.rules(0)
    chosen = pl.col("world").is_in(going_on.astype(np.int32))
    active = _frame(state).filter(chosen & pl.col("is_active"))
    _check_headcounts(simulation, first, active, going_on)
    if events is None:
        return Saved(opening=_opening(active, rules))
    past = _frame(events).filter(chosen)
    hires = _hires(past.filter(pl.col("event_type") == EVENT_TYPES[HIRE - 1]), rules)
    roster = pl.concat([simulation.opening.filter(chosen), hires])
    return Saved(roster=roster, history=_history(past, roster, simulation))


def _frame(table: pa.Table) -> pl.DataFrame:
    """The table with money in cents, rates in basis points and dates in days."""
    table = table.combine_chunks()
    decimals = [field.name for field in table.schema if pa.types.is_decimal(field.type)]
    frame = to_polars(table.drop_columns(decimals))
    exact = [counts(table[name].chunk(0) if table.num_rows else table[name], name) for name in decimals]
    return frame.with_columns(*exact, pl.col(pl.Date).cast(pl.Int32))


def _check_headcounts(simulation: Simulation, first: int, active: pl.DataFrame, going_on: np.ndarray) -> None:
    if not len(going_on):
        return
    found = np.bincount(active["world"].to_numpy(), minlength=len(simulation.worlds))
    expected = simulation.plan.opening[first]
    for world in going_on[found[going_on] != expected[going_on]]:
        scenario = simulation.worlds[world].scenario
        raise SavedStateError(
            f"scenario {scenario.scenario_id}, plan {scenario.plan_design_id}: the saved state of "
            f"{scenario.start_year + first - 1} has {found[world]} active people, this census and scenario leave "
            f"{expected[world]}; run the earlier years again"
        )


def _opening(active: pl.DataFrame, rules: Rules) -> pl.DataFrame:
    return _people(
        active.select(
            "world", "employee_id", "employee_ssn",
            pl.col("birth_date").alias("birth"),
            pl.col("hire_date").alias("hire"),
            pl.col("current_level").alias("level"),
            pl.col("current_salary").alias("pay"),
            pl.col("is_enrolled").alias("enrolled"),
            pl.col("deferral_rate").cast(pl.Int32).alias("rate"),
            pl.col("enrollment_date").alias("enrolled_on"),
            pl.col("has_opted_out").alias("opted_out"),
            pl.col("account_balance").alias("balance"),
        ),
        rules,
    )  # fmt: skip


def _hires(events: pl.DataFrame, rules: Rules) -> pl.DataFrame:
    birth = pl.col("event_payload").str.extract(r'"birth_date":"(\d{4}-\d\d-\d\d)"').str.to_date("%Y-%m-%d")
    return _people(
        events.select(
            "world", "employee_id", "employee_ssn",
            birth.cast(pl.Int32).alias("birth"),
            pl.col("event_date").alias("hire"),
            pl.col("level_id").alias("level"),
            pl.col("compensation_amount").alias("pay"),
            pl.lit(False).alias("enrolled"),
            pl.lit(0, dtype=pl.Int32).alias("rate"),
            pl.lit(None, dtype=pl.Int32).alias("enrolled_on"),
            pl.lit(False).alias("opted_out"),
            pl.lit(0, dtype=pl.Int64).alias("balance"),
        ),
        rules,
    )  # fmt: skip


def _people(people: pl.DataFrame, rules: Rules) -> pl.DataFrame:
    keys = pl.Series("key", [text_key(name) for name in people["employee_id"]], dtype=pl.UInt64)
    attached = rules.attach(people.with_columns(keys)).lazy()
    return facts(ordered(attached, rules), rules).select(*FACTS, *STATE).collect()


def _history(events: pl.DataFrame, roster: pl.DataFrame, simulation: Simulation) -> pl.DataFrame:
    starts = pl.DataFrame(
        {"world": np.arange(len(simulation.worlds), dtype=np.int32), "start": simulation.parameters.start}
    )
    columns = {
        "offset": (pl.col("simulation_year") - pl.col("start")).cast(pl.Int32),
        "sequence": pl.col("event_sequence"),
        "code": pl.col("event_type").replace_strict(_CODES, return_dtype=pl.UInt8),
        "day": pl.col("event_date"),
        "amount": pl.col("compensation_amount"),
        "rate": pl.col("employee_deferral_rate").cast(pl.Int32),
        "level": pl.col("level_id"),
    }
    located = events.join(roster.select("world", "employee_id", "order"), on=["world", "employee_id"]).join(
        starts, on="world"
    )
    return located.select("order", *(value.alias(name) for name, value in columns.items())).select(HISTORY)
