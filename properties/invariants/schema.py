"""I36: columns, types and their order, as section 6 gives them, in every year, empty or not."""

from __future__ import annotations

import pyarrow as pa

from differential.schemas import EVENTS_SCHEMA, STATE_SCHEMA
from properties.check import Check, Violation

CHECK = Check(
    "I36",
    "Columns and types",
    "Both tables have the columns of section 6 in their order, each of its type, whether a year has rows or none.",
    {
        "events": "columns and types of fct_yearly_events = docs/simulation.md, section 6",
        "state": "columns and types of fct_workforce_snapshot = docs/simulation.md, section 6",
    },
)


def schema_violations(events: pa.Table, state: pa.Table) -> list[Violation]:
    """Both tables against section 6; the types belong to the run as a whole, so `world` is 0."""
    return [
        Violation("I36", clause, 0, found, expected)
        for clause, table, schema in (("events", events, EVENTS_SCHEMA), ("state", state, STATE_SCHEMA))
        for found, expected in _differences(table.schema, schema)
    ]


def _differences(found: pa.Schema, expected: pa.Schema) -> list[tuple[str, str]]:
    differing = [
        (
            f"{field.name}: {found.field(field.name).type if field.name in found.names else 'no such column'}",
            f"{field.name}: {field.type}",
        )
        for field in expected
        if field.name not in found.names or found.field(field.name).type != field.type
    ]
    differing += [(f"{name}: one column more", "no such column") for name in found.names if name not in expected.names]
    if not differing and found.names != expected.names:
        differing = [(", ".join(found.names), ", ".join(expected.names))]
    return differing


def conform(table: pa.Table, schema: pa.Schema) -> tuple[pa.Table, frozenset[str]]:
    """The table with exactly these columns and types, and the names of those that are missing or cannot be read as their type.

    Such a column is null throughout; whoever reads it must know.
    """
    columns, missing = [], set()
    for field in schema:
        column = table[field.name] if field.name in table.column_names else None
        if column is not None and column.type != field.type:
            try:
                column = column.cast(field.type)
            except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
                column = None
        if column is None:
            missing.add(field.name)
            column = pa.nulls(table.num_rows, field.type)
        columns.append(column)
    return pa.table(columns, schema=schema), frozenset(missing)
