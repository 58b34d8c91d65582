"""Two results without the differences that a policy excuses, so that the first divergence found is one that counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pyarrow as pa

from differential.comparison import ComparisonPolicy
from differential.run import WorldResult
from differential.schemas import EVENT_KEY, EVENTS_TABLE, STATE_KEY, STATE_TABLE


def excused(left: WorldResult, right: WorldResult, policy: ComparisonPolicy | None) -> tuple[WorldResult, WorldResult]:
    """Ignored columns emptied on both sides, and values within tolerance on the right set to those on the left."""
    if policy is None or not policy.entries:
        return left, right
    events = _excused(left.events, right.events, policy, EVENTS_TABLE, EVENT_KEY)
    state = _excused(left.state, right.state, policy, STATE_TABLE, STATE_KEY)
    return replace(left, events=events[0], state=state[0]), replace(right, events=events[1], state=state[1])


def _excused(
    left: pa.Table, right: pa.Table, policy: ComparisonPolicy, name: str, key: Sequence[str]
) -> tuple[pa.Table, pa.Table]:
    rules = policy.rules(name)
    for column in sorted(rules.ignored):
        left, right = _emptied(left, right, column)
    tolerances = {c: t for c, t in rules.tolerances.items() if c in left.column_names and c in right.column_names}
    return left, _aligned(left, right, tolerances, key) if tolerances else right


def _emptied(left: pa.Table, right: pa.Table, column: str) -> tuple[pa.Table, pa.Table]:
    if column not in left.column_names or column not in right.column_names:
        return _dropped(left, column), _dropped(right, column)
    kind = left.schema.field(column).type
    emptied = [
        t.set_column(t.column_names.index(column), pa.field(column, kind), pa.nulls(t.num_rows, kind))
        for t in (left, right)
    ]
    return emptied[0], emptied[1]


def _dropped(table: pa.Table, column: str) -> pa.Table:
    return table.drop_columns([column]) if column in table.column_names else table


def _aligned(left: pa.Table, right: pa.Table, tolerances: Mapping[str, Decimal], key: Sequence[str]) -> pa.Table:
    known = {_key(row, key): row for row in left.select([*key, *tolerances]).to_pylist()}
    rows = right.select([*key, *tolerances]).to_pylist()
    for column, tolerance in tolerances.items():
        values = [_within(known.get(_key(row, key), row)[column], row[column], tolerance) for row in rows]
        at = right.column_names.index(column)
        right = right.set_column(at, right.schema.field(column), pa.array(values, right.schema.field(column).type))
    return right


def _key(row: Mapping[str, Any], key: Sequence[str]) -> tuple[Any, ...]:
    return tuple(row[name] for name in key)


def _within(wanted: Any, value: Any, tolerance: Decimal) -> Any:
    if wanted is None or value is None or wanted == value:
        return value
    near = abs(Decimal(str(wanted)) - Decimal(str(value))) <= tolerance
    return type(value)(wanted) if near else value
