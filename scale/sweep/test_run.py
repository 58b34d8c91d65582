"""The sweep's loop, with made-up measurements in place of processes: order, resumption, interruption, time, further rounds."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from scale.policy import Policy
from scale.records import Cell, Leak, Run, write_record
from scale.scenarios import Scenario
from scale.scenarios.catalogue import Part
from scale.status import UsageError
from scale.sweep import run as loop
from scale.sweep.request import SweepRequest, order_of_round
from scale.sweep.state import RESULTS, read_sweep
from scale.sweep.testing import linear_seconds, made_leak, made_run, series_cells

Law = Callable[[Cell], float]


class Measurements:
    """Stands in for `measure` and `measure_leak`: notes what was asked, and can fail or be interrupted at a call."""

    def __init__(
        self, law: Law = linear_seconds, stop_at: int | None = None, stop: BaseException | None = None
    ) -> None:
        self.asked: list[tuple[str, int]] = []
        self.law, self.stop_at, self.stop = law, stop_at, stop

    def measure(self, cell: Cell, *, warm_up: bool, **asked: Any) -> Run:
        if self.stop is not None and len(self.asked) == self.stop_at:
            raise self.stop
        self.asked.append((cell.key, asked["round"]))
        return made_run(cell, asked["round"], self.law(cell), warm_up=warm_up)

    def leak(self, cell: Cell, *, repeats: int, **_: Any) -> Leak:
        return made_leak(cell.engine, runs=repeats)


def install(monkeypatch: pytest.MonkeyPatch, measurements: Measurements) -> Measurements:
    monkeypatch.setattr(loop, "measure", measurements.measure)
    monkeypatch.setattr(loop, "measure_leak", measurements.leak)
    return measurements


def request(
    folder: Path, runs: int = 3, sizes: tuple[int, ...] = (1000, 2000, 5000, 10_000, 50_000), **changes: Any
) -> SweepRequest:
    scenario = Scenario(name="custom", purpose="a test", parts=[Part(employees=list(sizes), years=[5])])
    return SweepRequest((scenario,), ("sql",), runs, folder, Policy.load(None), "python -m scale sweep", **changes)


def test_every_cell_runs_once_a_round_after_a_warm_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    taken = install(monkeypatch, Measurements())
    sweep = loop.run_sweep(request(tmp_path))

    assert taken.asked[0][1] == loop.WARM_UP_ROUND
    assert sorted(taken.asked[1:]) == sorted(
        (cell.key, number) for cell in request(tmp_path).cells for number in range(3)
    )
    assert sweep.complete
    assert [run.warm_up for run in sweep.runs].count(True) == 1
    assert sweep == read_sweep(tmp_path)


def test_the_order_of_a_round_is_its_own_and_the_same_in_every_sweep() -> None:
    cells = series_cells()
    orders = [order_of_round(cells, number) for number in range(4)]

    assert all(sorted(order, key=cells.index) == cells for order in orders)
    assert len({tuple(order) for order in orders}) == 4
    assert orders == [order_of_round(cells, number) for number in range(4)]


def test_an_interrupted_sweep_goes_on_without_repeating_what_is_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = install(monkeypatch, Measurements(stop_at=7, stop=KeyboardInterrupt()))
    with pytest.raises(KeyboardInterrupt):
        loop.run_sweep(request(tmp_path))
    kept = read_sweep(tmp_path)

    second = install(monkeypatch, Measurements())
    sweep = loop.run_sweep(request(tmp_path))

    assert not kept.complete
    assert len(kept.runs) == 7
    assert not {key for key in first.asked if key[1] >= 0} & set(second.asked)
    assert sweep.complete
    assert sweep.run_id == kept.run_id


def test_a_finished_sweep_is_judged_again_and_not_measured_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(monkeypatch, Measurements())
    loop.run_sweep(request(tmp_path))
    again = install(monkeypatch, Measurements())
    loop.run_sweep(request(tmp_path))

    assert again.asked == []


@pytest.mark.parametrize("change", [{"runs": 4}, {"sizes": (1000, 2000)}])
def test_a_folder_with_another_sweep_is_refused_and_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: dict[str, Any]
) -> None:
    install(monkeypatch, Measurements())
    loop.run_sweep(request(tmp_path))
    before = (tmp_path / RESULTS).read_bytes()

    with pytest.raises(UsageError, match="Give another folder"):
        loop.run_sweep(request(tmp_path, **change))
    assert (tmp_path / RESULTS).read_bytes() == before


def test_other_code_is_another_sweep(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, Measurements())
    sweep = loop.run_sweep(request(tmp_path))
    code = {"sql": sweep.code["sql"].model_copy(update={"fingerprint": "other"})}
    write_record(tmp_path / RESULTS, sweep.model_copy(update={"code": code}))

    with pytest.raises(UsageError, match="engine code"):
        loop.run_sweep(request(tmp_path))


def test_when_the_time_is_over_what_was_measured_is_judged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(0, 1000, 20))
    monkeypatch.setattr("scale.sweep.run.time.monotonic", lambda: next(clock))
    install(monkeypatch, Measurements())
    sweep = loop.run_sweep(request(tmp_path, timeout=100.0))

    assert sweep.verdict == "timeout"
    assert not sweep.complete
    assert sweep.runs


def test_a_run_that_the_sweeps_own_limit_ended_is_no_result(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    taken = Measurements()

    def measure(cell: Cell, *, warm_up: bool, **asked: Any) -> Run:
        run = taken.measure(cell, warm_up=warm_up, **asked)
        return run if warm_up else run.model_copy(update={"status": "timeout"})

    install(monkeypatch, taken)
    monkeypatch.setattr(loop, "measure", measure)
    sweep = loop.run_sweep(request(tmp_path, timeout=30.0))

    assert [run.warm_up for run in sweep.runs] == [True]


def test_an_undecided_exponent_gets_as_many_more_rounds_as_the_policy_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    noise = iter([1.3, 0.75, 1.0, 1.4, 0.7] * 20)
    taken = install(monkeypatch, Measurements(law=lambda cell: (0.05 + 1e-5 * cell.employees**1.2) * next(noise)))
    loop.run_sweep(request(tmp_path))

    assert max(number for _, number in taken.asked) == 2 + Policy.load(None).sufficiency.extra_rounds_when_inconclusive


def test_a_sound_engine_gets_no_further_round(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    taken = install(monkeypatch, Measurements())
    loop.run_sweep(request(tmp_path))

    assert max(number for _, number in taken.asked) == 2


def test_the_log_has_a_line_for_each_run_with_the_run_id(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import json

    install(monkeypatch, Measurements())
    sweep = loop.run_sweep(request(tmp_path))
    lines = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]

    assert {line["run_id"] for line in lines} == {sweep.run_id}
    assert [line["event"] for line in lines].count("run") == len(sweep.runs)
    assert (lines[0]["event"], lines[-1]["event"]) == ("begin", "end")
