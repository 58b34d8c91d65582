"""Sweeps on real clusters of processes: workers are said to be of made-up hosts, and what they measure is made up but for one."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from scale.__main__ import main
from scale.cluster.testing import IGNORED, ROOT, MadeUpHosts, local_cluster, made_up_hosts, ready, until
from scale.policy import Policy
from scale.records import read_record, write_record
from scale.scenarios import Scenario, scenario
from scale.scenarios.catalogue import Part
from scale.status import UsageError
from scale.sweep.hosts import cluster_text, run_on_cluster
from scale.sweep.hosts.loop import arguments_of
from scale.sweep.hosts.record import CLUSTER, ClusterSweep
from scale.sweep.hosts.report import SUMMARY
from scale.sweep.request import SweepRequest
from scale.sweep.state import RESULTS, read_sweep

pytestmark = [pytest.mark.filterwarnings(*IGNORED), pytest.mark.xdist_group("cluster")]

MEASURING = """
from scale.cluster import command
from scale.records import write_record
from scale.sweep.testing import made_sweep, series_cells

def run(words, place, **_):
    output = Path(words[words.index("--output") + 1])
    note("begin", output.name)
    place.tell(line="a line of its progress")
    until = time.monotonic() + 0.6
    while time.monotonic() < until or (NOTES / f"hold-{output.name}-{HOST}").exists():
        time.sleep(0.02)
    sizes = [int(word) for word in words[words.index("--employees") + 1 : words.index("--years")]]
    sweep = made_sweep(series_cells(sizes=sizes)).model_copy(update={"machine": place.there.machine, "verdict": "pass"})
    if (NOTES / f"fail-{output.name}").exists():
        return 4
    write_record(output / "results.json", sweep)
    note("end", output.name)
    return 0

command._run = run
"""
"""Its measurements take half a second, or as long as a file says."""


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MadeUpHosts]:
    """Two workers on host one, one on host two; the last test of the module kills one of them."""
    with made_up_hosts(tmp_path_factory.mktemp("hosts"), MEASURING, "one", "one", "two") as made:
        until(lambda: ready(made.address, 3))
        yield made


def request(output: Path, *scenarios: tuple[str, int], **changes: Any) -> SweepRequest:
    """Scenarios of two sizes each, by name and larger size."""
    made = tuple(
        Scenario(name=name, purpose="a test", parts=[Part(employees=[size // 2, size], years=[5])])
        for name, size in scenarios
    )
    asked: dict[str, Any] = {"engines": ("sql",), "runs": 3, "policy": Policy.load(None), "leak": False, **changes}
    return SweepRequest(scenarios=made, output=output, command="python -m scale sweep", **asked)


def overlap(one: tuple[float, float], other: tuple[float, float]) -> bool:
    return one[0] < other[1] and other[0] < one[1]


def one_at_a_time(there: MadeUpHosts) -> None:
    for mine in spans(there.log()).values():
        ordered = sorted(mine)
        assert not any(overlap(first, second) for first, second in pairwise(ordered))


def handed_out_one_at_a_time(said: list[str]) -> None:
    """No host is handed a scenario before its last one has ended or was lost."""
    busy: dict[str, str] = {}
    for line in said:
        name, _, told = line.partition(": ")
        if told.startswith("begins on "):
            host = told.split()[2]
            assert host not in busy.values(), line
            busy[name] = host
        elif "measured on" in told or "was lost" in told:
            del busy[name]


def spans(log: list[list[str]]) -> dict[str, list[tuple[float, float]]]:
    """Of each host, from when to when it measured."""
    begun = {(host, name): float(when) for word, host, name, _, when in log if word == "begin"}
    found: dict[str, list[tuple[float, float]]] = {}
    for word, host, name, _, when in log:
        if word == "end":
            found.setdefault(host, []).append((begun[host, name], float(when)))
    return found


def test_an_interrupted_sweep_goes_on_and_a_scenario_without_results_is_told(
    there: MadeUpHosts, tmp_path: Path
) -> None:
    asked = request(tmp_path / "out", ("x", 1000), ("y", 2000))
    (there.notes / "fail-x").touch()
    first = run_on_cluster(asked, there.address, None, list[str]().append, ROOT)
    (there.notes / "fail-x").unlink()
    begun = len(there.log())
    second = run_on_cluster(asked, there.address, None, list[str]().append, ROOT)

    assert [one.scenario for one in first.measured] == ["y"]
    assert first.missing["x"].endswith("status 4: a line of its progress")
    assert first.verdict == "insufficient"
    assert {one.scenario for one in second.measured} == {"x", "y"}
    assert {line[2] for line in there.log()[begun:]} == {"x"}, "what was measured is not measured again"
    assert second.verdict == "pass"


def test_two_sweeps_at_once_never_time_on_one_host_together(there: MadeUpHosts, tmp_path: Path) -> None:
    (there.notes / "log").unlink(missing_ok=True)
    sweeps = [
        threading.Thread(
            target=run_on_cluster,
            args=(
                request(tmp_path / f, (f + "1", 1000), (f + "2", 2000)),
                there.address,
                None,
                list[str]().append,
                ROOT,
            ),
        )
        for f in "pq"
    ]
    for sweep in sweeps:
        sweep.start()
    for sweep in sweeps:
        sweep.join()

    assert sum(len(mine) for mine in spans(there.log()).values()) == 4
    one_at_a_time(there)


def test_each_host_times_one_scenario_at_a_time_and_a_lost_one_is_measured_again_whole_elsewhere(
    there: MadeUpHosts, tmp_path: Path
) -> None:
    asked = request(tmp_path / "out", ("a", 1000), ("b", 2000), ("c", 3000), ("d", 4000), ("e", 5000))
    for host in ("one", "two"):
        (there.notes / f"hold-e-{host}").touch()
    said: list[str] = []

    def say(line: str) -> None:
        said.append(line)
        if line.startswith("e: ") and "was lost" in line:
            for host in ("one", "two"):
                (there.notes / f"hold-e-{host}").unlink()

    (there.notes / "log").unlink(missing_ok=True)

    def kill() -> None:
        """The worker that measures scenario e, once others have been measured meanwhile."""
        until(lambda: sum(line[0] == "end" for line in there.log()) > 1)
        os.kill(next(int(line[3]) for line in there.log() if line[2] == "e"), signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    done = run_on_cluster(asked, there.address, None, say, ROOT)
    killer.join()

    assert {one.scenario for one in done.measured} == {"a", "b", "c", "d", "e"}
    assert (done.verdict, done.missing) == ("pass", {})
    assert all(one.machine.fingerprint == f"machine-of-{one.host}" for one in done.measured)
    assert {one.host for one in done.measured} == {"one", "two"}
    for one in done.measured:
        assert one.folder == f"machine-of-{one.host}/{one.scenario}"
        assert read_sweep(asked.output / one.folder).machine == one.machine
    one_at_a_time(there)
    handed_out_one_at_a_time(said)

    other = next(one.host for one in done.measured if one.scenario == "e")
    assert (done.lost, other) == ({"e": ("one",)}, "two"), "host one was free sooner"
    assert len([line for line in there.log() if line[0] == "end" and line[2] == "e"]) == 1
    assert read_record(asked.output / CLUSTER, ClusterSweep) == done
    summary = (asked.output / SUMMARY).read_text()
    assert "never compared" in summary
    assert "| e | pass | two |" in summary
    assert "e: begun again whole, since one was lost while it measured" in cluster_text(done, asked.output)[-2]
    assert "b: a line of its progress" in said


def test_a_folder_with_another_sweep_is_refused_and_left_alone(tmp_path: Path) -> None:
    asked = request(tmp_path, ("a", 1000))
    record = ClusterSweep(
        started="2026-01-31T02:00:00+00:00", command="x", commit=None, code={}, policy="p", repetitions=9, scenarios=()
    )
    write_record(tmp_path / CLUSTER, record)

    with pytest.raises(UsageError, match="with other engine code, policy, number of runs, scenarios"):
        run_on_cluster(asked, "tcp://127.0.0.1:1", None, list[str]().append, ROOT)
    assert read_record(tmp_path / CLUSTER, ClusterSweep) == record

    (tmp_path / CLUSTER).rename(tmp_path / RESULTS)
    with pytest.raises(UsageError, match="holds a sweep of one machine"):
        run_on_cluster(asked, "tcp://127.0.0.1:1", None, list[str]().append, ROOT)


def test_what_is_measured_is_what_was_asked_for(tmp_path: Path) -> None:
    small = SweepRequest(
        (scenario("small"),), ("sql", "mine:fast"), 5, tmp_path, Policy.load(None), "x", memory_limit=5 * 10**9
    )

    assert arguments_of(small.scenarios[0], small) == [
        "sweep", "--runs", "5", "--engine", "sql", "--engine", "mine:fast", "--scenario", "small", "--memory-limit", "5.0",
    ]  # fmt: skip
    own = request(tmp_path, ("custom", 80))
    assert arguments_of(own.scenarios[0], own) == [
        "sweep", "--runs", "3", "--engine", "sql", "--employees", "40", "80", "--years", "5", "--level", "high",
        "--shards", "1", "--threads", "1", "--no-leak-check",
    ]  # fmt: skip


def test_a_real_sweep_on_a_real_worker_by_its_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    tiny = ("--employees", "40", "--years", "2", "--engine", "sql", "--runs", "1", "--no-leak-check")
    monkeypatch.setenv("MALLOC_TRIM_THRESHOLD_", "65536")
    with local_cluster(tmp_path, processes=False) as cluster:
        command = ["sweep", "--cluster", cluster.scheduler_address, "--output", str(tmp_path / "out"), *tiny]
        status = main(command)
        told = capsys.readouterr()
        again = main(command)

    assert (status, again) == (3, 3), told
    done = read_record(tmp_path / "out" / CLUSTER, ClusterSweep)
    folder = tmp_path / "out" / done.measured[0].folder
    sweep = read_sweep(folder)
    assert sweep.complete
    assert {run.status for run in sweep.runs} == {"ok"}
    assert folder == tmp_path / "out" / sweep.machine.fingerprint / "custom"
    assert (folder / "report.html").exists()
    assert "custom: [1/2] sql high 40x2" in told.err
    assert "begins on" not in capsys.readouterr().err, "it was measured"
    assert "1 of 1 scenario measured" in told.out
