"""People: the static facts of each, the order of their ids, the first opening set. Source: docs/simulation.md, 2 and 5.1.

Inside the engine a person is `order`, an Int64 unique over all worlds that sorts as (world, id by UTF-8 bytes) does, so
that text is compared once per person and never again. Columns of a frame of people: FACTS, which never change, and STATE,
as it stands at the start of a year.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl
import pyarrow as pa

from differential.engines.polars.dates import anniversary, leap_index, year_of
from differential.engines.polars.draws import fold
from differential.engines.polars.parameters import Rules
from fixtures.world import World, stack_censuses

FACTS = (
    "order", "world", "employee_id", "employee_ssn", "key", "draw_key", "event_key", "birth", "birth_year", "birth_index",
    "hire", "hire_year", "hire_index", "eligible_on",
)  # fmt: skip
STATE = ("level", "pay", "enrolled", "rate", "enrolled_on", "opted_out", "balance")
_WORLD_BITS = 33
_HIRES_FROM, _AFTER_HIRES = 1 << 31, 1 << 32
_HIRES_A_YEAR = 1_000_000
HIRE_PREFIX = "NH_"


def stack(worlds: Sequence[World]) -> pl.DataFrame:
    """The censuses in engine terms: world, employee_id, employee_ssn, key, birth, hire, end, pay, rate."""
    return to_polars(stack_censuses(worlds)).select(
        "world", "employee_id", "employee_ssn",
        pl.col("employee_key").alias("key"),
        pl.col("birth_date").cast(pl.Int32).alias("birth"),
        pl.col("hire_date").cast(pl.Int32).alias("hire"),
        pl.col("termination_date").cast(pl.Int32).alias("end"),
        pl.col("pay_cents").alias("pay"),
        pl.col("deferral_bp").alias("rate"),
    )  # fmt: skip


def first_opening(census: pl.DataFrame, rules: Rules) -> pl.DataFrame:
    """The first opening set (5.1), in order, with FACTS and STATE; `rules` are the first year's."""
    bands = [rules[f"level_minimum.{index}"] for index in range(rules.levels)]
    level = pl.max_horizontal(
        pl.lit(1, dtype=pl.Int32), pl.sum_horizontal([(pl.col("pay") >= band).cast(pl.Int32) for band in bands])
    )
    present = rules.attach(census).lazy().filter(pl.col("end").is_null() & (pl.col("hire") < rules["first_day"]))
    enrolled = pl.col("rate") > 0
    people = present.with_columns(
        level.cast(pl.Int32).alias("level"),
        enrolled.alias("enrolled"),
        pl.when(enrolled).then(rules["first_day"] - 1).alias("enrolled_on"),
        pl.lit(False).alias("opted_out"),
        pl.lit(0, dtype=pl.Int64).alias("balance"),
    )
    return facts(ordered(people, rules), rules).select(*FACTS, *STATE).collect()


def ignored_hires(census: pl.DataFrame, rules: Rules) -> int:
    """Census rows hired after the opening date."""
    return int(rules.attach(census).select((pl.col("hire") >= rules["first_day"]).sum()).item())


def ordered(people: pl.LazyFrame, rules: Rules) -> pl.LazyFrame:
    """The people in order, with `order`. Hires of the simulation take the place of their numbered ids."""
    name = pl.col("employee_id")
    is_hire = name.str.starts_with(HIRE_PREFIX)
    year, number = (name.str.slice(start, size).cast(pl.Int64, strict=False) for start, size in ((3, 4), (8, 6)))
    first_year = (rules["year"] - rules.offset).cast(pl.Int64)
    position = pl.int_range(pl.len(), dtype=pl.Int64)
    within = (
        pl.when(is_hire).then(_HIRES_FROM + (year - first_year) * _HIRES_A_YEAR + number)
        .when(name < HIRE_PREFIX).then(position)
        .otherwise(_AFTER_HIRES + position)
    )  # fmt: skip
    order = pl.col("world").cast(pl.Int64) * (1 << _WORLD_BITS) + within
    return people.sort("world", "employee_id").with_columns(order.alias("order"))


def hire_order(offset: int, number: pl.Expr) -> pl.Expr:
    """The order of a hire by its year offset and number; reads `world`."""
    within = _HIRES_FROM + offset * _HIRES_A_YEAR + number.cast(pl.Int64)
    return pl.col("world").cast(pl.Int64) * (1 << _WORLD_BITS) + within


def facts(people: pl.LazyFrame, rules: Rules) -> pl.LazyFrame:
    """Adds what follows from id, birth and hire alone, and the eligibility date (5.8); needs attached rules."""
    birth, hire = pl.col("birth"), pl.col("hire")
    people = people.with_columns(
        year_of(birth).alias("birth_year"),
        year_of(hire).alias("hire_year"),
        fold(rules["seed_key"], pl.col("key")).alias("draw_key"),
        fold(rules["event_base"], pl.col("key")).alias("event_key"),
    )
    people = people.with_columns(
        leap_index(birth, pl.col("birth_year")).alias("birth_index"),
        leap_index(hire, pl.col("hire_year")).alias("hire_index"),
    )
    of_age = anniversary(pl.col("birth_index"), pl.col("birth_year") + rules["eligibility.minimum_age"].cast(pl.Int32))
    waited = hire + rules["eligibility.waiting_period_days"].cast(pl.Int32)
    return people.with_columns(pl.max_horizontal(of_age, waited).alias("eligible_on"))


def to_polars(table: pa.Table) -> pl.DataFrame:
    """An Arrow table as a frame."""
    frame = pl.from_arrow(table)
    assert isinstance(frame, pl.DataFrame)
    return frame
