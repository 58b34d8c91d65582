"""Failure: everything known about one failed comparison, as data."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from decimal import Decimal
from typing import Any, ClassVar

from differential.comparison import (
    CLAIMS,
    ComparisonError,
    ComparisonPolicy,
    Divergence,
    PolicyEntry,
    Scores,
    WorldComparison,
    check_claim,
    compare_runs,
    first_divergence,
)
from differential.comparison.text import columns
from differential.reduction import FailureCheck, Observed
from differential.reduction.check import error_signature, failing, observed_of
from differential.repro.finding import TEMPLATES, Finding, Rerun, describe_error, register
from differential.repro.judge import oracle_says
from differential.repro.record import FIRST_KIND, RecordError, optional, plain, text, value
from differential.repro.report import section
from differential.repro.sides import side_from, side_identity, side_record
from differential.run import Run, RunError
from differential.schemas import EVENT_TYPES, EVENTS_SCHEMA, EVENTS_TABLE, STATE_SCHEMA
from differential.side import Side, UnsuitableWorldsError
from differential.variant import VariantError
from fixtures.world import World

_CHAIN_LINES = 30
_COLUMNS = {*EVENTS_SCHEMA.names, *STATE_SCHEMA.names}


@register
@dataclass(frozen=True, kw_only=True)
class Failure(Finding):
    """One world on which two sides differ.

    test: the parity test, such as `sql_vs_polars`. divergence: None when an engine raised; `error` then says what. claim: name in
    differential.comparison.CLAIMS that a replay is held to. threshold: the least score that passes; None when any difference fails.
    """

    kind: ClassVar[str] = FIRST_KIND
    suite: ClassVar[str] = "differential"
    template = TEMPLATES / "test_repro.py.txt"

    left: Side
    right: Side
    divergence: Divergence | None = None
    scores: Scores | None = None
    claim: str | None = None
    threshold: float | None = None
    policy: ComparisonPolicy | None = None

    @property
    def observed(self) -> Observed:
        if self.divergence is not None:
            return observed_of(self.divergence, self.test)
        return Observed(error_signature(self.test, (self.error or "unknown").split(":")[0]))

    @property
    def sides(self) -> tuple[Side, ...]:
        return self.left, self.right

    @property
    def identity(self) -> Mapping[str, Any]:
        sides = {"left": side_identity(self.left), "right": side_identity(self.right)}
        return {"test": self.test, "signature": self.signature, **sides}

    @property
    def words(self) -> tuple[str, ...]:
        found = self.divergence
        if found is None:
            return ("error",)
        if found.kind in ("schema", "infeasible"):
            what: str = found.kind
        elif found.event_type in EVENT_TYPES:
            what = str(found.event_type)
        else:
            what = "event" if found.table == EVENTS_TABLE else "state"
        return (what, str(found.column)) if found.column in _COLUMNS else (what,)

    @property
    def names(self) -> tuple[str, str]:
        """What to call the two sides in texts: without the modules of attached engines, if that tells them apart."""
        left, right = (side.describe() for side in self.sides)
        short = tuple(re.sub(r"^[\w.]+:(?:\w+\.)*", "", side) for side in (left, right))
        if short[0] != short[1]:
            return short[0], short[1]
        return (left, right) if left != right else (f"{left} (left)", f"{right} (right)")

    def check(self) -> FailureCheck:
        return FailureCheck(self.left, self.right, self.test, self.policy, self.threshold, self.timeout)

    def on(self, world: World) -> Failure:
        moved = replace(self, world=world)
        try:
            left, right = _runs(moved)
        except Exception as error:  # noqa: BLE001 - whatever an engine raises is what failed
            return _raised(moved, error)
        return _seen(moved, left, right, compare_runs(left, right, self.policy)[0])

    def rerun(self) -> Rerun:
        try:
            left, right = _runs(self)
        except (VariantError, UnsuitableWorldsError) as error:
            return Rerun(refused=str(error))
        except Exception as error:  # noqa: BLE001 - an engine that raises fails, whatever it raises
            return Rerun(_raised(self, error))
        if self.claim is not None:
            outcome = check_claim(CLAIMS[self.claim], left, right)
            if not outcome.ok:
                return Rerun(refused=f"{outcome.status}: {outcome.describe()}")
        try:
            comparison = compare_runs(left, right, self.policy)[0]
        except (ComparisonError, RunError) as error:
            return Rerun(_raised(self, error))
        if not failing(comparison, self.threshold):
            return Rerun(passed=f"{' and '.join(self.names)} agree")
        return Rerun(_seen(self, left, right, comparison))

    def title(self) -> tuple[str, list[tuple[str, str]]]:
        left, right = self.names
        rows = [("left", self.described(self.left)), ("right", self.described(self.right))]
        if self.scores is not None:
            needed = "any difference fails" if self.threshold is None else f"{self.threshold:g} is needed"
            shown = ", ".join(f"{name} {score:g}" for name, score in asdict(self.scores).items())
            rows.append(("scores", f"{shown} ({needed})"))
        return f"{self.test}: " + (f"{left} and {right} differ" if self.divergence else "an engine failed"), rows

    def told(self, *, withheld: bool) -> list[list[str]]:
        if self.divergence is None:
            found = self.error_lines(withheld=withheld)
        else:
            found = _place(self.divergence) if withheld else _shortened(self.divergence.describe(*self.names))
        if withheld or any(side.capabilities.own_rules for side in self.sides):  # the oracle knows no rules but ours
            return [found]
        return [found, section("oracle", oracle_says(self.world, self.divergence, self.names))]

    def record(self, *, withheld: bool) -> dict[str, Any]:
        found = self.divergence
        return {
            "left": side_record(self.left, self.versions),
            "right": side_record(self.right, self.versions),
            "scores": None if self.scores is None else asdict(self.scores),
            "threshold": self.threshold,
            "claim": self.claim,
            "policy": None if self.policy is None else [_entry(one) for one in self.policy.entries],
            "first_divergence": None if found is None else _divergence(found, withheld=withheld),
        }

    @classmethod
    def from_record(cls, record: Mapping[str, Any], common: Mapping[str, Any]) -> Failure:
        claim = value(record, "claim", optional(str))
        if claim is not None and claim not in CLAIMS:
            raise RecordError(f"key claim: {claim!r:.60} is unknown; expected one of {', '.join(CLAIMS)}")
        entries = value(record, "policy", optional(list))
        return cls(
            **common,
            left=value(record, "left", side_from),
            right=value(record, "right", side_from),
            claim=claim,
            threshold=value(record, "threshold", optional(float)),
            policy=None if entries is None else ComparisonPolicy(entries=tuple(_policy_entry(one) for one in entries)),
        )


def _runs(failure: Failure) -> tuple[Run, Run]:
    left, right = (side.run([failure.world], timeout=failure.timeout) for side in failure.sides)
    return left, right


def _seen(failure: Failure, left: Run, right: Run, comparison: WorldComparison) -> Failure:
    divergence = first_divergence(next(left.results()), next(right.results()), failure.world, failure.policy)
    return replace(failure, divergence=divergence, scores=comparison.scores, error=None, trace=None)


def _raised(failure: Failure, error: Exception) -> Failure:
    said, trace = describe_error(error)
    return replace(failure, divergence=None, scores=None, error=said, trace=trace)


def _shortened(told: str) -> list[str]:
    """The end of the chain is nearest to the divergence, the head says what it is."""
    lines = told.splitlines()
    if len(lines) <= _CHAIN_LINES:
        return lines
    half, dropped = _CHAIN_LINES // 2, len(lines) - _CHAIN_LINES
    return [*lines[:half], f"  ... {dropped} lines left out ...", *lines[-half:]]


def _place(found: Divergence) -> list[str]:
    rows = [("table", found.table), ("year", found.year), ("stage", found.stage), ("event", found.event_type)]
    rows += [("column", found.column), ("kind", found.kind)]
    return ["first divergence:", *columns([(name, str(what)) for name, what in rows if what not in (None, "")])]


def _divergence(found: Divergence, *, withheld: bool) -> dict[str, Any]:
    names = ("table", "kind", "year", "stage", "event_type", "column")
    place = {name: getattr(found, name) for name in names}
    if withheld:
        return place
    values = {"left": plain(found.left, found.column), "right": plain(found.right, found.column)}
    return {**place, "employee_id": found.employee_id, "event_date": plain(found.event_date), **values}


def _entry(entry: PolicyEntry) -> dict[str, Any]:
    return {
        "table": entry.table,
        "column": entry.column,
        "tolerance": None if entry.tolerance is None else str(entry.tolerance),
        "reason": entry.reason,
        "until": entry.until.isoformat(),
    }


def _policy_entry(found: Mapping[str, Any]) -> PolicyEntry:
    try:
        tolerance = None if found["tolerance"] is None else Decimal(found["tolerance"])
        until = dt.date.fromisoformat(found["until"])
        return PolicyEntry(text(found["table"]), text(found["column"]), tolerance, text(found["reason"]), until)
    except (ArithmeticError, KeyError, TypeError, ValueError) as error:
        raise RecordError(f"key policy: {type(error).__name__}: {error}"[:300]) from None
