"""repro.json: everything about a failure but its census and scenario, as plain values; written and read back with clear errors."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict
from decimal import Decimal
from typing import Any, TypeVar, get_args

from differential.comparison import CLAIMS, ComparisonPolicy, Divergence, PolicyEntry
from differential.comparison.text import MASKED_COLUMNS
from differential.reduction import Reduction
from differential.repro.failure import Failure
from differential.side import History, Side
from fixtures.world import World

SCHEMA_VERSION = 1
T = TypeVar("T")
_SPEC = re.compile(r"[\w.-]{1,200}(:[\w.]{1,200})?")
_HISTORIES = get_args(History)


class RecordError(ValueError):
    """A repro.json that cannot be used; the message names the key."""


def record_of(failure: Failure, reduction: Reduction | None, *, withheld: bool) -> dict[str, Any]:
    """The record; what is withheld of people leaves no trace in it."""
    found = failure.divergence
    return {
        "schema": SCHEMA_VERSION,
        "test": failure.test,
        "signature": failure.signature,
        "employees": len(failure.world.census),
        "years": len(failure.world.scenario.years),
        "left": {"text": failure.left.describe(), **failure.left.to_json()},
        "right": {"text": failure.right.describe(), **failure.right.to_json()},
        "scores": None if failure.scores is None else asdict(failure.scores),
        "threshold": failure.threshold,
        "claim": failure.claim,
        "policy": None if failure.policy is None else [_entry(one) for one in failure.policy.entries],
        "first_divergence": None if found is None else _divergence(found, withheld=withheld),
        "error": _error(failure, withheld=withheld),
        "runs": reduction.runs if reduction else 0,
        "seconds": round(reduction.seconds, 3) if reduction else 0.0,
        "reduced": reduction is not None,
        "ended": reduction.ended if reduction else None,
        "verified": reduction.verified if reduction else False,
        "random_seed": failure.world.scenario.random_seed,
        "hypothesis_seed": failure.hypothesis_seed,
        "profile": failure.profile,
        "command": failure.command,
        "given": failure.given,
        "masked": failure.masked,
        "anonymous": failure.anonymous,
        "stayed": list(failure.stayed),
        "withheld": withheld,
        "world": None if withheld else failure.world.fingerprint,
        "versions": dict(failure.versions),
        "commit": failure.commit,
    }


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


def failure_from(record: Mapping[str, Any], world: World) -> Failure:
    """The failure that a record and its world describe, without its divergence. Raises RecordError naming the key."""
    claim = _value(record, "claim", _optional(str))
    if claim is not None and claim not in CLAIMS:
        raise RecordError(f"key claim: {claim!r:.60} is unknown; expected one of {', '.join(CLAIMS)}")
    entries = _value(record, "policy", _optional(list))
    return Failure(
        test=_value(record, "test", _text),
        left=_value(record, "left", _side),
        right=_value(record, "right", _side),
        world=world,
        error=_value(record, "error", _optional(str)),
        claim=claim,
        threshold=_value(record, "threshold", _optional(float)),
        policy=None if entries is None else ComparisonPolicy(entries=tuple(_policy_entry(one) for one in entries)),
        profile=_value(record, "profile", _optional(str)),
        hypothesis_seed=_value(record, "hypothesis_seed", _optional(int)),
        given=_value(record, "given", bool),
        masked=_value(record, "masked", bool),
        anonymous=_value(record, "anonymous", bool),
        stayed=tuple(_value(record, "stayed", lambda items: [_text(one) for one in items])),
        command=_value(record, "command", _optional(str)),
        versions=_value(record, "versions", dict),
        commit=_value(record, "commit", _optional(str)),
    )


def _value(record: Mapping[str, Any], key: str, parse: Callable[[Any], T]) -> T:
    if key not in record:
        raise RecordError(f"key {key} is missing")
    try:
        return parse(record[key])
    except RecordError:
        raise
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise RecordError(f"key {key}: {type(error).__name__}: {error}"[:300]) from None


def _optional(parse: Callable[[Any], T]) -> Callable[[Any], T | None]:
    return lambda value: None if value is None else parse(value)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"expected text, got {value!r:.60}")
    return value


def _side(value: Mapping[str, Any]) -> Side:
    side = Side.from_json(value)
    if not _SPEC.fullmatch(side.engine):
        raise ValueError(f"engine {side.engine!r:.60} is neither a name nor MODULE:ATTRIBUTE")
    if side.history not in _HISTORIES:
        raise ValueError(f"history {side.history!r:.60} is unknown")
    if side.variant.database is not None:
        raise ValueError("variant.database must be null: a repro writes to no file")
    return side


def _entry(entry: PolicyEntry) -> dict[str, Any]:
    return {
        "table": entry.table,
        "column": entry.column,
        "tolerance": None if entry.tolerance is None else str(entry.tolerance),
        "reason": entry.reason,
        "until": entry.until.isoformat(),
    }


def _policy_entry(value: Mapping[str, Any]) -> PolicyEntry:
    try:
        tolerance = None if value["tolerance"] is None else Decimal(value["tolerance"])
        until = dt.date.fromisoformat(value["until"])
        return PolicyEntry(_text(value["table"]), _text(value["column"]), tolerance, _text(value["reason"]), until)
    except (ArithmeticError, KeyError, TypeError, ValueError) as error:
        raise RecordError(f"key policy: {type(error).__name__}: {error}"[:300]) from None


def _divergence(found: Divergence, *, withheld: bool) -> dict[str, Any]:
    place = {
        "table": found.table,
        "kind": found.kind,
        "year": found.year,
        "stage": found.stage,
        "event_type": found.event_type,
        "column": found.column,
    }
    if withheld:
        return place
    values = {"left": _plain(found.left, found.column), "right": _plain(found.right, found.column)}
    return {**place, "employee_id": found.employee_id, "event_date": _plain(found.event_date), **values}


def _plain(value: Any, column: str | None = None) -> Any:
    if column in MASKED_COLUMNS and value is not None:
        return "*****"
    if isinstance(value, Mapping):
        return {str(key): _plain(item, str(key)) for key, item in value.items()}
    return value if value is None or isinstance(value, (bool, int)) else str(value)


def _error(failure: Failure, *, withheld: bool) -> str | None:
    """An engine's message may quote the people it was given."""
    if failure.error is None:
        return None
    return failure.error.split(":")[0] if withheld or _may_name_people(failure) else failure.error[:2_000]


def _may_name_people(failure: Failure) -> bool:
    return failure.given and not failure.anonymous
