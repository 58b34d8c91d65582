"""From what was found to a verdict: a clause that held nothing is no pass."""

from __future__ import annotations

from collections import Counter

import pytest

from differential.profiles import PROFILES
from differential.session import Session
from fixtures.populations import generate
from fixtures.scenario import Scenario
from fixtures.world import World
from properties.check import Check
from properties.relations.outcome import RelationOutcome
from properties.rules import RulesPolicy
from properties.session import PropertySession
from properties.verdicts import NOTHING_TO_HOLD, relation_verdict

CHECK = Check("M99", "Two clauses", "Two things hold.", {"one": "a = b", "two": "c = d"})


@pytest.fixture
def session() -> PropertySession:
    world = World(generate(3, seed=1), Scenario(end_year=2025))
    return PropertySession(Session(PROFILES["quick"], ("sql",), world), RulesPolicy())


@pytest.mark.parametrize(
    ("held", "skipped", "status", "unchecked"),
    [
        ({"one": 3, "two": 1}, [], "pass", {}),
        ({"one": 3}, [], "pass", {"two": NOTHING_TO_HOLD}),
        ({"one": 3}, ["two: no shards"], "pass", {"two": "two: no shards"}),
        ({"completes": 3}, [], "not checked", {"one": NOTHING_TO_HOLD, "two": NOTHING_TO_HOLD}),
        ({}, ["out of time"], "not checked", {"one": "out of time", "two": "out of time"}),
    ],
)
def test_a_clause_that_held_nothing_is_named(
    held: dict[str, int], skipped: list[str], status: str, unchecked: dict[str, str], session: PropertySession
) -> None:
    outcome = RelationOutcome("M99", worlds=3, held=Counter(held), skipped=skipped)

    record, text = relation_verdict(outcome, CHECK, "sql", session)

    assert (record.status, record.unchecked, text) == (status, unchecked, "")


def test_a_refused_clause_is_refused_and_lacks_nothing(session: PropertySession) -> None:
    outcome = RelationOutcome("M99", worlds=3, held=Counter({"one": 3}), refused=["two: one path on both sides"])

    record, _ = relation_verdict(outcome, CHECK, "sql", session)

    assert (record.status, record.unchecked) == ("refused", {})
