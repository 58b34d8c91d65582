"""Scenarios of many worlds as the parameter tables of rules/schema.sql. Money in cents, rates in basis points."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate

import pyarrow as pa

from fixtures.scenario import (
    AutoEnrollment,
    DeferralAutoEscalation,
    EmployerMatch,
    Promotion,
    Scenario,
    VoluntaryEnrollment,
)
from fixtures.world import World

MAX_TIERS = 5
_INTEGERS = pa.list_(pa.int64())
_TIER = pa.struct([("minimum_bp", pa.int64()), ("maximum_bp", pa.int64()), ("match_bp", pa.int64())])
_AGE_SEGMENTS = ("young", "mid_career", "mature", "senior")
_INCOME_SEGMENTS = ("low_income", "moderate", "high", "executive")


def _match_tiers(match: EmployerMatch) -> list[dict[str, int]]:
    """Always MAX_TIERS: an empty tier adds nothing, and the rule needs no loop."""
    used = [
        {"minimum_bp": tier.employee_min, "maximum_bp": tier.employee_max, "match_bp": tier.match_rate}
        for tier in match.tiers
    ]
    return used + [{"minimum_bp": 0, "maximum_bp": 0, "match_bp": 0}] * (MAX_TIERS - len(used))


# (column, type, value); promotion hazards are in ppm, 100 to a basis point
_WORLD_COLUMNS: tuple[tuple[str, pa.DataType, Callable[[Scenario], object]], ...] = (
    ("start_year", pa.int32(), lambda s: s.start_year),
    ("years", pa.int32(), lambda s: len(s.years)),
    ("random_seed", pa.uint64(), lambda s: s.random_seed),
    ("scenario_id", pa.string(), lambda s: s.scenario_id),
    ("plan_design_id", pa.string(), lambda s: s.plan_design_id),
    ("growth_bp", pa.int64(), lambda s: s.target_growth_rate),
    ("termination_bp", pa.int64(), lambda s: s.total_termination_rate),
    ("new_hire_termination_bp", pa.int64(), lambda s: s.new_hire_termination_rate),
    ("cola_bp", pa.int64(), lambda s: s.cola_rate),
    ("minimum_age", pa.int32(), lambda s: s.eligibility.minimum_age),
    ("waiting_period_days", pa.int32(), lambda s: s.eligibility.waiting_period_days),
    ("core_enabled", pa.bool_(), lambda s: s.employer_core.enabled),
    ("core_bp", pa.int64(), lambda s: s.employer_core.contribution_rate),
    ("total_age_weight", pa.int64(), lambda s: sum(entry.weight for entry in s.new_hire_ages)),
)
_PROMOTION_COLUMNS: tuple[tuple[str, pa.DataType, Callable[[Promotion], object]], ...] = (
    ("base_hazard_ppm", pa.int64(), lambda p: p.base_hazard * 100),
    ("tenure_multipliers", _INTEGERS, lambda p: list(p.tenure_multipliers)),
    ("age_multipliers", _INTEGERS, lambda p: list(p.age_multipliers)),
    ("level_dampener_bp", pa.int64(), lambda p: p.level_dampener),
    ("max_cap_bp", pa.int64(), lambda p: p.max_cap_pct),
    ("max_cap_amount", pa.int64(), lambda p: p.max_cap_amount),
)
_AUTO_COLUMNS: tuple[tuple[str, pa.DataType, Callable[[AutoEnrollment], object]], ...] = (
    ("auto_enabled", pa.bool_(), lambda a: a.enabled),
    ("auto_everyone", pa.bool_(), lambda a: a.scope == "all_eligible_employees"),
    ("auto_cutoff", pa.date32(), lambda a: a.hire_date_cutoff),
    ("auto_window_days", pa.int32(), lambda a: a.window_days),
    ("auto_rate_bp", pa.int64(), lambda a: a.default_deferral_rate),
    ("opt_out_by_age", _INTEGERS, lambda a: _by(a.opt_out_by_age, _AGE_SEGMENTS)),
    ("opt_out_by_income", _INTEGERS, lambda a: _by(a.opt_out_by_income, _INCOME_SEGMENTS)),
    ("opt_out_grace_days", pa.int32(), lambda a: a.opt_out_grace_period),
)
_VOLUNTARY_COLUMNS: tuple[tuple[str, pa.DataType, Callable[[VoluntaryEnrollment], object]], ...] = (
    ("voluntary_enabled", pa.bool_(), lambda v: v.enabled),
    ("voluntary_by_age", _INTEGERS, lambda v: _by(v.probability_by_age, _AGE_SEGMENTS)),
    ("voluntary_by_income", _INTEGERS, lambda v: _by(v.probability_by_income, _INCOME_SEGMENTS)),
    ("voluntary_minimum", _INTEGERS, lambda v: _by(v.minimum_rate_by_age, _AGE_SEGMENTS)),
    ("voluntary_maximum", _INTEGERS, lambda v: _by(v.maximum_rate_by_age, _AGE_SEGMENTS)),
)
_ESCALATION_COLUMNS: tuple[tuple[str, pa.DataType, Callable[[DeferralAutoEscalation], object]], ...] = (
    ("escalation_enabled", pa.bool_(), lambda e: e.enabled),
    ("escalation_month", pa.int32(), lambda e: int(e.effective_day[:2])),
    ("escalation_day_of_month", pa.int32(), lambda e: int(e.effective_day[3:])),
    ("escalation_increment_bp", pa.int64(), lambda e: e.increment_amount),
    ("escalation_maximum_bp", pa.int64(), lambda e: e.maximum_rate),
    ("escalation_cutoff", pa.date32(), lambda e: e.hire_date_cutoff),
    ("escalation_delay_years", pa.int32(), lambda e: e.first_escalation_delay_years),
)
_MATCH_COLUMNS: tuple[tuple[str, pa.DataType, Callable[[EmployerMatch], object]], ...] = (
    ("match_enabled", pa.bool_(), lambda m: m.enabled),
    ("match_tiers", pa.list_(_TIER), _match_tiers),
    ("match_cap_bp", pa.int64(), lambda m: m.cap_percent),
)


def world_table(worlds: Sequence[World]) -> pa.Table:
    """One row per world: every parameter that has one value (or one short list of them) in a world."""
    scenarios = [world.scenario for world in worlds]
    blocks = (
        (_WORLD_COLUMNS, scenarios),
        (_PROMOTION_COLUMNS, [s.promotion for s in scenarios]),
        (_AUTO_COLUMNS, [s.auto_enrollment for s in scenarios]),
        (_VOLUNTARY_COLUMNS, [s.voluntary_enrollment for s in scenarios]),
        (_ESCALATION_COLUMNS, [s.deferral_auto_escalation for s in scenarios]),
        (_MATCH_COLUMNS, [s.employer_match for s in scenarios]),
    )
    columns: dict[str, pa.Array] = {"world": pa.array(range(len(worlds)), pa.int32())}
    for block, sources in blocks:
        for name, kind, value in block:
            columns[name] = pa.array([value(source) for source in sources], kind)  # type: ignore[arg-type]
    return pa.table(columns)


def level_table(worlds: Sequence[World]) -> pa.Table:
    """One row per world and level; the columns about the next level are null at the top."""
    return _table(
        ("world", "level", "minimum", "maximum", "merit_bp", "promotion_bp", "merit_above_bp"),
        (row for index, world in enumerate(worlds) for row in _levels(index, world.scenario)),
    )


def age_weight_table(worlds: Sequence[World]) -> pa.Table:
    """One row per world and age of new hires, with the sum of the weights before it."""
    rows = (
        (index, entry.age, below)
        for index, world in enumerate(worlds)
        for entry, below in zip(
            world.scenario.new_hire_ages,
            accumulate((entry.weight for entry in world.scenario.new_hire_ages), initial=0),
            strict=False,
        )
    )
    return _table(("world", "age", "weight_below"), rows)


def year_table(worlds: Sequence[World]) -> pa.Table:
    """One row per world and simulated year: the limits in force."""
    rows = (
        (index, offset, year, limits.elective_deferral, limits.catch_up, limits.compensation, limits.annual_additions)
        for index, world in enumerate(worlds)
        for offset, year in enumerate(world.scenario.years)
        for limits in (world.scenario.limits[year],)
    )
    names = ("world", "year_index", "year", "elective_deferral", "catch_up", "compensation_limit", "annual_additions")
    table = _table(names, rows)
    return table.set_column(2, "year", table["year"].cast(pa.int32()))


def _by(block: object, segments: tuple[str, ...]) -> list[int]:
    return [getattr(block, segment) for segment in segments]


def _levels(index: int, scenario: Scenario) -> Iterator[tuple[int | None, ...]]:
    merit, step = scenario.merit_rates, scenario.promotion.increase_pct
    for position, level in enumerate(scenario.levels):
        above = (step[position], merit[position + 1]) if position + 1 < len(scenario.levels) else (None, None)
        yield (index, position + 1, level.minimum, level.maximum, merit[position], *above)


def _table(names: tuple[str, ...], rows: Iterator[tuple[int | None, ...]]) -> pa.Table:
    columns = list(zip(*rows, strict=True)) or [()] * len(names)
    return pa.table([pa.array(column, pa.int64()) for column in columns], names=list(names))
