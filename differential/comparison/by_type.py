"""What agrees and what does not by event type: the one view in which a difference of a whole rule stands out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from differential.comparison.exact import compare_tables
from differential.comparison.policy import ComparisonPolicy
from differential.comparison.verdict import EVENTS, STATE, TableSpec
from differential.run import Run


@dataclass(frozen=True)
class TypeAgreement:
    """One event type, or the state table. both: rows whose key both sides have; equal: those that are equal under the policy.
    columns: that differ in the others, with how many rows."""

    what: str
    left: int
    right: int
    both: int
    equal: int
    columns: Mapping[str, int] = field(default_factory=dict)


def agreement_by_type(left: Run, right: Run, policy: ComparisonPolicy | None = None) -> list[TypeAgreement]:
    """Of the first world of two runs, in the order of the event types' names, then the state."""
    mine, yours = next(left.results()), next(right.results())
    found = []
    for name in sorted({*_types(mine.events), *_types(yours.events)}):
        pair = (_of_type(mine.events, name), _of_type(yours.events, name))
        found.append(_agreement(name, *pair, EVENTS, policy))
    return [*found, _agreement("state rows", mine.state, yours.state, STATE, policy)]


def _agreement(
    what: str, left: pa.Table, right: pa.Table, spec: TableSpec, policy: ComparisonPolicy | None
) -> TypeAgreement:
    compared = compare_tables(left, right, spec, policy.rules(spec.name) if policy else None, samples=0)
    columns = {one.column: one.changed for one in compared.columns if one.changed}
    return TypeAgreement(what, left.num_rows, right.num_rows, compared.matched, compared.equal_rows, columns)


def _types(table: pa.Table) -> Iterator[str]:
    if "event_type" in table.column_names:
        yield from (str(name) for name in pc.unique(table["event_type"]).to_pylist())


def _of_type(table: pa.Table, name: str) -> pa.Table:
    if "event_type" not in table.column_names:
        return table.slice(0, 0)
    return table.filter(pc.equal(pc.cast(table["event_type"], pa.string()), name))
