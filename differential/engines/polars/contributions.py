"""Money into the plan and prorated pay of one person. Source: docs/simulation.md, 5.11.

Pay is constant between 1 January, 1 February and 15 July; the rate between enrolment, escalation day and opt-out. So a sum
over segments is, for each window of constant rate, the opening pay over all its days and each step in pay over the days
from that step on.
"""

from __future__ import annotations

import polars as pl

from differential.engines.polars.dates import age_on
from differential.engines.polars.parameters import Rules
from differential.engines.polars.pay import half_up
from fixtures.units import BASIS_POINTS

CATCH_UP_AGE = 50
_WINDOWS = ("employed", "before", "after")  # the year's, the plan's before and from the escalation


def contributions(people: pl.LazyFrame, rules: Rules, tiers: int) -> pl.LazyFrame:
    """Adds `prorated`, `contribution`, `match`, `core` (cents) and `catch_up`; `tiers` = most tiers of any world."""
    people = _days(people, rules)
    limit = rules["limits.compensation"]
    pays = ("pay", "promoted_pay", "final_pay")
    people = people.with_columns(pl.min_horizontal(pay, limit).alias(f"{pay}_in_limit") for pay in pays)
    people = people.with_columns(
        *(_pay_days(window, "").alias(f"{window}_pay_days") for window in _WINDOWS),
        *(_pay_days(window, "_in_limit").alias(f"{window}_limited_pay_days") for window in _WINDOWS),
        _matched(rules, pl.col("rate_before"), tiers).alias("match_before"),
        _matched(rules, pl.col("final_rate"), tiers).alias("match_after"),
        (age_on(rules["year_end"], rules["year"]) >= CATCH_UP_AGE).alias("catch_up"),
    )
    return _annual_additions(people.with_columns(*_amounts(rules)), rules)


def _days(people: pl.LazyFrame, rules: Rules) -> pl.LazyFrame:
    """Adds days of each window: `<window>_days`, and those from promotion day and raise day on."""
    out_on = pl.col("opts_out_on").fill_null(rules["year_end"] + 1)
    plan_first = pl.max_horizontal("first", "member_since")
    plan_last = pl.min_horizontal(pl.col("last"), out_on - 1)
    raise_rate_on = pl.when("escalates").then(rules["escalation_day"]).otherwise(rules["year_end"] + 1)
    windows = {
        "employed": (pl.col("first"), pl.col("last")),
        "before": (plan_first, pl.min_horizontal(plan_last, raise_rate_on - 1)),
        "after": (pl.max_horizontal(plan_first, raise_rate_on), plan_last),
    }
    people = people.with_columns(
        bound.alias(f"{window}_{name}")
        for window, bounds in windows.items()
        for name, bound in zip(("first", "last"), bounds, strict=True)
    )
    steps = {"": None, "_promoted": rules["promotion_day"], "_raised": rules["raise_day"]}
    return people.with_columns(
        _count(window, start).alias(f"{window}_days{name}") for window in _WINDOWS for name, start in steps.items()
    )


def _count(window: str, start: pl.Expr | None) -> pl.Expr:
    first, last = pl.col(f"{window}_first"), pl.col(f"{window}_last")
    days = last - (first if start is None else pl.max_horizontal(first, start)) + 1
    counted = pl.max_horizontal(days, pl.lit(0, dtype=pl.Int32)).cast(pl.Int64)
    return counted if window == "employed" else pl.when("in_plan").then(counted).otherwise(pl.lit(0, dtype=pl.Int64))


def _pay_days(window: str, limited: str) -> pl.Expr:
    """Sum over the window of pay times days, in cent days: at most 3.7e12."""
    opening, promoted, final = (pl.col(f"{pay}{limited}") for pay in ("pay", "promoted_pay", "final_pay"))
    days, from_promotion, from_raise = (pl.col(f"{window}_days{step}") for step in ("", "_promoted", "_raised"))
    return opening * days + (promoted - opening) * from_promotion + (final - promoted) * from_raise


def _matched(rules: Rules, rate: pl.Expr, tiers: int) -> pl.Expr:
    """m(r) of 5.11, in squared basis points: at most 1e8."""
    zero = pl.lit(0, dtype=pl.Int64)
    parts = [
        rules[f"tier_rate.{tier}"]
        * pl.max_horizontal(
            zero, pl.min_horizontal(rate, rules[f"tier_maximum.{tier}"]) - rules[f"tier_minimum.{tier}"]
        )
        for tier in range(tiers)
    ]
    return pl.min_horizontal(rules["match.cap"] * BASIS_POINTS, pl.sum_horizontal(parts))


def _amounts(rules: Rules) -> list[pl.Expr]:
    """Prorated pay and the three amounts before the limit on annual additions."""
    days = rules["days"].cast(pl.Int64)
    deferred = sum(
        (
            pl.col(f"{window}_pay_days") * pl.col(rate)
            for window, rate in (("before", "rate_before"), ("after", "final_rate"))
        ),
        start=pl.lit(0, dtype=pl.Int64),
    )
    limit = rules["limits.elective_deferral"] + pl.when("catch_up").then(rules["limits.catch_up"]).otherwise(0)
    core = half_up(rules["core.rate"] * pl.col("employed_limited_pay_days"), days * BASIS_POINTS)
    nothing = pl.lit(0, dtype=pl.Int64)
    return [
        half_up(pl.col("employed_pay_days"), days).alias("prorated"),
        limit.alias("deferral_limit"),
        pl.min_horizontal(limit, half_up(deferred, days * BASIS_POINTS)).alias("contribution"),
        pl.when(rules["match.enabled"]).then(match_amount(days)).otherwise(nothing).alias("full_match"),
        pl.when(pl.col("eligible_on") <= pl.col("last")).then(core).otherwise(nothing).alias("full_core"),
    ]


def match_amount(days: pl.Expr) -> pl.Expr:
    """half_up(S / (10^8 D)) with S = sum of pay days times m, up to 3.7e20: too large for 64 bits, so divided in two steps.

    With m = 10^4 q + t: floor((S + 10^8 D / 2) / (10^8 D)) = (P + (T + 5 * 10^7 D) // 10^4) // (10^4 D), where P sums pay days
    times q and T sums pay days times t; both stay below 3.7e16.
    """
    pairs = [
        (pl.col("before_limited_pay_days"), pl.col("match_before")),
        (pl.col("after_limited_pay_days"), pl.col("match_after")),
    ]
    whole = pairs[0][0] * (pairs[0][1] // BASIS_POINTS) + pairs[1][0] * (pairs[1][1] // BASIS_POINTS)
    rest = pairs[0][0] * (pairs[0][1] % BASIS_POINTS) + pairs[1][0] * (pairs[1][1] % BASIS_POINTS)
    return (whole + (rest + days * (BASIS_POINTS**2 // 2)) // BASIS_POINTS) // (days * BASIS_POINTS)


def _annual_additions(people: pl.LazyFrame, rules: Rules) -> pl.LazyFrame:
    """Lowers core, then match, by what passes the 415 limit; adds `match` and `core`."""
    zero = pl.lit(0, dtype=pl.Int64)
    base = pl.min_horizontal("contribution", rules["limits.elective_deferral"])
    over = pl.max_horizontal(zero, base + pl.col("full_match") + pl.col("full_core") - rules["limits.annual_additions"])
    return people.with_columns(over.alias("over")).with_columns(
        pl.max_horizontal(zero, pl.col("full_core") - pl.col("over")).alias("core"),
        (pl.col("full_match") - pl.max_horizontal(zero, pl.col("over") - pl.col("full_core"))).alias("match"),
    )
