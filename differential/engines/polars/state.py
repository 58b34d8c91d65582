"""State at the year's end, and the next opening set: carried from it, or folded from all events. Source: section 6 and 5.1."""

from __future__ import annotations

import polars as pl

from differential.engines.polars import families
from differential.engines.polars.parameters import Rules
from differential.engines.polars.people import FACTS, STATE

STATE_ROWS = (
    "row", "is_hire", "end", "level", "pay", "prorated", "age", "tenure", "eligible_on", "enrolled", "rate", "enrolled_on",
    "opted_out", "contribution", "match", "core", "balance",
)  # fmt: skip


def state_rows(people: pl.LazyFrame, rules: Rules) -> pl.LazyFrame:
    """One row per person of the year with STATE_ROWS; `eligible_on` is null unless eligible by the last day employed."""
    last, year = pl.col("last"), rules["year"]
    age = year - pl.col("birth_year") - (last < pl.col("birthday")).cast(pl.Int32)
    tenure = year - pl.col("hire_year") - (last < pl.col("hire_day")).cast(pl.Int32)
    eligible_on = pl.when(pl.col("eligible_on") <= last).then("eligible_on")
    return _year_end(people).with_columns(
        age.alias("age"), tenure.alias("tenure"), eligible_on.alias("eligible_on")
    ).select(STATE_ROWS)  # fmt: skip


def carried(people: pl.LazyFrame) -> pl.LazyFrame:
    """The next opening set: those who did not leave, with FACTS and STATE."""
    return _year_end(people).filter(pl.col("end").is_null()).select(*FACTS, *STATE)


def _year_end(people: pl.LazyFrame) -> pl.LazyFrame:
    """STATE as of 31 December (of the last day employed for those who left)."""
    enrolled = pl.col("in_plan") & ~pl.col("opts_out") & pl.col("end").is_null()
    return people.with_columns(enrolled.alias("enrolled")).with_columns(
        pl.col("new_level").alias("level"),
        pl.col("final_pay").alias("pay"),
        pl.when("enrolled").then("final_rate").otherwise(0).cast(pl.Int32).alias("rate"),
        pl.col("member_since").alias("enrolled_on"),
        (pl.col("opted_out") | pl.col("opts_out")).alias("opted_out"),
        (pl.col("balance") + pl.col("contribution") + pl.col("match") + pl.col("core")).alias("balance"),
    )


def folded(roster: pl.LazyFrame, history: pl.LazyFrame) -> pl.LazyFrame:
    """The next opening set from everyone's first state and all events so far, with FACTS and STATE.

    roster: the first opening set and all hires, STATE as of entry. history: `order`, `offset`, `sequence`, `code`, `day`,
    `amount`, `rate`, `level` of every event, in any order.
    """
    code = pl.col("code")
    pay_codes = code.is_in([families.HIRE, families.PROMOTION, families.RAISE])
    plan_codes = code.is_in([families.ENROLLMENT, families.ESCALATION, families.ENROLLMENT_CHANGE])
    money_codes = code.is_in([families.CONTRIBUTION, families.MATCH, families.CORE])
    rate = pl.col("rate").filter(plan_codes).last()
    last_plan_code = code.filter(plan_codes).last()
    changes = (
        history.sort("order", "offset", "sequence")
        .group_by("order", maintain_order=True)
        .agg(
            (code == families.TERMINATION).any().alias("left"),
            pl.col("amount").filter(pay_codes).last().alias("new_pay"),
            pl.col("level").filter(code == families.PROMOTION).last().alias("new_level"),
            rate.alias("new_rate"),
            (last_plan_code != families.ENROLLMENT_CHANGE).alias("new_enrolled"),
            pl.col("day").filter(code == families.ENROLLMENT).last().alias("new_enrolled_on"),
            (code == families.ENROLLMENT_CHANGE).any().alias("ever_out"),
            pl.col("amount").filter(money_codes).sum().alias("put_in"),
        )
    )
    return (
        roster.join(changes, on="order", how="left", maintain_order="left")
        .filter(~pl.col("left").fill_null(False))
        .with_columns(
            pl.coalesce("new_level", "level").alias("level"),
            pl.coalesce("new_pay", "pay").alias("pay"),
            pl.coalesce("new_enrolled", "enrolled").alias("enrolled"),
            pl.coalesce("new_rate", "rate").alias("rate"),
            pl.coalesce("new_enrolled_on", "enrolled_on").alias("enrolled_on"),
            (pl.col("opted_out") | pl.col("ever_out").fill_null(False)).alias("opted_out"),
            (pl.col("balance") + pl.col("put_in").fill_null(0)).alias("balance"),
        )
        .select(*FACTS, *STATE)
    )
