"""From a failure to its bundle: saved first, then reduced, then saved again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from differential.reduction import (
    Budget,
    NotReproducedError,
    Observed,
    Progress,
    Reduction,
    anonymise,
    reduce_world,
)
from differential.reduction.privacy import CELLS_UP_TO
from differential.reduction.search import as_observed
from differential.repro.bundle import forget_unreduced, report_text, smallest_known, write_bundle
from differential.repro.finding import Finding, Recheck
from differential.repro.reading import Bundle

_PRIVACY_RUNS = 40
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
