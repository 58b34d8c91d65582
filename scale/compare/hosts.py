"""A live comparison on a cluster: all its pairs on one host, never split over several, and nothing kept of a host that was lost."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from differential.session import ROOT
from scale.cluster.command import Order
from scale.cluster.connection import Say
from scale.cluster.task import Answer
from scale.cluster.timed import LIVES, LOOK_EVERY, Failure, Hosts, Task
from scale.compare.acceptance import NotMeasuredError, accepted
from scale.compare.base import packed_base
from scale.compare.request import CompareRequest
from scale.options import matrix_words
from scale.policy import GB
from scale.records import Cell, Comparison
from scale.scenarios.catalogue import Part
from scale.status import Status, UsageError

NAME = "comparison"
GRACE_SECONDS = 60.0
"""A comparison ends within its --timeout by itself; judging it and drawing its pictures takes a little longer."""


def compare_on_cluster(request: CompareRequest, address: str, policy: Path | None, say: Say) -> Comparison:
    """Compare on some host; returns the record, which compare.json holds too. policy: file of --policy.

    Raises:
        UsageError: no scheduler or no fit worker, one that is gone for good, a base that cannot be sent.
        NotMeasuredError: there is no result, or one of other code; nothing was written.
        KeyboardInterrupt: interrupted; nothing was written, and nothing runs on.
    """
    codes = request.check()
    until = None if request.timeout is None else time.monotonic() + request.timeout
    files = {"--policy": policy.read_bytes()} if policy else {}
    here = _is_here(request)
    folders = {} if here else {"--base-checkout": packed_base(request.base)}
    order = Order(NAME, tuple(arguments_of(request)), files, folders, summary=False)
    engines = [*request.candidate.specs.values(), *(request.base.specs.values() if here else ())]
    hosts = Hosts(address, dict.fromkeys(engines), say, lambda _, line: say(line))
    comparing = _Comparing(hosts, order, until, say)
    try:
        task, answer = comparing.until_answered()
        return accepted(answer, task.last, request, codes, comparing.lost)
    finally:
        hosts.end()


def arguments_of(request: CompareRequest) -> list[str]:
    """The options of `python -m scale compare` that do this on a worker, but for its base checkout, policy, time and output.

    `--same-code` always: whether both sides are one code hangs on their commits, which a worker need not know.
    """
    words = ["compare", "--same-code"]
    for engine in request.candidate.specs:
        words += ["--engine", engine]
    if _is_here(request):
        words += ["--base-engine", *request.base.specs.values()]
    words += matrix_words(_part(request.cells))
    if request.results_may_differ:
        words.append("--results-may-differ")
    if request.memory_limit is not None:
        words += ["--memory-limit", repr(request.memory_limit / GB)]
    return words


def _is_here(request: CompareRequest) -> bool:
    """Whether the base is an engine of this checkout, which a fit worker has."""
    return request.base.root == ROOT and len(request.base.specs) == 1


def _part(cells: Sequence[Cell]) -> Part:
    """What these cells are the product of."""

    def values(name: str) -> list[object]:
        return list(dict.fromkeys(getattr(cell, name) for cell in cells))

    axes = {"employees": "employees", "years": "years", "levels": "level", "shards": "shards", "threads": "threads"}
    return Part.model_validate({axis: values(name) for axis, name in axes.items()})


class _Comparing:
    """One comparison under way. lost: hosts that were lost while they measured it."""

    def __init__(self, hosts: Hosts, order: Order, until: float | None, say: Say) -> None:
        self._hosts, self._order, self._until, self._say = hosts, order, until, say
        self.lost: list[str] = []

    def until_answered(self) -> tuple[Task, Answer]:
        """Hand it to one host after another until one has measured it whole."""
        task: Task | None = None
        while True:
            try:
                if task is None:
                    task = self._start()
                elif (found := self._hosts.ended(task)) is None:
                    self._hold_to_time(task)
                elif (answer := self._taken(task, found)) is not None:
                    return task, answer
                else:
                    task = None
            except OSError as error:
                self._hosts.check(error, "nothing was written. Start it again, with workers, and give the same command")
            time.sleep(LOOK_EVERY)

    def _start(self) -> Task | None:
        """On the first host by address on which it was not lost, or on the first; None where there is none yet."""
        fit = self._hosts.fit()
        if not fit:
            self._wait()
            return None
        fresh = {address: there for address, there in fit.items() if there.name not in self.lost}
        address, there = next(iter((fresh or fit).items()))
        left = None if self._until is None else self._until - time.monotonic()
        if left is not None and left <= 0:
            raise self._late("no host had begun")
        self._say(f"comparison: begins on {there.name} ({address})")
        return self._hosts.start(replace(self._order, seconds=left), address, there)

    def _taken(self, task: Task, found: Answer | Failure) -> Answer | None:
        """The answer, or None where another host has to be asked. Raises NotMeasuredError where that would not help."""
        host = task.there.name
        if isinstance(found, Answer):
            if found.unfit:
                return None
            if found.status == Status.TIMEOUT and not found.parcel:
                raise self._late(f"{host} was busy with other timed work")
            if found.status == Status.USAGE:
                raise UsageError(f"{host} cannot do this: {task.last.removeprefix('python -m scale: ')}")
            if found.status != Status.INTERRUPTED:
                return found
            found = Failure(lost=True, reason=f"{host} ({task.address}) stopped it")
        if not found.lost:
            raise NotMeasuredError("insufficient", found.reason)
        self.lost.append(host)
        if len(self.lost) >= LIVES:
            said = f"{len(self.lost)} workers were lost while they measured it: {', '.join(self.lost)}"
            raise NotMeasuredError("insufficient", f"{said}. Do they have the memory? --memory-limit ends a run before")
        self._say(f"comparison: {found.reason}; it begins again whole")
        return None

    def _hold_to_time(self, task: Task) -> None:
        if self._until is None or time.monotonic() < self._until:
            return
        if not task.begun:
            raise self._late(f"{task.there.name} was busy with other tasks")
        if time.monotonic() > self._until + GRACE_SECONDS:
            raise self._late(f"{task.there.name} went on beyond it")

    def _wait(self) -> None:
        """For a fit worker, as long as there is time."""
        try:
            self._hosts.wait(self._is_over)
        except UsageError as error:
            if self._is_over():
                raise self._late(str(error)) from None
            raise

    def _is_over(self) -> bool:
        return self._until is not None and time.monotonic() > self._until

    def _late(self, what: str) -> NotMeasuredError:
        return NotMeasuredError("timeout", f"the time of --timeout was over: {what}")
