"""Bench: the worlds that faulty engines are tried on, drawn once a process, and the clean engines' runs of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache

from differential.pool import chunks
from differential.profiles import PROFILES
from differential.run import Run
from differential.session import Session, given_world
from differential.side import Side
from differential.variant import Variant
from fixtures.strategies import worlds
from fixtures.world import World


@dataclass
class BenchSession(Session):
    """A session of comparisons that demands exact equality of any engine, and keeps the runs of the clean engine only."""

    clean: str = "sql"

    @property
    def built_in_only(self) -> bool:
        return True

    def remembered(self, side: Side, worlds: Sequence[World]) -> Run | None:
        return _clean_runs.get(_key(side, worlds)) if side.engine == self.clean else None

    def remember(self, side: Side, worlds: Sequence[World], run: Run, *, forever: bool) -> None:
        if forever and side.engine == self.clean and side.history == "plain" and side.variant == Variant():
            _clean_runs[_key(side, worlds)] = run


def _key(side: Side, worlds: Sequence[World]) -> tuple[str, tuple[str, ...]]:
    return side.engine, tuple(world.fingerprint for world in worlds)


_clean_runs: dict[tuple[str, tuple[str, ...]], Run] = {}
"""Of the profile's worlds, by engine: every fault is compared with the same ones."""


@dataclass
class Bench:
    """Profile ci's worlds in chunks, as `pytest differential` and `pytest properties` draw them.

    timeout: seconds of one run. limit: use so many worlds at the most.
    """

    timeout: float = 120.0
    limit: int = PROFILES["ci"].worlds
    _chunks: list[list[World]] = field(default_factory=list)
    _source: Iterator[Sequence[World]] | None = None

    def chunk(self, position: int) -> list[World]:
        """The chunk at a position, of about 256 worlds; the last one is cut at the profile's number, and then there are none."""
        if self._source is None:
            self._source = (chunk.worlds for chunk in chunks(worlds(), 0))
        while len(self._chunks) <= position:
            left = self.limit - sum(map(len, self._chunks))
            self._chunks.append(list(next(self._source))[:left] if left > 0 else [])
        return self._chunks[position]

    def chunks(self) -> Iterator[list[World]]:
        """All of the profile's worlds."""
        position = 0
        while worlds := self.chunk(position):
            yield worlds
            position += 1

    def axis_worlds(self, count: int) -> list[World]:
        """Worlds of few years, for what needs many runs."""
        longest = PROFILES["ci"].axis_years
        found: list[World] = []
        for chunk in self.chunks():
            found += [world for world in chunk if len(world.scenario.years) <= longest]
            if len(found) >= count:
                break
        return found[:count]

    def session(self, engines: tuple[str, ...], clean: str) -> BenchSession:
        """A session for cases between these engines."""
        return BenchSession(
            profile=PROFILES["ci"],
            engines=engines,
            world=real_census(),
            progress=lambda _line: None,
            timeout=self.timeout,
            clean=clean,
        )


@cache
def real_census() -> World:
    """The census of real people that every comparison starts with."""
    return given_world(None, None, None, None, None)
