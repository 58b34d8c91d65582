"""Parameters of many worlds as expressions: a literal where all running worlds agree, else a column of the person's row.

Rules are written once, `rules["cola_rate"]`, and never ask how many worlds there are. Names follow the scenario's keys
(docs/simulation.md, section 3); money is in cents, rates in basis points, dates in days, all Int64 but dates (Int32).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from differential.engines.polars.dates import new_years
from differential.engines.polars.draws import literal
from differential.engines.polars.scenario_values import (
    SEGMENTS_OF_AGE,
    SEGMENTS_OF_INCOME,
    Shape,
    level_values,
    world_values,
)
from fixtures.units import CENTS
from fixtures.world import World

_DAYS = frozenset({
    "auto_cutoff", "escalation_cutoff", "first_day", "year", "new_year", "year_end", "days", "promotion_day", "raise_day",
    "escalation_day",
})  # fmt: skip
"""Dates, years and numbers of days are Int32, so that date arithmetic stays in it."""
_KEYS = frozenset({"seed_key", "event_base"})

Values = npt.NDArray[Any]


@dataclass(frozen=True)
class Rules:
    """The parameters of one simulated year (offset from the first), of all worlds.

    offset: years since the first. varying: the columns that `attach` adds, one row per world and level.
    """

    offset: int
    levels: int
    expressions: Mapping[str, pl.Expr]
    varying: pl.DataFrame

    def __getitem__(self, name: str) -> pl.Expr:
        return self.expressions[name]

    def by_age(self, name: str, age: pl.Expr) -> pl.Expr:
        """A parameter given by age segment: below 30, 45, 60, else."""
        young, mid_career, mature, senior = (self[f"{name}.{segment}"] for segment in SEGMENTS_OF_AGE)
        return (
            pl.when(age < 30).then(young).when(age < 45).then(mid_career).when(age < 60).then(mature).otherwise(senior)
        )

    def by_income(self, name: str, pay: pl.Expr) -> pl.Expr:
        """A parameter given by income segment, of annual pay in cents: below 50 000, 100 000, 200 000, else."""
        low, moderate, high, executive = (self[f"{name}.{segment}"] for segment in SEGMENTS_OF_INCOME)
        return (
            pl.when(pay < 50_000 * CENTS).then(low)
            .when(pay < 100_000 * CENTS).then(moderate)
            .when(pay < 200_000 * CENTS).then(high)
            .otherwise(executive)
        )  # fmt: skip

    def attach(self, frame: pl.DataFrame) -> pl.DataFrame:
        """The frame with `slot` (the row's world and level as one number) and the varying parameters.

        Needs `world`; without a column `level` the parameters of level 1 are attached.
        """
        level = pl.col("level") - 1 if "level" in frame.columns else pl.lit(0, dtype=pl.Int32)
        slot = frame.select((pl.col("world") * self.levels + level).alias("slot")).to_series()
        return frame.hstack([slot, *self.varying.select(pl.all().gather(slot)).get_columns()])


class Parameters:
    """The parameters of all worlds as arrays over worlds, over (worlds, levels) and over (years, worlds)."""

    def __init__(self, worlds: Sequence[World]) -> None:
        scenarios = [world.scenario for world in worlds]
        shape = Shape.of(scenarios)
        self.levels, self.tiers, self.hire_ages = shape.levels, shape.tiers, shape.hire_ages
        self.start = np.array([scenario.start_year for scenario in scenarios], np.int64)
        self.years = np.array([len(scenario.years) for scenario in scenarios], np.int64)
        self.world: dict[str, Values] = _columns([world_values(scenario, shape) for scenario in scenarios])
        self.level: dict[str, Values] = _columns([level_values(scenario, shape) for scenario in scenarios])
        self._scenarios = scenarios
        self._constants: dict[bytes, tuple[dict[str, pl.Expr], list[pl.Series]]] = {}
        self.running = np.arange(int(self.years.max(initial=0)))[:, None] < self.years

    def restrict(self, running: npt.NDArray[np.bool_]) -> None:
        """Leave worlds out of years: what they would say then does not count any more."""
        self.running = running

    @cached_property
    def limits(self) -> dict[str, Values]:
        """Annual limits by (years, worlds), in cents; zero after a world's last year."""
        names = ("elective_deferral", "catch_up", "compensation", "annual_additions")
        table = np.zeros((len(names), len(self.running), len(self._scenarios)), np.int64)
        for world, scenario in enumerate(self._scenarios):
            for offset, year in enumerate(scenario.years):
                limit = scenario.limits[year]
                table[:, offset, world] = [getattr(limit, name) for name in names]
        return {f"limits.{name}": table[index] for index, name in enumerate(names)}

    def rules(self, offset: int, quotas: Mapping[str, Values] | None = None) -> Rules:
        """The rules of a year; `quotas` are further values by (worlds, levels)."""
        active = self.running[offset]
        expressions, columns = self._constant(active.tobytes())
        of_year = {**self._calendar(offset), **{name: values[offset] for name, values in self.limits.items()}}
        of_year_expressions, of_year_columns = self._split(of_year, active)
        expressions = {"first_year": literal(offset == 0, pl.Boolean()), **expressions, **of_year_expressions}
        columns = columns + of_year_columns
        for name, values in {**self.level, **(quotas or {})}.items():
            columns.append(pl.Series(f"p.{name}", values.ravel(), dtype=_dtype(name, values)))
            expressions[name] = pl.col(f"p.{name}")
        return Rules(offset, self.levels, expressions, pl.DataFrame(columns))

    def _constant(self, active: bytes) -> tuple[dict[str, pl.Expr], list[pl.Series]]:
        """What `_split` makes of the parameters that are the same every year; once per set of running worlds."""
        if active not in self._constants:
            self._constants[active] = self._split(self.world, np.frombuffer(active, np.bool_))
        return self._constants[active]

    def _split(
        self, parameters: Mapping[str, Values], active: npt.NDArray[np.bool_]
    ) -> tuple[dict[str, pl.Expr], list[pl.Series]]:
        """Expressions by name, and the columns that some of them read: those on which the active worlds differ."""
        expressions: dict[str, pl.Expr] = {}
        columns: list[pl.Series] = []
        for name, values in parameters.items():
            running = values[active]
            if len(running) and (running == running[0]).all():
                expressions[name] = literal(running[0].item(), _dtype(name, values))
            else:
                columns.append(pl.Series(f"p.{name}", np.repeat(values, self.levels), dtype=_dtype(name, values)))
                expressions[name] = pl.col(f"p.{name}")
        return expressions, columns

    def _calendar(self, offset: int) -> dict[str, Values]:
        year = self.start + offset
        first = new_years(year)
        days = new_years(year + 1) - first
        common = days == 365
        after_february = first + days - 365  # what 1 January would be were the year common, seen from March on
        late = self.world["escalation_index"] >= 59
        return {
            "year": year,
            "new_year": first,
            "year_end": first + days - 1,
            "days": days,
            "common": common,
            "promotion_day": first + 31,
            "raise_day": after_february + 195,
            "escalation_day": np.where(late, after_february, first) + self.world["escalation_index"],
        }


def _columns(rows: Iterable[Mapping[str, Any]]) -> dict[str, Values]:
    records = list(rows)
    names = records[0] if records else {}
    return {name: np.array([record[name] for record in records], _numpy(name, records[0][name])) for name in names}


def _numpy(name: str, example: object) -> type[np.generic]:
    if isinstance(example, bool):
        return np.bool_
    return np.uint64 if name in _KEYS else np.int64


def _dtype(name: str, values: Values) -> pl.DataType:
    if values.dtype == np.bool_:
        return pl.Boolean()
    if name in _KEYS:
        return pl.UInt64()
    return pl.Int32() if name in _DAYS else pl.Int64()
