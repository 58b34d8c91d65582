"""What a report tells of a violation: its clause with both sides, and the oracle's opinion."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import replace

from differential.comparison.text import MASK, columns
from differential.repro.judge import oracle_run, reasons, too_many, without_divergence
from differential.side import Side
from fixtures.world import World
from properties.check import Violation
from properties.judging import Judge, wanted_first
from properties.relations.relation import GENERAL_CLAUSES

WIDTH = 132


def clause_lines(first: Violation, judge: Judge, count: int, *, withheld: bool) -> list[str]:
    """The clause, its formula, both sides' numbers and the place; count: of violations known. withheld: nothing of people."""
    rows = [] if withheld else [("found", first.found), ("expected", first.expected), ("employee", first.employee_id)]
    rows += [("year", None if first.year is None else str(first.year)), ("event", first.event_type)]
    formula = judge.formula(first.clause) or "the rows cannot be judged"
    lines = textwrap.wrap(f"clause {first.clause}: {formula}", WIDTH, subsequent_indent="  ")
    lines += columns([(name, _cut(shown)) for name, shown in rows if shown is not None])
    return [*lines, "  and in other places of this world"] if count > 1 else lines


def masked(violation: Violation, secrets: Sequence[str], *, quoted: bool) -> Violation:
    """The violation without any of these ssn, before anything of it is cut or escaped.

    quoted: an engine's message may quote people of a given census, so it is left out.
    """
    if quoted and violation.clause in GENERAL_CLAUSES:
        return replace(violation, found="an error; what the engine said of a given census is in no report")
    found, expected = violation.found, violation.expected
    for secret in secrets:
        found, expected = found.replace(secret, MASK), expected.replace(secret, MASK)
    return replace(violation, found=found, expected=expected)


def oracle_lines(judge: Judge, world: World, first: Violation) -> list[str]:
    """Whether the oracle's own run keeps the check, and its decisions about the violation's employee."""
    if (refusal := too_many(world)) is not None:
        return [refusal]
    lines = [_oracle_keeps(judge, world, first.signature)] if judge.oracle else []
    if first.employee_id is not None:
        lines += reasons(world, first.employee_id, first.year, first.event_type)
    return lines or ["not asked: it has one way to run"]


def oracle_on_error(world: World) -> list[str]:
    """What the oracle says of a world on which an engine raised."""
    refusal = too_many(world)
    return [refusal] if refusal is not None else without_divergence(oracle_run(world))


def _oracle_keeps(judge: Judge, world: World, wanted: str) -> str:
    try:
        broken = judge.violations(Side("oracle"), [world], None)
    except Exception as error:  # noqa: BLE001 - an opinion that cannot be had must not cost the report
        return f"not held to {judge.entry.id}: {type(error).__name__}"
    if not broken:
        return f"its own run of this world keeps {judge.entry.id}"
    return f"its own run of this world breaks {judge.entry.id} too: {wanted_first(broken, wanted)[0].clause}"


def _cut(shown: str) -> str:
    return shown if len(shown) <= WIDTH else f"{shown[: WIDTH - 1]}…"
