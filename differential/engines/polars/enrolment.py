"""Eligibility, enrolment, opt-out and escalation of one person. Source: docs/simulation.md, 5.8 to 5.10."""

from __future__ import annotations

import polars as pl

from differential.engines.polars import draws
from differential.engines.polars.dates import age_on, leap_index, on_leap_index, year_of
from differential.engines.polars.parameters import Rules
from fixtures.units import BASIS_POINTS

PPM_PER_BP = 100


def eligibility(people: pl.LazyFrame, rules: Rules) -> pl.LazyFrame:
    """Adds `becomes_eligible`: the eligibility date lies in the year, while employed (5.8)."""
    day = pl.col("eligible_on")
    return people.with_columns(((day >= rules["new_year"]) & (day <= pl.col("last"))).alias("becomes_eligible"))


def enrolment(people: pl.LazyFrame, rules: Rules) -> pl.LazyFrame:
    """Adds `enrolls`, `by_default`, `enrolls_on` (null: no) and `first_rate` (5.9)."""
    people = _voluntary(_automatic(people, rules), rules)
    by_default = pl.col("auto") & (~pl.col("voluntary") | (pl.col("auto_on") < pl.col("voluntary_on")))
    on = pl.when("by_default").then("auto_on").when("voluntary").then("voluntary_on")
    rate = pl.when("by_default").then(rules["auto.rate"].cast(pl.Int32)).otherwise("voluntary_rate")
    return people.with_columns(
        (pl.col("auto") | pl.col("voluntary")).alias("enrolls"), by_default.alias("by_default")
    ).with_columns(on.alias("enrolls_on"), rate.alias("first_rate"))


def opt_out(people: pl.LazyFrame, rules: Rules) -> pl.LazyFrame:
    """Adds `opts_out` and `opts_out_on` (null: no) for this year's automatic enrolments (5.9)."""
    on = pl.col("enrolls_on")
    ppm = _probability(rules, "opt_out_by_age", "opt_out_by_income", age_on(on, rules["year"]))
    leaves_plan = pl.col("by_default") & draws.happens(draws.OPT_OUT, ppm)
    # The last day employed is 31 December or the termination, whichever comes first.
    day = pl.min_horizontal(on + 1 + draws.draw_day(draws.OPT_OUT_DATE, rules["auto.grace"]), "last")
    return people.with_columns(leaves_plan.alias("opts_out")).with_columns(
        pl.when("opts_out").then(day).alias("opts_out_on")
    )


def escalation(people: pl.LazyFrame, rules: Rules) -> pl.LazyFrame:
    """Adds `in_plan`, `member_since`, `rate_before` and, by 5.10, `escalates` and `final_rate`."""
    enrolls = pl.col("enrolls")
    people = people.with_columns(
        (pl.col("enrolled") | enrolls).alias("in_plan"),
        pl.when(enrolls).then("enrolls_on").otherwise("enrolled_on").alias("member_since"),
        pl.when(enrolls).then("first_rate").otherwise("rate").alias("rate_before"),
    )
    day, since, rate = rules["escalation_day"], pl.col("member_since"), pl.col("rate_before")
    since_year = year_of(since)
    due_year = since_year + rules["escalation.delay"].cast(pl.Int32)
    due_day = on_leap_index(leap_index(since, since_year), rules["new_year"], rules["common"])
    due = (due_year < rules["year"]) | ((due_year == rules["year"]) & (due_day <= day))
    # A null date (nobody's enrolment, nobody's opt-out) makes its comparison null, which the other terms decide.
    opted_out = pl.col("opted_out") | (pl.col("opts_out_on") <= day).fill_null(False)
    escalates = (
        rules["escalation.enabled"] & (pl.col("hire") <= day) & (pl.col("last") >= day)
        & pl.col("in_plan") & (since < day) & ~opted_out & due & (rate < rules["escalation.maximum"])
        & (pl.col("hire") >= rules["escalation_cutoff"])
    ).fill_null(False)  # fmt: skip
    higher = pl.min_horizontal(rules["escalation.maximum"], rate + rules["escalation.increment"]).cast(pl.Int32)
    return people.with_columns(escalates.alias("escalates")).with_columns(
        pl.when("escalates").then(higher).otherwise(rate).alias("final_rate")
    )


def _automatic(people: pl.LazyFrame, rules: Rules) -> pl.LazyFrame:
    """Adds `auto` and `auto_on`."""
    new_year, first_day, everyone = rules["new_year"], rules["first_day"], rules["auto.everyone"]
    due = pl.col("eligible_on") + rules["auto.window_days"].cast(pl.Int32)
    overdue = rules["first_year"] & everyone & (due < first_day)
    on = pl.max_horizontal(due, new_year)
    allowed = (
        rules["auto.enabled"] & ~pl.col("enrolled") & ~pl.col("opted_out") & (pl.col("hire") >= rules["auto_cutoff"])
        & (everyone | (pl.col("hire") >= first_day))
    )  # fmt: skip
    timely = (due >= new_year) | overdue
    return people.with_columns((allowed & timely & (on <= pl.col("last"))).alias("auto"), on.alias("auto_on"))


def _voluntary(people: pl.LazyFrame, rules: Rules) -> pl.LazyFrame:
    """Adds `voluntary`, `voluntary_on` and `voluntary_rate`."""
    year_end = rules["year_end"]
    # Past 31 December nobody enrols; the bound only keeps the number of days to draw from positive.
    start = pl.max_horizontal(rules["new_year"], pl.min_horizontal("eligible_on", year_end))
    people = people.with_columns(start.alias("voluntary_from")).with_columns(
        age_on(pl.col("voluntary_from"), rules["year"]).alias("voluntary_age")
    )
    start, age = pl.col("voluntary_from"), pl.col("voluntary_age")
    ppm = _probability(rules, "probability_by_age", "probability_by_income", age)
    decides = (
        rules["voluntary.enabled"] & ~pl.col("enrolled") & (pl.col("eligible_on") <= year_end)
        & draws.happens(draws.VOLUNTARY, ppm)
    )  # fmt: skip
    on = start + draws.draw_day(draws.VOLUNTARY_DATE, year_end - start + 1)
    lowest, highest = rules.by_age("minimum_rate", age), rules.by_age("maximum_rate", age)
    rate = lowest + draws.draw(draws.VOLUNTARY_RATE, highest - lowest + 1)
    return people.with_columns(
        decides.alias("voluntary"), on.alias("voluntary_on"), rate.cast(pl.Int32).alias("voluntary_rate")
    ).with_columns(pl.col("voluntary") & (pl.col("voluntary_on") <= pl.col("last")))


def _probability(rules: Rules, by_age: str, by_income: str, age: pl.Expr) -> pl.Expr:
    """Rate by age times multiplier by opening pay, in ppm, at most one."""
    product = rules.by_age(by_age, age) * PPM_PER_BP * rules.by_income(by_income, pl.col("pay")) // BASIS_POINTS
    return pl.min_horizontal(product, pl.lit(draws.PPM, dtype=pl.Int64))
