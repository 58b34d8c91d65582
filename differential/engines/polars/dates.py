"""Dates as Int32 days since 1970-01-01. Source: docs/simulation.md, section 1, Dates.

A date's *leap index* is its place, from 0, among the 366 days of a leap year, whatever its own year is: 29 February is 59
and 1 March always 60. An anniversary is then one addition: in a common year all from 29 February on move up a day, which
puts 29 February on the 28th.
"""

from __future__ import annotations

import datetime as dt

import numpy as np
import numpy.typing as npt
import polars as pl

_LEAP_DAY = 59
_EPOCH = 719_162  # days from 0001-01-01 to 1970-01-01


def day_number(date: dt.date) -> int:
    """Days since 1970-01-01."""
    return date.toordinal() - 1 - _EPOCH


def new_year(year: pl.Expr) -> pl.Expr:
    """1 January of an Int32 year after 0, as days."""
    before = year - 1
    return before * 365 + before // 4 - before // 100 + before // 400 - _EPOCH


def new_years(years: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """1 January of each year, as days."""
    before = years - 1
    return before * 365 + before // 4 - before // 100 + before // 400 - _EPOCH


def is_common(year: pl.Expr) -> pl.Expr:
    """Whether the year has 365 days."""
    return ((year % 4 != 0) | (year % 100 == 0)) & (year % 400 != 0)


def year_of(day: pl.Expr) -> pl.Expr:
    """The year of a day, Int32."""
    return day.cast(pl.Date).dt.year()


def leap_index(day: pl.Expr, year: pl.Expr) -> pl.Expr:
    """The leap index of a day that lies in `year`, Int32."""
    ordinal = day - new_year(year)
    return ordinal + (is_common(year) & (ordinal >= _LEAP_DAY)).cast(pl.Int32)


def on_leap_index(index: pl.Expr, first_day: pl.Expr, common: pl.Expr) -> pl.Expr:
    """The anniversary in the year that starts on `first_day`."""
    return first_day + index - (common & (index >= _LEAP_DAY)).cast(pl.Int32)


def anniversary(index: pl.Expr, year: pl.Expr) -> pl.Expr:
    """The anniversary, in any year, of a date with this leap index."""
    return on_leap_index(index, new_year(year), is_common(year))


def age_on(day: pl.Expr, year: pl.Expr) -> pl.Expr:
    """Completed years of age on a day of the simulated year; reads `birth_year` and `birthday`, that year's anniversary."""
    return year - pl.col("birth_year") - (day < pl.col("birthday")).cast(pl.Int32)


def service_on(day: pl.Expr, year: pl.Expr) -> pl.Expr:
    """Completed years of service on a day of the simulated year; reads `hire_year` and `hire_day`."""
    return year - pl.col("hire_year") - (day < pl.col("hire_day")).cast(pl.Int32)
