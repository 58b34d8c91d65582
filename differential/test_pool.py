"""Gathering worlds: the same seed draws the same, profiles and slices differ as they should, and shrinking survives."""

from __future__ import annotations

import datetime as dt
import os
import subprocess
import sys
from itertools import islice

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.database import InMemoryExampleDatabase
from hypothesis.internal.conjecture import providers

from differential.pool import CHUNK, Chunk, chunks, derived_seed, gather, shrink
from differential.profiles import PROFILES, base_seed
from differential.seeds import draws_from_seeds_alone
from differential.session import ROOT, Session
from fixtures.census import Census, Employee
from fixtures.scenario import Scenario
from fixtures.world import World


def small_worlds() -> st.SearchStrategy[World]:
    """Worlds of 1 to 30 people told apart by pay alone: cheap to draw, and easy to see shrink."""

    def build(pays: list[int]) -> World:
        people = [
            Employee(f"E{i}", f"SSN-{i:09d}", dt.date(1985, 1, 1), dt.date(2020, 1, 1), pay)
            for i, pay in enumerate(pays)
        ]
        return World(Census.from_employees(people), Scenario())

    return st.lists(st.integers(1, 10_000_00), min_size=1, max_size=30).map(build)


def fingerprints(worlds: list[World] | tuple[World, ...]) -> list[str]:
    return [world.fingerprint for world in worlds]


def test_one_seed_draws_the_same_worlds_twice_and_another_does_not() -> None:
    first = fingerprints(gather(small_worlds(), 30, 1))

    assert fingerprints(gather(small_worlds(), 30, 1)) == first
    assert set(fingerprints(gather(small_worlds(), 30, 2))) != set(first)


def test_one_seed_draws_the_same_worlds_whatever_is_loaded() -> None:
    """With few modules loaded and with many, whose sources hold numbers that Hypothesis would draw."""
    found = set()
    for loaded in ("fixtures.strategies", "differential.plugin, properties.session"):
        code = (
            f"import {loaded}; from differential.pool import gather; from fixtures.strategies import worlds;"
            "print(*(world.fingerprint for world in gather(worlds(), 256, 17, None)))"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
        found.add(done.stdout)

    assert len(found) == 1 and len(found.pop().split()) == 256


def test_tests_of_others_draw_as_usual_before_and_after() -> None:
    """Also where two draw at once, and the first is done before the second."""
    usual = providers._get_local_constants, providers.CONSTANTS_CACHE
    first, second = draws_from_seeds_alone(), draws_from_seeds_alone()
    with second:
        with first:
            assert not len(providers._get_local_constants())
        assert not len(providers._get_local_constants()) and providers.CONSTANTS_CACHE is not usual[1]
    assert (providers._get_local_constants, providers.CONSTANTS_CACHE) == usual


def test_chunks_hold_distinct_worlds_and_go_on() -> None:
    drawn = list(islice(chunks(small_worlds(), 0), 2))

    found = [world.fingerprint for chunk in drawn for world in chunk.worlds]
    assert len(set(found)) == len(found) > CHUNK
    assert drawn[0].seed != drawn[1].seed


def test_under_a_time_budget_the_worlds_of_an_item_follow_from_its_name_alone() -> None:
    world = next(iter(gather(small_worlds(), 1, 1)))
    sessions = [Session(PROFILES["nightly"], ("sql",), world, seed=9, minutes=1) for _ in range(2)]
    other = next(sessions[1].chunks("levels-sql"))

    one, same = (next(session.chunks("threads-sql")) for session in sessions)

    assert one.seed == same.seed != other.seed


def test_two_slices_of_one_campaign_draw_different_worlds() -> None:
    seeds = {derived_seed(7, slice_, position) for slice_ in ((1, 4), (2, 4), (1, 1)) for position in range(5)}
    assert len(seeds) == 15

    one, two = (next(chunks(small_worlds(), 7, (part, 4))) for part in (1, 2))
    assert len(set(fingerprints(one.worlds)) & set(fingerprints(two.worlds))) < CHUNK // 10


def test_a_derandomised_profile_starts_from_one_seed_and_nightly_from_a_new_one() -> None:
    assert base_seed(PROFILES["ci"], None) == base_seed(PROFILES["ci"], None)
    assert base_seed(PROFILES["nightly"], None) != base_seed(PROFILES["nightly"], None)
    assert base_seed(PROFILES["nightly"], 5) == 5


@pytest.mark.parametrize("ci", ["", "1"])
def test_profiles_inherit_nothing_from_ci(ci: str) -> None:
    """Under a CI variable Hypothesis loads its own derandomised profile, from which a careless `nightly` would inherit."""
    code = (
        "from hypothesis import settings; from differential.profiles import register_profiles; register_profiles();"
        "n, c = settings.get_profile('nightly'), settings.get_profile('ci');"
        "print(n.derandomize, n.database is None, n.deadline, c.derandomize, [p.name for p in n.phases])"
    )
    environment = {**os.environ, "CI": ci, "GITHUB_ACTIONS": ""} if ci else {**os.environ}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)

    assert done.stdout.split()[:4] == ["False", "False", "None", "True"]
    assert "explain" not in done.stdout


def test_hypothesis_finds_the_failing_world_again_and_shrinks_it() -> None:
    seed = 3
    worlds = tuple(gather(small_worlds(), 60, seed))

    def fails(world: World) -> bool:
        return any(person.pay_cents > 100_000 for person in world.census.employees())

    failing = max((world for world in worlds if fails(world)), key=lambda world: len(world.census))
    assert len(failing.census) > 3

    # Worlds drawn before it count as passing, so that this one is found whatever else would fail.
    smallest, runs = shrink(small_worlds(), Chunk(worlds, seed, 60), failing, fails, runs=60)

    assert fails(smallest)
    assert len(smallest.census) < len(failing.census)
    assert 0 < runs <= 60


def test_shrinking_stops_at_its_budget_with_the_best_so_far() -> None:
    worlds = tuple(gather(small_worlds(), 60, 3))
    failing = max(worlds, key=lambda world: len(world.census))
    tried: list[World] = []

    def fails(world: World) -> bool:
        tried.append(world)
        return len(world.census) >= 2

    smallest, runs = shrink(small_worlds(), Chunk(worlds, 3, 60), failing, fails, runs=5)

    assert runs == len(tried) == 5
    assert len(smallest.census) >= 2


def test_the_pool_leaves_the_profile_as_it_was() -> None:
    before = settings().max_examples

    gather(small_worlds(), 5, 1)

    assert settings().max_examples == before


def test_what_a_seed_draws_does_not_hang_on_failures_that_were_kept() -> None:
    kept = InMemoryExampleDatabase()
    drawn = gather(small_worlds(), 60, 5, None)
    failing = next(world for world in drawn if len(world.census) > 5)
    small, _ = shrink(
        small_worlds(), Chunk(tuple(drawn), 5, 60, database=kept), failing, lambda world: len(world.census) > 5
    )

    again = fingerprints(gather(small_worlds(), 60, 5, kept))
    assert again[0] == small.fingerprint
    assert again[-60:] == fingerprints(drawn)


def test_shrinking_one_failure_keeps_the_others_and_finds_one_that_was_kept() -> None:
    kept = InMemoryExampleDatabase()

    def found(seed: int, sizes: range) -> str:
        worlds = gather(small_worlds(), 60, seed, kept)
        failing = next(world for world in worlds if len(world.census) in sizes)
        chunk = Chunk(tuple(worlds), seed, 60, database=kept)
        return shrink(small_worlds(), chunk, failing, lambda world: len(world.census) in sizes)[0].fingerprint

    one, other = found(1, range(8, 31)), found(2, range(3, 6))

    assert {one, other} <= set(fingerprints(gather(small_worlds(), 60, 3, kept)))
    assert found(3, range(3, 6)) == other, "it comes first, and cannot be made smaller in so few runs"
