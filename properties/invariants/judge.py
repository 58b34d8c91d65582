"""Judging a run: every invariant over all of its worlds."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from differential.run import Run
from fixtures.world import World
from properties.check import Check, Violation
from properties.invariants import schema
from properties.invariants.catalogue import invariants
from properties.invariants.ledger import Ledger, Tables


@dataclass
class Judgement:
    """What invariants say of one run.

    violations: the first few of each world and clause. totals: (check, clause) to the number of all. unchecked: check to its
    clauses that could not be checked and what they lack; a check with all its clauses there was not checked at all.
    """

    violations: list[Violation] = field(default_factory=list)
    totals: dict[tuple[str, str], int] = field(default_factory=dict)
    unchecked: dict[str, dict[str, str]] = field(default_factory=dict)


def all_checks() -> dict[str, Check]:
    """Every invariant by id, in order."""
    checks = [*(one.check for one in invariants()), schema.CHECK]
    return {check.id: check for check in sorted(checks, key=lambda check: check.key)}


def judge(run: Run, worlds: Sequence[World], ids: Collection[str] | None = None) -> list[Violation]:
    """Where the invariants (all, or those of `ids`) do not hold in a run over these worlds. Raises KeyError for an unknown id."""
    return judge_tables(Tables.of(run, worlds), ids).violations


def judge_tables(tables: Tables, ids: Collection[str] | None = None, *, threads: int = 1) -> Judgement:
    """As `judge`, over any tables and with all that is known of the checking itself."""
    known = all_checks()
    wanted = set(known) if ids is None else set(ids)
    if wanted - set(known):
        raise KeyError(f"no invariant {', '.join(sorted(wanted - set(known)))}")
    found = Judgement()
    if schema.CHECK.id in wanted:
        for violation in schema.schema_violations(tables.events, tables.state):
            found.violations.append(violation)
            key = (violation.check, violation.clause)
            found.totals[key] = found.totals.get(key, 0) + 1
    ledger = Ledger(tables, threads=threads)
    try:
        for invariant in invariants():
            if invariant.check.id not in wanted:
                continue
            violations, totals = ledger.violations(invariant)
            found.violations += violations
            found.totals |= {(invariant.check.id, clause): count for clause, count in totals.items()}
            if unchecked := ledger.unchecked(invariant):
                found.unchecked[invariant.check.id] = unchecked
    finally:
        ledger.close()
    return found
