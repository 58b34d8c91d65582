"""Killing a fault: the detectors in order of cost, what each said and when, and how small the first one's failure gets."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import Any

from differential.reduction import Budget, NotReproducedError, reduce_world
from properties.faults import comparing, holding
from properties.faults.bench import Bench
from properties.faults.hit import Hit, Stage
from properties.faults.target import Target

REDUCTION = Budget(runs=60, seconds=60.0)
ENOUGH_SECONDS = 120.0
"""After which a fault that something has noticed is not tried on the checks that are left."""


@dataclass(frozen=True)
class Found:
    """A detector that fired. status: fail or refused. text: what it said. seconds: since the start."""

    status: str
    text: str
    seconds: float


@dataclass(frozen=True)
class Repro:
    """The reduced failure of the first detector. error: why there is none."""

    employees: int = 0
    years: int = 0
    runs: int = 0
    seconds: float = 0.0
    ended: str = ""
    signature: str = ""
    error: str | None = None


@dataclass
class Kill:
    """What became of one fault, as plain values.

    found: by detector id, in the order in which they fired. stages: seconds of each stage that ran. repro: of the first detector
    that has a world to reduce. seconds: all in all. trouble: what the runner itself could not do. clean: there is no fault, so
    that nothing should fire.
    """

    id: str
    sentence: str
    engine: str
    expected: tuple[str, ...] = ()
    refused: bool = False
    blind: bool = False
    found: dict[str, Found] = field(default_factory=dict)
    stages: dict[str, float] = field(default_factory=dict)
    repro: Repro | None = None
    seconds: float = 0.0
    trouble: str | None = None
    clean: bool = False

    @property
    def first(self) -> str | None:
        """The detector that fired first."""
        return next(iter(self.found), None)

    @property
    def problem(self) -> str | None:
        """Why this fault is not found as it should be; None if it is."""
        if self.trouble:
            return self.trouble
        if self.clean:
            return f"false alarm of {', '.join(self.found)} on the clean engine" if self.found else None
        failed = [name for name, found in self.found.items() if found.status == "fail"]
        refused = [name for name, found in self.found.items() if found.status == "refused"]
        if self.refused:
            if failed:
                return f"failed by {', '.join(failed)}; it must be refused"
            return None if refused else "not refused: it survived"
        if not failed:
            return f"survived (refused by {', '.join(refused)})" if refused else "survived"
        compared = [name for name in self.found if name.startswith("D")]
        if self.blind and compared:
            return f"{', '.join(compared)} should have been blind to it"
        return None

    @property
    def silent(self) -> list[str]:
        """Detectors that were expected and did not fire."""
        return [name for name in self.expected if name != "error" and name not in self.found]

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "first": self.first, "problem": self.problem, "silent": self.silent}


def kill(
    target: Target,
    bench: Bench,
    *,
    first_only: bool = False,
    reduce: bool = True,
    ignored: Collection[str] = (),
    progress: Callable[[str], None] | None = None,
) -> Kill:
    """Try the detectors on a target. first_only: stop at the first that fires; else leave out only what could tell nothing new.

    ignored: checks whose word does not count, since they fire on the clean engine too.
    """
    tell = progress or (lambda _line: None)
    result = Kill(target.id, target.sentence, target.base, target.detectors, target.refused, target.blind)
    started = time.monotonic()
    reducible: Hit | None = None
    with target.planted_here():
        for name, stage in _stages(target, result, first_only=first_only):
            tell(f"{target.id}: {name}")
            begin = time.monotonic()
            for hit in stage(target, bench):
                if hit.detector in ignored:
                    continue
                found = Found(hit.status, hit.text, round(time.monotonic() - started, 2))
                result.found.setdefault(hit.detector, found)
                reducible = reducible or (hit if hit.world is not None and hit.status == "fail" else None)
            result.stages[name] = round(time.monotonic() - begin, 2)
            if result.found and (first_only or time.monotonic() - started > ENOUGH_SECONDS):
                break
        if reduce and reducible is not None:
            tell(f"{target.id}: reducing what {reducible.detector} found")
            result.repro = _reduced(reducible)
    result.seconds = round(time.monotonic() - started, 2)
    return result


def control(engine: str, bench: Bench) -> Kill:
    """The same checks on the clean engine: what fires there gives false alarms."""
    target = Target.control(engine)
    result = Kill(target.id, target.sentence, target.base, clean=True)
    started = time.monotonic()
    stages: tuple[tuple[str, Stage], ...] = (
        ("first chunks", partial(comparing.plain, last=1)),
        ("invariants", holding.invariants),
        ("relations", partial(holding.relations, ways=True)),
        ("life", holding.life),
        ("environment", holding.environment),
    )
    for name, stage in stages:
        begin = time.monotonic()
        for hit in stage(target, bench):
            result.found.setdefault(hit.detector, Found(hit.status, hit.text, round(time.monotonic() - started, 2)))
        result.stages[name] = round(time.monotonic() - begin, 2)
    result.seconds = round(time.monotonic() - started, 2)
    return result


def _stages(target: Target, result: Kill, *, first_only: bool) -> Iterator[tuple[str, Stage]]:
    """In order of cost. Asked for one after another, so that later ones depend on what the earlier found."""
    axes = _expected_axes(target)
    if target.refused:
        if "D1" in target.detectors:
            yield "first chunks", partial(comparing.plain, last=1)
        yield from _axes(target, result, axes, every=True)
        return
    yield "first chunks", partial(comparing.plain, last=comparing.FIRST_CHUNKS if target.blind else 1)
    if (
        target.blind or not first_only
    ):  # an engine that equals the clean one keeps every invariant that the clean one keeps
        yield "invariants", holding.invariants
    if not result.found:
        yield "more chunks", partial(comparing.plain, first=1, last=comparing.FIRST_CHUNKS)
    yield from _axes(target, result, axes, every=not first_only)
    if not first_only:
        ways = bool(set(target.detectors) & holding.PATHS)
        yield "relations", partial(holding.relations, ways=ways)
    if "L" in target.detectors and not first_only:
        yield "life", holding.life
    if not result.found:
        yield from _last_resort(target, result, axes, first_only=first_only)


def _last_resort(target: Target, result: Kill, axes: set[str], *, first_only: bool) -> Iterator[tuple[str, Stage]]:
    """What is left for a fault that nothing has noticed yet, until something does."""
    yield from _axes(target, result, {"D2", "D3", "D4", "D5"} - axes, every=False)
    stages: list[tuple[str, Stage]] = [("all chunks", partial(comparing.plain, first=comparing.FIRST_CHUNKS))]
    if (
        first_only
    ):  # hundreds of mutants: what is dear and has little to add is left out, so that the score is a lower bound
        stages.append(("relations", partial(holding.relations, ways=False)))
    else:
        stages += [
            ("relations, all ways", partial(holding.relations, ways=True)),
            ("environment", holding.environment),
            ("borders", comparing.borders),
        ]
        if "L" not in target.detectors:
            stages.append(("life", holding.life))
    for stage in stages:
        if result.found:
            return
        yield stage


def _axes(target: Target, result: Kill, wanted: set[str], *, every: bool) -> Iterator[tuple[str, Stage]]:
    """The cases of these detectors; every: go on when another detector has fired."""
    for name, stage in comparing.stages_of_axes(target, wanted):
        detector = comparing.DETECTORS[name.partition("-")[0]]
        if detector not in result.found and (every or not result.found):
            yield name, stage


def _expected_axes(target: Target) -> set[str]:
    return {name for name in target.detectors if name in ("D2", "D3", "D4", "D5")}


def _reduced(hit: Hit) -> Repro:
    assert hit.world is not None and hit.check is not None
    try:
        reduction = reduce_world(hit.world, hit.check, many=hit.check.many, budget=REDUCTION)
    except NotReproducedError:
        return Repro(error=f"{hit.detector} does not show again on the world alone")
    world = reduction.world
    return Repro(
        employees=len(world.census),
        years=len(world.scenario.years),
        runs=reduction.runs,
        seconds=round(reduction.seconds, 2),
        ended=reduction.ended,
        signature=reduction.signature,
    )
