"""The folder of one run: what the program finds in it, and what it has to leave there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from differential.commands.casting import TableError, conform
from differential.commands.proof_file import read_proof
from differential.run import Run, empty_tables
from differential.schemas import EVENTS_SCHEMA, STATE_SCHEMA
from differential.variant import Variant, legacy_forced, switches_in_force
from fixtures.world import World

CENSUS, SCENARIO, VARIANT = "census.parquet", "scenario.yaml", "variant.json"
EVENTS, STATE, PROOF = "events.parquet", "state.parquet", "proof.json"


def write_inputs(folder: Path, world: World, variant: Variant) -> None:
    """census.parquet: the columns of a census file, dates as dates, money and rates as exact decimals. scenario.yaml: every key.
    variant.json: how to run."""
    pq.write_table(world.census.to_source_table(), folder / CENSUS)
    (folder / SCENARIO).write_text(world.scenario.to_yaml(only_changed=False), encoding="utf-8")
    (folder / VARIANT).write_text(json.dumps(variant_file(world, variant), indent=2) + "\n", encoding="utf-8")


def variant_file(world: World, variant: Variant) -> dict[str, Any]:
    """The keys of variant.json."""
    return {
        "world": world.fingerprint,
        "level": variant.level,
        "switches": sorted(switches_in_force(variant)),
        "threads": variant.threads,
        "shards": variant.shards,
        "resume": variant.resume,
        "batch_size": variant.batch_size,
        "database": None if variant.database is None else str(variant.database.absolute()),
        "legacy_flag": legacy_forced(),
    }


def read_outputs(folder: Path, world: World, pid: int) -> Run:
    """The run that a program left. Without proof.json it is one without proof, which never passes.

    Raises:
        TableError, ProofError: a file that is missing or not as it should be, by column, row and key.
    """
    path = folder / PROOF
    proof = read_proof(path, world.fingerprint) if path.exists() else None
    no_result = proof is not None and proof.infeasible is not None
    if no_result and not any((folder / name).exists() for name in (EVENTS, STATE)):
        events, state = empty_tables()
        notes: list[str] = []
    else:
        events, notes = read_table(folder / EVENTS, EVENTS_SCHEMA)
        state, more = read_table(folder / STATE, STATE_SCHEMA)
        notes += more
    if proof is None:
        return Run(events, state)
    return Run(events, state, proof.proof(pid, notes), None, proof.reasons())


def read_table(path: Path, schema: pa.Schema) -> tuple[pa.Table, list[str]]:
    """One table in the types of `schema`, and what was cast. Raises TableError."""
    if not path.exists():
        raise TableError(f"{path.name}: the program ended well and did not leave it")
    try:
        # not by path: of `year=2025` in a folder's name Arrow would make a column
        with path.open("rb") as file:
            table = pq.read_table(file, use_threads=False)
    except (OSError, pa.ArrowException) as error:
        raise TableError(f"{path.name}: cannot be read as Parquet: {' '.join(str(error).split())[:300]}") from None
    return conform(table, schema, path.name)
