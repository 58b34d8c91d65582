"""PropertyFinding: one world on which an engine breaks a check, or raises, as data; and what becomes of it."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

from differential.comparison.text import capped
from differential.finding import shrunk_by_hypothesis
from differential.pool import Chunk
from differential.reduction import Budget, Observed
from differential.reduction.check import error_signature
from differential.repro import shrink_failure, write_bundle
from differential.repro.bundle import report_text
from differential.repro.finding import Finding, Rerun, describe_error, register
from differential.repro.record import RecordError, optional, text, value
from differential.repro.report import section
from differential.repro.sides import side_from, side_identity, side_record
from differential.run import WorldResult
from differential.schemas import EVENT_TYPES
from differential.session import Session
from differential.side import Side, UnsuitableWorldsError
from differential.variant import VariantError
from fixtures.world import World
from properties.check import Violation
from properties.evidence import Evidence, evidence_lines, evidence_of
from properties.judging import Judge, PropertyCheck, UnjudgedError, judge_of, wanted_first
from properties.telling import WIDTH, clause_lines, masked, oracle_lines, oracle_on_error

NO_CHECK = "run"
"""The test of a finding without a check: the engine raised."""
_MOST_RECORDED = 10
_MOST_CHANGES = 8


@register
@dataclass(frozen=True, kw_only=True)
class PropertyFinding(Finding):
    """One world on which an engine breaks a check of the catalogue, or raises.

    test: the check's id, or `run`. side: the engine and how it ran. judge: of the check; None: it must only not raise.
    violations: where it does not hold on this world, the one that is told first; none when the engine raised, and `error` then says
    what. wanted: the signature that is looked for on other worlds. evidence: the rows of the first violation.
    """

    kind: ClassVar[str] = "property"
    suite: ClassVar[str] = "properties"
    template: ClassVar[Path] = Path(__file__).with_name("template") / "test_repro.py.txt"

    side: Side
    judge: Judge | None = None
    violations: tuple[Violation, ...] = ()
    wanted: str | None = None
    evidence: Evidence | None = None

    @property
    def observed(self) -> Observed:
        if self.violations:
            first = self.violations[0]
            return Observed(first.signature, first.employee_id, first.year, first.event_type)
        return Observed(error_signature(self.test, (self.error or "unknown").split(":")[0]))

    @property
    def sides(self) -> tuple[Side, ...]:
        return (self.side,)

    @property
    def identity(self) -> Mapping[str, Any]:
        return {"test": self.test, "signature": self.signature, "side": side_identity(self.side)}

    @property
    def words(self) -> tuple[str, ...]:
        if not self.violations or self.judge is None:
            return ("error",)
        first = self.violations[0]
        known = self.judge.formula(first.clause) is not None
        clause = re.sub(r"[^a-z0-9_]+", "-", first.clause.lower()).strip("-") if known else "unjudged"
        return (clause, str(first.event_type)) if first.event_type in EVENT_TYPES else (clause,)

    def check(self) -> PropertyCheck:
        wanted = self.wanted or self.signature
        judge = self.judge and self.judge.narrowed(self._clause)
        return PropertyCheck(self.side, judge, self.test, wanted, self.timeout)

    def on(self, world: World) -> PropertyFinding:
        moved = replace(self, world=world, wanted=self.wanted or self.signature)
        try:
            return moved.seen(moved.broken())
        except Exception as error:  # noqa: BLE001 - whatever an engine raises is what failed
            return _raised(moved, error)

    def rerun(self) -> Rerun:
        try:
            violations = self.broken()
        except (VariantError, UnsuitableWorldsError, UnjudgedError) as error:
            return Rerun(refused=str(error))
        except Exception as error:  # noqa: BLE001 - an engine that raises fails, whatever it raises
            return Rerun(_raised(self, error))
        if not violations:
            holds = "does not raise" if self.judge is None else f"keeps {self.test}"
            return Rerun(passed=f"{self.side.describe()} {holds}")
        return Rerun(self.seen(violations))

    def broken(self) -> list[Violation]:
        """Where the check does not hold on this world, run once more; raises what the engine raises, or UnjudgedError."""
        if self.judge is None:
            self.side.run([self.world], timeout=self.timeout)
            return []
        return self.judge.narrowed(self._clause).violations(self.side, [self.world], self.timeout)

    @property
    def _clause(self) -> str:
        """The clause that is looked for."""
        return (self.wanted or self.signature).partition("|")[2].partition("|")[0]

    def seen(self, violations: Sequence[Violation], result: WorldResult | None = None) -> PropertyFinding:
        """The finding with what was seen of its world. result: what the engine made of it; it is run once more without."""
        secrets = self.world.census.table["employee_ssn"].to_pylist() if self.given and not self.masked else []
        found = (masked(one, secrets, quoted=self.names_people) for one in violations)
        ordered = tuple(wanted_first(list(found), self.wanted))
        if not ordered:
            return replace(self, violations=(), evidence=None, error=None, trace=None)
        try:
            evidence = evidence_of(result or self._result(), ordered[0])
        except Exception:  # noqa: BLE001 - that it raises may be what the check found; then there are no rows to show
            evidence = None
        return replace(self, violations=ordered, evidence=evidence, error=None, trace=None)

    def _result(self) -> WorldResult:
        return next(self.side.run([self.world], timeout=self.timeout).results())

    def title(self) -> tuple[str, list[tuple[str, str]]]:
        if self.judge is None:
            return f"{self.test}: the engine failed", [("engine", self.described(self.side))]
        entry = self.judge.entry
        line = f"{entry.id} {entry.title}: {entry.sentence}"
        return "\n".join(textwrap.wrap(line, WIDTH, subsequent_indent="  ")), [("engine", self.described(self.side))]

    def told(self, *, withheld: bool) -> list[list[str]]:
        if not self.violations or self.judge is None:
            found = self.error_lines(withheld=withheld)
            return [found] if withheld else [found, section("oracle", oracle_on_error(self.world))]
        first = self.violations[0]
        found = clause_lines(first, self.judge, len(self.violations), withheld=withheld)
        if withheld:
            return [found]
        changes = self.judge.changes(self.world, first.clause)
        twins = [section("compared with", capped(changes, _MOST_CHANGES, indent=""))] if changes else []
        run = " (plain run)" if changes else ""
        rows = evidence_lines(self.evidence, first, self.judge.entry, run) if self.evidence else []
        if self.side.capabilities.own_rules:  # the oracle knows no rules but ours
            return [found, *rows, *twins]
        employee = first.employee_id or (self.evidence.employee_id if self.evidence else None)
        oracle = oracle_lines(self.judge, self.world, replace(first, employee_id=employee))
        return [found, *rows, *twins, section("oracle", oracle)]

    def record(self, *, withheld: bool) -> dict[str, Any]:
        entry = None if self.judge is None else self.judge.entry
        shown = self.violations[: 1 if withheld else _MOST_RECORDED]
        return {
            "check": None if entry is None else entry.id,
            "title": None if entry is None else entry.title,
            "side": side_record(self.side, self.versions),
            "violations": [_violation(one, withheld=withheld) for one in shown],
        }

    @classmethod
    def from_record(cls, record: Mapping[str, Any], common: Mapping[str, Any]) -> PropertyFinding:
        return cls(
            **common,
            side=value(record, "side", side_from),
            judge=value(record, "check", optional(_judge)),
            wanted=value(record, "signature", text),
        )


def finding_of(
    session: Session,
    side: Side,
    world: World,
    *,
    judge: Judge | None = None,
    violations: Sequence[Violation] = (),
    result: WorldResult | None = None,
    error: str | None = None,
    trace: str | None = None,
    command: str | None = None,
) -> PropertyFinding:
    """Everything known about a world that fails in a session, as data.

    judge and violations: the check it breaks and where, on this world; result: what the engine made of it. Or error: what it
    raised, as `TypeName: message`, and its traceback. command: the whole command that finds it again.
    """
    finding = PropertyFinding(
        test=NO_CHECK if judge is None else judge.entry.id,
        side=side,
        world=world,
        judge=judge,
        wanted=violations[0].signature if violations else None,
        error=error,
        trace=trace,
        profile=session.profile.name,
        hypothesis_seed=session.seed,
        given=session.given,
        command=command or session.command("properties"),
        versions=session.versions,
        commit=session.commit,
        timeout=session.timeout,
    )
    return finding.seen(violations, result) if violations else finding


def explain(
    finding: PropertyFinding,
    session: Session,
    progress: Callable[[str], None] | None = None,
    *,
    chunk: Chunk | None = None,
    hung: bool = False,
    budget: Budget | None = None,
) -> tuple[str, Path]:
    """Turn a finding into a repro bundle: the report for the terminal, and the bundle's path.

    It is on disk before anything is shrunk, so that an interruption loses nothing. chunk: where Hypothesis drew the world, which it
    then shrinks first. hung: the engine gave no result in time, or takes minutes for one, so that nothing is run again.
    budget: of reducing it.
    """
    tell = progress or session.progress
    mask = session.given and not session.keep_identities
    if hung or (chunk is not None and finding.error is None):
        path = write_bundle(session.repro_dir, finding, None, mask=mask)
        if hung or chunk is None:
            return report_text(path), path
        finding = shrunk_by_hypothesis(finding, chunk, session)
    path, told, _ = shrink_failure(
        session.repro_dir,
        finding,
        keep_identities=session.keep_identities,
        budget=budget,
        progress=lambda step: tell(
            f"{finding.test}[{finding.side.describe()}]: shrinking ({step.stage}): {step.employees} employees, {step.years} years"
        ),
    )
    return told, path


def _raised(finding: PropertyFinding, error: Exception) -> PropertyFinding:
    said, trace = describe_error(error)
    return replace(finding, violations=(), evidence=None, error=said, trace=trace)


def _violation(one: Violation, *, withheld: bool) -> dict[str, Any]:
    names = ("check", "clause", "year", "event_type") if withheld else (*asdict(one),)
    return {name: getattr(one, name) for name in names if name != "world"}


def _judge(check_id: object) -> Judge:
    try:
        return judge_of(text(check_id))
    except KeyError as error:
        raise RecordError(f"key check: {error.args[0]}") from None
