"""What becomes of a failing world: saved at once, shrunk by Hypothesis, reduced, saved again, and told."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from differential.comparison import EVENTS, STATE, compare_tables, first_divergence, long_report
from differential.narrowing import narrow
from differential.parity import CaseRun, FailedWorld
from differential.pool import Chunk, shrink
from differential.reduction import Budget, Step
from differential.reduction.search import as_observed
from differential.repro import Failure, Finding, shrink_costly, shrink_failure, write_bundle
from differential.repro.bundle import report_text
from differential.session import Session
from differential.side import Side
from differential.variant import VariantError
from fixtures.world import World

F = TypeVar("F", bound=Finding)


def explain(run: CaseRun, session: Session, budget: Budget | None = None) -> str:
    """Turn the smallest failing world of a case into a repro bundle; returns the report for the terminal. budget: of reducing it.

    The unreduced failure is on disk before anything is shrunk, so that an interruption loses nothing. The path and the
    signature go into the case's record.
    """
    found = min(run.failures, key=lambda failed: failed.size)
    failure = failure_of(run, found, session)
    if found.chunk is not None and found.error is None:
        write_bundle(session.repro_dir, failure, None, mask=_masked(session))
        failure = shrunk_by_hypothesis(failure, found.chunk, session)
    if session.costly:
        return _explained_costly(run, found, failure, session)
    if found.hung:
        path = write_bundle(session.repro_dir, failure, None, mask=_masked(session))
        run.record.bundle, run.record.signature = str(path), failure.signature
        return report_text(path)
    path, text, reduction = shrink_failure(
        session.repro_dir,
        failure,
        keep_identities=session.keep_identities,
        budget=budget,
        progress=lambda step: session.progress(_step(run, step)),
    )
    run.record.bundle = str(path)
    run.record.signature = failure.signature
    narrowed = _narrowed(failure, reduction.world if reduction else failure.world)
    if narrowed:
        run.record.reason = narrowed
        text += f"\n{narrowed}\n"
    if reduction is not None and failure.error is None:
        _write_tables(path, failure, reduction.world, session)
    others = len(run.failures) - 1
    more = f"\n{others} more of {run.record.worlds} worlds differ too.\n" if others else ""
    return text + more


def _explained_costly(run: CaseRun, found: FailedWorld, failure: Failure, session: Session) -> str:
    """As `explain`, where each run takes minutes: no more than a handful, and none to narrow the variants down."""
    run.record.signature = failure.signature
    if found.results is None:
        path = write_bundle(session.repro_dir, failure, None, mask=_masked(session))
        run.record.bundle = str(path)
        return report_text(path)
    path, text, reduction = shrink_costly(
        session.repro_dir,
        failure,
        found.results,
        keep_identities=session.keep_identities,
        progress=lambda step: session.progress(_step(run, step)),
    )
    run.record.bundle = str(path)
    if reduction is not None:
        _write_tables(path, failure, reduction.world, session)
    return text


def failure_of(run: CaseRun, found: FailedWorld, session: Session) -> Failure:
    """Everything known about a failing world, as data."""
    left, right = found.results or (None, None)
    return Failure(
        test=run.case.test,
        left=found.left,
        right=found.right,
        world=found.world,
        divergence=first_divergence(left, right, found.world, session.policy) if left and right else None,
        scores=found.comparison.scores if found.comparison else None,
        error=found.error,
        trace=found.trace,
        claim=run.case.claim,
        threshold=None if run.record.exact else run.record.threshold,
        policy=session.policy if session.policy.entries else None,
        profile=session.profile.name,
        hypothesis_seed=session.seed,
        given=session.given,
        command=session.command("differential", "--parity", run.case.test),
        versions={**session.versions, **run.record.versions},
        commit=session.commit,
        timeout=session.timeout,
    )


def shrunk_by_hypothesis(finding: F, chunk: Chunk, session: Session) -> F:
    """The same failure on a smaller world that Hypothesis shrank from the one it drew in that chunk."""
    check, wanted = finding.check(), finding.signature

    def same_failure(world: World) -> bool:
        verdict = as_observed(check([world])[0])
        return verdict is not None and verdict.signature == wanted

    smaller, _ = shrink(session.strategy, chunk, finding.world, same_failure)
    return finding if smaller is finding.world else finding.on(smaller)


def _narrowed(failure: Failure, world: World) -> str | None:
    """What it takes of the variants, on the reduced world."""

    def fails(left: Side, right: Side) -> bool:
        try:
            check = replace(failure.check(), left=left, right=right)
            return check([world])[0] is not None
        except VariantError:
            return False

    return narrow(failure.left, failure.right, fails)


def _write_tables(path: Path, failure: Failure, world: World, session: Session) -> None:
    """Both tables of the reduced world side by side, by datacompy, beside the bundle's report; not where people are withheld."""
    if not (path / "census.csv").exists():
        return
    results = [next(side.run([world], timeout=session.timeout).results()) for side in (failure.left, failure.right)]
    names = (failure.left.describe(), failure.right.describe())
    pairs = ((results[0].events, results[1].events, EVENTS), (results[0].state, results[1].state, STATE))
    parts = []
    for left, right, spec in pairs:
        found = compare_tables(left, right, spec)
        parts.append(found.describe(*names) if found.equal else long_report(left, right, spec, names))
    text = "\n\n".join(parts)
    part = path / ".tables.part"
    part.write_text(text, encoding="utf-8")
    part.replace(path / "tables.txt")


def _masked(session: Session) -> bool:
    return session.given and not session.keep_identities


def _step(run: CaseRun, step: Step) -> str:
    return f"{run.case.test}[{run.case.name}]: shrinking ({step.stage}): {step.employees} employees, {step.years} years"
