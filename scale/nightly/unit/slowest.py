"""The slowest worlds of a unit: its slowest batch is halved down to a few worlds, which are then measured alone."""

from __future__ import annotations

import time
from collections.abc import Sequence

from differential.side import Side
from fixtures.world import World
from scale.nightly.records import SlowWorld

SHARE, MOST_SECONDS = 0.03, 5.0
"""Of the unit's budget that looking for them may take."""
SHOWN = 3


def slowest(worlds: Sequence[World], engines: Sequence[str], budget: float, timeout: float | None) -> list[SlowWorld]:
    """The slowest worlds of a batch, slowest first; none where the time does not allow for it. budget: seconds of the unit."""
    until = time.monotonic() + min(MOST_SECONDS, SHARE * budget)
    left = list(worlds)
    while len(left) > SHOWN:
        middle = len(left) // 2
        taken = []
        for half in (left[:middle], left[middle:]):
            if time.monotonic() > until:
                return []
            if (seconds := _seconds(half, engines[0], timeout)) is None:
                return []
            taken.append((seconds / len(half), half))
        left = max(taken, key=lambda one: one[0])[1]
    found = []
    for world in left:
        seconds_of = {}
        for engine in engines:
            if time.monotonic() > until:
                break
            if (alone := _seconds([world], engine, timeout)) is not None:
                seconds_of[engine] = round(alone, 4)
        if len(seconds_of) == len(engines):
            years = len(world.scenario.years)
            found.append(
                SlowWorld(fingerprint=world.fingerprint, employees=len(world.census), years=years, seconds=seconds_of)
            )
    return sorted(found, key=lambda one: -max(one.seconds.values()))


def _seconds(worlds: Sequence[World], engine: str, timeout: float | None) -> float | None:
    started = time.monotonic()
    try:
        Side(engine).run(worlds, timeout=timeout)
    except Exception:  # noqa: BLE001 - that it raises is told elsewhere
        return None
    return time.monotonic() - started
