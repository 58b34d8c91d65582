"""The monitor's pace, and how high-water marks of several processes are put together."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from scale.measuring import monitor
from scale.measuring.tree import Resident

MIB = 2**20


class _Clock:
    """Time that passes only when told to."""

    def __init__(self) -> None:
        self.wall = self.cpu = 0.0

    def perf_counter(self) -> float:
        return self.wall

    def thread_time(self) -> float:
        return self.cpu

    def burn(self, seconds: float) -> None:
        self.wall, self.cpu = self.wall + seconds, self.cpu + seconds


@pytest.mark.parametrize(
    ("cost", "taken"),
    [
        (0.0, 50),  # every 0.2 s, the least interval
        (0.0006, 25),  # 0.15 % of the time
        (0.015, 1),
        (0.030, 0),  # the first would be due after 20 s
    ],
)
def test_a_costly_look_is_taken_less_often(cost: float, taken: int, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = _Clock()
    monkeypatch.setattr(monitor, "time", clock)
    look = monitor._Look("proportional", lambda: clock.burn(cost))
    look.begin()
    begun, count = clock.wall, 0
    while clock.wall < begun + 10.1:
        if look.due <= clock.wall:
            look.take()
            count += 1
        clock.wall += 0.001
    assert count == pytest.approx(taken, abs=1 if taken else 0)


class _Scripted:
    """A tree whose members' sizes are given sample by sample; resetting marks is only counted."""

    def __init__(self, samples: Sequence[Sequence[tuple[int, int]]]) -> None:
        self._samples = iter(samples)
        self.resets = 0

    def find_new(self) -> bool:
        return True

    def resident(self) -> list[Resident]:
        return [Resident(now * MIB, mark * MIB) for now, mark in next(self._samples)]

    def reset_marks(self) -> None:
        self.resets += 1


@pytest.mark.parametrize(
    ("samples", "peak"),
    [
        ([[(100, 100)], [(100, 400)]], 400),  # one process: its mark is the peak, however old
        ([[(100, 400)], [(100, 400), (200, 200)]], 400),  # its mark of before the child came is not added to the child
        ([[(100, 100)], [(100, 100), (200, 200)], [(100, 100), (50, 300)]], 400),  # a child's short peak
        ([[(100, 100)], [(100, 100), (200, 200)], [(100, 100)], [(100, 100), (200, 200)]], 300),  # one after another
    ],
)
def test_marks_add_up_only_where_processes_lived_together(samples: list[list[tuple[int, int]]], peak: int) -> None:
    tree = _Scripted(samples)
    watching = monitor.Monitor(tree, limit=None, high_water=True)  # type: ignore[arg-type]
    for _ in samples:
        watching._look_resident()
    assert watching.memory().high_water == peak * MIB
    assert tree.resets == sum(len(sample) > 1 for sample in samples)


def test_marks_that_could_not_be_reset_do_not_count() -> None:
    """They would be of the process's start, not of the simulation."""
    watching = monitor.Monitor(_Scripted([[(100, 900)]]), limit=None, high_water=False)  # type: ignore[arg-type]
    watching._look_resident()
    memory = watching.memory()
    assert (memory.high_water, memory.peak, memory.kind) == (None, 100 * MIB, "RSS")
