"""Scenarios on the hosts of a cluster, one at a time on each. Dask carries them there; who may time what is decided here.

A worker is bound to nothing on its host, and Dask knows no hosts: so one worker stands for each, and a host that is free is
given the next scenario.
"""

from __future__ import annotations

import secrets
import time
from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from differential.session import ROOT
from scale.cluster.command import run_command
from scale.cluster.connection import (
    FIRST_WORKER_SECONDS,
    NEXT_WORKER_SECONDS,
    Roster,
    Say,
    close_quietly,
    connect,
    running,
)
from scale.cluster.fitness import Facts
from scale.cluster.parcel import ParcelError, unpack
from scale.cluster.task import Answer, idle
from scale.log import now
from scale.policy import GB
from scale.records import write_record
from scale.scenarios import Scenario
from scale.scenarios.catalogue import catalogue
from scale.status import UsageError
from scale.sweep.hosts.record import CLUSTER, ClusterSweep, Measured, begin
from scale.sweep.hosts.report import write_summary
from scale.sweep.request import SweepRequest
from scale.sweep.state import read_sweep

LIVES = 3
"""A scenario under which so many hosts were lost most likely takes them down: too much memory, say."""
END_SECONDS = 40.0
"""A command that is ended takes 15 s at most, its measured child some more."""
_LOOK_EVERY = 0.5


@dataclass
class _Task:
    """A scenario under way. host, worker: where; address: of the worker. last: its last line, which says what was wrong."""

    scenario: Scenario
    future: Any
    address: str
    there: Facts


@dataclass
class _State:
    """waiting: scenarios that no host has, largest first. lost: hosts that were lost under a scenario, by its name."""

    waiting: list[Scenario]
    tasks: list[_Task] = field(default_factory=list)
    lost: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    last: dict[str, str] = field(default_factory=dict)


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
    client = connect(address)
    loop = _Loop(request, address, client, policy.read_bytes() if policy else None, sweep, say)
    try:
        loop.all()
    finally:
        loop.end()
    return loop.sweep


class _Loop:
    """One sweep under way."""

    def __init__(
        self, request: SweepRequest, address: str, client: Any, policy: bytes | None, sweep: ClusterSweep, say: Say
    ) -> None:
        self._request, self._address, self._client, self._policy, self._say = request, address, client, policy, say
        self.sweep = sweep
        self._topic = f"workforce-parity-{secrets.token_hex(4)}"
        self._until = None if request.timeout is None else time.monotonic() + request.timeout
        done = {one.scenario for one in sweep.measured}
        left = [one for one in request.scenarios if one.name not in done]
        self._state = _State(sorted(left, key=_work, reverse=True))
        self._roster = Roster(client, address, request.engines, say)

    def all(self) -> None:
        """Until every scenario has a result, or a reason why it has none."""
        state = self._state
        if not state.waiting:
            return
        self._client.subscribe_topic(self._topic, self._heard)
        self._roster.wait(FIRST_WORKER_SECONDS)
        while state.waiting or state.tasks:
            try:
                self._hand_out()
                self._collect()
            except OSError as error:
                if not running(self._client):
                    raise UsageError(
                        f"--cluster {self._address}: the scheduler is gone ({error}); scenarios that were measured are kept. "
                        f"Go on with: {self._request.command}"
                    ) from None
            time.sleep(_LOOK_EVERY)

    def end(self) -> None:
        """Cancel what runs, wait until it is gone, and write the summary."""
        for task in self._state.tasks:
            with suppress(Exception):
                task.future.cancel()
        if running(self._client):
            with suppress(Exception):
                self._client.run(idle, self._topic, END_SECONDS, on_error="ignore")
        close_quietly(self._client)
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
        busy = {task.there.host for task in state.tasks}
        hosts = self._hosts()
        if not hosts and not state.tasks:
            self._roster.wait(NEXT_WORKER_SECONDS)
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

    def _hosts(self) -> dict[str, Facts]:
        """One worker for each host: the first by address, so that two sweeps take the same one."""
        found: dict[str, tuple[str, Facts]] = {}
        for address, there in sorted(self._roster.fit().items()):
            found.setdefault(there.host, (address, there))
        return dict(found.values())

    def _start(self, scenario: Scenario, address: str, there: Facts) -> None:
        arguments = arguments_of(scenario, self._request)
        if self._until is not None:
            arguments += ["--timeout", f"{max(0.02, (self._until - time.monotonic()) / 60):.2f}"]
        future = self._client.submit(
            run_command, scenario.name, arguments, self._policy, self._roster.here, self._topic,
            workers=[address], pure=False, key=f"{self._topic}-{scenario.name}-{secrets.token_hex(3)}",
        )  # fmt: skip
        self._state.tasks.append(_Task(scenario, future, address, there))
        self._say(f"{scenario.name}: begins on {there.name} ({address})")

    def _collect(self) -> None:
        """What has ended, and what was lost."""
        alive = self._roster.alive() if self._state.tasks else {}
        for task in list(self._state.tasks):
            pending = task.future.status == "pending"
            if pending and task.address in alive:
                continue
            self._state.tasks.remove(task)
            if pending:
                task.future.cancel()
            if task.future.status == "finished":
                self._keep(task, task.future.result())
            elif task.future.status == "error" and type(task.future.exception()).__name__ != "KilledWorker":
                error = task.future.exception()
                self._miss(task.scenario, f"it could not be run on {task.there.name}: {type(error).__name__}: {error}")
            else:
                self._lose(task)

    def _lose(self, task: _Task) -> None:
        lost = self._state.lost[task.scenario.name]
        lost.append(task.there.name)
        self._save(lost={name: tuple(hosts) for name, hosts in self._state.lost.items() if hosts})
        if len(lost) >= LIVES:
            self._miss(task.scenario, f"{len(lost)} workers were lost while they measured it: {', '.join(lost)}")
            return
        self._say(f"{task.scenario.name}: {task.there.name} ({task.address}) was lost; measured again whole")
        self._state.waiting.insert(0, task.scenario)

    def _keep(self, task: _Task, answer: Answer) -> None:
        if answer.unfit:
            self._roster.refuse(answer.worker, list(answer.unfit))
            self._state.waiting.insert(0, task.scenario)
            return
        folder = Path(answer.there.machine.fingerprint) / task.scenario.name
        place = self._request.output / folder
        try:
            unpack(answer.parcel, place)
            found = read_sweep(place)
        except (ParcelError, UsageError):
            said = self._state.last.get(task.scenario.name, "it left no results")
            self._miss(task.scenario, f"on {task.there.name}, status {answer.status}: {said}")
            return
        if found.machine.fingerprint != answer.there.machine.fingerprint:
            self._miss(task.scenario, f"{task.there.name} changed while it measured: its machine is another one now")
            return
        one = Measured(
            scenario=task.scenario.name, folder=str(folder), host=answer.there.name, machine=found.machine,
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

    def _heard(self, event: tuple[float, Any]) -> None:
        """A line that a scenario's sweep printed."""
        told = event[1]
        if isinstance(told, dict) and "line" in told:
            self._state.last[told["task"]] = told["line"]
            self._say(f"{told['task']}: {told['line']}")


def arguments_of(scenario: Scenario, request: SweepRequest) -> list[str]:
    """The options of `python -m scale sweep` that measure this one scenario as `request` asks, but for output and policy."""
    words = ["sweep", "--runs", str(request.runs)]
    for engine in request.engines:
        words += ["--engine", engine]
    if scenario == catalogue().get(scenario.name):
        words += ["--scenario", scenario.name]
    else:
        (part,) = scenario.parts
        for option, values in (
            ("employees", part.employees),
            ("years", part.years),
            ("level", part.levels),
            ("shards", part.shards),
            ("threads", part.threads),
        ):
            words += [f"--{option}", *_texts(values)]
    if not request.leak:
        words.append("--no-leak-check")
    if request.memory_limit is not None:
        words += ["--memory-limit", repr(request.memory_limit / GB)]
    return words


def _texts(values: Sequence[object]) -> list[str]:
    return [str(value) for value in values]


def _work(scenario: Scenario) -> int:
    """How much one engine simulates in it, over its cells."""
    return sum(cell.employees * cell.years for cell in scenario.cells("any"))
