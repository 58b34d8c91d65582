"""Life: one database file, what must be in it kept in plain Python, and every step that can be done to it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from differential.workers import WorkerError
from fixtures.world import World
from properties.check import Violation
from properties.lifecycle.context import Context
from properties.lifecycle.file import FileError, Stored, add_own_table, copy_database, read_file
from properties.lifecycle.holding import BrokenError, Model, Slot, hold_file, hold_proof, hold_returned
from properties.lifecycle.palette import NAMES, Name
from properties.lifecycle.step import Job, Moment, Way, has_run_years, run_job, was_killed


class ImpossibleError(ValueError):
    """A step that cannot be done to what the file holds now."""


@dataclass(frozen=True)
class Action:
    """One step as data: a method of Life, and what it is given."""

    step: Callable[..., None]
    arguments: Mapping[str, Any]


class Life:
    """One file from its creation on. Every method is one step: it is done, and then the whole file is held to the model.

    Raises (every step):
        BrokenError: the file does not hold what it must.
        RefusedError: the run's proof does not bear that it was done the way it was asked for.
    """

    def __init__(self, context: Context, folder: Path) -> None:
        self.context = context
        self.path = folder / "life.duckdb"
        self.slots: dict[Name, Slot] = {}
        self.steps: list[str] = []
        self.actions: list[Action] = []
        self.backup: dict[Name, Slot] | None = None
        self.backup_own_table = self.own_table = False
        self._backup_path = folder / "backup.duckdb"

    def do(self, action: Action) -> None:
        """Do a step and keep it, so that the life can be lived again."""
        self.actions.append(action)
        action.step(self, **action.arguments)

    # What can be done now.

    def names(self, *, going_on: bool = False, past: int = 0, total: int = 0) -> list[Name]:
        """Scenarios in the file: those with years left, with so many years done, or with so many years in all."""
        return [
            name
            for name, slot in self.slots.items()
            if slot.years >= past and slot.total >= total and (slot.left > 0 or not going_on)
        ]

    def gaps(self) -> list[Name]:
        """Scenarios that could be run on over a missing year, where that would be noticed: somebody is left to simulate."""
        clean = self.context.clean
        return [
            name
            for name in self.names(going_on=True)
            if (slot := self.slots[name]).left > 1 and clean.headcount(slot.world, slot.years + 1) > 0
        ]

    # Steps that run an engine.

    def add(self, name: Name, company: int, change: str, way: Way, years: int | None) -> None:
        """Run a scenario that is not in the file yet: all its years, or so many."""
        _possible(name not in self.slots)
        world = self.context.palette.world(name, company, change)
        self._start("add scenario", "M18", {name: world}, way, years, f"company {company + 1}, {change}")

    def change(self, name: Name, company: int, change: str, way: Way, years: int | None) -> None:
        """Run other rules, or another company, over the rows of a scenario (M04)."""
        _possible(name in self.slots)
        world = self.context.palette.world(name, company, change)
        self._start("change rules", "M04", {name: world}, way, years, f"now company {company + 1}, {change}")

    def run_again(self, name: Name, way: Way) -> None:
        """The same once more on top of its own rows (M03)."""
        _possible(name in self.slots)
        self._start("run all again", "M03", {name: self.slots[name].world}, way, None, "again")

    def run_together(self, names: Sequence[Name], way: Way) -> None:
        """Several scenarios in one pass into the one file."""
        _possible(all(name in self.slots for name in names))
        worlds = {name: self.slots[name].world for name in names}
        self._start("run together", "M18", worlds, way, None, "in one pass")

    def run_in_two_legs(self, name: Name, legs: int, way: Way) -> None:
        """All years in one run that stops after some and goes on in a new process by itself."""
        _possible(name in self.names(total=legs + 1))
        world = self.slots[name].world
        after = {name: Slot(world, len(world.scenario.years), way)}
        self._tell(
            f"run {_span(world)} of {_label([name])} in two legs, the first of {legs} {_years(legs)} {way.describe()}"
        )
        self._use("run in two legs")
        self._run(Job(way, (world,), self.path, legs=legs), after, "M06", {name: 0})

    def go_on(self, name: Name, count: int, way: Way) -> None:
        """The next years of a scenario, from what the file holds."""
        _possible(name in self.names(going_on=True))
        slot = self.slots[name]
        self._use("resume in new process" if way.fresh else "run next")
        if way.engine != slot.way.engine:
            self._use("switch engine")
        if way.level != slot.way.level:
            self._use("switch level")
        self._run_years(name, slot.years, min(count, slot.left), way)

    def rerun(self, name: Name, first: int, count: int, way: Way) -> None:
        """An early year again, after later ones: the later ones are dropped and have to be run again."""
        _possible(name in self.names(past=first + count))
        self._use("rerun early year")
        self._run_years(name, first, count, way, "again")

    def run_over_gap(self, name: Name, way: Way) -> None:
        """A year whose year before is missing: an error, and the file is as it was."""
        _possible(name in self.gaps())
        slot = self.slots[name]
        first = slot.years + 1
        self._tell(f"run {_span(slot.world, first, 1)} of {_label([name])} without the year before {way.describe()}")
        self._use("run over gap")
        try:
            run_job(Job(way, (slot.world,), self.path, (first, 1)), self.context.timeout)
        except WorkerError:
            raise
        except Exception:  # noqa: BLE001 - every engine has its own errors; that it refuses is what counts
            self._hold(self.slots, {}, "M06")
        else:
            violation = Violation("M06", "gap", 0, "a result", "an error", year=slot.world.scenario.start_year + first)
            raise BrokenError(violation)

    def kill(self, name: Name, how: Moment | int, change: str, way: Way) -> None:
        """Start the next year, or other rules over a finished scenario, in a process that dies on the way.

        The file then holds the old rows or the new ones. After a death at a random time the same is run again, so that the
        life goes on alike whichever it was.
        """
        _possible(name in self.slots)
        slot = self.slots[name]
        if slot.left and has_run_years(way.engine):
            check, years, after = "M06", (slot.years, 1), replace(slot, years=slot.years + 1, way=way)
        else:
            world = self.context.palette.world(name, 0, change)
            check, years, after = "M04", None, Slot(world, len(world.scenario.years), way)
        span = _span(after.world, *(years or (0, after.total)))
        moment = how.describe() if isinstance(how, Moment) else f"after {how} ms"
        self._tell(f"run {span} of {_label([name])} {way.describe()}, killed {moment}")
        job = Job(way, (after.world,), self.path, years, kill=how)
        use = "kill in write" if isinstance(how, Moment) else "kill in run"
        new = {**self.slots, name: after}
        try:
            run_job(job, self.context.timeout)
        except WorkerError as error:
            if not was_killed(error):
                raise
            self._use(use)
            self._either(name, new)
        else:  # the run was faster, or has no such statement
            self.slots = new
            self._hold(new, {name: 0}, check)
        if isinstance(how, int):
            self._tell(f"run {span} of {_label([name])} {way.describe()} again")
            self._run(replace(job, kill=None), {name: after}, check, {name: years[0] if years else 0})

    # Steps that do not.

    def back_up(self) -> None:
        """Copy the file as it lies there."""
        self._tell("back the file up")
        self._use("back up")
        copy_database(self.path, self._backup_path)
        self.backup, self.backup_own_table = dict(self.slots), self.own_table
        self._hold(self.slots, {}, "M18")

    def restore(self) -> None:
        """Put the copy in the place of the file."""
        _possible(self.backup is not None)
        assert self.backup is not None
        self._tell("restore the backup")
        self._use("restore")
        copy_database(self._backup_path, self.path)
        self.slots, self.own_table, self.backup = self.backup, self.backup_own_table, None
        self._hold(self.slots, {}, "M06")

    def add_own_table(self) -> None:
        """A table of somebody else, which every run has to leave alone."""
        self._tell("make a table of one's own in the file")
        self._use("add own table")
        add_own_table(self.path)
        self.own_table = True
        self._hold(self.slots, {}, "M18")

    def finish(self) -> None:
        """Run all years that are left; the whole file then equals one clean run per scenario."""
        able = self.context.going_on
        for position, name in enumerate(self.names(going_on=True)):
            slot = self.slots[name]
            self._run_years(name, slot.years, slot.left, Way(able[position % len(able)]), "to finish")

    # How a step is done.

    def _start(
        self, use: str, check: str, worlds: Mapping[Name, World], way: Way, years: int | None, remark: str
    ) -> None:
        """Run worlds from their first year on: all years through Engine.run, or some of them."""
        total = max(len(world.scenario.years) for world in worlds.values())
        some = None if years is None or years >= total or not has_run_years(way.engine) else years
        after = {name: Slot(world, some or len(world.scenario.years), way) for name, world in worlds.items()}
        spans = ", ".join(dict.fromkeys(_span(world, 0, some or total) for world in worlds.values()))
        self._tell(f"run {spans} of {_label(worlds)} {way.describe()}: {remark}")
        self._use(use)
        job = Job(way, tuple(worlds.values()), self.path, None if some is None else (0, some))
        self._run(job, after, check, dict.fromkeys(worlds, 0))

    def _run_years(self, name: Name, first: int, count: int, way: Way, remark: str = "") -> None:
        slot = self.slots[name]
        after = {name: replace(slot, years=first + count, way=way)}
        self._tell(f"run {_span(slot.world, first, count)} of {_label([name])} {way.describe()} {remark}".strip())
        self._run(Job(way, (slot.world,), self.path, (first, count)), after, "M06", {name: first})

    def _run(self, job: Job, after: Mapping[Name, Slot], check: str, touched: Mapping[Name, int]) -> None:
        for use, number in (("threads", job.way.threads), ("shards", job.way.shards)):
            if number > 1:
                self._use(use)
        run = run_job(job, self.context.timeout)
        hold_proof(run, job)
        self.slots = {**self.slots, **after}
        self._hold(self.slots, touched, check)
        hold_returned(run, job, self._model(after), check)

    def _use(self, use: str) -> None:
        self.context.uses[use] += 1

    def _tell(self, text: str) -> None:
        self.steps.append(text)
        self.context.told()

    def _hold(self, slots: Mapping[Name, Slot], touched: Mapping[Name, int], check: str) -> None:
        hold_file(self._read(), self._model(slots), touched, check)

    def _either(self, name: Name, new: Mapping[Name, Slot]) -> None:
        """After a death: which of the two contents the file has becomes the model."""
        stored = self._read()
        if stored.contents[name].digest == self._model(new).expected(name).digest:
            self.slots = dict(new)
        hold_file(stored, self._model(self.slots), {name: 0}, "kill")

    def _model(self, slots: Mapping[Name, Slot]) -> Model:
        return Model(slots, self.own_table, self.context.clean)

    def _read(self) -> Stored:
        try:
            return read_file(self.path, NAMES)
        except FileError as error:
            raise BrokenError(Violation("M06", "opens", 0, str(error), "a file that opens")) from error


def _possible(condition: bool) -> None:
    if not condition:
        raise ImpossibleError


def _label(names: Iterable[Name]) -> str:
    return " and ".join("/".join(name) for name in names)


def _span(world: World, first: int = 0, count: int | None = None) -> str:
    start = world.scenario.start_year + first
    last = start + (len(world.scenario.years) if count is None else count) - 1
    return str(start) if last == start else f"{start}..{last}"


def _years(number: int) -> str:
    return "year" if number == 1 else "years"
