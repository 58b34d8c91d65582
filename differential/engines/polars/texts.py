"""Payload texts. Most events of a world and year share one text, so rows carry its number and texts are made once.

Hires and promotions have a text of their own per row; their rows carry the hire number and the hazard instead.
Source of the texts: docs/simulation.md, section 6, payload keys.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from fixtures.scenario import Scenario
from fixtures.units import BASIS_POINTS, CENTS

_COMMON = (
    '{"source":"auto"}', '{"source":"voluntary"}', '{"reason":"opt_out"}', '{"reason":"experienced"}', '{"reason":"new_hire"}',
)  # fmt: skip
_AUTO, _VOLUNTARY, _OPT_OUT, _EXPERIENCED, _NEW_HIRE = range(len(_COMMON))
_OF_WORLD = ("eligibility", "escalation", "contribution", "catch_up", "match", "core")


@dataclass(frozen=True)
class TextNumbers:
    """Numbers of the texts of one year: common ones, then a few per world, then raises per world and level."""

    worlds: int
    levels: int

    def enrolment(self) -> pl.Expr:
        return pl.when("by_default").then(_AUTO).otherwise(_VOLUNTARY)

    def opt_out(self) -> pl.Expr:
        return pl.lit(_OPT_OUT)

    def termination(self) -> pl.Expr:
        return pl.when("is_hire").then(_NEW_HIRE).otherwise(_EXPERIENCED)

    def of_world(self, name: str) -> pl.Expr:
        return len(_COMMON) + pl.col("world") * len(_OF_WORLD) + _OF_WORLD.index(name)

    def contribution(self) -> pl.Expr:
        return pl.when("catch_up").then(self.of_world("catch_up")).otherwise(self.of_world("contribution"))

    def raised(self) -> pl.Expr:
        first = len(_COMMON) + self.worlds * len(_OF_WORLD)
        return first + pl.col("world") * self.levels + pl.col("new_level") - 1

    def size(self) -> int:
        return len(_COMMON) + self.worlds * (len(_OF_WORLD) + self.levels)


def year_texts(scenarios: Sequence[Scenario], levels: int, offset: int, running: npt.NDArray[np.bool_]) -> list[str]:
    """The texts of a year by TextNumbers; empty for worlds that do not run it."""
    texts = list(_COMMON)
    for scenario, runs in zip(scenarios, running, strict=True):
        texts += _world_texts(scenario, scenario.start_year + offset) if runs else [""] * len(_OF_WORLD)
    for scenario, runs in zip(scenarios, running, strict=True):
        raised = [
            f'{{"cola_rate":{rate_text(scenario.cola_rate)},"merit_rate":{rate_text(merit)}}}'
            for merit in scenario.merit_rates
        ]
        texts += raised + [""] * (levels - len(raised)) if runs else [""] * levels
    return texts


def _world_texts(s: Scenario, year: int) -> list[str]:
    limits, escalation = s.limits[year], s.deferral_auto_escalation
    cap = money_text(limits.compensation)
    increment, maximum = rate_text(escalation.increment_amount), rate_text(escalation.maximum_rate)
    days = s.eligibility.waiting_period_days
    return [
        f'{{"minimum_age":{s.eligibility.minimum_age},"waiting_period_days":{days}}}',
        f'{{"increment_amount":{increment},"maximum_rate":{maximum}}}',
        f'{{"catch_up":false,"limit":{money_text(limits.elective_deferral)}}}',
        f'{{"catch_up":true,"limit":{money_text(int(limits.elective_deferral) + int(limits.catch_up))}}}',
        f'{{"compensation_limit":{cap}}}',
        f'{{"compensation_limit":{cap},"contribution_rate":{rate_text(s.employer_core.contribution_rate)}}}',
    ]


def hire_text(pay: str, birth: str, number: str) -> pl.Expr:
    """The payload of a hire from the named columns: cents, days, number."""
    cents = pl.col(pay)
    return pl.concat_str(
        pl.lit('{"annual_compensation":'), (cents // CENTS).cast(pl.String), pl.lit("."),
        (cents % CENTS).cast(pl.String).str.zfill(2), pl.lit(',"birth_date":"'), pl.col(birth).cast(pl.Date).cast(pl.String),
        pl.lit('","hire_number":'), pl.col(number).cast(pl.String), pl.lit("}"),
    )  # fmt: skip


def promotion_text(new_level: str, hazard: str) -> pl.Expr:
    """The payload of a promotion from the named columns: level after it, hazard in ppm."""
    return pl.concat_str(
        pl.lit('{"from_level":'), (pl.col(new_level) - 1).cast(pl.String), pl.lit(',"hazard_ppm":'),
        pl.col(hazard).cast(pl.String), pl.lit(',"to_level":'), pl.col(new_level).cast(pl.String), pl.lit("}"),
    )  # fmt: skip


def money_text(cents: int) -> str:
    """Cents as a number with exactly two decimals."""
    return f"{cents // CENTS}.{cents % CENTS:02d}"


def rate_text(bp: int) -> str:
    """Basis points as a number with exactly four decimals."""
    return f"{bp // BASIS_POINTS}.{bp % BASIS_POINTS:04d}"
