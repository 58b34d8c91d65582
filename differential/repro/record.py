"""repro.json: everything about a finding but its census and scenario, as plain values; written and read back with clear errors.

The keys of every kind of finding are here, those of one kind alone beside that kind (`Finding.record`, `Finding.from_record`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from differential.comparison.text import MASKED_COLUMNS
from differential.engines import label
from differential.reduction import Reduction
from differential.repro.finding import Finding, kind_named
from differential.side import Side
from fixtures.world import World

SCHEMA_VERSION = 1
FIRST_KIND = "comparison"
"""What a record without a kind is of: those written before there were others."""
T = TypeVar("T")


class RecordError(ValueError):
    """A repro.json that cannot be used; the message names the key."""


def record_of(finding: Finding, reduction: Reduction | None, *, withheld: bool) -> dict[str, Any]:
    """The record; what is withheld of people leaves no trace in it."""
    return {
        "schema": SCHEMA_VERSION,
        "kind": finding.kind,
        "test": finding.test,
        "signature": finding.signature,
        "employees": len(finding.world.census),
        "years": len(finding.world.scenario.years),
        **finding.record(withheld=withheld),
        "error": finding.error_text(withheld=withheld),
        "runs": reduction.runs if reduction else 0,
        "seconds": round(reduction.seconds, 3) if reduction else 0.0,
        "reduced": reduction is not None,
        "ended": reduction.ended if reduction else None,
        "verified": reduction.verified if reduction else False,
        "random_seed": finding.world.scenario.random_seed,
        "hypothesis_seed": finding.hypothesis_seed,
        "profile": finding.profile,
        "command": finding.command,
        "given": finding.given,
        "masked": finding.masked,
        "anonymous": finding.anonymous,
        "stayed": list(finding.stayed),
        "withheld": withheld,
        "world": None if withheld else finding.world.fingerprint,
        "versions": {_labelled(name, finding.sides): number for name, number in finding.versions.items()},
        "commit": finding.commit,
    }


def _labelled(name: str, sides: Iterable[Side]) -> str:
    """`sql@env: duckdb` of `sql@/home/me/env/bin/python: duckdb`."""
    for side in sides:
        if name.startswith(f"{side.engine}: "):
            return label(side.engine) + name.removeprefix(side.engine)
    return name


def read_record(text: str) -> dict[str, Any]:
    """Parse and check the top of a record. Raises RecordError."""
    try:
        record = json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        raise RecordError(f"not valid JSON: {error}") from None
    if not isinstance(record, dict):
        raise RecordError("expected an object at the top")
    if record.get("schema") != SCHEMA_VERSION:
        raise RecordError(f"key schema is {record.get('schema')!r:.40}, this version reads {SCHEMA_VERSION}")
    return record


def finding_from(record: Mapping[str, Any], world: World) -> Finding:
    """The finding that a record and its world describe, without what was seen of it. Raises RecordError naming the key."""
    name = record.get("kind", FIRST_KIND)
    kind = kind_named(name)
    if kind is None:
        raise RecordError(f"key kind: {name!r:.40} is not known here; {_replayed_by(record)}")
    common = {
        "test": value(record, "test", text),
        "world": world,
        "error": value(record, "error", optional(text)),
        "profile": value(record, "profile", optional(str)),
        "hypothesis_seed": value(record, "hypothesis_seed", optional(int)),
        "given": value(record, "given", bool),
        "masked": value(record, "masked", bool),
        "anonymous": value(record, "anonymous", bool),
        "stayed": tuple(value(record, "stayed", lambda items: [text(one) for one in items])),
        "command": value(record, "command", optional(str)),
        "versions": value(record, "versions", dict),
        "commit": value(record, "commit", optional(str)),
    }
    return kind.from_record(record, common)


def _replayed_by(record: Mapping[str, Any]) -> str:
    return (
        "run pytest properties --replay with this folder"
        if record.get("kind") == "property"
        else "was it written by a later version?"
    )


def value(record: Mapping[str, Any], key: str, parse: Callable[[Any], T]) -> T:
    """One key, parsed. Raises RecordError naming it."""
    if key not in record:
        raise RecordError(f"key {key} is missing")
    try:
        return parse(record[key])
    except RecordError:
        raise
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise RecordError(f"key {key}: {type(error).__name__}: {error}"[:300]) from None


def optional(parse: Callable[[Any], T]) -> Callable[[Any], T | None]:
    """The same parser, for a key that may be null."""
    return lambda found: None if found is None else parse(found)


def text(found: object) -> str:
    """Text, and nothing that only prints as text."""
    if not isinstance(found, str):
        raise TypeError(f"expected text, got {found!r:.60}")
    return found


def plain(found: Any, column: str | None = None) -> Any:
    """A value of a table as JSON holds it; those of masked columns starred out."""
    if column in MASKED_COLUMNS and found is not None:
        return "*****"
    if isinstance(found, Mapping):
        return {str(key): plain(item, str(key)) for key, item in found.items()}
    return found if found is None or isinstance(found, (bool, int)) else str(found)
