"""The corpus of inputs: files read back equal, merges in any order, limits, and files of other versions."""

from __future__ import annotations

import datetime as dt
import itertools
import json
import shutil
from pathlib import Path
from typing import Protocol

import numpy as np
import pytest

from differential.pool import gather
from differential.schemas import EVENT_TYPES
from differential.side import Side
from fixtures.strategies import worlds as generated_worlds
from fixtures.world import World
from scale.nightly.inputs import corpus as corpus_module
from scale.nightly.inputs import covered, offer, prune
from scale.nightly.inputs.atlas import Atlas
from scale.nightly.inputs.corpus import kept, size_class
from scale.nightly.inputs.index import ASIDE, INDEX, Entry, entry_of, file_of, labels_of, load, write
from scale.nightly.inputs.labels import flags_of, names_of
from scale.nightly.inputs.text import InputError, input_text, read_input
from scale.nightly.records import INPUTS

DAY = "2026-01-01T00:00:00+00:00"
TODAY = dt.datetime.fromisoformat(DAY)


@pytest.fixture(scope="module")
def worlds() -> list[World]:
    return gather(generated_worlds(), 96, 5, None)


@pytest.fixture(scope="module")
def shown(worlds: list[World]) -> dict[str, tuple[str, ...]]:
    return {world.fingerprint: names for world, names in zip(worlds, labels_of(worlds), strict=True)}


class Fill(Protocol):
    def __call__(self, path: Path, some: list[World], added: str = DAY) -> Path: ...


@pytest.fixture
def fill(shown: dict[str, tuple[str, ...]]) -> Fill:
    """Writes worlds as a unit's inputs."""

    def folder(path: Path, some: list[World], added: str = DAY) -> Path:
        (path / INPUTS).mkdir(parents=True)
        entries = {}
        for world in some:
            text = input_text(world)
            file_of(path / INPUTS, world.fingerprint).write_text(text, encoding="utf-8")
            entries[world.fingerprint] = entry_of(world, shown[world.fingerprint], added, len(text.encode()))
        write(path / INPUTS, entries)
        return path

    return folder


def state(corpus: Path) -> dict[str, str]:
    """Every file of a corpus's inputs."""
    return {path.name: path.read_text(encoding="utf-8") for path in sorted((corpus / INPUTS).glob("*.json"))}


def test_a_world_is_read_back_equal(worlds: list[World], tmp_path: Path) -> None:
    for world in worlds:
        path = tmp_path / "input.json"
        path.write_text(input_text(world), encoding="utf-8")

        assert read_input(path).fingerprint == world.fingerprint
        assert json.loads(input_text(world))["scenario"].keys() == world.scenario.to_dict(only_changed=True).keys()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"format": 9}, "key format"),
        ({"scenario": {"growth": 1}}, "unknown key 'growth'"),
        ({"scenario": []}, "key scenario"),
        ({"census": "none"}, "key census"),
        ({"census": ["employee_id"]}, "missing column"),
    ],
)
def test_an_input_that_cannot_be_read_says_why(
    worlds: list[World], tmp_path: Path, change: dict[str, object], said: str
) -> None:
    path = tmp_path / "input.json"
    path.write_text(json.dumps({**json.loads(input_text(worlds[0])), **change}), encoding="utf-8")

    with pytest.raises(InputError, match=said) as caught:
        read_input(path)
    assert str(path) in str(caught.value)


def test_event_types_and_labels_of_a_run(worlds: list[World], shown: dict[str, tuple[str, ...]]) -> None:
    run = Side("polars").run(worlds)
    flags = flags_of(worlds, run)

    for world, row, result in zip(worlds, flags, run.results(), strict=True):
        types = set(result.events["event_type"].to_pylist())
        assert types == set(names_of(row)) & set(EVENT_TYPES)
        assert names_of(row) == shown[world.fingerprint]


def test_merges_come_to_the_same_in_any_order(worlds: list[World], tmp_path: Path, fill: Fill) -> None:
    """Also when days differ, when a merge is done twice, and when one corpus is merged into another."""
    days = ["2026-01-03T00:00:00+00:00", "2026-01-01T00:00:00+00:00", "2026-01-02T00:00:00+00:00"]
    shares = [worlds[0:50], worlds[30:70], worlds[60:96]]
    units = [fill(tmp_path / f"unit{n}", share, day) for n, (share, day) in enumerate(zip(shares, days, strict=True))]
    states = []
    for number, order in enumerate(itertools.permutations(units)):
        corpus = tmp_path / f"corpus{number}"
        for unit in (*order, order[0]):
            offer(corpus, unit)
        states.append(state(corpus))
    other = tmp_path / "other"
    offer(other, tmp_path / "corpus0")
    offer(other, units[1])

    assert all(one == states[0] for one in states)
    assert state(other) == states[0]
    assert 10 < len(states[0]) < len(worlds)


def test_nothing_is_lost_and_the_smaller_stays(worlds: list[World], tmp_path: Path, fill: Fill) -> None:
    corpus = tmp_path / "corpus"
    offer(corpus, fill(tmp_path / "unit", worlds))
    atlas = Atlas()
    atlas.meet(worlds, flags_of(worlds, Side("polars").run(worlds)))

    found = covered(corpus)
    assert (len(found.labels), found.pairs) == atlas.met
    assert found.bytes == sum(path.stat().st_size for path in (corpus / INPUTS).glob("*.json") if path.name != INDEX)
    entries, _ = load(corpus / INPUTS, mend=False)
    smallest = min(
        size_class(len(world.census), len(world.scenario.years))
        for world, row in zip(worlds, labels_of(worlds), strict=True)
        if "raise" in row
    )
    assert smallest == min(size_class(e.employees, e.years) for e in entries.values() if "raise" in e.labels)


def test_of_two_inputs_that_show_the_same_the_smaller_is_kept() -> None:
    def entry(employees: int, *names: str) -> Entry:
        return Entry(labels=names, employees=employees, years=1, added=DAY, size=1)

    raise_, hire, exit_ = "raise", "hire", "termination"
    assert kept({"a" * 64: entry(60, raise_, hire), "b" * 64: entry(2, raise_, hire)}) == {"b" * 64}
    # the larger one shows a pair that the smaller ones do not
    both = {"a" * 64: entry(60, raise_, hire, exit_), "b" * 64: entry(2, raise_, hire), "c" * 64: entry(1, exit_)}
    assert kept(both) == {"a" * 64, "b" * 64, "c" * 64}
    assert kept({"a" * 64: entry(60, "a label of an older version"), "b" * 64: entry(2)}) == set()


def test_limits_drop_those_that_show_least_alone(worlds: list[World], tmp_path: Path, fill: Fill) -> None:
    corpus = tmp_path / "corpus"
    offer(corpus, fill(tmp_path / "unit", worlds))
    before = covered(corpus)
    shutil.copytree(corpus, tmp_path / "twin")

    told = prune(corpus, TODAY, most=20)
    after = covered(corpus)

    assert "more than 20" in told[0] and after.inputs == 20
    # a random choice of as many keeps far less
    entries, _ = load(tmp_path / "twin" / INPUTS, mend=False)
    some = [entry for _, entry in sorted(entries.items())[:20]]
    atlas = Atlas(some)
    assert after.pairs > np.count_nonzero(np.triu(atlas.counts, 1)) and after.pairs > 0.7 * before.pairs
    assert prune(corpus, TODAY, most=20) == ()

    size = covered(tmp_path / "twin").bytes // 2
    prune(tmp_path / "twin", TODAY, most_bytes=size)
    assert 0.8 * size < covered(tmp_path / "twin").bytes <= size


def test_old_inputs_that_show_nothing_alone_are_dropped(worlds: list[World], tmp_path: Path, fill: Fill) -> None:
    corpus = tmp_path / "corpus"
    offer(corpus, fill(tmp_path / "unit", worlds))
    before = covered(corpus)
    year_later = TODAY + dt.timedelta(days=365)

    assert prune(corpus, TODAY + dt.timedelta(days=100)) == ()
    (told,) = prune(corpus, year_later)

    after = covered(corpus)
    assert "older than 180 days" in told and after.inputs < before.inputs
    assert (after.labels, after.pairs) == (before.labels, before.pairs)


def test_a_lost_or_stale_index_is_made_anew(
    worlds: list[World], tmp_path: Path, fill: Fill, monkeypatch: pytest.MonkeyPatch
) -> None:
    corpus = tmp_path / "corpus"
    offer(corpus, fill(tmp_path / "unit", worlds))
    before, entries = covered(corpus), load(corpus / INPUTS, mend=False)[0]
    index = corpus / INPUTS / INDEX

    index.unlink()
    assert covered(corpus) == before
    assert {name: one.labels for name, one in load(corpus / INPUTS, mend=False)[0].items()} == {
        name: one.labels for name, one in entries.items()
    }
    index.write_text("{", encoding="utf-8")
    assert covered(corpus) == before

    # a file that came by hand, one that went, and labels that mean something else now
    gone = next(iter(entries))
    file_of(corpus / INPUTS, gone).unlink()
    assert covered(corpus).inputs == before.inputs - 1
    monkeypatch.setattr("scale.nightly.inputs.index.definition", lambda: "another")
    _, told = load(corpus / INPUTS, mend=True)
    assert "labels have changed" in told[0]


def test_files_that_nobody_can_read_are_set_aside(worlds: list[World], tmp_path: Path, fill: Fill) -> None:
    corpus, place = tmp_path / "corpus", tmp_path / "corpus" / INPUTS
    offer(corpus, fill(tmp_path / "unit", worlds[:40]))
    old = "0" * 64
    text = json.loads(input_text(worlds[50]))
    file_of(place, old).write_text(json.dumps({**text, "scenario": {"a_key_of_long_ago": 1}}), encoding="utf-8")
    renamed = "1" * 64
    file_of(place, renamed).write_text(json.dumps(text), encoding="utf-8")

    entries, told = load(place, mend=True)

    assert old not in entries and (place / ASIDE / f"{old}.json").exists()
    assert any("a_key_of_long_ago" in line and "set aside" in line for line in told)
    assert worlds[50].fingerprint in entries and not file_of(place, renamed).exists()


def test_a_damaged_file_of_a_unit_is_left_out(worlds: list[World], tmp_path: Path, fill: Fill) -> None:
    unit = fill(tmp_path / "unit", worlds[:40])
    damaged = min(kept(load(unit / INPUTS, mend=False)[0]))
    file_of(unit / INPUTS, damaged).write_text("{", encoding="utf-8")
    swapped = fill(tmp_path / "swapped", worlds[40:41])
    file_of(swapped / INPUTS, worlds[40].fingerprint).write_text(input_text(worlds[41]), encoding="utf-8")

    result = offer(tmp_path / "corpus", unit)
    other = offer(tmp_path / "empty corpus", swapped)

    assert damaged not in result.added and any("left out" in line for line in result.told)
    assert worlds[40].fingerprint not in other.added and any("another world" in line for line in other.told)
    assert offer(tmp_path / "corpus", tmp_path / "no folder").added == ()


@pytest.mark.parametrize("moment", ["copying", "index", "removing"])
def test_a_merge_that_is_cut_off_leaves_whole_files(
    worlds: list[World], tmp_path: Path, fill: Fill, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    units = [fill(tmp_path / "one", worlds[:48]), fill(tmp_path / "two", worlds[48:])]
    for unit in units:
        offer(tmp_path / "whole", unit)
    offer(tmp_path / "cut", units[0])
    name = {"copying": "_copied", "index": "write", "removing": "_remove"}[moment]
    calls = itertools.count()
    original = getattr(corpus_module, name)

    def cut(*arguments: object) -> object:
        if moment != "copying" or next(calls) == 5:
            raise KeyboardInterrupt
        return original(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(corpus_module, name, cut)
        with pytest.raises(KeyboardInterrupt):
            offer(tmp_path / "cut", units[1])
    assert covered(tmp_path / "cut").inputs > 0

    offer(tmp_path / "cut", units[1])

    files = [set(state(tmp_path / one)) for one in ("cut", "whole")]
    assert files[0] == files[1]
