"""Triage: failures told apart by a key; a known one is counted, a new one confirmed and made small, one that does not repeat kept.

A key says which engines, which check, and where in the tables, and holds nothing of a census.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from differential.reduction import Budget
from differential.repro import Finding
from differential.repro.reading import RECORD
from differential.repro.report import replay_command
from scale.nightly.keys import LONGEST, key_of, plain
from scale.nightly.records import FLAKY, REPROS, Found, Origin
from scale.nightly.unit.ending import go_on
from scale.nightly.unit.flaky import Attempt, keep_flaky
from scale.nightly.unit.judged import Suspect

BUDGET = Budget(runs=60, seconds=60.0)
"""Of reducing one new failure, the reducer's own default: planted faults need 9 to 40 runs and a few seconds."""
LATE = Budget(runs=20, seconds=10.0)
"""Once the unit's time is used up: enough for few people and years, and the unit ends."""
MOST_REDUCED = 20
"""New failures of one unit that are reduced; so many at once have one cause or two, and reducing them takes the night."""
ALONE, TOGETHER = 3, 2
"""Runs that a failure gets to repeat: its world alone, then the batch that it was met in."""


@dataclass(frozen=True)
class Met:
    """When and how a failure was met: seconds and worlds of the unit so far, and where its world came from."""

    after: float
    after_worlds: int
    origin: Origin
    late: bool


class Triage:
    """All failures of a unit. known: keys that are only counted."""

    def __init__(self, folder: Path, known: Collection[str], *, private: bool, say: Callable[[str], None]) -> None:
        self._folder, self._known, self._private, self._say = folder, set(known), private, say
        self._found: dict[str, Found] = {}
        self._reduced = 0

    @property
    def found(self) -> tuple[Found, ...]:
        """What was found so far, in the order in which it was met."""
        return tuple(self._found.values())

    def meet(self, suspect: Suspect, met: Met, saved: Callable[[], None] = lambda: None) -> None:
        """Count a failure, and look into one that is new. saved: called once it is counted, before it is looked into."""
        key = key_of(suspect.engines, suspect.signature)
        before = self._found.get(key)
        if before is not None:
            self._found[key] = before.model_copy(update={"worlds": before.worlds + 1})
            return
        found = Found(
            key=key, test=plain(suspect.test), engines=suspect.engines, headline=headline_of(suspect), shown="known",
            worlds=1, employees=len(suspect.world.census), years=len(suspect.world.scenario.years), after=met.after,
            after_worlds=met.after_worlds, origin=met.origin,
            chunk_seed=suspect.chunk.seed if suspect.chunk and suspect.chunk.strategy is None else None,
        )  # fmt: skip
        self._found[key] = found
        if key in self._known:
            return
        self._found[key] = found.model_copy(update={"shown": "new"})
        saved()  # whatever becomes of this process now, the night knows that there was something
        self._say(f"{key}: met after {met.after:.1f} s and {met.after_worlds} worlds; run again")
        attempts = confirm(suspect)
        go_on()
        if attempts[-1].same:
            self._keep(key, suspect, late=met.late)
        else:
            self._keep_flaky(key, suspect, attempts)
        saved()

    def _keep(self, key: str, suspect: Suspect, *, late: bool) -> None:
        self._reduced += 1
        budget = LATE if late or self._reduced > MOST_REDUCED else BUDGET
        path = suspect.reduce(budget)
        record: dict[str, Any] = json.loads((path / RECORD).read_text(encoding="utf-8"))
        if not record["reduced"] and not suspect.hung:
            # it repeated once and then no more
            attempt = Attempt("while it was reduced", None)
            shutil.rmtree(path)
            self._keep_flaky(key, suspect, [attempt])
            return
        size = f"{record['employees']} employees, {record['years']} years"
        self._say(f"{key}: kept in {path.name}, {size}")
        self._told(key, suspect.finding(), path, REPROS, employees=record["employees"], years=record["years"])

    def _keep_flaky(self, key: str, suspect: Suspect, attempts: list[Attempt]) -> None:
        self._say(f"{key}: did not repeat")
        path = keep_flaky(self._folder / FLAKY, suspect, attempts, private=self._private)
        self._told(key, suspect.finding(), path, FLAKY, shown="flaky")

    def _told(self, key: str, finding: Finding, path: Path, place: str, **more: Any) -> None:
        bundle = f"{place}/{path.name}"
        more |= {"bundle": bundle, "command": replay_command(finding, Path(bundle))}
        self._found[key] = self._found[key].model_copy(update=more)

    def add(self, found: Found) -> None:
        """Count something that was looked into already, such as the life of a database."""
        before = self._found.get(found.key)
        if before is not None:
            found = before.model_copy(update={"worlds": before.worlds + found.worlds})
        elif found.key in self._known and found.shown == "new":
            found = found.model_copy(update={"shown": "known"})
        self._found[found.key] = found


def confirm(suspect: Suspect) -> list[Attempt]:
    """Run a failure again until it shows once more: its world alone, then in its batch. The last attempt says whether it did.

    One that repeats in its batch only counts as not repeating, since nobody could replay it; the attempts tell.
    """
    if suspect.hung:
        return [Attempt("not run again: an engine hung", suspect.finding(), same=True)]
    finding, attempts = suspect.finding(), []
    for number in range(ALONE):
        again = finding.rerun()
        same = again.found is not None and again.found.signature == suspect.signature
        attempts.append(Attempt(f"alone, run {number + 1}", again.found, again.refused or again.passed, same=same))
        if same:
            return attempts
    for number in range(TOGETHER):
        found = suspect.again()
        attempts.append(Attempt(f"with its batch, run {number + 1}", found))
    return attempts


def headline_of(suspect: Suspect) -> str:
    """One line for people: what failed, on which engines, and where."""
    place = ", ".join(part for part in suspect.signature.split("|")[1:] if part not in ("", "-"))
    return plain(f"{suspect.test} on {' and '.join(suspect.engines)}: {place}")[:LONGEST]
