"""Parameters of many worlds as expressions: a literal where all running worlds agree, else a column of the person's row.

Rules are written once, `rules["cola_rate"]`, and never ask how many worlds there are. Names follow the scenario's keys
(docs/simulation.md, section 3); money is in cents, rates in basis points, dates in days, all Int64 but dates (Int32).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from differential.engines.polars.dates import day_number, new_years
from differential.engines.polars.draws import fold_number, text_key
from fixtures.scenario import Scenario
from fixtures.units import CENTS
from fixtures.world import World

NEVER_BEFORE = day_number(dt.date(1, 1, 1))
"""Stands for "no cutoff": every hire date lies after it."""
_NO_BAND = np.iinfo(np.int64).max
_SEGMENTS_OF_AGE = ("young", "mid_career", "mature", "senior")
_SEGMENTS_OF_INCOME = ("low_income", "moderate", "high", "executive")
_DAYS = frozenset(
    "auto_cutoff escalation_cutoff first_day year new_year year_end days promotion_day raise_day escalation_day".split()
)
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
        young, mid_career, mature, senior = (self[f"{name}.{segment}"] for segment in _SEGMENTS_OF_AGE)
        return pl.when(age < 30).then(young).when(age < 45).then(mid_career).when(age < 60).then(mature).otherwise(senior)

    def by_income(self, name: str, pay: pl.Expr) -> pl.Expr:
        """A parameter given by income segment, of annual pay in cents: below 50 000, 100 000, 200 000, else."""
        low, moderate, high, executive = (self[f"{name}.{segment}"] for segment in _SEGMENTS_OF_INCOME)
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

    def detach(self, frame: pl.LazyFrame) -> pl.LazyFrame:
        """The frame without what `attach` added."""
        return frame.drop("slot", *self.varying.columns)


class Parameters:
    """The parameters of all worlds as arrays over worlds, over (worlds, levels) and over (years, worlds)."""

    def __init__(self, worlds: Sequence[World]) -> None:
        scenarios = [world.scenario for world in worlds]
        self.levels = max((len(scenario.levels) for scenario in scenarios), default=1)
        self.start = np.array([scenario.start_year for scenario in scenarios], np.int64)
        self.years = np.array([len(scenario.years) for scenario in scenarios], np.int64)
        self.tiers = max((len(scenario.employer_match.tiers) for scenario in scenarios), default=1)
        self.hire_ages = max((len(scenario.new_hire_ages) for scenario in scenarios), default=1)
        self.world: dict[str, Values] = _columns([self._of_world(scenario) for scenario in scenarios])
        self.level: dict[str, Values] = _columns([_of_levels(scenario, self.levels) for scenario in scenarios])
        self._scenarios = scenarios
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
        calendar = self._calendar(offset)
        limits = {name: values[offset] for name, values in self.limits.items()}
        expressions: dict[str, pl.Expr] = {"first_year": pl.lit(offset == 0)}
        columns: list[pl.Series] = []
        for name, values in {**self.world, **calendar, **limits}.items():
            running = values[active]
            if len(running) and (running == running[0]).all():
                expressions[name] = pl.lit(running[0].item(), dtype=_dtype(name, values))
            else:
                columns.append(pl.Series(f"p.{name}", np.repeat(values, self.levels), dtype=_dtype(name, values)))
                expressions[name] = pl.col(f"p.{name}")
        for name, values in {**self.level, **(quotas or {})}.items():
            columns.append(pl.Series(f"p.{name}", values.ravel(), dtype=_dtype(name, values)))
            expressions[name] = pl.col(f"p.{name}")
        return Rules(offset, self.levels, expressions, pl.DataFrame(columns))

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

    def _of_world(self, s: Scenario) -> dict[str, int | bool]:
        auto, voluntary, escalation = s.auto_enrollment, s.voluntary_enrollment, s.deferral_auto_escalation
        month_day = dt.date.fromisoformat(f"2001-{escalation.effective_day}")
        values: dict[str, int | bool] = {
            "seed_key": fold_number(0, s.random_seed),
            "event_base": fold_number(fold_number(0, text_key(s.scenario_id)), text_key(s.plan_design_id)),
            "first_day": day_number(dt.date(s.start_year, 1, 1)),
            "target_growth_rate": s.target_growth_rate,
            "total_termination_rate": s.total_termination_rate,
            "new_hire_termination_rate": s.new_hire_termination_rate,
            "top_level": len(s.levels),
            "cola_rate": s.cola_rate,
            "promotion.base_hazard": s.promotion.base_hazard,
            "promotion.level_dampener": s.promotion.level_dampener,
            "promotion.max_cap_pct": s.promotion.max_cap_pct,
            "promotion.max_cap_amount": s.promotion.max_cap_amount,
            "eligibility.minimum_age": s.eligibility.minimum_age,
            "eligibility.waiting_period_days": s.eligibility.waiting_period_days,
            "auto.enabled": auto.enabled and auto.default_deferral_rate > 0,
            "auto.everyone": auto.scope == "all_eligible_employees",
            "auto_cutoff": _cutoff(auto.hire_date_cutoff),
            "auto.window_days": auto.window_days,
            "auto.rate": auto.default_deferral_rate,
            "auto.grace": auto.opt_out_grace_period,
            "voluntary.enabled": voluntary.enabled,
            "escalation.enabled": escalation.enabled,
            "escalation_index": month_day.timetuple().tm_yday - 1,
            "escalation.increment": escalation.increment_amount,
            "escalation.maximum": escalation.maximum_rate,
            "escalation_cutoff": _cutoff(escalation.hire_date_cutoff),
            "escalation.delay": escalation.first_escalation_delay_years,
            "match.enabled": s.employer_match.enabled,
            "match.cap": s.employer_match.cap_percent,
            "core.rate": s.employer_core.contribution_rate if s.employer_core.enabled else 0,
        }
        for band in range(5):
            values[f"tenure_multiplier.{band}"] = s.promotion.tenure_multipliers[band]
            values[f"age_multiplier.{band}"] = s.promotion.age_multipliers[band]
        for segment in _SEGMENTS_OF_AGE:
            values[f"opt_out_by_age.{segment}"] = getattr(auto.opt_out_by_age, segment)
            values[f"probability_by_age.{segment}"] = getattr(voluntary.probability_by_age, segment)
            values[f"minimum_rate.{segment}"] = getattr(voluntary.minimum_rate_by_age, segment)
            values[f"maximum_rate.{segment}"] = getattr(voluntary.maximum_rate_by_age, segment)
        for segment in _SEGMENTS_OF_INCOME:
            values[f"opt_out_by_income.{segment}"] = getattr(auto.opt_out_by_income, segment)
            values[f"probability_by_income.{segment}"] = getattr(voluntary.probability_by_income, segment)
        for index in range(self.tiers):
            tier = s.employer_match.tiers[index] if index < len(s.employer_match.tiers) else None
            values[f"tier_minimum.{index}"] = tier.employee_min if tier else 0
            values[f"tier_maximum.{index}"] = tier.employee_max if tier else 0
            values[f"tier_rate.{index}"] = tier.match_rate if tier else 0
        for index in range(self.levels):
            values[f"level_minimum.{index}"] = s.levels[index].minimum if index < len(s.levels) else _NO_BAND
        values.update(self._hire_ages(s))
        return values

    def _hire_ages(self, s: Scenario) -> dict[str, int]:
        """Cumulative weights and the step in age after each; entries that a world lacks have the total and no step."""
        values = {"hire_age": s.new_hire_ages[0].age}
        total, age = 0, s.new_hire_ages[0].age
        for index in range(self.hire_ages):
            if index < len(s.new_hire_ages):
                total += s.new_hire_ages[index].weight
            following = s.new_hire_ages[index + 1].age if index + 1 < len(s.new_hire_ages) else age
            values[f"weight_below.{index}"], values[f"age_step.{index}"] = total, following - age
            age = following
        values["weight_total"] = total
        return values


def _of_levels(s: Scenario, levels: int) -> dict[str, list[int]]:
    merit, increase = list(s.merit_rates), list(s.promotion.increase_pct)
    spare = levels - len(merit)
    return {
        "merit": merit + [0] * spare,
        "merit_above": merit[1:] + [0] * (spare + 1),
        "increase": increase + [0] * (spare + 1),
        "band_minimum": [level.minimum for level in s.levels] + [0] * spare,
        "band_size": [level.maximum - level.minimum + 1 for level in s.levels] + [1] * spare,
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


def _cutoff(date: dt.date | None) -> int:
    return NEVER_BEFORE if date is None else day_number(date)
