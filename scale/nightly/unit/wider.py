"""Units that hold more than one run's tables: the life of a database, and other environments. Each round is a batch.

What they find has no bundle that replays: its folder holds the report and, of a life, what draws it again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from differential.pool import derived_seed
from differential.session import Session
from fixtures.world import World
from properties.check import Violation
from properties.environment import EnvironmentOutcome, run_environment
from properties.lifecycle import LifecycleOutcome, run_lifecycle
from properties.wider import ENVIRONMENT, LIFECYCLE
from scale.nightly.keys import key_of, plain
from scale.nightly.records import FLAKY, REPROS, Found
from scale.nightly.unit.source import Source
from scale.nightly.unit.triage import Met
from scale.status import UsageError

LIVES, STEPS = 4, 10
"""Of a database, one round: about five seconds, so that the budget is kept; more steps in one life find little more."""
ENVIRONMENT_WORLDS, ENVIRONMENT_OF = 24, 256
"""That run, and of how many drawn ones: the first of a chunk have one employee each, and no order of rows."""
REPORT = "report.md"


@dataclass
class Round:
    """What came of one round. worlds: lives, or worlds that were run. refused: why nothing can be said."""

    worlds: int = 0
    employees: int = 0
    found: list[Found] = field(default_factory=list)
    refused: str = ""


class Wider(Protocol):
    def round(self, seconds: float, met: Met) -> Round:
        """One round. seconds: that are left of the budget."""
        ...


class Lifecycle:
    """Lives of database files, under seeds that follow from the unit's."""

    def __init__(self, session: Session, folder: Path) -> None:
        self._session, self._folder, self._rounds = session, folder, 0

    def round(self, seconds: float, met: Met) -> Round:  # noqa: ARG002 - a life is lived to its end
        seed = derived_seed(self._session.seed, (1, 1), f"lives {self._rounds}")
        self._rounds += 1
        found = self._live(seed)
        if found.refused:
            return Round(refused=found.refused)
        done = Round(worlds=found.examples)
        if found.failure is not None:
            signature = found.signature or "lifecycle|-"
            again = self._live(seed)
            command = self._session.command("properties", "--check", LIFECYCLE.id)
            head = [f"# {LIFECYCLE.title}: {LIFECYCLE.sentence}", ""]
            head += [f"Drawn by run_lifecycle({list(found.engines)}, examples={LIVES}, steps={STEPS}, seed={seed})", ""]
            text = [*head, "```text", found.failure, "```"]
            same = again.signature == signature
            if not same:
                text += ["", "Run again:", "", "```text", again.failure or again.refused or "passed", "```"]
            done.found.append(
                told(self._folder, LIFECYCLE.id, found.engines, signature, text, met, same=same, command=command)
            )
        return done

    def _live(self, seed: int) -> LifecycleOutcome:
        return run_lifecycle(
            self._session.engines, examples=LIVES, steps=STEPS, seed=seed, timeout=self._session.timeout,
            progress=self._session.progress,
        )  # fmt: skip


class Environment:
    """Other environments, one engine after the other, over generated worlds."""

    def __init__(self, session: Session, folder: Path, source: Source) -> None:
        self._session, self._folder, self._source, self._turn = session, folder, source, 0

    def round(self, seconds: float, met: Met) -> Round:  # noqa: ARG002 - all settings or none
        engine = self._session.engines[self._turn % len(self._session.engines)]
        self._turn += 1
        worlds = _with_an_order(self._source.take(ENVIRONMENT_OF).worlds)
        outcomes = self._run(engine, worlds)
        done = Round()
        if any(one.status in ("pass", "fail") for one in outcomes):
            done.worlds, done.employees = len(worlds), sum(len(world.census) for world in worlds)
        done.refused = "; ".join(f"{one.name}: {self._why(one)}" for one in outcomes if one.status == "refused")
        failing = [one for one in outcomes if one.status == "fail"]
        again = {one.name: one for one in self._run(engine, worlds)} if failing else {}
        private = self._session.given and not self._session.keep_identities
        command = self._session.command("properties", "--check", ENVIRONMENT.id)
        for one in failing:
            signature = _signature(one.name, one.violation)
            more = again.get(one.name)
            same = more is not None and more.status == "fail" and _signature(more.name, more.violation) == signature
            text = [f"# {ENVIRONMENT.id} {ENVIRONMENT.title}: {one.name}", ""]
            if not private:  # the rows are of given people
                text += ["```text", self._why(one), one.text, "```"]
                if not same:
                    text += ["", "Run again:", "", "```text", (self._why(more) if more else "") or "passed", "```"]
            done.found.append(
                told(self._folder, ENVIRONMENT.id, (engine,), signature, text, met, same=same, command=command)
            )
        return done

    def _why(self, one: EnvironmentOutcome) -> str:
        """The reason; without what an engine said about given people, in which anything may stand."""
        return re.split(r"[:\n]", one.reason, maxsplit=1)[0] if self._session.given else one.reason

    def _run(self, engine: str, worlds: Sequence[World]) -> list[EnvironmentOutcome]:
        return run_environment(engine, worlds, parallel=1, timeout=self._session.timeout)


def _with_an_order(worlds: Sequence[World]) -> list[World]:
    """Some of the worlds, spread evenly over those with more than one employee."""
    several = [world for world in worlds if len(world.census) > 1] or list(worlds)
    return several[:: max(1, len(several) // ENVIRONMENT_WORLDS)][:ENVIRONMENT_WORLDS]


def told(
    folder: Path, test: str, engines: Sequence[str], signature: str, text: Sequence[str], met: Met, *, same: bool,
    command: str,
) -> Found:  # fmt: skip
    """A failure with its report on disk, among the new ones or, where it did not repeat, among the flaky ones."""
    key = key_of(engines, signature)
    name = re.sub(r"[^a-z0-9_]+", "-", key.lower()).strip("-")[:80]
    bundle = f"{REPROS if same else FLAKY}/{name}"
    (folder / bundle).mkdir(parents=True, exist_ok=True)
    (folder / bundle / REPORT).write_text("\n".join(text) + "\n", encoding="utf-8")
    place = ", ".join(part for part in signature.split("|")[1:] if part not in ("", "-"))
    return Found(
        key=key, test=test, engines=tuple(engines), headline=plain(f"{test} on {' and '.join(engines)}: {place}")[:200],
        shown="new" if same else "flaky", worlds=1, bundle=bundle, after=met.after, after_worlds=met.after_worlds,
        origin="drawn", command=command,
    )  # fmt: skip


def _signature(name: str, violation: Violation | None) -> str:
    return f"{ENVIRONMENT.id}|{name}|{violation.signature if violation else '-'}"


def wider(what: str, session: Session, folder: Path, source: Callable[[], Source]) -> Wider:
    """The rounds of a unit of this kind. Raises UsageError for another kind."""
    if what == "lifecycle":
        return Lifecycle(session, folder)
    if what == "environment":
        return Environment(session, folder, source())
    raise UsageError(f"what: {what!r:.60} is no kind of unit")
