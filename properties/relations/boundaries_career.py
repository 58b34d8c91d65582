"""M21, first part: the opening set, levels, promotion and raise."""

from __future__ import annotations

import datetime as dt
from typing import Any

from fixtures.world import World
from properties.relations.cases import Triple
from properties.relations.designed import PROMOTE, count, people, rows, state, state_total, world

D = dt.date


def _by(field: str, *values: Any, **rules: Any) -> tuple[World, World, World]:
    """One person whose field takes the three values."""
    below, at, above = (world(people({field: value}), **rules) for value in values)
    return below, at, above


def _promoted(**changed: Any) -> World:
    return world(people({}), promotion={**PROMOTE, **changed})


_CERTAIN = {"promotion": PROMOTE}
_FROM_2_YEARS = {"promotion": {**PROMOTE, "tenure_multipliers": [0, 1, 1, 1, 1]}}
_FROM_25 = {"promotion": {**PROMOTE, "age_multipliers": [0, 1, 1, 1, 1]}}
_PAY = state_total("current_salary", 100)

CAREER: tuple[Triple, ...] = (
    Triple("hired by the opening date", "5.1", _by("hire_date", D(2024, 12, 30), D(2024, 12, 31), D(2025, 1, 1)),
           "state rows", rows, (1, 1, 0), ("eligibility",)),
    Triple("minimum of a level", "2", _by("pay_cents", 80_999_99, 81_000_00, 81_000_01), "level", state("current_level"),
           ([1], [2], [2])),
    Triple("age 65 at a promotion", "5.6", _by("birth_date", D(1960, 2, 2), D(1960, 2, 1), D(1960, 1, 31), **_CERTAIN),
           "promotions", count("promotion"), (1, 0, 0), ("promotion",)),
    Triple("age 25 of the promotion band", "5.6", _by("birth_date", D(2000, 2, 2), D(2000, 2, 1), D(2000, 1, 31), **_FROM_25),
           "promotions", count("promotion"), (0, 1, 1), ("promotion",)),
    Triple("a year of service at a promotion", "5.6", _by("hire_date", D(2024, 2, 2), D(2024, 2, 1), D(2024, 1, 31), **_CERTAIN),
           "promotions", count("promotion"), (0, 1, 1), ("promotion",)),
    Triple("two years of the promotion band", "5.6",
           _by("hire_date", D(2023, 2, 2), D(2023, 2, 1), D(2023, 1, 31), **_FROM_2_YEARS),
           "promotions", count("promotion"), (0, 1, 1), ("promotion",)),
    Triple("cap of a promotion in money", "5.6",
           (_promoted(max_cap_amount="11999.99"), _promoted(max_cap_amount=12_000), _promoted(max_cap_amount="12000.01")),
           "closing pay in cents", _PAY, (71_999_99, 72_000_00, 72_000_00)),
    Triple("cap of a promotion in percent", "5.6",
           (_promoted(max_cap_pct="0.1999"), _promoted(max_cap_pct="0.2"), _promoted(max_cap_pct="0.2001")),
           "closing pay in cents", _PAY, (71_994_00, 72_000_00, 72_000_00)),
    Triple("a year of service at a raise", "5.7",
           _by("hire_date", D(2024, 7, 16), D(2024, 7, 15), D(2024, 7, 14), cola_rate="0.01"),
           "raises", count("raise"), (0, 1, 1), ("raise",)),
    Triple("half a cent of a raise", "1", _by("pay_cents", 49, 50, 51, cola_rate="0.01"), "closing pay in cents", _PAY,
           (49, 51, 52)),
    Triple("greatest pay", "1", _by("pay_cents", 99_009_900_98, 99_009_900_99, 99_009_901_00, cola_rate="0.01"),
           "closing pay in cents", _PAY, (99_999_999_99, 100_000_000_00, 100_000_000_00)),
)  # fmt: skip
