"""Running a bundle again, with exit statuses fit for `git bisect run`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from differential.comparison import CLAIMS, ComparisonError, check_claim, compare_runs, first_divergence
from differential.engines import EngineSpecError, get_engine
from differential.reduction.check import failing
from differential.repro.bundle import Bundle, BundleError, load_bundle
from differential.repro.failure import Failure
from differential.repro.report import report
from differential.run import Run, RunError
from differential.side import UnsuitableWorldsError
from differential.variant import VariantError

PASSES: Literal[0] = 0
FAILS: Literal[1] = 1
UNTESTABLE: Literal[125] = 125


@dataclass(frozen=True)
class ReplayResult:
    """status: 0 no longer fails, 1 still fails (a failure other than the recorded one too; `note` says so), 125 cannot be
    tested: the bundle cannot be read, an engine is missing, the comparison is refused or unproven. report: text for people."""

    status: Literal[0, 1, 125]
    report: str
    note: str = ""
    signature: str | None = None


def replay(path: str | Path, *, timeout: float | None = None) -> ReplayResult:
    """Run a bundle's world through both of its sides and compare. Never raises for what a bundle or an engine does."""
    try:
        bundle = load_bundle(Path(path))
        for side in (bundle.failure.left, bundle.failure.right):
            get_engine(side.engine)
    except (BundleError, EngineSpecError) as error:
        return ReplayResult(UNTESTABLE, f"cannot be tested: {error}")
    result = _run(bundle, timeout)
    return replace(result, note="; ".join(note for note in (result.note, *bundle.notes) if note))


def _run(bundle: Bundle, timeout: float | None) -> ReplayResult:
    failure = bundle.failure
    try:
        left, right = (side.run([failure.world], timeout=timeout) for side in (failure.left, failure.right))
    except (VariantError, UnsuitableWorldsError) as error:
        return ReplayResult(UNTESTABLE, f"cannot be tested: {error}")
    except Exception as error:  # noqa: BLE001 - an engine that raises fails, whatever it raises
        return _failed(bundle, replace(failure, error=f"{type(error).__name__}: {error}"))
    if failure.claim is not None:
        outcome = check_claim(CLAIMS[failure.claim], left, right)
        if not outcome.ok:
            return ReplayResult(UNTESTABLE, f"cannot be tested: {outcome.status}: {outcome.describe()}")
    return _compared(bundle, left, right)


def _compared(bundle: Bundle, left: Run, right: Run) -> ReplayResult:
    failure = bundle.failure
    try:
        comparison = compare_runs(left, right, failure.policy)[0]
    except (ComparisonError, RunError) as error:
        return _failed(bundle, replace(failure, error=f"{type(error).__name__}: {error}"))
    if not failing(comparison, failure.threshold):
        return ReplayResult(PASSES, f"{bundle.path}: no longer fails: {' and '.join(failure.names)} agree")
    one, other = next(left.results()), next(right.results())
    divergence = first_divergence(one, other, failure.world, failure.policy)
    return _failed(bundle, replace(failure, divergence=divergence, scores=comparison.scores, error=None))


def _failed(bundle: Bundle, failure: Failure) -> ReplayResult:
    text = report(failure, command=f"pytest differential --replay {bundle.path}")
    same = failure.signature == bundle.signature
    note = "" if same else f"another failure than the recorded one: {failure.signature}, not {bundle.signature}"
    return ReplayResult(FAILS, text, note, failure.signature)
