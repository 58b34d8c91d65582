"""What a comparison of two tables is asked and what it answers.

Source: docs/simulation.md, section 6 (tables, natural keys, canonical order). Default is exact for everything: null, NaN,
0.0 and -0.0 are four different values, NaN equals NaN whatever its bits, and no type is converted into another.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

from differential.schemas import (
    EVENT_KEY,
    EVENT_ORDER,
    EVENTS_TABLE,
    STATE_KEY,
    STATE_ORDER,
    STATE_TABLE,
)

RowKind = Literal["only_left", "only_right", "duplicate_left", "duplicate_right", "changed"]


@dataclass(frozen=True)
class TableSpec:
    """How rows of a table are told apart and counted.

    key: columns that name a row (duplicates are allowed and counted). order: leading columns of the canonical order, the
    key where left out. groups: columns by which rows are counted for the count agreement.
    """

    name: str
    key: tuple[str, ...]
    order: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()


EVENTS = TableSpec(EVENTS_TABLE, EVENT_KEY, EVENT_ORDER, ("simulation_year", "event_type"))
STATE = TableSpec(STATE_TABLE, STATE_KEY, STATE_ORDER, ("simulation_year", "detailed_status_code"))


@dataclass(frozen=True)
class ColumnRules:
    """What a policy excuses in one table: absolute tolerances (in the column's own unit) and columns left out."""

    tolerances: Mapping[str, Decimal] = field(default_factory=dict)
    ignored: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Scores:
    """Agreement of two tables, each 0..1, 1 for two empty tables.

    count: rows per group, sum of the lesser over sum of the greater count.
    overlap: keys in both over keys in either, as multisets.
    value: equal rows over the union of rows, where two rows of one key that differ count once; 0 where the schemas differ,
    since then no row of one table can be a row of the other.
    """

    count: float = 1.0
    overlap: float = 1.0
    value: float = 1.0

    @property
    def least(self) -> float:
        """The score that decides: the least of the three."""
        return min(self.count, self.overlap, self.value)


@dataclass(frozen=True)
class SchemaDifference:
    """One difference of names, types or order. A type is None on the side that lacks the column."""

    kind: Literal["only_left", "only_right", "type", "order", "repeated"]
    column: str
    left: str | None
    right: str | None


@dataclass(frozen=True)
class GroupCount:
    """Rows of one group (values of `TableSpec.groups`) on either side."""

    group: tuple[object, ...]
    left: int
    right: int


@dataclass(frozen=True)
class ColumnDifference:
    """Rows matched by key whose values in one column differ.

    changed: rows beyond the tolerance. tolerated: rows that differ within it. kinds: changed rows by kind: `value`,
    `null_left` (null on the left only), `null_right`, `nan_left` (NaN on the left, a number on the right), `nan_right`,
    `zero_sign` (0.0 against -0.0). NaN against null counts as null on the null's side.
    """

    column: str
    changed: int
    tolerated: int
    kinds: Mapping[str, int]


@dataclass(frozen=True)
class RowDifference:
    """One row that differs: its key, and for a changed row (column, left value, right value) of each changed column."""

    kind: RowKind
    key: tuple[tuple[str, object], ...]
    changes: tuple[tuple[str, object, object], ...] = ()


@dataclass(frozen=True)
class TableComparison:
    """What comparing two tables found.

    equal: exactly equal, nothing ignored or tolerated: same names, types and order of columns, same multiset of rows.
    accepted: equal under the rules; without rules the same as equal.
    matched: pairs of rows with one key. equal_rows: pairs that are equal (under the rules).
    only_left, only_right: rows whose key the other side lacks. duplicate_left, duplicate_right: surplus rows of a key that
    the other side has less often. columns: differences of matched rows, in schema order. counts: the groups whose numbers
    of rows differ. samples: the first rows of each kind of difference, in canonical order. used: rules that covered a
    difference, as (`tolerance` or `ignore`, column).
    """

    table: str
    left_rows: int
    right_rows: int
    equal: bool
    accepted: bool
    scores: Scores = Scores()
    schema: tuple[SchemaDifference, ...] = ()
    matched: int = 0
    equal_rows: int = 0
    only_left: int = 0
    only_right: int = 0
    duplicate_left: int = 0
    duplicate_right: int = 0
    columns: tuple[ColumnDifference, ...] = ()
    counts: tuple[GroupCount, ...] = ()
    samples: tuple[RowDifference, ...] = ()
    used: frozenset[tuple[str, str]] = frozenset()

    def describe(self, left: str = "left", right: str = "right") -> str:
        """A plain text report, the same to the byte for the same tables whatever the order of their rows."""
        from differential.comparison.text import describe_table

        return describe_table(self, left, right)


def equal_tables(spec: TableSpec, rows: int) -> TableComparison:
    """The comparison of two equal tables of so many rows."""
    return TableComparison(spec.name, rows, rows, equal=True, accepted=True, matched=rows, equal_rows=rows)
