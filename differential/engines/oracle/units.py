"""Whole-number arithmetic and dates as docs/simulation.md, section 1 defines them."""

from __future__ import annotations

import datetime as dt
from calendar import isleap

ONE_DAY = dt.timedelta(days=1)


def half_up(numerator: int, denominator: int) -> int:
    """numerator / denominator to the nearest whole number, halves up; numerator >= 0, denominator > 0."""
    return (2 * numerator + denominator) // (2 * denominator)


def days_in_year(year: int) -> int:
    """365 or 366."""
    return 366 if isleap(year) else 365


def anniversary(day: dt.date, year: int) -> dt.date:
    """The month and day of `day` in `year`; of 29 February in a common year it is 28 February."""
    if day.month == 2 and day.day == 29 and not isleap(year):
        return dt.date(year, 2, 28)
    return day.replace(year=year)


def completed_years(since: dt.date, day: dt.date) -> int:
    """Age or service on `day`: the difference of the years, less 1 before the anniversary in day's year."""
    years = day.year - since.year
    if day.month != since.month:  # an anniversary never leaves its month
        return years if day.month > since.month else years - 1
    return years if day >= anniversary(since, day.year) else years - 1


def band(value: int, upper_bounds: tuple[int, ...]) -> int:
    """Position of the first upper bound above `value`; the number of bounds when there is none."""
    for position, bound in enumerate(upper_bounds):
        if value < bound:
            return position
    return len(upper_bounds)
