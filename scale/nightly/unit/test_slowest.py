"""Which worlds a unit names as its slowest."""

from __future__ import annotations

import time
from collections.abc import Sequence

import pytest

from differential.pool import gather
from differential.side import Side
from fixtures.strategies import worlds as generated_worlds
from fixtures.world import World
from scale.nightly.unit.slowest import SHOWN, Slowest


@pytest.mark.parametrize("odd", [True, False])
def test_the_slowest_worlds_are_found(odd: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """An odd one in a batch that stood out, whatever its size; else those of most years, measured."""
    worlds = tuple(gather(generated_worlds(), 60, 5, None))
    small = min(worlds, key=lambda world: (len(world.scenario.years), len(world.census)))
    slow = {small.fingerprint} if odd else set()

    def run(_: Side, some: Sequence[World], timeout: float | None = None) -> None:
        time.sleep(sum(0.05 if world.fingerprint in slow else 2e-3 * len(world.scenario.years) for world in some))

    monkeypatch.setattr(Side, "run", run)
    watch = Slowest(("sql", "polars"), 60, None)
    for cost in (0.6, 0.7, 3.0 if odd else 0.8):
        watch.note(cost, worlds)

    found = watch.found()

    assert 0 < len(found) <= SHOWN and set(found[0].seconds) == {"sql", "polars"}
    if odd:
        assert found[0].fingerprint == small.fingerprint and found[0].seconds["sql"] >= 0.05
    else:
        assert found[0].years == max(len(world.scenario.years) for world in worlds)
    assert Slowest(("sql",), 0.001, None).found() == []
