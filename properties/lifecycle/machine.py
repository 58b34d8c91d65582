"""The state machine: Hypothesis draws the steps of a life."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import ClassVar, TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from differential.engines import get_engine
from differential.run import capabilities_of
from properties.lifecycle.context import Context
from properties.lifecycle.failure import Failure, numbered
from properties.lifecycle.holding import RefusedError
from properties.lifecycle.life import Action, Life
from properties.lifecycle.palette import CHANGES, COMPANIES, NAMES, UNCHANGED
from properties.lifecycle.step import MOMENTS, Moment, Way

_T = TypeVar("_T")
_Draws = tuple[int, int, int, int]

DEAR_STEPS = 1
"""Steps of one life that start a process: each costs three times as much as another."""
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
    """One life; a subclass has the context. What breaks is noted there."""

    context: ClassVar[Context]

    def __init__(self) -> None:
        super().__init__()
        self._folder = tempfile.TemporaryDirectory(prefix="parity-life-")
        self.life = Life(self.context, Path(self._folder.name))
        self.dear = DEAR_STEPS
        self.broken = False

    # Hypothesis leaves some rules out of each life, and without a scenario nothing else can be done.
    @initialize(which=_INDEX, company=_COMPANY, years=_YEARS, way=_WAY)
    def begin(self, which: int, company: int, years: int | None, way: _Draws) -> None:
        if not self.context.begin():
            raise EnoughError
        name = _one(NAMES, which)
        self._do(Life.add, name=name, company=company, change=UNCHANGED, way=self._way(way), years=years)

    @rule(which=_INDEX, company=_COMPANY, change=_CHANGE, years=_YEARS, way=_WAY)
    @precondition(lambda self: len(self.life.slots) < len(NAMES))
    def add_scenario(self, which: int, company: int, change: str, years: int | None, way: _Draws) -> None:
        name = _one([name for name in NAMES if name not in self.life.slots], which)
        self._do(Life.add, name=name, company=company, change=change, way=self._way(way), years=years)

    @rule(which=_INDEX, count=_COUNT, way=_WAY)
    @precondition(lambda self: self._can_go_on())
    def run_next(self, which: int, count: int, way: _Draws) -> None:
        name = _one(self.life.names(going_on=True), which)
        self._do(Life.go_on, name=name, count=count, way=self._way(way, years=True))

    @rule(which=_INDEX, count=_COUNT, way=_WAY)
    @precondition(lambda self: self._can_go_on() and self.dear)
    def resume_in_new_process(self, which: int, count: int, way: _Draws) -> None:
        name = _one(self.life.names(going_on=True), which)
        fresh = replace(self._way(way, years=True), threads=1, fresh=True)
        self._do(Life.go_on, dear=True, name=name, count=count, way=fresh)

    @rule(which=_INDEX, first=_INDEX, count=_COUNT, way=_WAY)
    @precondition(lambda self: self.context.going_on and self.life.names(past=2))
    def rerun_early_year(self, which: int, first: int, count: int, way: _Draws) -> None:
        name = _one(self.life.names(past=2), which)
        last = self.life.slots[name].years - 1
        early = first % last
        self._do(Life.rerun, name=name, first=early, count=min(count, last - early), way=self._way(way, years=True))

    @rule(which=_INDEX, way=_WAY)
    @precondition(lambda self: self.context.going_on and self.life.gaps())
    def run_over_gap(self, which: int, way: _Draws) -> None:
        self._do(Life.run_over_gap, name=_one(self.life.gaps(), which), way=self._way(way, years=True))

    @rule(which=_INDEX, way=_WAY)
    @precondition(lambda self: self.life.slots)
    def run_all_again(self, which: int, way: _Draws) -> None:
        self._do(Life.run_again, name=_one(self.life.names(), which), way=self._way(way))

    @rule(which=_INDEX, company=_COMPANY, change=_CHANGE, years=_YEARS, way=_WAY)
    @precondition(lambda self: self.life.slots)
    def change_rules(self, which: int, company: int, change: str, years: int | None, way: _Draws) -> None:
        name = _one(self.life.names(), which)
        self._do(Life.change, name=name, company=company, change=change, way=self._way(way), years=years)

    @rule(way=_WAY)
    @precondition(lambda self: self.context.many_worlds and len(self.life.slots) > 1)
    def run_together(self, way: _Draws) -> None:
        self._do(Life.run_together, names=self.life.names(), way=self._way(way, self.context.many_worlds))

    @rule(which=_INDEX, legs=_COUNT, way=_WAY)
    @precondition(lambda self: self.context.resuming and self.life.names(total=2) and self.dear)
    def run_in_two_legs(self, which: int, legs: int, way: _Draws) -> None:
        name = _one(self.life.names(total=2), which)
        legs = min(legs, self.life.slots[name].total - 1)
        self._do(Life.run_in_two_legs, dear=True, name=name, legs=legs, way=self._way(way, self.context.resuming))

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
        self._do(Life.back_up)

    @rule()
    @precondition(lambda self: self.life.backup is not None)
    def restore(self) -> None:
        self._do(Life.restore)

    @rule()
    @precondition(lambda self: self.life.slots and not self.life.own_table)
    def add_own_table(self) -> None:
        self._do(Life.add_own_table)

    def teardown(self) -> None:
        try:
            if not self.broken:
                self._do(Life.finish)
        finally:
            self._folder.cleanup()

    def _kill(self, which: int, how: Moment | int, change: str, way: _Draws) -> None:
        one_thread = replace(self._way(way), threads=1)
        self._do(Life.kill, dear=True, name=_one(self.life.names(), which), how=how, change=change, way=one_thread)

    def _can_go_on(self) -> bool:
        return bool(self.context.going_on and self.life.names(going_on=True))

    def _way(self, draws: _Draws, engines: Sequence[str] | None = None, *, years: bool = False) -> Way:
        """The way that four numbers stand for, with what the engine has."""
        engine, level, threads, shards = draws
        spec = _one((self.context.going_on if years else engines) or self.context.engines, engine)
        has = capabilities_of(get_engine(spec))
        levels = ["high", *(name for name in has.levels if name != "high")] if "high" in has.levels else has.levels
        return Way(spec, _one(levels, level), threads if has.threads else 1, shards if has.shards else 1)

    def _do(self, step: Callable[..., None], *, dear: bool = False, **arguments: object) -> None:
        """Do a step of the life. What breaks ends the campaign: it is noted, and made short elsewhere."""
        self.dear -= dear
        try:
            self.life.do(Action(step, arguments))
        except RefusedError as refused:
            self.broken = True
            self.context.refused = "\n".join([*numbered(self.life.steps), str(refused)])
            raise EnoughError from refused
        except Exception as error:
            self.broken = True
            self.context.failure, self.context.actions = Failure.of(error, self.life), tuple(self.life.actions)
            raise EnoughError from error


def _one(choices: Sequence[_T], number: int) -> _T:
    return choices[number % len(choices)]
