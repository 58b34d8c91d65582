"""Scenarios on the hosts of a cluster, one at a time on each: a host that is free is given the next one."""

from __future__ import annotations

import time
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

from differential.session import ROOT
from scale.cluster.command import Order
from scale.cluster.connection import Say
from scale.cluster.fitness import Facts
from scale.cluster.parcel import ParcelError, unpack
from scale.cluster.task import Answer
from scale.cluster.timed import LIVES, LOOK_EVERY, Failure, Hosts, Task
from scale.log import now
from scale.options import matrix_words
from scale.policy import GB
from scale.records import write_record
from scale.scenarios import Scenario
from scale.scenarios.catalogue import catalogue
from scale.status import UsageError
from scale.sweep.hosts.record import CLUSTER, ClusterSweep, Measured, begin
from scale.sweep.hosts.report import write_summary
from scale.sweep.request import SweepRequest
from scale.sweep.state import read_sweep


@dataclass
class _State:
    """waiting: scenarios that no host has, largest first. lost: hosts that were lost under a scenario, by its name."""

    waiting: list[Scenario]
    lost: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))


def run_on_cluster(
    request: SweepRequest, address: str, policy: Path | None, say: Say, root: Path = ROOT
) -> ClusterSweep:
    """Measure every scenario on some host; returns the record, which cluster.json holds too. policy: file of --policy.

    Each scenario's whole sweep lies in OUTPUT/<machine fingerprint>/<scenario>/. It is saved after every scenario, so that an
    interrupted sweep goes on; one that is interrupted within a scenario measures that again from its beginning.

    Raises:
        UsageError: no scheduler or no fit worker; the folder holds another sweep; a scheduler that is gone for good.
        KeyboardInterrupt: interrupted; what was measured is kept, and nothing runs on.
    """
    sweep = begin(request, root)
    write_record(request.output / CLUSTER, sweep)
    loop = _Loop(request, address, {"--policy": policy.read_bytes()} if policy else {}, sweep, say)
    try:
        loop.all()
    finally:
        loop.end()
    return loop.sweep


class _Loop:
    """One sweep under way."""

    def __init__(
        self, request: SweepRequest, address: str, files: dict[str, bytes], sweep: ClusterSweep, say: Say
    ) -> None:
        self._request, self._files, self._say = request, files, say
        self.sweep = sweep
        self._until = None if request.timeout is None else time.monotonic() + request.timeout
        done = {one.scenario for one in sweep.measured}
        left = [one for one in request.scenarios if one.name not in done]
        self._state = _State(sorted(left, key=_work, reverse=True))
        self._scenarios = {one.name: one for one in left}
        self._hosts = Hosts(address, request.engines, say, lambda name, line: say(f"{name}: {line}"))

    def all(self) -> None:
        """Until every scenario has a result, or a reason why it has none."""
        state, hosts = self._state, self._hosts
        if not state.waiting:
            return
        while state.waiting or hosts.tasks:
            try:
                self._hand_out()
                self._collect()
            except OSError as error:
                hosts.check(error, f"scenarios that were measured are kept. Go on with: {self._request.command}")
            time.sleep(LOOK_EVERY)

    def end(self) -> None:
        """Cancel what runs, wait until it is gone, and write the summary."""
        self._hosts.end()
        self._save(finished=now())
        write_summary(self.sweep, self._request.output)

    def _hand_out(self) -> None:
        """Give each free host the next scenario, if possible one that was not lost there before."""
        state = self._state
        if not state.waiting:
            return
        if self._until is not None and time.monotonic() > self._until:
            self._save(missing={**self.sweep.missing, **{one.name: "time" for one in state.waiting}})
            state.waiting.clear()
            return
        busy = {task.there.host for task in self._hosts.tasks}
        hosts = self._hosts.fit()
        if not hosts and not busy:
            self._hosts.wait()
            return
        for address, there in hosts.items():
            if there.host in busy or not state.waiting:
                continue
            fresh = [one for one in state.waiting if there.name not in state.lost[one.name]]
            elsewhere = {other.host for other in hosts.values()} - {there.host}
            if not fresh and elsewhere:
                continue
            scenario = (fresh or state.waiting)[0]
            state.waiting.remove(scenario)
            self._start(scenario, address, there)

    def _start(self, scenario: Scenario, address: str, there: Facts) -> None:
        seconds = None if self._until is None else max(0.0, self._until - time.monotonic())
        order = Order(scenario.name, tuple(arguments_of(scenario, self._request)), self._files, seconds=seconds)
        self._hosts.start(order, address, there)
        self._say(f"{scenario.name}: begins on {there.name} ({address})")

    def _collect(self) -> None:
        """What has ended, and what was lost."""
        for task in list(self._hosts.tasks):
            found = self._hosts.ended(task)
            scenario = self._scenarios[task.order.name]
            if isinstance(found, Answer):
                self._keep(scenario, task, found)
            elif found is not None and found.lost:
                self._lose(scenario, task, found)
            elif found is not None:
                self._miss(scenario, found.reason)

    def _lose(self, scenario: Scenario, task: Task, found: Failure) -> None:
        lost = self._state.lost[scenario.name]
        lost.append(task.there.name)
        self._save(lost={name: tuple(hosts) for name, hosts in self._state.lost.items() if hosts})
        if len(lost) >= LIVES:
            self._miss(scenario, f"{len(lost)} workers were lost while they measured it: {', '.join(lost)}")
            return
        self._say(f"{scenario.name}: {found.reason}; measured again whole")
        self._state.waiting.insert(0, scenario)

    def _keep(self, scenario: Scenario, task: Task, answer: Answer) -> None:
        if answer.unfit:
            self._state.waiting.insert(0, scenario)
            return
        folder = Path(answer.there.machine.fingerprint) / scenario.name
        place = self._request.output / folder
        try:
            unpack(answer.parcel, place)
            found = read_sweep(place)
        except (ParcelError, UsageError):
            self._miss(scenario, f"on {task.there.name}, status {answer.status}: {task.last}")
            return
        if found.machine.fingerprint != answer.there.machine.fingerprint:
            self._miss(scenario, f"{task.there.name} changed while it measured: its machine is another one now")
            return
        one = Measured(
            scenario=scenario.name, folder=str(folder), host=answer.there.name, machine=found.machine,
            verdict=found.verdict, complete=found.complete, seconds=answer.seconds,
        )  # fmt: skip
        self._save(measured=(*self.sweep.measured, one))
        self._say(f"{one.scenario}: {one.verdict}, measured on {one.host}")

    def _miss(self, scenario: Scenario, why: str) -> None:
        self._save(missing={**self.sweep.missing, scenario.name: why})
        self._say(f"{scenario.name}: not measured: {why}")

    def _save(self, **changes: object) -> None:
        self.sweep = self.sweep.model_copy(update=changes).judged()
        write_record(self._request.output / CLUSTER, self.sweep)


def arguments_of(scenario: Scenario, request: SweepRequest) -> list[str]:
    """The options of `python -m scale sweep` that measure this one scenario as `request` asks, but for output and policy."""
    words = ["sweep", "--runs", str(request.runs)]
    for engine in request.engines:
        words += ["--engine", engine]
    if scenario == catalogue().get(scenario.name):
        words += ["--scenario", scenario.name]
    else:
        (part,) = scenario.parts
        words += matrix_words(part)
    if not request.leak:
        words.append("--no-leak-check")
    if request.memory_limit is not None:
        words += ["--memory-limit", repr(request.memory_limit / GB)]
    return words


def _work(scenario: Scenario) -> int:
    """How much one engine simulates in it, over its cells."""
    return sum(cell.employees * cell.years for cell in scenario.cells("any"))
