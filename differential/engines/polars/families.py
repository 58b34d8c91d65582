"""The per-person families of a year: the rules in their order, and the rows of events that follow from their outcome.

Source: docs/simulation.md, section 5 (rules) and section 6 (what each event shows).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import polars as pl

from differential.engines.polars import contributions, enrolment, pay
from differential.engines.polars.dates import age_on, service_on
from differential.engines.polars.parameters import Parameters, Rules
from differential.engines.polars.people import FACTS, STATE
from differential.engines.polars.texts import TextNumbers

(
    HIRE,
    ELIGIBILITY,
    PROMOTION,
    RAISE,
    ENROLLMENT,
    ESCALATION,
    ENROLLMENT_CHANGE,
    CONTRIBUTION,
    MATCH,
    CORE,
    TERMINATION,
) = range(1, 12)
OUTCOME = (
    "row", "number", "is_hire", "end", "last", "birthday", "hire_day", "promoted", "hazard", "new_level", "promoted_pay",
    "raised", "final_pay", "becomes_eligible", "enrolls", "by_default", "enrolls_on", "first_rate", "opts_out", "opts_out_on",
    "escalates", "rate_before", "final_rate", "in_plan", "member_since", "prorated", "contribution", "match", "core", "catch_up",
)  # fmt: skip
EVENT_TYPES: dict[str, pl.DataType] = {
    "sort_key": pl.Int64(), "row": pl.UInt32(), "code": pl.UInt8(), "day": pl.Int32(), "amount": pl.Int64(),
    "previous": pl.Int64(), "rate": pl.Int32(), "previous_rate": pl.Int32(), "level": pl.Int32(), "age": pl.Int32(),
    "tenure": pl.Int32(), "detail": pl.Int32(),
}  # fmt: skip
_CODE_BITS, _DAY_BITS = 4, 9

Rule = Callable[[pl.LazyFrame], pl.LazyFrame]
Family = tuple[Rule, tuple[int, ...]]


def families(rules: Rules, parameters: Parameters, hazards: pl.DataFrame | None) -> list[Family]:
    """The rules in the order of section 5, each with the codes of the events it decides."""
    return [
        (lambda people: pay.window(people, rules), ()),
        (lambda people: pay.promotion(people, rules, hazards), (PROMOTION,)),
        (lambda people: pay.raises(people, rules), (RAISE, HIRE, TERMINATION)),  # an exit shows the last pay
        (lambda people: enrolment.eligibility(people, rules), (ELIGIBILITY,)),
        (lambda people: enrolment.enrolment(people, rules), (ENROLLMENT,)),
        (lambda people: enrolment.opt_out(people, rules), ()),
        (lambda people: enrolment.escalation(people, rules), (ESCALATION, ENROLLMENT_CHANGE)),
        (lambda people: contributions.contributions(people, rules, parameters.tiers), (CONTRIBUTION, MATCH, CORE)),
    ]


@dataclass(frozen=True)
class _Shape:
    """What one event type shows: whether it happens, its day, and its columns (None = null)."""

    happens: pl.Expr
    day: pl.Expr
    detail: pl.Expr
    amount: pl.Expr | None = None
    previous: pl.Expr | None = None
    rate: pl.Expr | None = None
    previous_rate: pl.Expr | None = None


def outcome(people: pl.LazyFrame, rules: Rules) -> pl.LazyFrame:
    """The columns that events, state and the next year need."""
    return people.select(*FACTS, *STATE, *OUTCOME, *rules.varying.columns)


def event_rows(people: pl.LazyFrame, rules: Rules, codes: tuple[int, ...], numbers: TextNumbers) -> pl.LazyFrame:
    """The events with these codes, one row each, with EVENT_TYPES; unordered."""
    shapes = _shapes(rules, numbers)
    parts = [_rows(people, code, shapes[code], rules) for code in codes]
    return pl.concat(parts) if len(parts) > 1 else parts[0]


def in_sequence(events: pl.DataFrame) -> pl.DataFrame:
    """The events in order of person, date and code, with `sequence`, dense from 1 per person."""
    index = pl.int_range(pl.len(), dtype=pl.Int32)
    starts = (pl.col("row") != pl.col("row").shift(1)).fill_null(True)
    first = pl.when(starts).then(index).otherwise(0).cum_max()
    return events.sort("sort_key").with_columns((index - first + 1).alias("sequence")).drop("sort_key")


def _shapes(rules: Rules, numbers: TextNumbers) -> dict[int, _Shape]:
    col, last, final_pay = pl.col, pl.col("last"), pl.col("final_pay")
    zero = pl.lit(0, dtype=pl.Int32)
    of_world = numbers.of_world
    return {
        HIRE: _Shape(col("is_hire"), col("hire"), col("number"), col("pay")),
        ELIGIBILITY: _Shape(col("becomes_eligible"), col("eligible_on"), of_world("eligibility")),
        PROMOTION: _Shape(col("promoted"), rules["promotion_day"], col("hazard"), col("promoted_pay"), col("pay")),
        RAISE: _Shape(col("raised"), rules["raise_day"], numbers.raised(), final_pay, col("promoted_pay")),
        ENROLLMENT: _Shape(
            col("enrolls"), col("enrolls_on"), numbers.enrolment(), rate=col("first_rate"), previous_rate=zero
        ),
        ESCALATION: _Shape(
            col("escalates"), rules["escalation_day"], of_world("escalation"), rate=col("final_rate"),
            previous_rate=col("rate_before"),
        ),
        ENROLLMENT_CHANGE: _Shape(
            col("opts_out"), col("opts_out_on"), numbers.opt_out(), rate=zero, previous_rate=col("final_rate")
        ),
        CONTRIBUTION: _Shape(col("contribution") > 0, last, numbers.contribution(), col("contribution")),
        MATCH: _Shape(col("match") > 0, last, of_world("match"), col("match")),
        CORE: _Shape(col("core") > 0, last, of_world("core"), col("core")),
        TERMINATION: _Shape(col("end").is_not_null(), last, numbers.termination(), final_pay),
    }  # fmt: skip


def _rows(people: pl.LazyFrame, code: int, shape: _Shape, rules: Rules) -> pl.LazyFrame:
    day, year = pl.col("day"), rules["year"]
    place = pl.col("row").cast(pl.Int64) * (1 << _DAY_BITS) + (day - rules["new_year"])
    values = {
        "amount": shape.amount, "previous": shape.previous, "rate": shape.rate, "previous_rate": shape.previous_rate,
        "level": _level(code, rules), "detail": shape.detail,
    }  # fmt: skip
    # Expressions over literals alone would give one row, and no row at all must give none: all hang on the column `row`.
    happened = people.filter(shape.happens).with_columns(shape.day.cast(pl.Int32).alias("day"))
    rows = happened.with_columns(
        (place * (1 << _CODE_BITS) + code).alias("sort_key"),
        pl.lit(code, dtype=pl.UInt8).alias("code"),
        age_on(day, year).alias("age"),
        service_on(day, year).alias("tenure"),
        *(
            (pl.lit(None) if value is None else value).cast(EVENT_TYPES[name]).alias(f"e.{name}")
            for name, value in values.items()
        ),
    )
    return rows.select(pl.col(f"e.{name}" if name in values else name).alias(name) for name in EVENT_TYPES)


def _level(code: int, rules: Rules) -> pl.Expr:
    """The level after the event on its day: on 1 February an eligibility comes before the promotion, the rest after it."""
    if code == HIRE:
        return pl.col("level")
    if code in (PROMOTION, RAISE, CONTRIBUTION, MATCH, CORE, TERMINATION):
        return pl.col("new_level")
    day, promoted_on = pl.col("day"), rules["promotion_day"]
    held = day > promoted_on if code == ELIGIBILITY else day >= promoted_on
    return pl.when(held).then("new_level").otherwise("level")
