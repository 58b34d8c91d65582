"""From a failure to its bundle: saved first, then reduced, then saved again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from differential.reduction import (
    Budget,
    FailureCheck,
    NotReproducedError,
    Progress,
    Reduction,
    anonymise,
    reduce_world,
)
from differential.reduction.privacy import masked_ssn
from differential.reduction.search import as_observed
from differential.repro.bundle import Bundle, forget_unreduced, smallest_known, write_bundle
from differential.repro.failure import Failure
from differential.repro.report import report

_PRIVACY_RUNS = 40


def shrink_failure(
    folder: Path,
    failure: Failure,
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
    mask = failure.given and not keep_identities
    path = write_bundle(folder, failure, mask=mask)
    check = failure.check()
    if failure.given:
        failure = _private(failure, check, mask=mask)
        path = write_bundle(folder, failure, mask=mask)
    try:
        reduction = reduce_world(
            failure.world, check, budget=budget, many=check.many, observed=failure.observed, progress=progress
        )
    except NotReproducedError:
        return path, _unreduced(path, failure, mask=mask), None
    reduced = failure.on(reduction.world)
    if mask and failure.stayed:
        reduced, reduction = _private_again(reduced, reduction, check)
    known = smallest_known(folder, reduced)
    if known is not None and _still_fails(known, reduced, check):
        forget_unreduced(folder, reduced)
        path, reduced = known.path, reduced.on(known.failure.world)
    else:
        path = write_bundle(folder, reduced, reduction, mask=mask)
    if reduction.ended == "interrupted":
        raise KeyboardInterrupt
    return path, report(reduced, reduction, command=f"pytest differential --replay {path}"), reduction


def _still_fails(known: Bundle, failure: Failure, check: FailureCheck) -> bool:
    """A bundle of an earlier session wins only while it shows the same failure."""
    verdict = as_observed(check([known.failure.world])[0])
    return verdict is not None and verdict.signature == failure.signature


def _unreduced(path: Path, failure: Failure, *, mask: bool) -> str:
    withheld = mask and not failure.anonymous
    command = failure.command if withheld else f"pytest differential --replay {path}"
    note = "This failure did not show again when its world was run alone, so it is not reduced.\n"
    return report(failure, command=command, withheld=withheld) + note


def _private(failure: Failure, check: FailureCheck, *, mask: bool) -> Failure:
    """The failure on a world whose ssn are masked and, where it survives that, whose people are others."""
    own = None if mask else frozenset[str]()
    budget = Budget(runs=_PRIVACY_RUNS)
    found = anonymise(failure.world, check, many=check.many, observed=failure.observed, budget=budget, own=own)
    if found.observed is None:
        return replace(failure, world=masked_ssn(failure.world), masked=True, stayed=found.stayed)
    return replace(failure.on(found.world), masked=True, anonymous=mask and not found.own, stayed=found.stayed)


def _private_again(failure: Failure, reduction: Reduction, check: FailureCheck) -> tuple[Failure, Reduction]:
    """Few people are left: what the failure really needs of them is known cell by cell."""
    budget = Budget(runs=_PRIVACY_RUNS)
    found = anonymise(failure.world, check, many=check.many, observed=failure.observed, budget=budget)
    if found.observed is None:
        return failure, reduction
    changed = replace(
        reduction, world=found.world, observed=found.observed, runs=reduction.runs + found.runs, stayed=found.stayed
    )
    return replace(failure.on(found.world), anonymous=not found.stayed, stayed=found.stayed), changed
