"""Worlds from Hypothesis, gathered into batches without losing its shrinking.

One run of an engine over 256 small worlds costs little more than over one, so worlds are gathered first: a test that only
collects, under a fixed seed. Its worlds run in batches. Only when one of them fails is the same seed drawn again, now with the
verdicts known: Hypothesis meets the failing world as its own and shrinks it, running single worlds. (Measured: drawing lists of
worlds instead loses the shrinking of the parts, and running each world as Hypothesis draws it costs 100 times as much.)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from typing import Literal
from unittest import SkipTest

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.database import ExampleDatabase, ReadOnlyDatabase
from hypothesis.errors import Flaky, HypothesisException
from hypothesis.strategies import SearchStrategy

from differential.seeds import draws_from_seeds_alone
from fixtures.world import World

Database = ExampleDatabase | Literal["profile"] | None
"""Where failing examples are kept: as the profile says, given, or nowhere."""
CHUNK = 256
SHRINK_RUNS = 10
"""Single-world runs that Hypothesis may use to shrink; the domain reducer goes on from there, several worlds a run."""


@dataclass(frozen=True)
class Chunk:
    """Worlds drawn together. seed: redraws exactly these, but for failures kept from before. size: how many were asked for.

    strategy: that they were drawn from, None for the session's. database: of failing examples, as of `gather`.
    """

    worlds: tuple[World, ...]
    seed: int
    size: int
    strategy: SearchStrategy[World] | None = None
    database: Database = "profile"


class _FoundFailureError(AssertionError):
    """Raised inside Hypothesis for a failing world."""


def chunks(strategy: SearchStrategy[World], base: int, slice_: tuple[int, int] = (1, 1)) -> Iterator[Chunk]:
    """Endless chunks of distinct worlds. The seed of each follows from base seed, slice and position."""
    seen: set[str] = set()
    position = 0
    while True:
        chunk_seed = derived_seed(base, slice_, position)
        fresh = []
        for world in gather(strategy, CHUNK, chunk_seed):
            if world.fingerprint not in seen:
                seen.add(world.fingerprint)
                fresh.append(world)
        yield Chunk(tuple(fresh), chunk_seed, CHUNK)
        position += 1


def derived_seed(base: int, slice_: tuple[int, int], position: int | str) -> int:
    """A seed of its own for each slice and chunk (or test item), so that slices of one campaign never draw the same worlds."""
    text = f"{base}/{slice_[0]}/{slice_[1]}/{position}" if slice_ != (1, 1) else f"{base}/{position}"
    return int.from_bytes(sha256(text.encode()).digest()[:8], "big")


def gather(strategy: SearchStrategy[World], count: int, chunk_seed: int, database: Database = "profile") -> list[World]:
    """Draw `count` worlds under a seed; nothing is run. Failures that Hypothesis has kept from earlier runs come before them.

    The two are drawn apart: what Hypothesis has replayed changes what it draws next, and a seed is to redraw the same worlds
    whatever was kept meanwhile.
    """
    worlds: list[World] = []
    kept = _settled(database)
    if kept is not None:
        _drawing(strategy, count, chunk_seed, worlds.append, (Phase.reuse,), ReadOnlyDatabase(kept))
    _drawing(strategy, count, chunk_seed, worlds.append, (Phase.generate,), None)
    return worlds


def shrink(
    strategy: SearchStrategy[World],
    chunk: Chunk,
    failing: World,
    fails: Callable[[World], bool],
    runs: int = SHRINK_RUNS,
) -> tuple[World, int]:
    """Let Hypothesis find `failing` again and shrink it; returns the smallest failing world and the runs used.

    `fails` runs one world and says whether it shows the same failure. After `runs` runs every other world counts as passing.
    """
    passing = {world.fingerprint for world in chunk.worlds} - {failing.fingerprint}
    failed = {failing.fingerprint: failing}
    best, used = failing, 0

    def check(world: World) -> None:
        nonlocal best, used
        if world.fingerprint in passing:
            return
        if world.fingerprint not in failed:
            if used >= runs:
                return
            used += 1
            if not fails(world):
                passing.add(world.fingerprint)
                return
            failed[world.fingerprint] = world
        best = world
        raise _FoundFailureError

    drawn_from, kept = strategy if chunk.strategy is None else chunk.strategy, _settled(chunk.database)
    passes: list[tuple[Phase, ExampleDatabase | None]] = [(Phase.generate, kept)]
    if kept is not None:  # it may have been kept from before
        passes.append((Phase.reuse, ReadOnlyDatabase(kept)))
    for phase, database in passes:
        try:
            _drawing(drawn_from, chunk.size, chunk.seed, check, (phase, Phase.shrink), database)
        except (_FoundFailureError, Flaky):
            break  # `best` holds what Hypothesis ended with
        except HypothesisException:
            return failing, used
    return best, used


def _drawing(
    strategy: SearchStrategy[World],
    count: int,
    chunk_seed: int,
    body: Callable[[World], None],
    phases: tuple[Phase, ...],
    database: ExampleDatabase | None,
) -> None:
    # One function for all passes: Hypothesis keys its database, and thereby the replay, on the test function. Kept failures are
    # replayed read-only: Hypothesis forgets what does not fail, which nothing does while worlds are gathered, and others do not
    # while one is shrunk.
    # `seed` takes the database away, so that `settings` has to come after it, which is above.
    @settings(
        max_examples=count,
        phases=phases,
        database=database,
        derandomize=False,
        # as in the profiles, which no plugin loads in a process that is not pytest's
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    @seed(chunk_seed)
    @given(world=strategy)
    def world_of_the_pool(world: World) -> None:
        body(world)

    with draws_from_seeds_alone(), suppress(SkipTest):  # nothing was kept to replay
        world_of_the_pool()


def _settled(database: Database) -> ExampleDatabase | None:
    return settings().database if database == "profile" else database
