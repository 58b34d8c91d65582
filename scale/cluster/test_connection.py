"""Which workers are fit, and what people are told of those that are not; against a cluster that is made up."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import Any

import pytest

from scale.cluster import connection
from scale.cluster.connection import Roster, connect
from scale.cluster.fitness import Facts, differences, facts
from scale.status import UsageError

HERE = facts(("sql", "scale.scenarios:nobody"))


class Client:
    """A scheduler with workers that say the given things of themselves."""

    def __init__(self, **workers: Any) -> None:
        self.workers, self.asked = workers, 0

    def nthreads(self) -> dict[str, int]:
        return dict.fromkeys(self.workers, 2)

    def run(self, *_: Any, workers: list[str], **__: Any) -> dict[str, Any]:
        self.asked += len(workers)
        return {address: self.workers[address] for address in workers}


def roster(client: Client, said: list[str]) -> Roster:
    made = Roster(client, "tcp://there:1", (), said.append)
    made.here = HERE
    return made


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"python": "2.7"}, f"Python 2.7, here {HERE.python}"),
        ({"libraries": {**HERE.libraries, "polars": "0.1"}}, f"polars 0.1, here {HERE.libraries['polars']}"),
        ({"libraries": {**HERE.libraries, "distributed": "0"}}, "distributed 0, here"),
        (
            {"sources": {**HERE.sources, "properties": "x"}, "commit": "abc"},
            "other code of the project in properties/ (commit abc, here",
        ),
        ({"engines": {**HERE.engines, "sql": "x"}}, "engine sql: other code than here"),
        ({"engines": {"sql": HERE.engines["sql"], "scale.scenarios:nobody": "not there: no"}}, "engine scale.scen"),
    ],
)
def test_a_worker_that_would_compute_otherwise_is_refused_with_what_differs(
    change: dict[str, Any], told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    client = Client(good=HERE, bad=replace(HERE, **change))
    workers = roster(client, said)

    assert list(workers.fit()) == ["good"]
    assert list(workers.fit()) == ["good"]
    assert workers.threads() == 2
    assert client.asked == 2, "each is looked at once"
    assert len(said) == 1
    assert said[0].startswith(f"worker bad gets no work: {told}")


def test_differences_that_change_no_result_are_harmless() -> None:
    elsewhere = replace(
        HERE, host="other", name="other", commit="other", machine=HERE.machine.model_copy(update={"cores": 64})
    )

    assert differences(HERE, elsewhere) == []


def test_a_cluster_whose_workers_are_all_unfit_says_why_of_each(monkeypatch: pytest.MonkeyPatch) -> None:
    lacking = Exception("ModuleNotFoundError(\"No module named 'scale'\")")
    workers = roster(Client(one=replace(HERE, python="2.7"), two=lacking, three=RuntimeError("odd")), [])

    with pytest.raises(UsageError) as raised:
        workers.wait(0.0)
    text = str(raised.value)
    assert text.startswith("--cluster tcp://there:1: none of its workers can take work:")
    assert "one: Python 2.7" in text
    assert "two: it cannot load this project (No module named 'scale'); start it with cd CHECKOUT" in text
    assert "three: it cannot say what it runs on: RuntimeError: odd" in text


def test_no_worker_at_all_is_told_and_one_that_is_being_lost_is_asked_again() -> None:
    with pytest.raises(UsageError, match="the scheduler has no workers; start some with"):
        roster(Client(), []).wait(0.0)

    client, said = Client(one=OSError("closed")), list[str]()
    workers = roster(client, said)
    assert workers.fit() == {}
    client.workers["one"] = HERE
    assert list(workers.wait(0.0)) == ["one"]
    assert said == []


def test_further_engines_are_looked_for_on_every_worker_again() -> None:
    client = Client(one=HERE)
    workers = Roster(client, "tcp://there:1", ("sql",), list[str]().append)
    workers.fit()
    workers.require(("sql",))
    workers.fit()
    assert client.asked == 1

    workers.require(("polars",))
    assert set(workers.here.engines) == {"sql", "polars"}
    assert workers.fit() == {}, "what it said of itself lacks the engine"
    assert client.asked == 2


def test_a_missing_library_is_told_with_the_command_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)

    with pytest.raises(UsageError, match=r"-m pip install '\.\[cluster\]'"):
        connect("tcp://127.0.0.1:1")


@pytest.mark.parametrize("address", ["foo://there:1", "nonsense"])
def test_an_address_that_is_none_is_told(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "CONNECT_SECONDS", 1.0)

    with pytest.raises(UsageError, match="not an address such as tcp://HOST:8786"):
        connect(address)


def test_facts_are_plain_and_the_same_twice() -> None:
    assert isinstance(HERE, Facts)
    assert facts(HERE.engines) == replace(HERE)
    assert all(len(digest) == 64 for digest in HERE.sources.values())
    assert HERE.libraries["distributed"] != "none"
