"""Who leaves and who is hired: the global part of a year, whatever shards follow. Source: docs/simulation.md, 5.3 to 5.5."""

from __future__ import annotations

import hashlib

import numpy as np
import numpy.typing as npt
import polars as pl

from differential.engines.polars import draws
from differential.engines.polars.dates import is_common, new_year
from differential.engines.polars.parameters import Parameters, Rules
from differential.engines.polars.people import FACTS, HIRE_PREFIX, STATE, facts, hire_order

FIRST_SSN = 900_000_000
_keys_of_year: dict[int, npt.NDArray[np.uint64]] = {}
_KEPT_YEARS = 100


def headcounts(opening: pl.DataFrame, worlds: int, levels: int) -> npt.NDArray[np.int64]:
    """Opening headcount by (worlds, levels)."""
    slots = opening.select(pl.col("world") * levels + pl.col("level") - 1).to_series().to_numpy()
    return np.bincount(slots, minlength=worlds * levels).reshape(worlds, levels).astype(np.int64)


def select_exits(opening: pl.DataFrame, rules: Rules) -> pl.LazyFrame:
    """The opening set, rules attached, with `year_key`, `number` (null) and `leaves`: the quota of each level (5.3)."""
    # The rows are in order of id, so an ordinal rank settles equal draws by id.
    place = draws.raw_draw(draws.EXPERIENCED_EXIT).rank("ordinal").over("slot")
    return (
        rules.attach(opening).lazy()
        .with_columns(_year_key(rules), pl.lit(None, dtype=pl.Int32).alias("number"))
        .with_columns((place <= rules["exits"]).alias("leaves"))
    )  # fmt: skip


def make_hires(hires: npt.NDArray[np.int64], parameters: Parameters, rules: Rules) -> pl.LazyFrame:
    """This year's hires (5.4), numbered over the levels, with `leaves` (5.5); columns as select_exits.

    hires: how many by (worlds, levels).
    """
    frame = rules.attach(_numbered(hires, parameters, rules.offset))
    people = frame.lazy().with_columns(
        hire_order(rules.offset, pl.col("number")).alias("order"),
        draws.fold(rules["seed_key"], pl.col("key")).alias("draw_key"),
    ).with_columns(_year_key(rules))  # fmt: skip
    people = people.with_columns(
        (rules["new_year"] + draws.draw_day(draws.HIRE_DATE, rules["days"] - 1)).alias("hire"),
        (rules["year"] - _drawn_age(parameters, rules)).alias("birth_year"),
        (rules["band_minimum"] + draws.draw(draws.HIRE_PAY, rules["band_size"])).alias("pay"),
        *(pl.lit(value, dtype=dtype).alias(name) for name, dtype, value in _FIRST_STATE),
    )
    birth_year = pl.col("birth_year")
    birth_days = 366 - is_common(birth_year).cast(pl.Int32)
    people = people.with_columns(
        (new_year(birth_year) + draws.draw_day(draws.HIRE_BIRTH_DAY, birth_days)).alias("birth")
    )
    place = draws.raw_draw(draws.NEW_HIRE_EXIT).rank("ordinal").over("world")
    leaves = (place <= rules["new_hire_exits"]).alias("leaves")
    return facts(people, rules).with_columns(leaves)


def unite(opening: pl.LazyFrame, hires: pl.LazyFrame | None, rules: Rules) -> pl.LazyFrame:
    """Everyone of the year in order, with `row`, their place in it."""
    columns = (*FACTS, *STATE, "year_key", "number", "leaves", "slot", *rules.varying.columns)
    everyone = opening.select(columns)
    if hires is not None:
        everyone = pl.concat([everyone, hires.select(columns)]).sort("order")
    return everyone.with_row_index("row")


_FIRST_STATE = (
    ("enrolled", pl.Boolean, False),
    ("rate", pl.Int32, 0),
    ("enrolled_on", pl.Int32, None),
    ("opted_out", pl.Boolean, False),
    ("balance", pl.Int64, 0),
)


def _year_key(rules: Rules) -> pl.Expr:
    return draws.fold(pl.col("draw_key"), rules["year"].cast(pl.UInt64)).alias("year_key")


def _drawn_age(parameters: Parameters, rules: Rules) -> pl.Expr:
    """The first age whose cumulative weight is above the draw: the first one, plus the step after each weight reached."""
    drawn = draws.draw(draws.HIRE_AGE, rules["weight_total"])
    steps = [
        (drawn >= rules[f"weight_below.{index}"]).cast(pl.Int64) * rules[f"age_step.{index}"]
        for index in range(parameters.hire_ages - 1)
    ]
    return (rules["hire_age"] + pl.sum_horizontal(steps) if steps else rules["hire_age"]).cast(pl.Int32)


def _numbered(hires: npt.NDArray[np.int64], parameters: Parameters, offset: int) -> pl.DataFrame:
    """world, level, number, employee_id, employee_ssn, key of each hire, in order."""
    worlds, levels = hires.shape
    totals = hires.sum(axis=1)
    slots = np.repeat(np.arange(worlds * levels), hires.ravel())
    world = slots // levels
    number = np.arange(len(slots)) - np.repeat(np.cumsum(totals) - totals, totals) + 1
    year = parameters.start[world] + offset
    key = np.zeros(len(slots), np.uint64)
    for each in np.unique(year):
        of_year = year == each
        key[of_year] = hire_keys(int(each), int(number[of_year].max()))[number[of_year] - 1]
    frame = pl.DataFrame({"world": world, "level": slots % levels + 1, "number": number, "year": year, "key": key})
    digits = pl.col("number").cast(pl.String).str.zfill(6)
    ssn = FIRST_SSN + offset * 1_000_000 + pl.col("number")
    return frame.select(
        pl.col("world", "level", "number").cast(pl.Int32),
        "key",
        pl.concat_str(pl.lit(HIRE_PREFIX), pl.col("year").cast(pl.String), pl.lit("_"), digits).alias("employee_id"),
        pl.concat_str(pl.lit("SSN-"), ssn.cast(pl.String)).alias("employee_ssn"),
    )


def hire_keys(year: int, count: int) -> npt.NDArray[np.uint64]:
    """The employee keys (section 2) of hires 1..count of a year; the same in every world, so kept between runs."""
    known = _keys_of_year.get(year, np.zeros(0, np.uint64))
    if len(known) < count:
        digests = b"".join(
            hashlib.sha256(f"{HIRE_PREFIX}{year}_{number:06d}".encode()).digest()[:8]
            for number in range(len(known) + 1, count + 1)
        )
        known = np.concatenate([known, np.frombuffer(digests, ">u8").astype(np.uint64)])
        if len(_keys_of_year) >= _KEPT_YEARS:
            _keys_of_year.pop(next(iter(_keys_of_year)), None)
        _keys_of_year[year] = known
    return known[:count]
