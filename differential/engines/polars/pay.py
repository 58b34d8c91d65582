"""Exits' dates, promotions and raises of one person. Source: docs/simulation.md, 5.3, 5.5 to 5.7."""

from __future__ import annotations

import numpy as np
import polars as pl

from differential.engines.polars import draws
from differential.engines.polars.dates import age_on, on_leap_index, service_on
from differential.engines.polars.parameters import Rules
from fixtures.units import BASIS_POINTS, MAX_PAY_CENTS

RETIREMENT_AGE = 65
AGE_BANDS = (25, 35, 45, 55)
"""Where the second to fifth age band start, in completed years."""
TENURE_BANDS = (2, 5, 10, 20)
HAZARD_PPM_PER_BP = 100


def half_up(numerator: pl.Expr, denominator: pl.Expr | int) -> pl.Expr:
    """`half_up(a / b)` of section 1; Int64, so 2a + b must stay below 2^63."""
    return (numerator * 2 + denominator) // (denominator * 2)


def window(people: pl.LazyFrame, rules: Rules) -> pl.LazyFrame:
    """Adds the day of exit `end` (null: none), the employed window `first`..`last` and this year's anniversaries."""
    hire, new, year_end = pl.col("hire"), rules["new_year"], rules["year_end"]
    is_hire = pl.col("number").is_not_null()
    experienced = new + draws.draw_day(draws.EXPERIENCED_EXIT_DATE, rules["days"])
    of_hire = (
        hire + 1 + draws.draw_day(draws.NEW_HIRE_EXIT_DATE, pl.max_horizontal(year_end - hire, pl.lit(1, pl.Int32)))
    )
    end = pl.when(pl.col("leaves")).then(pl.when(is_hire).then(of_hire).otherwise(experienced))
    return people.with_columns(
        end.alias("end"),
        is_hire.alias("is_hire"),
        pl.when(is_hire).then(hire).otherwise(new).alias("first"),
        on_leap_index(pl.col("birth_index"), new, rules["common"]).alias("birthday"),
        on_leap_index(pl.col("hire_index"), new, rules["common"]).alias("hire_day"),
    ).with_columns(pl.col("end").fill_null(year_end).alias("last"))


def promotion(people: pl.LazyFrame, rules: Rules, hazards: pl.DataFrame | None) -> pl.LazyFrame:
    """Adds `promoted`, `hazard` (ppm), `new_level` and `promoted_pay` (5.6); hazards looked up in `hazards` where given."""
    day = rules["promotion_day"]
    service, age = service_on(day, rules["year"]), age_on(day, rules["year"])
    candidate = (
        ~pl.col("is_hire") & (pl.col("last") >= day) & (pl.col("level") < rules["top_level"])
        & (service >= 1) & (age < RETIREMENT_AGE)
    )  # fmt: skip
    bands = people.with_columns(
        candidate.alias("candidate"),
        _band(service, TENURE_BANDS).alias("tenure_band"),
        _band(age, AGE_BANDS).alias("age_band"),
    )
    if hazards is None:
        with_hazard = bands.with_columns(hazard(rules).alias("hazard"))
    else:
        with_hazard = bands.with_columns(_cell()).join(hazards.lazy(), on="cell", how="left", maintain_order="left")
    promoted = pl.col("candidate") & draws.happens(draws.PROMOTION, pl.col("hazard"))
    pay = pl.col("pay")
    raised = pl.min_horizontal(
        half_up(pay * (rules["increase"] + BASIS_POINTS), BASIS_POINTS),
        half_up(pay * (rules["promotion.max_cap_pct"] + BASIS_POINTS), BASIS_POINTS),
        pay + rules["promotion.max_cap_amount"],
        pl.lit(MAX_PAY_CENTS, dtype=pl.Int64),
    )
    return with_hazard.with_columns(promoted.alias("promoted")).with_columns(
        (pl.col("level") + pl.col("promoted").cast(pl.Int32)).alias("new_level"),
        pl.when("promoted").then(raised).otherwise(pay).alias("promoted_pay"),
    )


def hazard(rules: Rules) -> pl.Expr:
    """The promotion hazard in ppm from `level`, `tenure_band` and `age_band` (5.6), Int64."""
    tenure = _by_band(rules, "tenure_multiplier", pl.col("tenure_band"))
    age = _by_band(rules, "age_multiplier", pl.col("age_band"))
    base = rules["promotion.base_hazard"] * HAZARD_PPM_PER_BP * tenure * age // BASIS_POINTS**2
    kept = pl.max_horizontal(
        pl.lit(0, dtype=pl.Int64),
        BASIS_POINTS - rules["promotion.level_dampener"] * (pl.col("level").cast(pl.Int64) - 1),
    )
    return pl.min_horizontal(pl.lit(draws.PPM, dtype=pl.Int64), base * kept // BASIS_POINTS)


def hazard_table(rules: Rules, worlds: int) -> pl.DataFrame:
    """The hazard of every `cell`: every world, level, tenure band and age band."""
    axes = ("world", "level", "tenure_band", "age_band")
    grid = np.indices((worlds, rules.levels, 5, 5), dtype=np.int32).reshape(len(axes), -1)
    cells = pl.DataFrame(dict(zip(axes, grid, strict=True))).with_columns(pl.col("level") + 1)
    return rules.attach(cells).select(_cell(), hazard(rules).alias("hazard"))


def raises(people: pl.LazyFrame, rules: Rules) -> pl.LazyFrame:
    """Adds `raised`, `merit` (of the level held that day) and `final_pay` (5.7)."""
    day = rules["raise_day"]
    merit = pl.when("promoted").then(rules["merit_above"]).otherwise(rules["merit"])
    employed = (pl.col("hire") <= day) & (pl.col("last") >= day) & (service_on(day, rules["year"]) >= 1)
    step = pl.col("merit") + rules["cola_rate"]
    pay = pl.col("promoted_pay")
    new_pay = pl.min_horizontal(
        half_up(pay * (step + BASIS_POINTS), BASIS_POINTS), pl.lit(MAX_PAY_CENTS, dtype=pl.Int64)
    )
    return (
        people.with_columns(merit.alias("merit"))
        .with_columns((employed & (step > 0)).alias("raised"))
        .with_columns(pl.when("raised").then(new_pay).otherwise(pay).alias("final_pay"))
    )


def _cell() -> pl.Expr:
    """World, level and both bands as one number, so that a look-up compares one column."""
    return ((pl.col("slot") * 5 + pl.col("tenure_band")) * 5 + pl.col("age_band")).alias("cell")


def _band(years: pl.Expr, starts: tuple[int, ...]) -> pl.Expr:
    return pl.sum_horizontal([(years >= start).cast(pl.Int32) for start in starts]).cast(pl.Int32)


def _by_band(rules: Rules, name: str, band: pl.Expr) -> pl.Expr:
    value = rules[f"{name}.4"]
    for index in range(3, -1, -1):
        value = pl.when(band == index).then(rules[f"{name}.{index}"]).otherwise(value)
    return value
