"""Comparison: small tables, and a million rows in canonical and in any order."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from differential.bench.figures import Figure, in_turn
from differential.comparison import EVENTS, TableSpec, compare_tables, long_report
from differential.engines import get_engine
from differential.variant import Variant
from fixtures.populations import generate
from fixtures.scenario import Scenario
from fixtures.world import World

ROWS = 1_000_000


def tables() -> list[Figure]:
    """The exact verdict on equal tables that are not the same memory; and whether a report repeats to the byte."""
    events = get_engine("polars").run([World(generate(10, seed=3), Scenario())], Variant()).events
    copy = events.take(pa.array(range(events.num_rows)))
    shuffled = events.take(pa.array(range(events.num_rows - 1, -1, -1)))
    large, again, mixed = _million()
    spec = TableSpec("large", ("id",), ("id",))
    small, small_shuffled, ordered, any_order = in_turn(
        [
            lambda: compare_tables(events, copy, EVENTS),
            lambda: compare_tables(events, shuffled, EVENTS),
            lambda: compare_tables(large, again, spec),
            lambda: compare_tables(large, mixed, spec),
        ],
        rounds=5,
    )
    wrong = events.set_column(8, "event_sequence", pa.array(range(events.num_rows), pa.int32()))
    reports = {long_report(events, wrong, EVENTS) for _ in range(3)}
    return [
        Figure(f"{events.num_rows} events, same order", small * 1000, "ms", 1),
        Figure(f"{events.num_rows} events, any order", small_shuffled * 1000, "ms", 1),
        Figure("1 000 000 x 11, canonical order", ordered, "s", 0.5),
        Figure("1 000 000 x 11, any order", any_order, "s", 1),
        Figure("different reports of one comparison, of 3", len(reports), "", 1),
    ]


def _million() -> tuple[pa.Table, pa.Table, pa.Table]:
    draw = np.random.default_rng(5)
    columns: dict[str, pa.Array] = {"id": pa.array(np.arange(ROWS))}
    columns |= {f"n{i}": pa.array(draw.integers(0, 10**9, ROWS)) for i in range(4)}
    columns |= {f"f{i}": pa.array(draw.random(ROWS)) for i in range(3)}
    columns |= {f"t{i}": pa.array(np.char.mod("E%06d", draw.integers(0, 500_000, ROWS)).tolist()) for i in range(3)}
    table = pa.table(columns)
    again = table.take(pa.array(np.arange(ROWS)))  # equal, in memory of its own
    return table, again, table.take(pa.array(draw.permutation(ROWS)))
