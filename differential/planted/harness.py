"""Faults that make a comparison worthless: it must be refused, whatever the tables say."""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa

from differential.planted.fault import HARNESS, Fault
from differential.planted.patches import python_patch

_one_at_a_time = threading.Lock()


def _run_by_sql(_run: Callable[..., Any]) -> Callable[..., Any]:
    """The first engine does the work of the second, and says so only in its proof."""

    def faulty(_engine: Any, worlds: Any, variant: Any) -> Any:
        from differential.engines import get_engine

        return get_engine("sql").run(worlds, variant)

    return faulty


def _in_one_file(execute: Callable[..., Any]) -> Callable[..., Any]:
    """Every side leaves its tables in one file, and they are read back from there."""

    def faulty(side: Any, worlds: Any, timeout: float | None) -> Any:
        from dataclasses import replace

        from differential.results import read_database

        names = [(world.scenario.scenario_id, world.scenario.plan_design_id) for world in worlds]
        if not side.capabilities.database or len(set(names)) < len(names):  # rows of one name could not be told apart
            return execute(side, worlds, timeout)
        path = Path(tempfile.gettempdir()) / f"parity-one-file-{os.getpid()}.duckdb"
        with _one_at_a_time:
            run = side._run(worlds, timeout, replace(side.variant, database=path))
            stored = read_database(path, names)
        bounds = tuple((events.num_rows, state.num_rows) for events, state in stored)
        events, state = (pa.concat_tables([tables[index] for tables in stored]) for index in (0, 1))
        return replace(run, events=events, state=state, bounds=bounds)

    return faulty


HARNESS_FAULTS = (
    Fault("X28", "The second engine silently falls back to the first.",
          {"polars": python_patch("differential.engines.polars.engine", "PolarsEngine.run", _run_by_sql)},
          ("D1",), "event_contribution", verdict="refused"),
    Fault("X30", "Both runs of a comparison use one database file.",
          {HARNESS: python_patch("differential.side", "Side.execute", _in_one_file)},
          ("D5",), "event_contribution", verdict="refused"),
)  # fmt: skip
