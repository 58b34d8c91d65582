"""A thread that samples the memory of a process tree while a simulation runs, and ends it where it takes too much.

Each kind of look (resident memory, proportional memory, new children) has a share of the time that it may cost; how often it
comes follows from what the last one cost. A peak between two samples shows in the kernel's high-water marks.
"""

from __future__ import annotations

import threading
import time

from scale.measuring.tree import Tree
from scale.records import Memory

_SHARES = {"resident": 0.002, "proportional": 0.002, "children": 0.001}
_LEAST = {"resident": 0.02, "proportional": 0.2, "children": 0.02}
"""Of the time, how much each kind of look may take; and the least seconds from one to the next."""


class _Pace:
    """When the next look of a kind is due, by what the last one cost in CPU time of this thread."""

    def __init__(self, kind: str) -> None:
        self._share, self._least, self.due = _SHARES[kind], _LEAST[kind], 0.0

    def after(self, cost: float) -> None:
        self.due = time.perf_counter() + max(self._least, cost / self._share)


class Monitor:
    """Watches a tree from `start` to `stop`.

    limit: bytes of the tree at which it is killed; `exceeded` then holds what it had. high_water: whether the marks of the tree
    were reset just before, so that they belong to what is watched.
    """

    def __init__(self, tree: Tree, *, limit: int | None, high_water: bool) -> None:
        self.exceeded: int | None = None
        self.seconds = 0.0
        self._tree, self._limit = tree, limit
        self._high_water: int | None = 0 if high_water else None
        self._resident_peak, self._proportional_peak = 0, 0
        self._has_proportional = True
        self._several = False
        self._samples, self._longest_gap, self._last = 0, 0.0, 0.0
        self._before = 0
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="memory monitor", daemon=True)

    def start(self) -> None:
        """Take the first samples, and go on in a thread."""
        self._last = time.perf_counter()
        self._sample()
        self._look_proportional()
        self._before = self._proportional_peak or self._resident_peak
        self._thread.start()

    def stop(self) -> None:
        """End the thread and take the last samples. Call it while the tree still lives."""
        self._stopping.set()
        self._thread.join()
        if self.exceeded is None:
            self._tree.find()
            self._sample()
            self._look_proportional()

    def memory(self) -> Memory:
        """What was seen."""
        proportional = self._has_proportional and self._proportional_peak > 0
        sampled = self._proportional_peak if proportional else self._resident_peak
        return Memory(
            peak=max(sampled, self._high_water or 0),
            kind="PSS" if proportional else "RSS",
            sampled_peak=sampled,
            sampled_rss_peak=self._resident_peak,
            high_water=self._high_water,
            before=self._before,
            samples=self._samples,
            longest_gap=self._longest_gap,
        )

    def _watch(self) -> None:
        began = time.thread_time()
        looks = [
            (_Pace("children"), self._look_for_children),
            (_Pace("resident"), self._sample),
            (_Pace("proportional"), self._look_proportional),
        ]
        looks[2][0].after(0)
        while not self._stopping.is_set():
            now = time.perf_counter()
            for pace, look in looks:
                if pace.due <= now:
                    before = time.thread_time()
                    look()
                    pace.after(time.thread_time() - before)
            if self.exceeded is not None:
                break
            self._stopping.wait(max(0.001, min(pace.due for pace, _ in looks) - time.perf_counter()))
        self.seconds = time.thread_time() - began

    def _look_for_children(self) -> None:
        if not self._tree.find_new():
            self._tree.find()

    def _sample(self) -> None:
        members = self._tree.resident()
        now = time.perf_counter()
        self._longest_gap, self._last = max(self._longest_gap, now - self._last), now
        self._samples += 1
        total = sum(member.now for member in members)
        self._resident_peak = max(self._resident_peak, total)
        self._note_marks([member.mark for member in members], total)
        if self._limit is not None and total > self._limit:
            self._check_limit(total)

    def _note_marks(self, marks: list[int | None], total: int) -> None:
        """Marks of several processes need not fall together, so they are added up over the time between two samples only."""
        if self._high_water is None:
            return
        known = [mark for mark in marks if mark is not None]
        several = len(known) > 1
        joined = several and not self._several  # until now the marks were of a longer time
        self._high_water = max(self._high_water, total if joined else sum(known), *known, 0)
        self._several = several
        if several:
            self._tree.reset_marks()

    def _look_proportional(self) -> None:
        found = self._tree.proportional() if self._has_proportional else None
        if found is not None:
            self._proportional_peak = max(self._proportional_peak, found)
        elif self._samples <= 1:
            self._has_proportional = False

    def _check_limit(self, resident: int) -> None:
        """Resident sizes count shared pages in each process: the proportional size decides where there is one."""
        held = self._tree.proportional() or resident if len(self._tree) > 1 else resident
        if self._limit is not None and held > self._limit:
            self.exceeded = held
            self._tree.kill()
