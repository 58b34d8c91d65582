"""PropertySession: what a time budget is used for."""

from __future__ import annotations

import itertools
import time
from collections import Counter
from typing import Any

import pytest

from differential.pool import Chunk, gather
from differential.profiles import PROFILES
from differential.session import Session
from fixtures.strategies import worlds
from fixtures.world import World
from properties import session as module
from properties.check import Violation
from properties.relations.outcome import Broken, RelationOutcome
from properties.rules import RulesPolicy
from properties.session import PropertySession

IDS = ("M01", "M02")


@pytest.fixture(scope="module")
def sample() -> list[World]:
    return gather(worlds(), 30, 3)


def related(
    minutes: float | None, sample: list[World], patch: pytest.MonkeyPatch
) -> tuple[dict[str, RelationOutcome], list[tuple[tuple[str, ...], bool]]]:
    """Two relations over groups of one world, 0.05 s each, of which M02 breaks in the second; and the calls."""
    calls: list[tuple[tuple[str, ...], bool]] = []

    def relate(_engine: str, group: list[World], ids: list[str], *_: Any, **how: Any) -> list[RelationOutcome]:
        calls.append((tuple(ids), how["inputs"]))
        time.sleep(0.05)
        made = [RelationOutcome(id_, worlds=1, held=Counter({"one": 1})) for id_ in ids]
        if len(calls) == 2:
            made[1].note(group[0], Violation("M02", "one", 0, "1", "2"))
        return made

    session = Session(PROFILES["quick"], ("sql",), sample[0], minutes=minutes, progress=lambda _line: None)
    patch.setattr(session, "groups", lambda _item, _count: itertools.repeat(sample[:1]))
    patch.setattr(module, "relate", relate)
    return PropertySession(session, RulesPolicy(), relation_ids=IDS).relations("sql"), calls


def test_a_time_budget_is_used_by_more_worlds_for_what_still_holds(
    sample: list[World], monkeypatch: pytest.MonkeyPatch
) -> None:
    found, calls = related(0.5 / 60, sample, monkeypatch)

    assert 3 < len(calls) < 12
    assert calls[:3] == [(IDS, True), (IDS, False), (("M01",), False)]
    assert found["M01"].worlds == found["M01"].held["one"] == len(calls)
    assert (found["M02"].worlds, found["M02"].status) == (2, "fail")


def test_without_a_time_budget_one_group_is_taken(sample: list[World], monkeypatch: pytest.MonkeyPatch) -> None:
    found, calls = related(None, sample, monkeypatch)

    assert calls == [(IDS, True)]
    assert found["M01"].worlds == 1


def test_groups_begin_with_the_census_and_hold_each_world_once(
    sample: list[World], monkeypatch: pytest.MonkeyPatch
) -> None:
    session = Session(PROFILES["quick"], ("sql",), sample[0])
    monkeypatch.setattr(session, "chunks", lambda _item: iter([Chunk(tuple(sample[1:]), 0, len(sample))]))

    groups = list(session.groups("relations[sql]", 3))

    few = [world for world in sample[1:] if len(world.scenario.years) <= session.profile.axis_years]
    taken = list(itertools.chain(*groups))
    assert len(groups) > 1 and {len(group) for group in groups} == {3}
    assert taken == [session.short_world, *few][: len(taken)]
    assert len(few) + 1 - len(taken) < 3


def test_an_outcome_takes_in_another(sample: list[World]) -> None:
    broken = Broken(sample[0], Violation("M01", "one", 0, "1", "2"))
    first = RelationOutcome("M01", 2, Counter({"one": 2}), skipped=["late"], unjudged=1, seconds=1.0)

    first.add(RelationOutcome("M01", 3, Counter({"two": 3}), [broken], ["late", "no axis"], ["why"], 2, 0.5))

    assert first == RelationOutcome(
        "M01", 5, Counter({"one": 2, "two": 3}), [broken], ["late", "no axis"], ["why"], 3, 1.5
    )
