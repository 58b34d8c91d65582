"""M21, third part: a draw just above a probability, on it, and just below: "with p ppm" means a draw below p (section 4)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from fixtures.census import employee_key
from fixtures.changes import by_age, by_income
from fixtures.scenario import Scenario
from fixtures.world import World
from properties.relations.cases import Triple
from properties.relations.designed import AUTO, PROMOTE, START, VOLUNTARY, count, person, world
from properties.relations.quotas import draw

_MILLION = 1_000_000
_PROMOTION, _OPT_OUT, _VOLUNTARY = 9, 10, 12
"""Streams of section 4."""
_SOMEBODY = person()
Rules = Callable[[Decimal, Decimal], Mapping[str, Any]]
"""The rules under which rate (of probability) and multiplier make the person's probability."""


def _drawn(stream: int) -> int:
    """The person's draw of the first year, below a million."""
    seed = Scenario().random_seed
    return draw(employee_key(_SOMEBODY.employee_id), seed, START, stream) % _MILLION


def _factors(ppm: int) -> tuple[Decimal, Decimal]:
    """A rate and a multiplier of at most 5 whose product, in basis points, is floor(rate x multiplier / 100) = ppm."""
    for rate in range(max(1, ppm // 500), 10_001):
        multiplier = -(-100 * ppm // rate)
        if multiplier <= 50_000 and rate * multiplier // 100 == ppm:
            return Decimal(rate) / 10_000, Decimal(multiplier) / 10_000
    raise ValueError(f"no rate and multiplier of four decimals make {ppm} ppm")


def _around(stream: int, rules: Rules) -> tuple[World, World, World]:
    """One person under a probability of one ppm less than the draw, of the draw, and of one ppm more."""
    drawn = _drawn(stream)
    below, at, above = (world([_SOMEBODY], **rules(*_factors(ppm))) for ppm in (drawn - 1, drawn, drawn + 1))
    return below, at, above


def _promotion(rate: Decimal, multiplier: Decimal) -> Mapping[str, Any]:
    return {"promotion": {**PROMOTE, "base_hazard": rate, "tenure_multipliers": [multiplier] * 5}}


def _voluntary(rate: Decimal, multiplier: Decimal) -> Mapping[str, Any]:
    chances = {"probability_by_age": by_age(rate), "probability_by_income": by_income(multiplier)}
    return {"voluntary_enrollment": {**VOLUNTARY, **chances}}


def _opt_out(rate: Decimal, multiplier: Decimal) -> Mapping[str, Any]:
    chances = {"opt_out_by_age": by_age(rate), "opt_out_by_income": by_income(multiplier)}
    return {"auto_enrollment": {**AUTO, **chances}}


DRAWS: tuple[Triple, ...] = (
    Triple("draw of a promotion", "5.6", _around(_PROMOTION, _promotion),
           "promotions", count("promotion"), (0, 0, 1), ("promotion",)),
    Triple("draw of an opt-out", "5.9", _around(_OPT_OUT, _opt_out),
           "opt-outs", count("enrollment_change"), (0, 0, 1), ("enrollment_change", "contribution")),
    Triple("draw of a voluntary enrolment", "5.9", _around(_VOLUNTARY, _voluntary),
           "enrolments", count("enrollment"), (0, 0, 1), ("enrollment", "contribution")),
)  # fmt: skip
