"""What must hold after a step, and the errors that say what did not."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from differential.engines import get_engine
from differential.run import Run
from differential.variant import parse_level
from fixtures.world import World
from properties.check import Violation
from properties.lifecycle.clean import CleanRuns, Content
from properties.lifecycle.file import EMPTY, Stored, difference, has_own_rows
from properties.lifecycle.palette import Name
from properties.lifecycle.step import Job, Way

CLAUSES: Mapping[str, str] = {
    "opens": "the file can be opened and read after every step",
    "beside": "the rows of other scenarios are as they were",
    "own table": "a table of somebody else in the file is as it was",
    "strays": "the file holds rows of scenarios that were run into it, and no others",
    "earlier years": "the rows of years before y are as they were when y is run",
    "rows": "the rows of each scenario are those of a clean run of its years",
    "between": "a process killed on the way leaves the old rows or the new ones, and nothing between",
    "returned": "a run returns the rows that it leaves in the file",
    "gap": "a year whose year before is missing in the file is an error, and not a result",
    "runs": "every step that can be done runs without an error",
}


class BrokenError(AssertionError):
    """Something does not hold. detail: where it parts, for people."""

    def __init__(self, violation: Violation, detail: str = "") -> None:
        super().__init__(f"{violation.check} {violation.clause}: {CLAUSES[violation.clause]}")
        self.violation = violation
        self.detail = detail or f"found: {violation.found}\nexpected: {violation.expected}"


class RefusedError(RuntimeError):
    """A run whose proof does not bear that it was done as asked: nothing can be said, so nothing passes."""


@dataclass(frozen=True)
class Slot:
    """One scenario in the file: its world, how many of its years are there, and how the last of them was run."""

    world: World
    years: int
    way: Way

    @property
    def total(self) -> int:
        return len(self.world.scenario.years)

    @property
    def left(self) -> int:
        return self.total - self.years


@dataclass(frozen=True)
class Model:
    """What the file must hold."""

    slots: Mapping[Name, Slot]
    own_table: bool
    clean: CleanRuns

    def expected(self, name: Name) -> Content:
        """The rows of one scenario; none for one that was not run."""
        slot = self.slots.get(name)
        return EMPTY if slot is None else self.clean.content(slot.world, 0, slot.years)

    def world(self, name: Name) -> World | None:
        return self.slots[name].world if name in self.slots else None


def hold_file(stored: Stored, model: Model, touched: Mapping[Name, int], check: str) -> None:
    """Hold the whole file to the model. touched: the scenarios of the step, each with its first year index.

    Raises:
        BrokenError: names the clause; `check` is the relation that is broken where the rows of a touched scenario are wrong.
    """
    if has_own_rows(stored) != model.own_table:
        raise BrokenError(Violation("M18", "own table", 0, repr(stored.own_table), "its two rows"))
    for name, content in stored.contents.items():
        expected = model.expected(name)
        if content.digest == expected.digest:
            continue
        which, clause, found = _clause(name, content, expected, model, touched, check)
        parted = difference(which, clause, *found, model.world(name))
        raise BrokenError(parted.violation, f"scenario {'/'.join(name)}\n{parted.text}")
    if stored.strays:
        raise BrokenError(Violation("M18", "strays", 0, f"{stored.strays} rows", "0 rows"))


def _clause(
    name: Name, content: Content, expected: Content, model: Model, touched: Mapping[Name, int], check: str
) -> tuple[str, str, tuple[Content, Content]]:
    """The check and the clause that is broken, and the part of the rows that shows it."""
    if name not in touched:
        return "M18", "beside", (content, expected)
    if check == "kill":
        return "M06", "between", (content, expected)
    if touched[name] > 0:
        start = model.slots[name].world.scenario.start_year
        past = [rows.between(0, start + touched[name] - 1) for rows in (content, expected)]
        if past[0].digest != past[1].digest:
            return "I34", "earlier years", (past[0], past[1])
    return check, "rows", (content, expected)


def hold_returned(run: Run, job: Job, model: Model, check: str) -> None:
    """Hold what a run returned to the rows of the years it was asked for."""
    if len(run) != len(job.worlds):
        raise BrokenError(Violation(check, "returned", 0, f"{len(run)} worlds", f"{len(job.worlds)} worlds"))
    for result, world in zip(run.results(), job.worlds, strict=True):
        first, count = job.years or (0, len(world.scenario.years))
        found, expected = Content.of(result.events, result.state), model.clean.content(world, first, count)
        if found.digest != expected.digest:
            parted = difference(check, "returned", found, expected, world)
            raise BrokenError(parted.violation, parted.text)
        reasons = [
            reason and f"{reason.code} in {reason.year}"
            for reason in (result.infeasible, model.clean.infeasible(world))
        ]
        if reasons[0] != reasons[1]:
            raise BrokenError(Violation(check, "returned", 0, f"infeasible: {reasons[0]}", f"infeasible: {reasons[1]}"))


def hold_proof(run: Run, job: Job) -> None:
    """Hold the proof to the way that was asked for.

    Raises:
        RefusedError: there is none, or it names another engine, file, process, or path.
    """
    proof, way = run.proof, job.way
    if proof is None:
        raise RefusedError("the run has no proof: what ran cannot be told")
    legs = set(proof.legs) or {proof.pid}
    facts = (
        ("engine", proof.engine, get_engine(way.engine).name, proof.engine == get_engine(way.engine).name),
        (
            "database",
            proof.database,
            job.database,
            proof.database and Path(proof.database).resolve() == job.database.resolve(),
        ),
        ("threads", proof.threads, way.threads, proof.threads == way.threads),
        ("shards", len(proof.shard_rows), way.shards, max(1, len(proof.shard_rows)) == way.shards),
        ("switches", sorted(proof.switches), way.level, proof.switches <= parse_level(way.level)),
        ("fall-backs", proof.fallbacks, "none", not proof.fallbacks),
        ("process", proof.pid, "a new one", not way.fresh or os.getpid() not in legs),
        ("processes of its legs", len(legs), 2, len(legs) == 2 or not _has_two_legs(job)),
    )
    for fact, found, asked, holds in facts:
        if not holds:
            raise RefusedError(f"{way.engine}: {fact}: asked {asked}, the proof says {found}")


def _has_two_legs(job: Job) -> bool:
    """Whether a run that stops after some years has any left."""
    return job.legs is not None and max(len(world.scenario.years) for world in job.worlds) > job.legs
