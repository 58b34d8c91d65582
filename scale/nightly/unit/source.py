"""Where a unit's worlds come from: drawn plainly under seeds that follow from the unit's, or varied towards what is rare.

Plain chunks are the same with and without steering, and `chunk_seed` draws any of them again. The next worlds are drawn while
engines run on the present ones.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from differential.pool import CHUNK, Chunk, Database, derived_seed, gather
from differential.session import Session
from fixtures.edge_facts import Flags
from fixtures.world import World
from scale.nightly.inputs.atlas import Atlas
from scale.nightly.inputs.index import Entry, file_of
from scale.nightly.inputs.labels import flags_from
from scale.nightly.inputs.text import InputError, read_input
from scale.nightly.records import Origin
from scale.nightly.unit.vary import varied

COUPLES = 64
"""Of worlds, for one varied chunk: four draws of each on average. Half and twice as many meet as many pairs."""
STEERED_EVERY = 2
"""Every second chunk is varied: as many pairs are met in half as many worlds (`python -m scale.nightly.bench steering`), and half
stays as unbiased as without. Hypothesis's own `target()` was tried for the plain ones, with the novelty of a world's rules as the
score: it climbs to neighbours of one world, and met fewer pairs than plain drawing."""
MOST_PARENTS = 4_000
"""Worlds that are kept in memory to be varied, 20 kB each."""


@dataclass(frozen=True)
class Batch:
    """Worlds to be judged together. chunks, origins: by fingerprint, where each was drawn (a given census was not), and how."""

    worlds: tuple[World, ...]
    chunks: dict[str, Chunk]
    origins: dict[str, Origin]

    @property
    def rows(self) -> int:
        """People times years."""
        return sum(len(world.census) * len(world.scenario.years) for world in self.worlds)


@dataclass
class Parents:
    """Worlds that can be varied: those of the corpus, read when they are first wanted, and those that this unit has met.

    flags: of each, a row. files: of the corpus, where the world is not read yet.
    """

    folder: Path | None
    flags: list[Flags] = field(default_factory=list)
    worlds: list[World | Path] = field(default_factory=list)

    @classmethod
    def of(cls, folder: Path | None, entries: dict[str, Entry]) -> Parents:
        """Those of a corpus's index."""
        found = cls(folder)
        if folder is not None:
            for fingerprint, entry in entries.items():
                found.worlds.append(file_of(folder, fingerprint))
                found.flags.append(flags_from(entry.labels))
        return found

    def add(self, world: World, flags: Flags) -> None:
        """A world that showed something new."""
        if len(self.worlds) < MOST_PARENTS:
            self.worlds.append(world)
            self.flags.append(flags)

    def world(self, place: int) -> World | None:
        """The world at a place; None where its file cannot be read, which the next merge will tell."""
        found = self.worlds[place]
        if isinstance(found, Path):
            try:
                found = self.worlds[place] = read_input(found)
            except InputError:
                return None
        return found

    def couples(self, counts: np.ndarray, count: int, seed: int) -> list[tuple[World, World]]:
        """Couples of worlds of which one shows one label and the other another, rare pairs of labels before frequent ones.

        A pair that was never met weighs one, one that was met n times 1 / (1 + n).
        """
        if not self.worlds:
            return []
        draw, flags = random.Random(seed), np.array(self.flags)
        shown: Flags = np.logical_or.reduce(flags, axis=0)
        weights = np.triu(1 / (1 + counts), 1) * shown[:, None] * shown[None, :]
        one, other = np.nonzero(weights)
        if not len(one):
            return []
        found = []
        for place in draw.choices(range(len(one)), weights=weights[one, other].tolist(), k=count):
            first, second = (one[place], other[place]) if draw.random() < 0.5 else (other[place], one[place])
            both = np.flatnonzero(flags[:, first] & flags[:, second])
            base = both if len(both) and draw.random() < 0.5 else np.flatnonzero(flags[:, first])
            pair = [self.world(int(draw.choice(some))) for some in (base, np.flatnonzero(flags[:, second]))]
            if pair[0] is not None and pair[1] is not None:
                found.append((pair[0], pair[1]))
        return found


@dataclass(frozen=True)
class _Order:
    """One chunk that is to be drawn. couples: none for a plain one."""

    seed: int
    couples: Sequence[tuple[World, World]]
    origin: Origin


class Source:
    """Endless distinct worlds. first: that come before all drawn ones, of a given census. chunk_seed: of the chunk drawn first.
    problem: why no varied ones could be drawn the last time."""

    def __init__(
        self,
        session: Session,
        atlas: Atlas,
        parents: Parents | None,
        *,
        first: Sequence[World] = (),
        chunk_seed: int | None = None,
        database: Database = None,
    ) -> None:
        self._session, self._atlas, self.parents, self._database = session, atlas, parents, database
        self._chunk_seed = chunk_seed
        self.problem = ""
        self._waiting: deque[World] = deque(first)
        self._chunks: dict[str, Chunk] = {}
        self._origins: dict[str, Origin] = {world.fingerprint: "drawn" for world in first}
        self._seen = set(self._origins)
        self._turn = self._plain = self._varied = 0
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="drawing")
        self._coming: Future[list[tuple[Chunk, Origin]]] | None = None

    def take(self, count: int) -> Batch:
        """The next `count` worlds; those after them are begun to be drawn."""
        while len(self._waiting) < count:
            self._receive(self._coming or self._order(count))
            self._coming = None
        worlds = tuple(self._waiting.popleft() for _ in range(count))
        batch = Batch(
            worlds,
            {
                world.fingerprint: self._chunks.pop(world.fingerprint)
                for world in worlds
                if world.fingerprint in self._chunks
            },
            {world.fingerprint: self._origins.pop(world.fingerprint) for world in worlds},
        )
        if len(self._waiting) < count and self._coming is None:
            self._coming = self._order(count)
        return batch

    def close(self) -> None:
        """Draw no more; a chunk takes about half a second to its end."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _order(self, count: int) -> Future[list[tuple[Chunk, Origin]]]:
        missing = max(1, count - len(self._waiting))
        orders = [self._next() for _ in range(-(-missing // CHUNK))]
        return self._pool.submit(lambda: [self._drawn(order) for order in orders])

    def _next(self) -> _Order:
        """What comes next is settled here and not while it is drawn: counts go on changing."""
        if self._chunk_seed is not None:
            seed, self._chunk_seed = self._chunk_seed, None
            return _Order(seed, (), "seed")
        self._turn += 1
        if self.parents is not None and self._turn % STEERED_EVERY == 0:
            seed = derived_seed(self._session.seed, (1, 1), f"varied {self._varied}")
            couples = self.parents.couples(self._atlas.counts, COUPLES, seed)
            if couples:
                self._varied += 1
                return _Order(seed, couples, "varied")
        seed = derived_seed(self._session.seed, (1, 1), self._plain)
        self._plain += 1
        return _Order(seed, (), "drawn")

    def _drawn(self, order: _Order) -> tuple[Chunk, Origin]:
        # failing examples are of the plain strategy's draws; another one would read other worlds from them
        if order.couples:
            strategy = varied(order.couples)
            try:
                # failing examples are of the plain strategy's draws; this one would read other worlds from them
                worlds = gather(strategy, CHUNK, order.seed, None)
                return Chunk(tuple(worlds), order.seed, CHUNK, strategy, None), order.origin
            except Exception as error:  # noqa: BLE001 - steering is an extra: without it the unit goes on, and says so
                self.problem = f"varied worlds could not be drawn: {type(error).__name__}: {error}"[:300]
        worlds = gather(self._session.strategy, CHUNK, order.seed, self._database)
        return Chunk(
            tuple(worlds), order.seed, CHUNK, None, self._database
        ), "seed" if order.origin == "seed" else "drawn"

    def _receive(self, coming: Future[list[tuple[Chunk, Origin]]]) -> None:
        for chunk, origin in coming.result():
            for world in chunk.worlds:
                if world.fingerprint not in self._seen:
                    self._seen.add(world.fingerprint)
                    self._waiting.append(world)
                    self._chunks[world.fingerprint] = chunk
                    self._origins[world.fingerprint] = origin
