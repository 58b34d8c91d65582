"""From what was found to a verdict: what counts, what a rule excuses, and what becomes of a failing world."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from differential.side import Side
from fixtures.world import World
from properties.check import Check, Violation
from properties.finding import explain, finding_of
from properties.invariants import Judgement
from properties.judging import judge_of
from properties.relations.outcome import RelationOutcome
from properties.report import PropertyRecord
from properties.rules import Rule, split
from properties.session import BrokenWorld, InvariantsFound, PropertySession

NOTHING_TO_HOLD = "a world that gives it something to hold"
"""What a clause of a relation lacks that was held nowhere though nothing was left out."""


def invariant_verdict(
    found: InvariantsFound, check: Check, engine: str, session: PropertySession
) -> tuple[PropertyRecord, str]:
    """One invariant on one engine: the record, and the failure's text, empty unless it failed."""
    record = PropertyRecord(
        check.id, check.title, engine, worlds=found.worlds, unchecked=found.unchecked.get(check.id, {})
    )
    broken = found.broken.get(check.id, [])
    counted = _settle_worlds(
        record,
        broken,
        _still_known(record, session.rules.of(engine, check.id), found.totals),
        len(record.unchecked) == len(check.clauses),
    )
    if found.worlds == 1 and record.clauses:
        record.clauses = {clause: found.totals[check.id, clause] for clause in record.clauses}
        record.reason = ", ".join(f"{clause} in {count} places" for clause, count in record.clauses.items())
    return record, _tell(record, counted, session) if counted else ""


def _still_known(
    record: PropertyRecord, rules: Sequence[Rule], totals: Mapping[tuple[str, str], int]
) -> tuple[Rule, ...]:
    """The rules that excuse what there is; one with more places than it knows excuses none of them, and is told."""
    news = [rule for rule in rules if rule.exceeded(totals)]
    record.exceeded = [
        f"{rule.name}: {rule.places(totals)} places, {rule.at_most} are known: this is news" for rule in news
    ]
    return tuple(rule for rule in rules if rule not in news)


def relation_verdict(
    outcome: RelationOutcome, check: Check, engine: str, session: PropertySession
) -> tuple[PropertyRecord, str]:
    """One relation on one engine, as `invariant_verdict`. What proves nothing is refused; its text says why."""
    record = PropertyRecord(check.id, check.title, engine, worlds=outcome.worlds, seconds=outcome.seconds)
    by_world: dict[str, list[Violation]] = {}
    worlds: dict[str, World] = {}
    for one in outcome.broken:
        worlds[one.world.fingerprint] = one.world
        by_world.setdefault(one.world.fingerprint, []).append(replace(one.violation, world=0))
    broken = [BrokenWorld(worlds[key], tuple(violations)) for key, violations in by_world.items()]
    record.unchecked = _unheld(outcome, check)
    counted = _settle_worlds(
        record, broken, session.rules.of(engine, check.id), len(record.unchecked) == len(check.clauses)
    )
    if counted:
        return record, _tell(record, counted, session)
    if outcome.refused:
        record.status, record.reason = "refused", "; ".join(outcome.refused)
        return record, f"REFUSED: {check.id} on {engine}\n{record.reason}"
    return record, ""


def _unheld(outcome: RelationOutcome, check: Check) -> dict[str, str]:
    """Clauses that were held nowhere and lack something for it; those that were broken or refused are told as that."""
    told = {one.violation.clause for one in outcome.broken} | {why.partition(":")[0] for why in outcome.refused}
    lacking = "; ".join(outcome.skipped) or NOTHING_TO_HOLD
    return {clause: lacking for clause in check.clauses if not outcome.held[clause] and clause not in told}


def results_verdict(found: Judgement, check: Check, session: PropertySession) -> tuple[PropertyRecord, list[Violation]]:
    """One invariant on the tables of --results: the record, and what counts against it."""
    assert session.outside is not None
    unchecked = found.unchecked.get(check.id, {})
    record = PropertyRecord(check.id, check.title, None, worlds=len(session.outside.tables.bounds), unchecked=unchecked)
    mine = [violation for violation in found.violations if violation.check == check.id]
    by_world = [[one for one in mine if one.world == world] for world in dict.fromkeys(one.world for one in mine)]
    rules = _still_known(record, session.rules.of(None, check.id), found.totals)
    counted = _settle(record, by_world, rules, len(unchecked) == len(check.clauses))
    record.clauses = {clause: count for (id_, clause), count in found.totals.items() if id_ == check.id}
    if record.clauses:
        record.reason = ", ".join(f"{clause} in {count} places" for clause, count in record.clauses.items())
    return record, [violation for violations in counted.values() for violation in violations]


def _settle_worlds(
    record: PropertyRecord, broken: Sequence[BrokenWorld], rules: Sequence[Rule], unchecked: bool
) -> list[BrokenWorld]:
    counted = _settle(record, [world.violations for world in broken], rules, unchecked)
    return [replace(broken[index], violations=tuple(violations)) for index, violations in counted.items()]


def _settle(
    record: PropertyRecord, broken: Sequence[Sequence[Violation]], rules: Sequence[Rule], unchecked: bool
) -> dict[int, list[Violation]]:
    """Set the record's status from the violations of each world; returns those that count, by the world's position."""
    counted: dict[int, list[Violation]] = {}
    excused: Counter[Rule] = Counter()
    clauses: Counter[str] = Counter()
    for index, violations in enumerate(broken):
        left, by_rule = split(violations, rules)
        clauses.update({violation.clause for violation in violations})
        excused.update([rule for rule, covered in by_rule.items() if covered])
        if left:
            counted[index] = left
    record.broken, record.clauses = len(broken), dict(clauses)
    record.rules = record.exceeded + [
        f"{rule.describe()} ({_came_of(excused[rule], unchecked=unchecked or rule.clause in record.unchecked)})"
        for rule in rules
    ]
    record.reason = ", ".join(f"{clause} on {count} of {record.worlds} worlds" for clause, count in clauses.items())
    if counted:
        record.status = "fail"
    elif any(rule.verdict == "off" and rule.clause is None for rule in rules):
        record.status = "off"
    elif excused:
        record.status = "off" if all(rule.verdict == "off" for rule in excused) else "warn"
    elif unchecked:
        record.status = "not checked"
    else:
        record.status = "pass"
    return counted


def _came_of(worlds: int, *, unchecked: bool) -> str:
    if worlds:
        return f"does not hold on {worlds} worlds"
    return "could not be checked" if unchecked else "it holds all the same: remove the entry"


def _tell(record: PropertyRecord, counted: Sequence[BrokenWorld], session: PropertySession) -> str:
    """The smallest world's repro bundle, reduced; its report for the terminal."""
    first = min(counted, key=lambda broken: broken.size)
    assert record.engine is not None
    finding = finding_of(
        session.session, Side(record.engine), first.world, judge=judge_of(record.check), violations=first.violations,
        result=first.result, command=_command(record, session),
    )  # fmt: skip
    text, path = explain(finding, session.session, chunk=first.chunk, hung=session.session.costly)
    record.bundle, record.signature = str(path), finding.signature
    others = len(counted) - 1
    return text + (f"\n{others} more of {record.worlds} worlds break it too.\n" if others else "")


def _command(record: PropertyRecord, session: PropertySession) -> str:
    return f"{session.session.command('properties')} --check {record.check}"
