"""The slowest worlds of a unit, measured alone.

They are looked for in its slowest batch: where that stood out from the others, by halving it down to a few worlds; else among those
of most years and people, which decide what a pass costs.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from time import monotonic

from differential.side import Side
from fixtures.world import World
from scale.nightly.records import SlowWorld

SHARE, MOST_SECONDS = 0.02, 3.0
"""Of the unit's budget that looking for them may take; twice as much where a batch stood out."""
STANDS_OUT = 2.0
"""Times the median cost of a world: generated batches of one size differ by a third."""
SHOWN = 3


class Slowest:
    """Watches batches. engines: that a world is measured on. budget: seconds of the unit."""

    def __init__(self, engines: Sequence[str], budget: float, timeout: float | None) -> None:
        self._engines, self._budget, self._timeout = engines, budget, timeout
        self._costs: list[float] = []
        self._worlds: tuple[World, ...] = ()

    def note(self, seconds: float, worlds: tuple[World, ...]) -> None:
        """A batch took so long."""
        cost = seconds / len(worlds)
        if cost > max(self._costs, default=0.0):
            self._worlds = worlds
        self._costs.append(cost)

    def found(self) -> list[SlowWorld]:
        """The slowest worlds, slowest first; fewer or none where the time does not allow for them."""
        if not self._worlds:
            return []
        odd = max(self._costs) > STANDS_OUT * statistics.median(self._costs)
        until = monotonic() + (2 if odd else 1) * min(MOST_SECONDS, SHARE * self._budget)
        worlds = self._halved(self._worlds, until) if odd else self._worlds
        measured = []
        for world in sorted(worlds, key=_size, reverse=True):
            if (one := self._alone(world, until)) is None:
                break
            measured.append(one)
        return sorted(measured, key=lambda one: -max(one.seconds.values()))[:SHOWN]

    def _halved(self, worlds: Sequence[World], until: float) -> Sequence[World]:
        """The half that takes longer, and so on while there is time."""
        while len(worlds) > SHOWN and monotonic() < until:
            halves = worlds[: len(worlds) // 2], worlds[len(worlds) // 2 :]
            taken = [self._seconds(half, self._engines[0]) or 0.0 for half in halves]
            worlds = halves[taken.index(max(taken))]
        return worlds

    def _alone(self, world: World, until: float) -> SlowWorld | None:
        seconds: dict[str, float] = {}
        for engine in self._engines:
            if monotonic() > until or (taken := self._seconds([world], engine)) is None:
                return None
            seconds[engine] = round(taken, 4)
        years = len(world.scenario.years)
        return SlowWorld(fingerprint=world.fingerprint, employees=len(world.census), years=years, seconds=seconds)

    def _seconds(self, worlds: Sequence[World], engine: str) -> float | None:
        started = monotonic()
        try:
            Side(engine).run(worlds, timeout=self._timeout)
        except Exception:  # noqa: BLE001 - that it raises is told elsewhere
            return None
        return monotonic() - started


def _size(world: World) -> tuple[int, int]:
    return len(world.scenario.years), len(world.census)
