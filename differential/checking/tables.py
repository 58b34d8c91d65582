"""What the tables and the proof of one run lack, column by column and field by field."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa

from differential.checking.steps import Step, step
from differential.run import Capabilities, Engine, Proof, Run
from differential.schemas import EVENT_TYPES, EVENTS_SCHEMA, EVENTS_TABLE, STATE_SCHEMA, STATE_TABLE
from differential.variant import parse_level
from fixtures.world import World


def table_steps(run: Run) -> list[Step]:
    """Both tables against section 6 of docs/simulation.md."""
    pairs = (
        (f"events ({EVENTS_TABLE})", run.events, EVENTS_SCHEMA),
        (f"state ({STATE_TABLE})", run.state, STATE_SCHEMA),
    )
    steps = [
        step(name, _columns(table, schema), f"{table.num_rows} rows of {len(schema)} columns")
        for name, table, schema in pairs
    ]
    return [*steps, step("event types", _event_types(run.events))]


def _columns(table: pa.Table, schema: pa.Schema) -> Iterator[str]:
    for field in schema:
        count = table.column_names.count(field.name)
        if not count:
            yield f"column {field.name} ({field.type}) is missing"
        elif count > 1:
            yield f"column {field.name} occurs {count} times"
        elif table.schema.field(field.name).type != field.type:
            yield f"column {field.name} is {table.schema.field(field.name).type}, expected {field.type}"
    for name in table.column_names:
        if name not in schema.names:
            yield f"column {name} is not in section 6; leave it out"
    if not table.num_rows:
        yield "no rows, although the world has people in every year"


def _event_types(events: pa.Table) -> Iterator[str]:
    if "event_type" not in events.column_names:
        yield "there is no column event_type"
        return
    for found in events["event_type"].unique().to_pylist():
        if found not in EVENT_TYPES:
            yield f"{found!r} is no event type; expected some of {', '.join(EVENT_TYPES)}"


def proof_steps(run: Run, world: World, engine: Engine, can: Capabilities) -> list[Step]:
    """The proof of a plain run at level high."""
    title = "proof"
    if run.proof is None:
        why = "the run has no proof: every comparison would be `unproven` and never pass (docs/engines.md, What an engine is)"
        return [Step(title, "missing", (why,))]
    steps = [step(title, _proof_faults(run.proof, world, engine, can), *_shown(run.proof))]
    lacking = list(_proof_gaps(run.proof))
    return [*steps, *([Step("proof, what would help", "left out", tuple(lacking))] if lacking else [])]


def _proof_faults(proof: Proof, world: World, engine: Engine, can: Capabilities) -> Iterator[str]:
    if proof.engine != engine.name:
        yield f"engine: is {proof.engine!r}, while the engine calls itself {engine.name!r}"
    if not proof.versions:
        yield "versions: is empty; name the libraries or the release that made the rows"
    if tuple(proof.inputs) != (world.fingerprint,):
        yield f"inputs: is {proof.inputs!r:.80}, expected the fingerprint of the world, ({world.fingerprint!r},)"
    if proof.threads != 1:
        yield f"threads: {proof.threads} in force, 1 was asked for"
    expected = parse_level("high") & set(can.switches)
    if can.switches and proof.switches != expected:
        yield f"switches: {_joined(proof.switches)} ran, level high is {_joined(expected)}"
    for fallback in proof.fallbacks:
        yield f"fallbacks: it did something else than asked: {fallback}"


def _proof_gaps(proof: Proof) -> Iterator[str]:
    if not proof.planned:
        yield "planned: without it, rows that are lost altogether are not told from rows that never were to be"
    if not proof.seconds:
        yield "seconds: without it, a sweep cannot say which stage takes the time"
    if not proof.year_seconds:
        yield "year_seconds: without it, a sweep cannot say whether later years take longer"


def _shown(proof: Proof) -> Iterator[str]:
    versions = ", ".join(f"{name} {number}" for name, number in sorted(proof.versions.items()))
    yield f"engine {proof.engine}; {versions or 'no versions'}"
    yield f"process {proof.pid}; threads {proof.threads}; switches {_joined(proof.switches)}"
    yield from proof.notes


def _joined(names: frozenset[str] | set[str]) -> str:
    return ", ".join(sorted(names)) or "none"
