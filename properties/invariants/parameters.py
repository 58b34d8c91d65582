"""Scenarios as tables for the queries: every key under its path, `_` for `.`; money in cents, rates in basis points."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa
from pydantic import BaseModel

from fixtures.scenario import Scenario
from fixtures.world import World

LIMIT_COLUMNS = ("elective_deferral", "catch_up", "compensation", "annual_additions")
_SEGMENTS = {"young", "low_income"}
"""First keys of blocks whose values are a list by segment."""
_TYPES: dict[type, pa.DataType] = {bool: pa.bool_(), int: pa.int64(), str: pa.string()}


def scenario_table(worlds: Sequence[World]) -> pa.Table:
    """One row a world: its index `world` and every key but the limits."""
    rows = [dict(_flat(world.scenario, "")) for world in worlds]
    columns: dict[str, pa.Array] = {"world": pa.array(range(len(worlds)), pa.int32())}
    for name, default in _flat(Scenario(), ""):
        columns[name] = pa.array([row[name] for row in rows], _type_of(name, default))
    return pa.table(columns)


def level_table(worlds: Sequence[World]) -> pa.Table:
    """One row a world and level: `minimum`, `maximum`, `merit`, and `increase`, of the promotion that leaves it."""
    rows = [
        (index, number, level.minimum, level.maximum, merit, increase)
        for index, world in enumerate(worlds)
        for number, (level, merit, increase) in enumerate(
            zip(
                world.scenario.levels,
                world.scenario.merit_rates,
                [*world.scenario.promotion.increase_pct, None],
                strict=True,
            ),
            1,
        )
    ]
    return _table(("world", "level", "minimum", "maximum", "merit", "increase"), rows)


def limit_table(worlds: Sequence[World]) -> pa.Table:
    """One row a world and simulated year."""
    rows = [
        (index, year, *(getattr(world.scenario.limits[year], name) for name in LIMIT_COLUMNS))
        for index, world in enumerate(worlds)
        for year in world.scenario.years
    ]
    return _table(("world", "year", *LIMIT_COLUMNS), rows)


def _flat(model: BaseModel, prefix: str) -> Iterator[tuple[str, Any]]:
    for name in type(model).model_fields:
        value = getattr(model, name)
        if name == "limits":
            continue
        if isinstance(value, BaseModel):
            if _SEGMENTS & set(type(value).model_fields):
                yield prefix + name, [getattr(value, segment) for segment in type(value).model_fields]
            else:
                yield from _flat(value, f"{prefix}{name}_")
        elif isinstance(value, tuple):
            yield prefix + name, [dict(item) if isinstance(item, BaseModel) else item for item in value]
        else:
            yield prefix + name, value


def _type_of(name: str, default: Any) -> pa.DataType:
    if name.endswith("cutoff") or isinstance(default, dt.date):
        return pa.date32()
    if isinstance(default, list):
        first = default[0]
        item = pa.struct([(key, pa.int64()) for key in first]) if isinstance(first, dict) else pa.int64()
        return pa.list_(item)
    return _TYPES[type(default)]


def _table(names: tuple[str, ...], rows: Sequence[tuple[int | None, ...]]) -> pa.Table:
    columns = list(zip(*rows, strict=True)) or [()] * len(names)
    return pa.table([pa.array(column, pa.int64()) for column in columns], names=list(names))
