"""The night as one record: what its units came to, and whether that is news."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from differential.planted import FAULTS
from differential.schemas import EVENT_TYPES
from fixtures.edges import EDGE_LABELS
from scale.log import now
from scale.measuring import machine
from scale.nightly import canary
from scale.nightly.inputs import covered
from scale.nightly.ledger import Merged, Result
from scale.nightly.records import (
    Canary,
    CoveragePoint,
    EarlierNight,
    Known,
    Night,
    NightStatus,
    SlowWorld,
    UnitLine,
    UnitResult,
)
from scale.nightly.state import State
from scale.status import Status

COMPARING = ("sql_vs_polars", "corpus")
_SLOWEST = 10
_NO_RESULT = ("error", "hung", "lost", "refused")
_STATUS = {"clean": Status.PASS, "news": Status.FAIL, "failed": Status.FAIL, "interrupted": Status.INTERRUPTED}


@dataclass(frozen=True)
class Covered:
    """Event types and labels, pairs of them, and inputs of a corpus."""

    labels: frozenset[str]
    pairs: int
    inputs: int


def covered_now(corpus: Path) -> Covered:
    """What a corpus shows at this moment."""
    met = covered(corpus)
    return Covered(frozenset(met.labels), met.pairs, met.inputs)


def night_of(
    state: State, results: Sequence[Result], came: Merged, covered: Covered, earlier: Iterable[EarlierNight],
    *, problems: Sequence[str], interrupted: bool, command: str,
) -> Night:  # fmt: skip
    """The summary of a campaign. problems: sentences on what left no result at all."""
    units = [one.result for one in results]
    fuzzed = [one for one in units if not one.unit.canary]
    bird = canary_of(state, units, interrupted=interrupted)
    status, reasons = _status(units, came, bird, problems, interrupted=interrupted, wanted=state.fault is not None)
    compared = [one for one in fuzzed if one.unit.what in COMPARING]
    return Night(
        status=status,
        reasons=tuple(reasons),
        started=state.started,
        ended=now(),
        minutes=state.minutes,
        workers=state.workers,
        engines=state.engines,
        seed=state.seed,
        part=state.part,
        seconds=round(state.seconds, 3),
        worlds=sum(one.worlds for one in fuzzed),
        employees=sum(one.employees for one in fuzzed),
        compared=sum(one.worlds for one in compared),
        compared_seconds=round(sum(one.seconds for one in compared), 3),
        new=_entries(came, came.new),
        known=_entries(came, came.known),
        fixed=_entries(came, came.fixed),
        flaky=_entries(came, came.flaky),
        canary=bird,
        units=tuple(_line(one) for one in units),
        labels=dict(sorted(_labels(fuzzed).items())),
        never=tuple(sorted({*EVENT_TYPES, *EDGE_LABELS} - covered.labels - set(_labels(fuzzed)))),
        pairs=covered.pairs,
        pairs_before=state.pairs,
        inputs=covered.inputs,
        inputs_before=state.inputs,
        coverage=state.coverage,
        slowest=_slowest(fuzzed),
        versions=_versions(fuzzed),
        commit=state.commit,
        sources=state.sources,
        machine=machine(),
        command=command,
        earlier=tuple(earlier),
    )


def status_of_night(night: Night) -> Status:
    """How the command ends: known failures are no news; a night without any world decides nothing."""
    if night.status != "interrupted" and not night.worlds and not night.new:
        return Status.INSUFFICIENT
    return _STATUS[night.status]


def line_of(night: Night, labels: int) -> EarlierNight:
    """What the corpus's history keeps of a night."""
    return EarlierNight(
        started=night.started, commit=night.commit, status=night.status, worlds=night.worlds, seconds=night.seconds,
        labels=labels, pairs=night.pairs, new=len(night.new), known=len(night.known), fixed=len(night.fixed),
        flaky=len(night.flaky), canary=None if night.canary is None else night.canary.caught,
    )  # fmt: skip


def canary_of(state: State, units: Sequence[UnitResult], *, interrupted: bool) -> Canary | None:
    """What became of the canary; None in a slice that has none, and where an interruption ended it first."""
    if state.fault is None or state.first is None:
        return None
    fault = FAULTS[state.fault]
    asked = next((unit for unit in state.first if unit.canary), None)
    if asked is None:
        return None
    result = next((one for one in units if one.unit.canary), None)
    found = canary.judged(fault, asked, result)
    ended = result is not None and result.status != "running"
    return found if found.caught or ended or not interrupted else None


def _status(
    units: Sequence[UnitResult],
    came: Merged,
    bird: Canary | None,
    problems: Sequence[str],
    *,
    interrupted: bool,
    wanted: bool,
) -> tuple[NightStatus, list[str]]:
    failed: list[str] = []
    if wanted and bird is not None and not bird.caught:
        failed.append(f"The canary was missed: {bird.fault}. {bird.reason[:1].upper()}{bird.reason[1:]}.")
    failed += [f"Unit {one.unit.name}: {one.status}: {one.reason}" for one in units if one.status in _NO_RESULT]
    failed += problems
    if not interrupted and not any(one.worlds for one in units if not one.unit.canary):
        failed.append("No world was compared")
    news = [f"{len(keys)} {word}" for keys, word in ((came.new, "new"), (came.flaky, "flaky")) if keys]
    reasons = [*failed, *([f"Failures: {', '.join(news)}"] if news else [])]
    if interrupted:
        return "interrupted", ["It was interrupted before its time was used up", *reasons]
    if failed:
        return "failed", reasons
    return ("news", reasons) if news else ("clean", [])


def _entries(came: Merged, keys: Iterable[str]) -> tuple[Known, ...]:
    return tuple(came.entries[key] for key in keys)


def _line(one: UnitResult) -> UnitLine:
    return UnitLine(
        name=one.unit.name, what=one.unit.what, status=one.status, seconds=one.seconds, worlds=one.worlds,
        reason=one.reason, host=one.host,
    )  # fmt: skip


def _labels(units: Iterable[UnitResult]) -> Counter[str]:
    counted: Counter[str] = Counter()
    for one in units:
        counted.update(one.labels)
    return counted


def _slowest(units: Iterable[UnitResult]) -> tuple[SlowWorld, ...]:
    found = {slow.fingerprint: slow for one in units for slow in one.slowest}
    return tuple(sorted(found.values(), key=lambda slow: -max(slow.seconds.values(), default=0.0))[:_SLOWEST])


def _versions(units: Iterable[UnitResult]) -> dict[str, str]:
    """Of all units; workers of a cluster were checked to have the same ones."""
    versions: dict[str, str] = {}
    for one in units:
        versions |= one.versions
    return dict(sorted(versions.items()))


def coverage_point(state: State, results: Sequence[Result], covered: Covered) -> CoveragePoint:
    """Where the campaign stands."""
    worlds = sum(one.result.worlds for one in results if not one.result.unit.canary)
    return CoveragePoint(
        seconds=round(state.seconds, 1), worlds=worlds, labels=len(covered.labels), pairs=covered.pairs
    )
