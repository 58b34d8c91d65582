"""What became of a command on a host; against a client that is made up."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from scale.cluster import timed
from scale.cluster.command import Order
from scale.cluster.fitness import facts
from scale.cluster.task import Answer
from scale.cluster.timed import Failure, Hosts

HERE = facts()
AT = "tcp://there:1"


class Client:
    """A scheduler with one worker, and a future that is as it is told to be."""

    status = "running"

    def __init__(self) -> None:
        self.future = SimpleNamespace(status="pending", cancelled=False, outcome=Answer(AT, HERE))
        self.future.cancel = lambda: setattr(self.future, "cancelled", True)
        self.future.result = lambda **_: self.future.outcome
        self.future.exception = lambda: self.future.outcome
        self.workers = {AT: 1}

    def nthreads(self) -> dict[str, int]:
        return self.workers

    def run(self, *_: Any, **__: Any) -> dict[str, Any]:
        return {AT: HERE}

    def subscribe_topic(self, _: str, handler: Any) -> None:
        self.handler = handler

    def tell(self, **told: str) -> None:
        self.handler((0.0, {"task": "x", "worker": AT, **told}))

    def submit(self, *_: Any, **__: Any) -> Any:
        return self.future


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Client:
    made = Client()
    monkeypatch.setattr(timed, "connect", lambda _: made)
    return made


def started(client: Client, said: list[str] | None = None) -> tuple[Hosts, timed.Task]:
    said = [] if said is None else said
    hosts = Hosts(AT, (), said.append, lambda name, line: said.append(f"{name}: {line}"))
    hosts.roster.here = HERE
    hosts.fit()
    return hosts, hosts.start(Order("x", ()), AT, HERE)


def test_a_command_that_begins_twice_at_one_address_was_lost_there(client: Client) -> None:
    said: list[str] = []
    hosts, task = started(client, said)
    client.tell(begun="there")
    client.tell(line="working")
    assert hosts.ended(task) is None
    assert (task.last, said) == ("working", ["x: working"])

    client.tell(begun="there")
    found = hosts.ended(task)
    assert isinstance(found, Failure)
    assert found.lost
    assert client.future.cancelled
    assert hosts.tasks == []


@pytest.mark.parametrize(
    ("status", "outcome", "lost"),
    [
        ("finished", Answer(AT, HERE), None),
        ("error", RuntimeError("no"), False),
        ("error", type("KilledWorker", (Exception,), {})(), True),
        ("cancelled", None, True),
    ],
)
def test_what_became_of_it(client: Client, status: str, outcome: Any, lost: bool | None) -> None:
    hosts, task = started(client)
    client.future.status, client.future.outcome = status, outcome
    found = hosts.ended(task)

    assert found == outcome if lost is None else isinstance(found, Failure) and found.lost is lost


def test_a_scheduler_that_goes_is_no_lost_host(client: Client) -> None:
    hosts, task = started(client)
    client.status, client.future.status = "connecting", "cancelled"

    with pytest.raises(ConnectionError):
        hosts.ended(task)


def test_an_answer_that_does_not_come_leaves_the_task(client: Client) -> None:
    def late(timeout: float) -> None:
        raise TimeoutError

    hosts, task = started(client)
    client.future.status, client.future.result = "finished", late
    with pytest.raises(TimeoutError):
        hosts.ended(task)
    assert hosts.tasks == [task]


def test_a_worker_that_has_become_unfit_is_given_nothing_more(client: Client) -> None:
    said: list[str] = []
    hosts, task = started(client, said)
    client.future.status, client.future.outcome = "finished", Answer(AT, HERE, unfit=("Python 2.7",))
    hosts.ended(task)

    assert hosts.fit() == {}
    assert said == [f"worker {AT} gets no work: Python 2.7"]
