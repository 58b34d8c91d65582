"""From a failure to its bundle: saved first, then reduced, then saved again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from differential.budget import costly_runs
from differential.comparison import CLAIMS, Divergence, check_claim
from differential.comparison.alike import alike, swapped_with
from differential.reduction import (
    Budget,
    NotReproducedError,
    Observed,
    Progress,
    Reduction,
    anonymise,
    reduce_world,
)
from differential.reduction.costly import COSTLY_RUNS, Runs, reduce_costly
from differential.reduction.privacy import CELLS_UP_TO
from differential.reduction.search import as_observed
from differential.repro.bundle import bundle_name, forget_unreduced, report_text, smallest_known, write_bundle
from differential.repro.failure import Failure
from differential.repro.finding import Finding, Recheck
from differential.repro.reading import Bundle
from differential.run import WorldResult
from differential.side import run_both
from fixtures.world import World

_PRIVACY_RUNS = 40
_NOT_SMALLER = "\nThere is no smaller world to try.\n"
_NOT_AGAIN = "\nThe failure did not show again when its world was run alone, so it is not reduced.\n"


def shrink_failure(
    folder: Path,
    finding: Finding,
    *,
    keep_identities: bool = False,
    budget: Budget | None = None,
    progress: Progress | None = None,
) -> tuple[Path, str, Reduction | None]:
    """Save, reduce, verify and save the smaller one: the bundle's path, the report's text, and the reduction.

    For a given census people's data are replaced before anything about them is written, unless `keep_identities`. A
    KeyboardInterrupt is raised again once the best so far is saved. The reduction is None for a failure that did not show
    again when its world ran alone; then the bundle holds it as found.
    """
    mask = finding.given and not keep_identities
    path = write_bundle(folder, finding, mask=mask)
    check = finding.check()
    own = frozenset[str]()
    known: Observed | None = finding.observed
    if finding.given:
        finding, own, known = _private(finding, check, mask=mask)
        if finding.anonymous:
            path = write_bundle(folder, finding, mask=mask)
    try:
        reduction = reduce_world(
            finding.world, check, budget=budget, many=check.many, observed=known, progress=progress
        )
    except NotReproducedError:
        return path, report_text(path) + _NOT_AGAIN, None
    reduced = finding.on(reduction.world)
    if own and reduction.verified:
        reduced, reduction = _private_again(reduced, reduction, check, own)
    earlier = smallest_known(folder, reduced)
    if earlier is not None and _still_fails(earlier, reduced, check):
        forget_unreduced(folder, reduced)
        path = earlier.path
    else:
        path = write_bundle(folder, reduced, reduction, mask=mask)
    if reduction.ended == "interrupted":
        raise KeyboardInterrupt
    return path, report_text(path), reduction


def shrink_costly(
    folder: Path,
    failure: Failure,
    results: tuple[WorldResult, WorldResult],
    *,
    keep_identities: bool = False,
    progress: Progress | None = None,
) -> tuple[Path, str, Reduction | None]:
    """As `shrink_failure`, where a run takes minutes: at most eight runs, and no more than the session's budget has over.

    results: of the failing run; whoever differs in it as the first divergence does is who the reduction starts from. People of a
    given census are not made anonymous, which would take more runs: they are written with `keep_identities`, else nobody is.
    """
    mask = failure.given and not keep_identities
    path = write_bundle(folder, failure, mask=mask)
    found = failure.divergence
    account, each = costly_runs(), sum(side.capabilities.costly for side in failure.sides)
    most = account.for_reduction(COSTLY_RUNS)
    if found is None or most < each:
        return path, report_text(path) + f"\n{account.describe()} leaves no runs to reduce this.\n", None
    shown = alike(*results, found, failure.policy)
    others = swapped_with(*results, found, failure.policy)
    first = [found.employee_id] if found.employee_id else []
    try:
        reduction = reduce_costly(
            failure.world,
            lambda world: _shows(failure, found, world),
            failure.observed,
            Runs(most, each, lambda: account.used),
            alike=[*first, *(employee for _, employee in shown)],
            others=others,
            progress=progress,
        )
    except NotReproducedError:
        return path, report_text(path) + _NOT_SMALLER, None
    if reduction.world is failure.world:
        return (
            path,
            report_text(path) + f"\nNone of {reduction.candidates} smaller worlds showed it ({most} runs).\n",
            None,
        )
    reduced = failure.on(reduction.world)  # as the session has run it already
    if bundle_name(reduced) != bundle_name(failure):
        forget_unreduced(folder, failure)
    kept = replace(reduction, verified=reduction.verified and not mask)
    path = write_bundle(folder, reduced, kept, mask=mask)
    if reduction.ended == "interrupted":
        raise KeyboardInterrupt
    text = report_text(path)
    if reduced.signature != failure.signature:
        text += f"\nLooked for and shown here too: {failure.signature}; what comes first here is another difference.\n"
    return path, text, kept


def _shows(failure: Failure, found: Divergence, world: World) -> Observed | None:
    """Whether a world shows this difference, first or not: other differences of the two engines may come before it."""
    try:
        left, right = run_both(failure.left, failure.right, [world], failure.timeout)
        if failure.claim is not None and not check_claim(CLAIMS[failure.claim], left, right).ok:
            return None
        shown = alike(next(left.results()), next(right.results()), found, failure.policy)
    except Exception:  # noqa: BLE001 - a world that an engine cannot run shows nothing
        return None
    if not shown:
        return None
    year, employee = shown[0]
    return replace(failure.observed, employee_id=employee, year=year)


def _still_fails(known: Bundle, finding: Finding, check: Recheck) -> bool:
    """A bundle of an earlier session wins only while it shows the same failure."""
    verdict = as_observed(check([known.finding.world])[0])
    return verdict is not None and verdict.signature == finding.signature


def _private(finding: Finding, check: Recheck, *, mask: bool) -> tuple[Finding, frozenset[str], Observed | None]:
    """The failure on a world whose ssn are masked and, where it survives that, whose people are others; which groups of their
    data it still holds; and the failure as it shows there, None if it does not."""
    groups = None if mask else frozenset[str]()
    budget = Budget(runs=_PRIVACY_RUNS)
    found = anonymise(finding.world, check, many=check.many, observed=finding.observed, own=groups, budget=budget)
    if found.observed is None:
        return replace(finding, world=found.world, masked=True, stayed=found.stayed), found.own, None
    private = replace(finding.on(found.world), masked=True, anonymous=mask and not found.own, stayed=found.stayed)
    return private, found.own, found.observed


def _private_again(
    finding: Finding, reduction: Reduction, check: Recheck, own: frozenset[str]
) -> tuple[Finding, Reduction]:
    """Few people are left: what the failure really needs of them is found out value by value."""
    budget = Budget(runs=_PRIVACY_RUNS)
    many, seen = check.many, finding.observed
    found = anonymise(finding.world, check, many=many, observed=seen, own=own, cells=True, budget=budget)
    if found.observed is None or len(finding.world.census) > CELLS_UP_TO:
        return finding, reduction
    runs, seconds = reduction.runs + found.runs, reduction.seconds
    changed = replace(
        reduction, world=found.world, observed=found.observed, runs=runs, seconds=seconds, stayed=found.stayed
    )
    return replace(finding.on(found.world), anonymous=not found.stayed, stayed=found.stayed), changed
