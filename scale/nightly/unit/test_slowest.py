"""Which worlds a unit names as its slowest."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from differential.pool import gather
from differential.side import Side
from fixtures.strategies import worlds as generated_worlds
from fixtures.world import World
from scale.nightly.unit import slowest
from scale.nightly.unit.slowest import SHOWN, Slowest


@pytest.mark.parametrize("odd", [True, False])
def test_the_slowest_worlds_are_found(odd: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """An odd one in a batch that stood out, whatever its size; else those of most years, measured."""
    worlds = tuple(gather(generated_worlds(), 60, 5, None))
    small = min(worlds, key=lambda world: (len(world.scenario.years), len(world.census)))
    slow = {small.fingerprint} if odd else set()

    clock = [0.0]

    def run(_: Side, some: Sequence[World], timeout: float | None = None) -> None:
        clock[0] += sum(0.1 if world.fingerprint in slow else 1e-3 * len(world.scenario.years) for world in some)

    monkeypatch.setattr(Side, "run", run)
    monkeypatch.setattr(slowest, "monotonic", lambda: clock[0])
    watch = Slowest(("sql", "polars"), 60, None)
    for cost in (0.6, 0.7, 3.0 if odd else 0.8):
        watch.note(cost, worlds)

    found = watch.found()

    assert 0 < len(found) <= SHOWN and set(found[0].seconds) == {"sql", "polars"}
    if odd:
        assert found[0].fingerprint == small.fingerprint and found[0].seconds["sql"] == 0.1
    else:
        assert found[0].years == max(len(world.scenario.years) for world in worlds)
    assert Slowest(("sql",), 0.001, None).found() == []
