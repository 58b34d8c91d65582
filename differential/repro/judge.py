"""What the oracle says about the place where two sides part."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from differential.comparison import Divergence
from differential.run import Run
from differential.schemas import EVENTS_SCHEMA, EVENTS_TABLE, STATE_SCHEMA
from differential.variant import Variant
from fixtures.world import World

MOST_EMPLOYEES = 20_000
"""Employees beyond which the oracle is not asked: it simulates one person at a time."""
_LINES = 12
_WIDTH = 170
_STAGE_WORDS: Mapping[str, tuple[str, ...]] = {
    "hire": ("quotas", "hire", "hired"),
    "termination": ("quotas", "exit", "hired"),
    "promotion": ("promotion", "opens"),
    "raise": ("promotion", "raise", "opens"),
    "eligibility": ("eligibility", "opens", "hired"),
    "enrollment": ("eligibility", "automatic", "voluntary", "enrol", "opens", "hired"),
    "enrollment_change": ("automatic", "enrol", "opt-out", "exit"),
    "contribution": ("opens", "hired", "raise", "enrolment", "escalation", "opt-out", "pay:", "contribution"),
    "employer_match": (
        "opens",
        "hired",
        "raise",
        "enrolment",
        "escalation",
        "opt-out",
        "pay:",
        "contribution",
        "match",
    ),
    "employer_core": ("opens", "hired", "raise", "eligibility", "pay:", "contribution", "match"),
    "deferral_escalation": ("enrol", "escalation", "opt-out", "opens"),
}
"""Which of a year's decisions bear on an event type; the others get them all."""


def oracle_says(world: World, divergence: Divergence | None, names: tuple[str, str]) -> list[str]:
    """Lines of text: the oracle's value, which side agrees with it, and its reasons. divergence: None for an engine that raised."""
    if (refusal := too_many(world)) is not None:
        return [refusal]
    run = oracle_run(world)
    if divergence is None:
        return without_divergence(run)
    lines = _verdict(divergence, run, names)
    if divergence.employee_id is not None:
        lines += reasons(world, divergence.employee_id, divergence.year, divergence.event_type)
    return lines


def too_many(world: World) -> str | None:
    """Why the oracle is not asked about this world, None where it is."""
    people = len(world.census)
    return f"not asked: {people} employees are too many for it" if people > MOST_EMPLOYEES else None


def oracle_run(world: World) -> Run:
    """What the oracle makes of the world."""
    from differential.engines.oracle import OracleEngine

    return OracleEngine().run([world], Variant())


def without_divergence(run: Run) -> list[str]:
    """What the oracle says of a world on which an engine raised."""
    reason = run.infeasible.get(0)
    return [f"no result: {reason.code} in {reason.year}" if reason else "it has a result for this world"]


def _verdict(divergence: Divergence, run: Run, names: tuple[str, str]) -> list[str]:
    if divergence.kind == "infeasible":
        reason = run.infeasible.get(0)
        says: object = f"{reason.code} in {reason.year}" if reason else "has a result"
        return [_agreement(str(says), (divergence.left, divergence.right), says, names)]
    if divergence.kind == "schema":
        schema = EVENTS_SCHEMA if divergence.table == EVENTS_TABLE else STATE_SCHEMA
        at = schema.get_field_index(divergence.column or "")
        says = str(schema.field(at).type) if at >= 0 else None
        text = f"{divergence.column}: {says or 'no such column in section 6'}"
        return [_agreement(text, (divergence.left, divergence.right), says, names)]
    row = _row(divergence, run)
    what = divergence.event_type or "state row"
    if divergence.kind in ("missing_left", "missing_right"):
        present = (divergence.kind == "missing_right", divergence.kind == "missing_left")
        where = f"{divergence.employee_id} in {divergence.year}"
        text = f"{'has' if row else 'has no'} {what} for {where}" + _dated(row)
        return [_agreement(text, present, row is not None, names)]
    if divergence.kind == "duplicate":
        return [
            _agreement(
                f"{int(row is not None)} {what}", (divergence.left, divergence.right), int(row is not None), names
            )
        ]
    if row is None:
        return [f"has no {what} for {divergence.employee_id} in {divergence.year}: neither side agrees with it"]
    says = row.get(divergence.column or "")
    return [_agreement(f"{divergence.column} {says}", (divergence.left, divergence.right), says, names)]


def _agreement(text: str, values: tuple[object, object], says: object, names: tuple[str, str]) -> str:
    agreeing = [name for name, value in zip(names, values, strict=True) if value == says]
    wrong = [name for name in names if name not in agreeing]
    if not agreeing:
        return f"{text}: neither side agrees with it"
    return f"{text}: {' and '.join(agreeing)} {'agree' if len(agreeing) > 1 else 'agrees'} with it" + (
        f", {wrong[0]} does not" if wrong else ""
    )


def _dated(row: Mapping[str, Any] | None) -> str:
    day = row.get("event_date") if row else None
    return f", on {day}" if day else ""


def _row(divergence: Divergence, run: Run) -> Mapping[str, Any] | None:
    table = run.events if divergence.table == EVENTS_TABLE else run.state
    for row in table.to_pylist():
        if row["employee_id"] == divergence.employee_id and row["simulation_year"] == divergence.year:
            found: Mapping[str, Any] = row
            if divergence.event_type in (None, row.get("event_type")):
                return found
    return None


def reasons(world: World, employee_id: str, year: int | None, event_type: str | None) -> list[str]:
    """The oracle's decisions about a person in a year, those that bear on an event type; at most twelve lines."""
    from differential.engines.oracle.explain import explain

    lines = explain(world, employee_id)
    of_year = [line for line in lines if line.startswith(f"{year}  ")] or lines[-_LINES:]
    words = _STAGE_WORDS.get(event_type or "")
    telling = [line for line in of_year if words is None or line.partition("  ")[2].startswith(words)] or of_year
    return [line if len(line) <= _WIDTH else line[: _WIDTH - 3] + "..." for line in telling[:_LINES]]
