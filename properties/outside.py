"""Tables that another system left: a DuckDB file or a folder of Parquet, under a mapping of its names to ours
(differential/mapping.py); what needs a column that is missing is not checked.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from differential.mapping import Mapped, OutsideError, TableMapping, load_mapping, open_tables, read_mapped
from differential.run import Run, WorldResult
from differential.schemas import EVENTS_SCHEMA, STATE_SCHEMA
from fixtures.census import Census
from fixtures.scenario import Scenario
from fixtures.world import World
from properties.invariants import Tables
from properties.invariants.schema import conform

__all__ = ["Mapped", "Outside", "OutsideError", "TableMapping", "load_mapping", "load_results"]

_NAMES = ("scenario_id", "plan_design_id")


@dataclass(frozen=True)
class Outside:
    """What was read: the tables as invariants take them, and notes for people on what was left out or converted."""

    path: Path
    tables: Tables
    notes: tuple[str, ...]

    def results(self) -> list[WorldResult]:
        """Each scenario's tables with the columns of section 6, null where they are missing."""
        events, state = conform(self.tables.events, EVENTS_SCHEMA)[0], conform(self.tables.state, STATE_SCHEMA)[0]
        return list(Run(events, state, bounds=tuple(self.tables.bounds)).results())


def load_results(path: Path, mapped: Mapped, census: Census | None = None, scenario: Scenario | None = None) -> Outside:
    """Read both tables; rows of each scenario and plan are judged as a run of their own.

    Money is rounded to cents and rates to four decimals, as our types have them. scenario: needs a census.

    Raises:
        OutsideError: no such file or table, or a column that cannot be read as its type.
    """
    if not path.exists():
        raise OutsideError(f"{path}: no such file or folder; expected a DuckDB file or a folder of Parquet files")
    notes: list[str] = []
    with open_tables(path) as connection:
        events = read_mapped(connection, path, mapped.events, EVENTS_SCHEMA, notes)
        state = read_mapped(connection, path, mapped.state, STATE_SCHEMA, notes)
    if "simulation_year" not in state.column_names or not state.num_rows:
        raise OutsideError(f"{path}: {mapped.state.table} has no rows with a simulation_year; nothing can be checked")
    return Outside(path, _tables(events, state, census, scenario, notes), tuple(notes))


def _tables(
    events: pa.Table, state: pa.Table, census: Census | None, scenario: Scenario | None, notes: list[str]
) -> Tables:
    events, state, names = _by_name(events, state)
    counts = [np.bincount(table["world"].to_numpy(), minlength=len(names)).tolist() for table in (events, state)]
    bounds = list(zip(*counts, strict=True))
    if len(names) > 1:
        notes.append(f"{len(names)} scenarios, each judged as a run of its own: {_listed(names)}")
    events, state = (table.drop_columns("world") for table in (events, state))
    if scenario is not None:
        if census is None:
            raise OutsideError("--scenario with --results needs --census: the rules say nothing without the people")
        worlds = [World(census, scenario.model_copy(update=dict(zip(_NAMES, name, strict=True)))) for name in names]
        return Tables(events, state, bounds, worlds)
    position, years = 0, []
    for _, rows in bounds:
        found = pc.min_max(state["simulation_year"].slice(position, rows)).as_py()
        years.append((found["min"], found["max"]) if rows else (0, -1))
        position += rows
    people = None if census is None else census.table
    if people is not None and len(names) > 1:
        raise OutsideError(
            f"--census with --results needs tables of one scenario and plan, these have {len(names)}: {_listed(names)}"
        )
    return Tables(events, state, bounds, years=years, census=people)


def _by_name(events: pa.Table, state: pa.Table) -> tuple[pa.Table, pa.Table, list[tuple[str, str]]]:
    """Both tables sorted by scenario and plan, with an index `world` of these."""
    keys = [_names_of(table) for table in (events, state)]
    names = sorted(set(keys[0]) | set(keys[1]))
    where = {name: index for index, name in enumerate(names)}
    parts = []
    for table, key in zip((events, state), keys, strict=True):
        world = np.fromiter((where[name] for name in key), np.int32, len(key))
        parts.append(table.append_column("world", pa.array(world)).take(pa.array(np.argsort(world, kind="stable"))))
    return parts[0], parts[1], names


def _names_of(table: pa.Table) -> list[tuple[str, str]]:
    columns = [
        table[name].to_pylist()
        if name in table.column_names
        else ["default" if name == "scenario_id" else "main"] * table.num_rows
        for name in _NAMES
    ]
    return [(str(scenario), str(plan)) for scenario, plan in zip(*columns, strict=True)]


def _listed(names: list[tuple[str, str]]) -> str:
    return ", ".join("/".join(name) for name in names)[:300]
