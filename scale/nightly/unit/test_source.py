"""Where worlds come from: the same under the same seed, varied ones valid, couples chosen for what is rare."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from differential.pool import Chunk, derived_seed, gather, shrink
from differential.profiles import PROFILES
from differential.session import Session, given_world
from fixtures.populations import generate
from fixtures.scenario import Scenario
from fixtures.strategies import MAX_PERSON_YEARS, affordable_years
from fixtures.strategies import worlds as generated_worlds
from fixtures.world import World
from scale.nightly.inputs.atlas import Atlas
from scale.nightly.inputs.labels import LABELS, PLACES, flags_from
from scale.nightly.planted import Once, wrong_pair
from scale.nightly.unit import source as source_module
from scale.nightly.unit.source import Parents, Source
from scale.nightly.unit.vary import GROUPS, varied


@pytest.fixture(scope="module")
def worlds() -> list[World]:
    return gather(generated_worlds(), 120, 5, None)


@pytest.fixture(scope="module")
def session() -> Session:
    return Session(PROFILES["nightly"], ("polars",), given_world(None, None, None, 5, None), seed=3)


def test_plain_chunks_follow_from_the_seed_alone(
    session: Session, worlds: list[World], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first and second chunk are the same whether or not varied ones come between them."""
    size = 64
    monkeypatch.setattr(source_module, "CHUNK", size)
    parents = Parents(None, [flags_from(("raise", "hire")) for _ in worlds], list(worlds))
    plain, steered = Source(session, Atlas(), None), Source(session, Atlas(), parents)
    batches = [source.take(2 * size) for source in (plain, steered)]
    plain.close()
    steered.close()

    seeds = [derived_seed(3, (1, 1), position) for position in (0, 1)]
    every = [w.fingerprint for seed in seeds for w in gather(generated_worlds(), size, seed, None)]
    drawn = list(dict.fromkeys(every))
    for batch in batches:
        mine = [world.fingerprint for world in batch.worlds if batch.origins[world.fingerprint] == "drawn"]
        both = min(len(mine), len(drawn))
        assert both > size and mine[:both] == drawn[:both]
        assert len({world.fingerprint for world in batch.worlds}) == 2 * size
    assert {*batches[0].origins.values()} == {"drawn"} and {*batches[1].origins.values()} == {"drawn", "varied"}
    assert set(batches[1].chunks) == set(batches[1].origins)


def test_varied_worlds_are_valid_and_bounded(worlds: list[World]) -> None:
    """Each is what the loaders would accept, key by key and row by row; they do not all look like their parents."""
    couples = list(zip(worlds, reversed(worlds), strict=True))
    found = gather(varied(couples), 400, 1, None)

    for world in found:
        assert Scenario.create(**world.scenario.to_dict()) == world.scenario
        assert type(world.census).from_frame(world.census.to_source_table()).table.equals(world.census.table)
        here = [one for one in world.census.employees() if one.termination_date is None]
        here = [one for one in here if one.hire_date <= world.opening_date]
        assert affordable_years(world.scenario, len(here)) >= len(world.scenario.years), MAX_PERSON_YEARS
    assert len({world.fingerprint for world in found} - {world.fingerprint for world in worlds}) > len(found) / 2


def test_every_key_of_a_scenario_can_be_taken_over() -> None:
    """But those that are taken as whole blocks; a new key of the rules has to be put in a group."""
    named = {path for group in GROUPS for path in group}
    whole = {name for name in Scenario.model_fields if name in named}
    blocks = {path.partition(".")[0] for path in named if "." in path}

    assert whole | blocks == set(Scenario.model_fields) and not whole & blocks


def test_a_varied_world_that_fails_is_shrunk(worlds: list[World]) -> None:
    strategy = varied(list(itertools.pairwise(worlds)))
    drawn = tuple(gather(strategy, 60, 9, None))

    def fails(world: World) -> bool:
        return len(world.census) >= 4

    failing = max(drawn, key=lambda world: len(world.census))
    smallest, runs = shrink(generated_worlds(), Chunk(drawn, 9, 60, strategy, None), failing, fails, runs=60)

    assert 4 <= len(smallest.census) < len(failing.census) and runs > 0


def test_couples_are_chosen_for_pairs_that_were_never_met(worlds: list[World]) -> None:
    """Of three labels two pairs were met often and one never: nearly all couples have one world of each of its labels."""
    names = ("raise", "hire", "termination")
    flags = [flags_from((names[index % 3],)) for index in range(30)]
    counts = np.zeros((len(LABELS), len(LABELS)), np.int64)
    for one, other in (("raise", "hire"), ("raise", "termination")):
        counts[PLACES[one], PLACES[other]] = counts[PLACES[other], PLACES[one]] = 999
    distinct = list({world.fingerprint: world for world in worlds}.values())[:30]
    parents = Parents(None, flags, list(distinct))

    couples = parents.couples(counts, 200, 4)

    place = {world.fingerprint: index for index, world in enumerate(distinct)}
    kinds = [{names[place[world.fingerprint] % 3] for world in couple} for couple in couples]
    assert sum(kind == {"hire", "termination"} for kind in kinds) > 180
    assert parents.couples(counts, 200, 4) == couples
    assert Parents(None).couples(counts, 10, 4) == []


def test_the_rare_fault_follows_from_the_input_and_survives_a_reduction(worlds: list[World]) -> None:
    wrong = [world for world in worlds if wrong_pair(world, 50)]

    assert 0 < len(wrong) < len(worlds) / 4 and all(wrong_pair(world, 50) == wrong_pair(world, 50) for world in wrong)
    first = min(wrong, key=lambda world: len(world.census))
    people = len(first.census)
    assert wrong_pair(World(generate(5_000, seed=1), first.scenario), 50) is None, "its couples would take much memory"
    couples = [World(first.census.take([i, j]), first.scenario) for i in range(people) for j in range(i)]
    assert any(wrong_pair(world, 50) for world in couples)
    once = Once()
    assert [bool(once(first)) for _ in range(3)].count(True) <= 1
