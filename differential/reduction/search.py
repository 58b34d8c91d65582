"""The search: candidates in, the lightest that still fails kept, runs counted. Strategy-free; the stages decide what to try."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import TypeVar

from differential.reduction.measure import weight
from differential.reduction.model import Budget, Fails, Observed, Progress, Step, Verdict
from fixtures.census import CensusError
from fixtures.scenario import ScenarioError
from fixtures.world import World, WorldError

T = TypeVar("T")
Edit = Callable[[World], World | None]
"""A change that makes a world simpler, or None where it does not apply. May raise what an invalid world raises."""

WORLDS_A_CALL = 96
LEAST_ROWS_A_CALL = 20_000
_INVALID = (WorldError, CensusError, ScenarioError)


class Search:
    """The best world so far and what it has cost to find it.

    One run of the budget is kept back for verifying. `many` decides between the two ways of trying: all candidates of a
    round in one call, or one after the other.
    """

    def __init__(
        self, world: World, fails: Fails, observed: Observed, *, budget: Budget, many: bool, progress: Progress | None
    ) -> None:
        self.best, self.observed, self.many = world, observed, many
        self.runs = self.candidates = 0
        self._fails, self._budget, self._progress = fails, budget, progress
        self._signature = observed.signature
        self._weight = weight(world)
        self._rows_a_call = max(LEAST_ROWS_A_CALL, 4 * len(world.census))
        self._seen = {world.fingerprint}
        self._started = time.monotonic()

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._started

    @property
    def spent(self) -> bool:
        """Whether the budget allows nothing but the verifying run."""
        return self.runs >= self._budget.runs - 1 or self.seconds >= self._budget.seconds

    def verdicts(self, worlds: Sequence[World]) -> list[Observed | None]:
        """One call of the check; the failure of each world that fails as the original did, None for the others."""
        self.runs += 1
        self.candidates += len(worlds)
        found = [as_observed(verdict) for verdict in self._fails(worlds)]
        if len(found) != len(worlds):
            raise ValueError(f"the check gave {len(found)} verdicts for {len(worlds)} worlds")
        return [one if one is not None and one.signature == self._signature else None for one in found]

    def first(self, stage: str, candidates: Iterable[World | None], *, runs: int) -> bool:
        """Keep the lightest candidate of the first call that has one that fails; give up after `runs` calls."""
        fresh = self._fresh(candidates)
        for _ in range(runs):
            if self.spent:
                return False
            worlds = self._next_call(fresh)
            if not worlds:
                return False
            if self._keep_lightest(stage, worlds) is not None:
                return True
        return False

    def edits(self, stage: str, edits: Iterable[Edit]) -> bool:
        """Apply as many of the edits as the failure survives, together where possible."""
        pending = [[edit] for edit in edits if self._changes(edit)]
        return self._edits_together(stage, pending) if self.many else self._edits_in_halves(stage, pending)

    def _edits_together(self, stage: str, pieces: list[list[Edit]]) -> bool:
        changed = False
        while pieces and not self.spent:
            pieces = merged(pieces, max(2, min(WORLDS_A_CALL, self._rows_a_call // len(self.best.census)) - 3))
            groups = [pieces, *halves(pieces), *([piece] for piece in pieces)] if len(pieces) > 1 else [pieces]
            made = [(group, world) for group in groups if (world := self._apply(group)) is not None]
            verdicts = self._judge([world for _, world in made])
            failing = [(g, w, v) for (g, w), v in zip(made, verdicts, strict=True) if v is not None]
            if not failing:
                pieces = refined(pieces, [])
                continue
            kept, world, verdict = min(failing, key=lambda item: weight(item[1]))
            changed = self._keep(stage, world, verdict) or changed
            alone = [group[0] for group, _, _ in failing if len(group) == 1 and not _inside(group[0], kept)]
            pieces = refined([piece for piece in pieces if not _inside(piece, kept)], alone)
        return changed

    def _edits_in_halves(self, stage: str, pieces: list[list[Edit]]) -> bool:
        world = self._apply(pieces) if pieces and not self.spent else None
        if world is not None and self._keep_lightest(stage, self._next_call(self._fresh([world]))) is not None:
            return True
        if len(pieces) < 2 or self.spent:
            return False
        first, second = halves(pieces)
        changed = self._edits_in_halves(stage, first)
        return self._edits_in_halves(stage, second) or changed

    def _keep_lightest(self, stage: str, worlds: Sequence[World]) -> World | None:
        if not worlds:
            return None
        failing = [(w, v) for w, v in zip(worlds, self.verdicts(worlds), strict=True) if v is not None]
        for world, verdict in sorted(failing, key=lambda item: weight(item[0]))[:1]:
            if self._keep(stage, world, verdict):
                return world
        return None

    def _keep(self, stage: str, world: World, observed: Observed) -> bool:
        lighter = weight(world)
        if lighter >= self._weight:
            return False
        self.best, self.observed, self._weight = world, observed, lighter
        if self._progress is not None:
            self._progress(Step(stage, len(world.census), len(world.scenario.years), self.runs, self.seconds))
        return True

    def _judge(self, worlds: Sequence[World]) -> list[Observed | None]:
        self._seen.update(world.fingerprint for world in worlds)
        return self.verdicts(worlds) if worlds else []

    def _fresh(self, candidates: Iterable[World | None]) -> Iterator[World]:
        iterator = iter(candidates)
        while True:
            try:
                world = next(iterator)
            except StopIteration:
                return
            if world is not None and world.fingerprint not in self._seen:
                self._seen.add(world.fingerprint)
                yield world

    def _next_call(self, fresh: Iterator[World]) -> list[World]:
        if not self.many:
            return list(islice(fresh, 1))
        worlds: list[World] = []
        rows = 0
        for world in fresh:
            worlds.append(world)
            rows += len(world.census)
            if len(worlds) >= WORLDS_A_CALL or rows >= self._rows_a_call:
                break
        return worlds

    def _changes(self, edit: Edit) -> bool:
        return attempt(edit, self.best) is not None

    def _apply(self, pieces: Sequence[Sequence[Edit]]) -> World | None:
        """All edits one after the other; those that no longer apply are passed over. None when the world is not new."""
        world = self.best
        for piece in pieces:
            for edit in piece:
                world = attempt(edit, world) or world
        return None if world.fingerprint in self._seen else world


def as_observed(verdict: Verdict) -> Observed | None:
    """A verdict in its long form."""
    return Observed(verdict) if isinstance(verdict, str) else verdict


def attempt(edit: Edit, world: World) -> World | None:
    """The edited world, or None where the edit does not apply or makes an invalid world."""
    try:
        return edit(world)
    except _INVALID:
        return None


def halves(items: Sequence[T]) -> tuple[list[T], list[T]]:
    """The first and the second half; the first is the longer."""
    middle = (len(items) + 1) // 2
    return list(items[:middle]), list(items[middle:])


def merged(pieces: Sequence[list[Edit]], most: int) -> list[list[Edit]]:
    """Neighbouring pieces joined so that at most so many are left."""
    size = -(-len(pieces) // most)
    return [[edit for piece in pieces[at : at + size] for edit in piece] for at in range(0, len(pieces), max(size, 1))]


def refined(pieces: Sequence[list[Edit]], passing_alone: Sequence[list[Edit]]) -> list[list[Edit]]:
    """What to try next: pieces that work alone as they are, the others in halves; a single edit that fails alone is dropped."""
    result: list[list[Edit]] = []
    for piece in pieces:
        if _inside(piece, passing_alone):
            result.append(piece)
        elif len(piece) > 1:
            result += halves(piece)
    return result


def _inside(piece: list[Edit], pieces: Iterable[list[Edit]]) -> bool:
    return any(piece is other for other in pieces)
