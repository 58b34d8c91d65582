"""A thread that samples the memory of a process tree while a simulation runs, and ends it where it takes too much.

Each kind of look (resident memory, proportional memory, all processes of the system) has a share of the time that it may cost: it
is taken again when all of its kind so far, and what one more is expected to cost, stay within that share. The proportional size of
a large process costs many milliseconds, its resident size microseconds. A peak between two samples shows in the kernel's
high-water marks.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from scale.measuring.tree import Tree
from scale.records import Memory

_SHARES = {"resident": 0.004, "proportional": 0.0015, "everyone": 0.0005}
_LEAST = {"resident": 0.02, "proportional": 0.2, "everyone": 0.2}
"""Of the time, how much each kind of look may take, 0.6 % in all; and the least seconds from one to the next."""
_CREDIT = 0.001
"""Seconds that looks at resident memory may take at once, since the first ones, of a thread that just started, cost more."""


class _Look:
    """A kind of look: what it cost so far, in CPU time of the thread that looks, and when it may be taken again."""

    def __init__(self, kind: str, take: Callable[[], None]) -> None:
        self._share, self._least, self._take = _SHARES[kind], _LEAST[kind], take
        self._spent = self._expected = 0.0
        self._began = self._earliest = time.perf_counter()

    def begin(self) -> None:
        """Take it before anything is timed: only for what it tells and what the next one is likely to cost."""
        self.take()
        self._spent, self._began = 0.0, time.perf_counter()

    def take(self) -> None:
        before = time.thread_time()
        self._take()
        self._expected = time.thread_time() - before
        self._earliest = time.perf_counter() + self._least
        self.add(self._expected)

    def add(self, cost: float) -> None:
        """Count CPU seconds that are spent for its sake."""
        self._spent += cost

    def expect(self, times: float) -> None:
        """The next one is likely to cost so many times what was expected."""
        self._expected *= times

    @property
    def due(self) -> float:
        """When the cost so far and that of one more is within its share."""
        return max(self._earliest, self._began + (self._spent + self._expected) / self._share)


class Monitor:
    """Watches a tree from `start` to `stop`.

    limit: bytes of the tree at which it is killed; `exceeded` then holds what it had. error: what ended the watch too early.
    high_water: whether the marks of the tree were reset just before, so that they belong to what is watched.
    """

    def __init__(self, tree: Tree, *, limit: int | None, high_water: bool) -> None:
        self.exceeded: int | None = None
        self.error: Exception | None = None
        self.seconds = 0.0
        self._tree, self._limit = tree, limit
        self._high_water: int | None = 0 if high_water else None
        self._resident_peak, self._proportional_peak = 0, 0
        self._has_proportional = True
        self._several = False
        self._samples, self._longest_gap, self._last, self._size = 0, 0.0, 0.0, 0
        self._before = 0
        self._resident = _Look("resident", self._look_resident)
        self._proportional = _Look("proportional", self._look_proportional)
        self._others = [self._proportional, _Look("everyone", self._look_at_everyone)]
        self._lost = False
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="memory monitor", daemon=True)

    def start(self) -> None:
        """Take the first samples, and go on in a thread."""
        self._last = time.perf_counter()
        for look in (self._resident, *self._others):
            look.begin()
        self._resident.add(-_CREDIT)
        self._before = self._proportional_peak or self._resident_peak
        self._thread.start()

    def stop(self) -> None:
        """End the thread and take the last samples. Call it while the tree still lives."""
        self._stopping.set()
        self._thread.join()
        if self.exceeded is None:
            self._tree.find()
            self._look_resident()
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
        try:
            self._watch_until_stopped()
        except Exception as error:  # noqa: BLE001 - a run that was not watched must not look like one that was
            self.error = error

    def _watch_until_stopped(self) -> None:
        began = time.thread_time()
        spent = began
        while self.exceeded is None:
            if self._stopping.wait(max(0.001, self._resident.due - time.perf_counter())):
                break
            self._resident.add(time.thread_time() - spent)  # to wake up costs more than to read a size
            self._resident.take()
            for look in self._others:
                if look.due <= time.perf_counter():
                    look.take()
            spent = time.thread_time()
        self.seconds = time.thread_time() - began

    def _look_at_everyone(self) -> None:
        """Only where the cheap way to find children cannot tell."""
        if self._lost:
            self._tree.find()
            self._lost = False

    def _look_resident(self) -> None:
        self._lost |= not self._tree.find_new()
        members = self._tree.resident()
        now = time.perf_counter()
        self._longest_gap, self._last = max(self._longest_gap, now - self._last), now
        self._samples += 1
        total = sum(member.now for member in members)
        if self._size:
            self._proportional.expect(total / self._size)  # it walks all pages
        self._size = total
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
