"""What goes over the pipe between two Pythons: JSON and Arrow IPC. Pickles of one version of a library need not load in another."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa

from differential.pipe import Part
from differential.run import Capabilities, Infeasible, Proof, Run
from differential.variant import Variant
from fixtures.census import CENSUS_SCHEMA, Census
from fixtures.scenario import Scenario
from fixtures.world import World


def worlds_out(worlds: Sequence[World]) -> tuple[dict[str, Any], Part]:
    """Worlds as plain values and one stream that holds their censuses under each other."""
    tables = [world.census.table for world in worlds]
    head = {
        "scenarios": [world.scenario.model_dump_json() for world in worlds],
        "sizes": [table.num_rows for table in tables],
        "fingerprints": [world.fingerprint for world in worlds],
    }
    return head, table_out(pa.concat_tables(tables) if tables else CENSUS_SCHEMA.empty_table())


def worlds_in(head: Mapping[str, Any], stream: Part) -> list[World]:
    """The worlds again. Raises ValueError where these libraries read another world out of it than was put in."""
    table = table_in(stream)
    worlds: list[World] = []
    row = 0
    for text, size, fingerprint in zip(head["scenarios"], head["sizes"], head["fingerprints"], strict=True):
        world = World(Census(table.slice(row, size)), _scenario(text))
        if world.fingerprint != fingerprint:
            raise ValueError(
                f"world {len(worlds)} is not the same under these libraries: its fingerprint is {world.fingerprint[:12]} here "
                f"and {fingerprint[:12]} there"
            )
        worlds.append(world)
        row += size
    return worlds


def variant_out(variant: Variant) -> dict[str, Any]:
    """Plain values of a variant."""
    return {**asdict(variant), "database": None if variant.database is None else str(variant.database)}


def variant_in(plain: Mapping[str, Any]) -> Variant:
    """The variant again."""
    return Variant(**{**plain, "database": None if plain["database"] is None else Path(plain["database"])})


def run_out(run: Run) -> tuple[dict[str, Any], Part, Part]:
    """A run as plain values and its two tables. Raises TypeError for what is no run."""
    if not (isinstance(run, Run) and isinstance(run.events, pa.Table) and isinstance(run.state, pa.Table)):
        raise TypeError(f"run() returned {type(run).__name__}, expected a Run with two Arrow tables")
    head = {
        "proof": None if run.proof is None else asdict(run.proof),
        "bounds": run.bounds,
        "infeasible": [[index, reason.code, reason.year] for index, reason in run.infeasible.items()],
    }
    return head, table_out(run.events), table_out(run.state)


def run_in(head: Mapping[str, Any], events: Part, state: Part) -> Run:
    """The run again."""
    return Run(
        table_in(events),
        table_in(state),
        None if head["proof"] is None else proof_in(head["proof"]),
        None if head["bounds"] is None else tuple((rows, others) for rows, others in head["bounds"]),
        {index: Infeasible(code, year) for index, code, year in head["infeasible"]},
    )


def proof_in(plain: Mapping[str, Any]) -> Proof:
    """A proof from plain values."""
    return Proof(**{**_tuples(plain), "switches": frozenset(plain["switches"])})


def capabilities_in(plain: Mapping[str, Any]) -> Capabilities:
    """Capabilities from plain values."""
    return Capabilities(**_tuples(plain))


def _tuples(plain: Mapping[str, Any]) -> dict[str, Any]:
    """JSON knows no tuples."""
    return {name: tuple(found) if isinstance(found, list) else found for name, found in plain.items()}


def table_out(table: pa.Table) -> Part:
    """A table as an Arrow IPC stream."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return memoryview(sink.getvalue())


def table_in(stream: Part) -> pa.Table:
    """The table again; its data stay where they are."""
    return pa.ipc.open_stream(pa.py_buffer(stream)).read_all()


def json_out(plain: Mapping[str, Any]) -> Part:
    """Plain values as JSON; sets in order, numbers of other libraries as Python's."""
    return json.dumps(plain, default=_plain).encode()


def _plain(value: Any) -> Any:
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    if isinstance(value, Path):
        return str(value)
    if hasattr(value, "item"):
        return value.item()
    raise TypeError(f"a proof holds {value!r:.60}, which is neither text nor a number")


@cache
def _scenario(text: str) -> Scenario:
    return Scenario.model_validate_json(text)
