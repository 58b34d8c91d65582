"""The state machine: Hypothesis draws the steps of a life, and shrinks a life that fails."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import ClassVar, TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from differential.engines import get_engine
from differential.run import capabilities_of
from properties.check import Violation
from properties.lifecycle.context import Context
from properties.lifecycle.failure import Failure, numbered
from properties.lifecycle.holding import BrokenError, RefusedError
from properties.lifecycle.life import Life
from properties.lifecycle.palette import CHANGES, COMPANIES, NAMES, UNCHANGED
from properties.lifecycle.step import MOMENTS, Moment, Way

_T = TypeVar("_T")
_Draws = tuple[int, int, int, int]

DEAR_STEPS = 2
"""Steps of one life that start a process: each costs three times as much as the others."""
LONGEST_MS = 120

# Numbers, not values: what they choose from depends on the engines and on what the file holds.
_INDEX = st.integers(0, 11)
_COMPANY = st.integers(0, COMPANIES - 1)
_CHANGE = st.sampled_from(list(CHANGES))
_COUNT = st.sampled_from([1, 1, 2])
_YEARS = st.sampled_from([1, 1, 1, 2, None])
_WAY = st.tuples(_INDEX, _INDEX, st.sampled_from([1, 1, 1, 2]), st.sampled_from([1, 1, 3]))


class EnoughError(BaseException):
    """Ends a campaign from inside: no exception of a test, so that Hypothesis lets it through."""


class DatabaseLife(RuleBasedStateMachine):
    """One life; a subclass has the context. Its failures are noted there, the shortest last."""

    context: ClassVar[Context]

    def __init__(self) -> None:
        super().__init__()
        if self.context.is_over():
            raise EnoughError
        self._folder = tempfile.TemporaryDirectory(prefix="parity-life-")
        self.life = Life(self.context, Path(self._folder.name))
        self.dear = DEAR_STEPS
        self.broken = False

    # Hypothesis leaves some rules out of each life, and without a scenario nothing else can be done.
    @initialize(which=_INDEX, company=_COMPANY, years=_YEARS, way=_WAY)
    def begin(self, which: int, company: int, years: int | None, way: _Draws) -> None:
        self.context.begin()
        with self._step():
            self.life.add(_one(NAMES, which), company, UNCHANGED, self._way(way), years)

    @rule(which=_INDEX, company=_COMPANY, change=_CHANGE, years=_YEARS, way=_WAY)
    @precondition(lambda self: len(self.life.slots) < len(NAMES))
    def add_scenario(self, which: int, company: int, change: str, years: int | None, way: _Draws) -> None:
        free = [name for name in NAMES if name not in self.life.slots]
        with self._step():
            self.life.add(_one(free, which), company, change, self._way(way), years)

    @rule(which=_INDEX, count=_COUNT, way=_WAY)
    @precondition(lambda self: self._can_go_on())
    def run_next(self, which: int, count: int, way: _Draws) -> None:
        with self._step():
            self.life.go_on(_one(self.life.names(going_on=True), which), count, self._way(way, years=True))

    @rule(which=_INDEX, count=_COUNT, way=_WAY)
    @precondition(lambda self: self._can_go_on() and self.dear)
    def resume_in_new_process(self, which: int, count: int, way: _Draws) -> None:
        name = _one(self.life.names(going_on=True), which)
        with self._step(dear=True):
            self.life.go_on(name, count, replace(self._way(way, years=True), threads=1, fresh=True))

    @rule(which=_INDEX, first=_INDEX, count=_COUNT, way=_WAY)
    @precondition(lambda self: self.context.going_on and self.life.names(past=2))
    def rerun_early_year(self, which: int, first: int, count: int, way: _Draws) -> None:
        name = _one(self.life.names(past=2), which)
        years = self.life.slots[name].years
        with self._step():
            early = first % (years - 1)
            self.life.rerun(name, early, min(count, years - 1 - early), self._way(way, years=True))

    @rule(which=_INDEX, way=_WAY)
    @precondition(lambda self: self.context.going_on and self.life.gaps())
    def run_over_gap(self, which: int, way: _Draws) -> None:
        with self._step():
            self.life.run_over_gap(_one(self.life.gaps(), which), self._way(way, years=True))

    @rule(which=_INDEX, way=_WAY)
    @precondition(lambda self: self.life.slots)
    def run_all_again(self, which: int, way: _Draws) -> None:
        with self._step():
            self.life.run_again(_one(self.life.names(), which), self._way(way))

    @rule(which=_INDEX, company=_COMPANY, change=_CHANGE, years=_YEARS, way=_WAY)
    @precondition(lambda self: self.life.slots)
    def change_rules(self, which: int, company: int, change: str, years: int | None, way: _Draws) -> None:
        with self._step():
            self.life.change(_one(self.life.names(), which), company, change, self._way(way), years)

    @rule(way=_WAY)
    @precondition(lambda self: self.context.many_worlds and len(self.life.slots) > 1)
    def run_together(self, way: _Draws) -> None:
        with self._step():
            self.life.run_together(self.life.names(), self._way(way, self.context.many_worlds))

    @rule(which=_INDEX, legs=_COUNT, way=_WAY)
    @precondition(lambda self: self.context.resuming and self.life.names(total=2) and self.dear)
    def run_in_two_legs(self, which: int, legs: int, way: _Draws) -> None:
        name = _one(self.life.names(total=2), which)
        with self._step(dear=True):
            legs = min(legs, self.life.slots[name].total - 1)
            self.life.run_in_two_legs(name, legs, self._way(way, self.context.resuming))

    @rule(which=_INDEX, moment=st.sampled_from(MOMENTS), change=_CHANGE, way=_WAY)
    @precondition(lambda self: self.life.slots and self.dear)
    def kill_in_write(self, which: int, moment: Moment, change: str, way: _Draws) -> None:
        self._kill(which, moment, change, way)

    @rule(which=_INDEX, milliseconds=st.integers(1, LONGEST_MS), change=_CHANGE, way=_WAY)
    @precondition(lambda self: self.life.slots and self.dear)
    def kill_in_run(self, which: int, milliseconds: int, change: str, way: _Draws) -> None:
        self._kill(which, milliseconds, change, way)

    @rule()
    @precondition(lambda self: self.life.slots and self.life.backup is None)
    def back_up(self) -> None:
        with self._step():
            self.life.back_up()

    @rule()
    @precondition(lambda self: self.life.backup is not None)
    def restore(self) -> None:
        with self._step():
            self.life.restore()

    @rule()
    @precondition(lambda self: self.life.slots and not self.life.own_table)
    def add_own_table(self) -> None:
        with self._step():
            self.life.add_own_table()

    def teardown(self) -> None:
        try:
            if not self.broken:
                with self._step():
                    self.life.finish()
        finally:
            self._folder.cleanup()

    def _kill(self, which: int, how: Moment | int, change: str, way: _Draws) -> None:
        with self._step(dear=True):
            self.life.kill(_one(self.life.names(), which), how, change, replace(self._way(way), threads=1))

    def _can_go_on(self) -> bool:
        return bool(self.context.going_on and self.life.names(going_on=True))

    def _way(self, draws: _Draws, engines: Sequence[str] | None = None, *, years: bool = False) -> Way:
        """The way that four numbers stand for, with what the engine has."""
        engine, level, threads, shards = draws
        spec = _one((self.context.going_on if years else engines) or self.context.engines, engine)
        has = capabilities_of(get_engine(spec))
        levels = ["high", *(name for name in has.levels if name != "high")] if "high" in has.levels else has.levels
        return Way(spec, _one(levels, level), threads if has.threads else 1, shards if has.shards else 1)

    @contextmanager
    def _step(self, *, dear: bool = False) -> Iterator[None]:
        """Note what breaks; an exception of the engine breaks the clause that every step can be done."""
        self.dear -= dear
        try:
            yield
        except RefusedError as refused:
            self.broken = True
            self.context.refused = "\n".join([*numbered(self.life.steps), str(refused)])
            raise EnoughError from refused
        except Exception as error:  # noqa: BLE001 - engines raise what they like; it is told as a failure
            self.broken = True
            broken = error if isinstance(error, BrokenError) else _raised(error)
            self.context.note(Failure.of(broken, self.life))
            raise broken from None


def _raised(error: Exception) -> BrokenError:
    text = " ".join(str(error).split())
    violation = Violation(
        "M06", "runs", 0, f"{type(error).__name__}: {text[:300]}", "no error", event_type=type(error).__name__
    )
    return BrokenError(violation)


def _one(choices: Sequence[_T], number: int) -> _T:
    return choices[number % len(choices)]
