"""The verdict on one pair of tables: schema and multiset of rows, exactly; scores and counts of what differs.

Source: docs/simulation.md, section 6 (tables, natural keys, canonical order). Exact by default: null, NaN, 0.0 and -0.0 are
four different values, NaN equals NaN whatever its bits, and no type is converted into another.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pyarrow as pa

from differential.comparison.changes import compare_columns
from differential.comparison.encode import comparable
from differential.comparison.matching import Columns, Matching, code_rows, match_rows
from differential.comparison.samples import sample_rows
from differential.comparison.verdict import (
    ColumnRules,
    GroupCount,
    SchemaDifference,
    Scores,
    TableComparison,
    TableSpec,
    equal_tables,
)

_EXACT = ColumnRules()


def compare_tables(
    left: pa.Table, right: pa.Table, spec: TableSpec, rules: ColumnRules | None = None, samples: int = 5
) -> TableComparison:
    """Compare two tables as multisets of rows under one schema; `samples` rows are kept of each kind of difference.

    Handles empty tables, duplicate keys, any column names and types; keys that differ in type are reported, not raised.

    Raises:
        RuleError: a tolerance on a column that is not a number.
    """
    if tables_identical(left, right):
        return equal_tables(spec, left.num_rows)
    exact = _compare(left, right, spec, _EXACT, samples)
    if exact.equal or rules is None or not (rules.tolerances or rules.ignored):
        return exact
    excused = _compare(_without(left, rules), _without(right, rules), spec, rules, samples)
    return replace(excused, equal=False, used=_rules_used(exact, excused, spec, rules))


def tables_identical(left: pa.Table, right: pa.Table) -> bool:
    """The same names and types of columns in the same order, and the same rows in the same order, exactly."""
    if left is right:
        return True
    if left.num_rows != right.num_rows or not left.schema.equals(right.schema):
        return False
    pairs = zip(left.columns, right.columns, strict=True)
    return all(comparable(one).equals(comparable(other)) for one, other in pairs)


def schema_differences(left: pa.Schema, right: pa.Schema) -> tuple[SchemaDifference, ...]:
    """What differs in names, types and order; whether a column may be null and metadata are no part of it."""
    found: list[SchemaDifference] = []
    here, there = Counter(left.names), Counter(right.names)
    for name in dict.fromkeys([*left.names, *right.names]):
        mine = ", ".join(str(left.field(index).type) for index in left.get_all_field_indices(name)) or None
        yours = ", ".join(str(right.field(index).type) for index in right.get_all_field_indices(name)) or None
        if here[name] > 1 or there[name] > 1:
            found.append(SchemaDifference("repeated", name, mine, yours))
        elif mine is None or yours is None:
            found.append(SchemaDifference("only_left" if yours is None else "only_right", name, mine, yours))
        elif not left.field(name).type.equals(right.field(name).type):
            found.append(SchemaDifference("type", name, mine, yours))
    if not found and left.names != right.names:
        index = next(i for i, (one, other) in enumerate(zip(left.names, right.names, strict=True)) if one != other)
        found.append(
            SchemaDifference("order", left.names[index], f"column {index + 1}", _place(right, left.names[index]))
        )
    return tuple(found)


def shared_columns(left: pa.Schema, right: pa.Schema) -> list[str]:
    """Names that occur once on either side with one type, in the left's order: what can be compared by value."""
    here, there = Counter(left.names), Counter(right.names)
    return [
        name
        for name in left.names
        if here[name] == there[name] == 1 and left.field(name).type.equals(right.field(name).type)
    ]


def match_tables(left: pa.Table, right: pa.Table, spec: TableSpec) -> Matching:
    """Which rows belong together, by the spec's key; nothing does where a key column is missing or of two types."""
    names = shared_columns(left.schema, right.schema)
    mine = {name: comparable(left[name]) for name in names}
    yours = {name: comparable(right[name]) for name in names}
    return _match(mine, yours, spec, (left.num_rows, right.num_rows))


def _compare(left: pa.Table, right: pa.Table, spec: TableSpec, rules: ColumnRules, samples: int) -> TableComparison:
    """The comparison of tables that are not identical; ignored columns are gone already."""
    schema = schema_differences(left.schema, right.schema)
    names = shared_columns(left.schema, right.schema)
    mine = {name: comparable(left[name]) for name in names}
    yours = {name: comparable(right[name]) for name in names}
    sizes = (left.num_rows, right.num_rows)
    matching = _match(mine, yours, spec, sizes)
    changes = compare_columns(
        left, right, [name for name in names if name not in spec.key], matching, mine, yours, rules
    )
    matched = len(matching.left)
    equal_rows = matched - int(np.count_nonzero(changes.rows))
    union = matched + matching.unmatched
    groups = [name for name in spec.groups if name in mine]
    agreement, counts = _count_agreement([mine[name] for name in groups], [yours[name] for name in groups], sizes)
    accepted = not schema and equal_rows == union
    return TableComparison(
        table=spec.name,
        left_rows=sizes[0],
        right_rows=sizes[1],
        equal=accepted,
        accepted=accepted,
        scores=Scores(agreement, _share(matched, union), 0.0 if schema else _share(equal_rows, union)),
        schema=schema,
        matched=matched,
        equal_rows=equal_rows,
        only_left=len(matching.only_left),
        only_right=len(matching.only_right),
        duplicate_left=len(matching.surplus_left),
        duplicate_right=len(matching.surplus_right),
        columns=changes.columns,
        counts=counts,
        samples=sample_rows(left, right, spec, matching, changes, samples),
    )


def _match(
    mine: dict[str, pa.ChunkedArray], yours: dict[str, pa.ChunkedArray], spec: TableSpec, sizes: tuple[int, int]
) -> Matching:
    key = [name for name in spec.key if name in mine]
    if len(key) < len(spec.key):
        key = []
    return match_rows(
        [mine[name] for name in key], [yours[name] for name in key], list(mine.values()), list(yours.values()), sizes
    )


def _count_agreement(left: Columns, right: Columns, sizes: tuple[int, int]) -> tuple[float, tuple[GroupCount, ...]]:
    """Sum of the lesser over sum of the greater count by group, and the groups that differ, the largest gap first."""
    here, there = code_rows(left, right, sizes)
    codes, first, inverse = np.unique(np.concatenate([here, there]), return_index=True, return_inverse=True)
    one = np.bincount(inverse[: sizes[0]], minlength=len(codes))
    other = np.bincount(inverse[sizes[0] :], minlength=len(codes))
    counts = []
    for group in np.flatnonzero(one != other):
        row = int(first[group])
        columns, row = (left, row) if row < sizes[0] else (right, row - sizes[0])
        counts.append(GroupCount(tuple(column[row].as_py() for column in columns), int(one[group]), int(other[group])))
    counts.sort(key=lambda count: (-abs(count.left - count.right), str(count.group)))
    return _share(int(np.minimum(one, other).sum()), int(np.maximum(one, other).sum())), tuple(counts)


def _rules_used(
    exact: TableComparison, excused: TableComparison, spec: TableSpec, rules: ColumnRules
) -> frozenset[tuple[str, str]]:
    """Which rules covered a difference that the exact comparison sees."""
    differing = {column.column for column in exact.columns} | {difference.column for difference in exact.schema}
    # without a key column rows pair otherwise, so a key that was left out cannot be seen as a changed column
    ignored = {("ignore", name) for name in rules.ignored if name in differing or name in spec.key}
    return frozenset(ignored | {("tolerance", column.column) for column in excused.columns if column.tolerated})


def _without(table: pa.Table, rules: ColumnRules) -> pa.Table:
    return table.select([index for index, name in enumerate(table.column_names) if name not in rules.ignored])


def _place(schema: pa.Schema, name: str) -> str:
    return f"column {schema.names.index(name) + 1}"


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 1.0
