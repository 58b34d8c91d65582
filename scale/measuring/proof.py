"""Whether a run really was the cell that it is counted as. A run that cannot show it is refused, and never enters a figure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from differential.engines import is_built_in
from scale.records import Cell

_PEOPLE_A_SHARD = 20


def objections(cell: Cell, answer: dict[str, Any]) -> list[str]:
    """What the child's answer says against its being `cell`; empty when nothing does."""
    found = list(_of_tables(answer))
    proof = answer["proof"]
    if proof is None:
        return [*found, "no proof: which engine made the rows, and how, cannot be told"]
    return [*found, *_of_proof(cell, answer, proof)]


def proof_of(answer: dict[str, Any]) -> dict[str, str | int | list[str]]:
    """The proof as a Run keeps it."""
    proof = answer["proof"]
    if proof is None:
        return {}
    return {
        "engine": proof["engine"],
        "threads": proof["threads"],
        "switches": proof["switches"],
        "shards": max(1, len(proof["shard_rows"])),
        "shard_rows": [str(rows) for rows in proof["shard_rows"]],
        "forced_legacy": int(proof["forced_legacy"]),
        "fallbacks": proof["fallbacks"],
        "versions": [f"{name} {version}" for name, version in sorted(proof["versions"].items())],
    }


def _of_tables(answer: dict[str, Any]) -> Iterator[str]:
    for reason in answer["infeasible"]:
        yield f"the world is infeasible: {reason}"
    without = [str(year) for year in answer["years"] if not answer["rows"]["state"].get(str(year))]
    if without:
        yield f"no state rows of {', '.join(without)}: the run dropped {'a year' if len(without) == 1 else 'years'}"
    beyond = sorted({*answer["rows"]["state"], *answer["rows"]["events"]} - {str(year) for year in answer["years"]})
    if beyond:
        yield f"rows of {', '.join(beyond)}, which was not to be simulated"
    if answer["wants_database"] and answer["database_bytes"] is None:
        yield "it was given a database file and left none, so that its time is not comparable; say Capabilities(database=False)"


def _of_proof(cell: Cell, answer: dict[str, Any], proof: dict[str, Any]) -> Iterator[str]:
    if is_built_in(cell.engine) and proof["engine"] != cell.engine:
        yield f"the proof is of engine {proof['engine']!r}, not of {cell.engine!r}"
    if proof["inputs"] != answer["inputs"]:
        yield "the proof names another input than the one that was given"
    if proof["threads"] != cell.threads:
        yield f"{proof['threads']} threads were in force, not {cell.threads}"
    if proof["forced_legacy"] and cell.level != "legacy":
        yield f"the legacy flag decided, not level {cell.level}: unset FEATURE_FLAG_LEGACY_EVENTS"
    elif proof["switches"] != answer["switches"]:
        yield f"switches {_joined(proof['switches'])} ran; level {cell.level} is {_joined(answer['switches'])}"
    yield from _of_shards(cell, proof["shard_rows"])
    for fallback in proof["fallbacks"]:
        yield f"it did something else than asked: {fallback}"


def _of_shards(cell: Cell, rows: list[int]) -> Iterator[str]:
    if max(1, len(rows)) != cell.shards:
        yield f"{max(1, len(rows))} shards were built, not {cell.shards}"
    elif cell.shards > 1 and sum(rows) >= _PEOPLE_A_SHARD * cell.shards and sum(count > 0 for count in rows) < 2:
        yield f"{cell.shards} shards were claimed, but all people were in one of them"


def _joined(switches: list[str]) -> str:
    return "+".join(switches) or "none"
