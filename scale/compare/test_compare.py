"""Live comparison with made-up measurements, stored files, and a history of nights."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from differential.session import ROOT
from scale.__main__ import main
from scale.compare import live
from scale.compare.command import run_comparison
from scale.compare.request import CompareRequest, Side, one_code
from scale.policy import Policy
from scale.records import Cell, Comparison, Run, read_record, write_record
from scale.statistics import judge_build
from scale.status import UsageError
from scale.sweep.testing import linear_seconds, made_memory, made_run, made_sweep, series_cells

CELLS = (Cell(engine="polars", employees=5000, years=5), Cell(engine="polars", employees=20_000, years=5))
Change = Callable[[Run], Run]


def request(folder: Path, **changes: Any) -> CompareRequest:
    base, candidate = Side(ROOT, {"polars": "sql"}), Side(ROOT, {"polars": "polars"})
    return CompareRequest(base, candidate, CELLS, folder, Policy.load(None), "python -m scale compare", **changes)


class Machine:
    """Stands in for `measure`: 3 % noise, and a change of the candidate's runs."""

    def __init__(self, change: Change = lambda run: run, stop_at: int | None = None) -> None:
        self.change, self.stop_at = change, stop_at
        self.asked: list[tuple[str, int, int]] = []

    def measure(self, cell: Cell, **asked: Any) -> Run:
        if len(self.asked) == self.stop_at:
            raise KeyboardInterrupt
        self.asked.append((cell.engine, cell.employees, asked["round"]))
        noise = 1 + 0.03 * ((len(self.asked) * 7919) % 11 - 5) / 5
        run = made_run(cell, asked["round"], linear_seconds(cell) * noise, warm_up=asked["warm_up"])
        return self.change(run) if cell.engine == "polars" else run


def compared(
    folder: Path, monkeypatch: pytest.MonkeyPatch, change: Change = lambda run: run, **changes: Any
) -> Comparison:
    monkeypatch.setattr(live, "measure", Machine(change).measure)
    comparison, interrupted = run_comparison(request(folder, **changes))
    assert not interrupted
    assert read_record(folder / "compare.json", Comparison) == comparison
    return comparison


def times(factor: float) -> Change:
    return lambda run: run.model_copy(update={"seconds": (run.seconds or 0) * factor})


def test_equal_sides_pass_on_the_first_pairs_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    comparison = compared(tmp_path, monkeypatch)

    assert comparison.verdict == "pass"
    assert [one.confirmation for one in comparison.cells] == [None, None]
    assert [len(one.initial.base) for one in comparison.cells] == [10, 10]


def test_base_and_candidate_take_turns_and_swap_who_is_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine()
    monkeypatch.setattr(live, "measure", machine.measure)
    run_comparison(request(tmp_path))
    counted = [engine for engine, employees, number in machine.asked if number >= 0 and employees == 5000]

    assert counted == ["sql", "polars", "polars", "sql"] * 5


def test_a_slower_candidate_fails_on_pairs_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    comparison = compared(tmp_path, monkeypatch, times(1.10))

    assert comparison.verdict == "fail"
    assert [one.verdict for one in comparison.cells] == ["slower", "slower"]
    assert all(one.confirmation is not None and len(one.confirmation.base) == 20 for one in comparison.cells)
    assert comparison.geometric_mean == pytest.approx(1.10, abs=0.02)


def test_a_faster_candidate_passes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert compared(tmp_path, monkeypatch, times(0.5)).verdict == "pass"


def test_one_slower_cell_is_a_warning_while_the_mean_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    comparison = compared(tmp_path, monkeypatch, lambda run: times(1.08 if run.cell.employees == 5000 else 0.98)(run))
    build = next(check for check in comparison.checks if check.id == "build")

    assert [one.verdict for one in comparison.cells] == ["slower", "unchanged"]
    assert build.verdict == "pass"
    assert "warning" in build.evidence


@pytest.mark.parametrize(
    ("change", "name"),
    [
        (lambda run: run.model_copy(update={"hashes": {"events": "x", "state": "x"}}), "same tables"),
        (lambda run: run.model_copy(update={"memory": made_memory(run.memory.peak * 1.2)}), "S3"),
        (lambda run: run.model_copy(update={"status": "failed", "error": "ValueError: no"}), "runs"),
        (lambda run: run.model_copy(update={"status": "refused", "error": "no state rows of 2029"}), "runs"),
    ],
)
def test_other_results_more_memory_and_failures_fail(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: Change, name: str
) -> None:
    comparison = compared(tmp_path, monkeypatch, change)

    assert comparison.verdict == "fail"
    assert name in [check.id for check in comparison.checks if check.verdict == "fail"]


def test_other_results_can_be_announced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = lambda run: run.model_copy(update={"hashes": {"events": "x", "state": "x"}})  # noqa: E731

    assert compared(tmp_path, monkeypatch, other, results_may_differ=True).verdict == "pass"


def test_a_comparison_of_one_code_never_passes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    same = Side(ROOT, {"polars": "polars"})
    monkeypatch.setattr(live, "measure", Machine().measure)
    asked = CompareRequest(same, same, CELLS, tmp_path, Policy.load(None), "python -m scale compare", same_code=True)

    comparison, _ = run_comparison(asked)

    assert comparison.verdict == "insufficient"
    assert comparison.advisory


def test_a_release_that_changes_no_engine_can_be_compared_with_the_one_before() -> None:
    code = Side(ROOT, {"polars": "polars"}).code()

    assert one_code(code, code)
    assert not one_code(code.model_copy(update={"commit": "of the release before"}), code)


def test_an_interrupted_comparison_keeps_its_pairs_and_passes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "measure", Machine(stop_at=12).measure)
    comparison, interrupted = run_comparison(request(tmp_path))

    assert interrupted
    assert comparison.verdict == "insufficient"
    assert sum(len(one.initial.base) for one in comparison.cells) == 5


def test_an_empty_build_is_insufficient() -> None:
    assert judge_build({}, Policy.load(None)).verdict == "insufficient"


def night(folder: Path, number: int, factor: float, fingerprint: str = "m1") -> None:
    sweep = made_sweep(series_cells(sizes=(5000,)), law=lambda cell: linear_seconds(cell) * factor, noise=0.01)
    machine = sweep.machine.model_copy(update={"fingerprint": fingerprint})
    started = f"2026-03-{number + 1:02}T02:00:00+00:00"
    write_record(
        folder / f"{number:02}" / "results.json", sweep.model_copy(update={"started": started, "machine": machine})
    )


@pytest.mark.parametrize(("step", "status"), [(1.0, 0), (1.15, 1)])
def test_a_change_point_of_a_history_raises_a_status_an_annotation_and_an_issue(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, step: float, status: int
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    for number in range(20):
        night(tmp_path / "nights", number, step if number >= 12 else 1.0)

    assert main(["compare", "--history", str(tmp_path / "nights"), "--output", str(tmp_path / "out")]) == status
    printed = capsys.readouterr().out
    assert ("::warning" in printed) == bool(status)
    assert len(list((tmp_path / "out").glob("issue-*.md"))) == status


def test_a_short_history_decides_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    night(tmp_path, 1, 1.0)

    assert main(["compare", "--history", str(tmp_path)]) == 3
    assert "10 are needed" in capsys.readouterr().out


def test_times_of_two_machines_are_two_lines(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(12):
        night(tmp_path, number, 1.0 if number % 2 else 3.0, fingerprint=f"machine{number % 2}")

    main(["compare", "--history", str(tmp_path)])
    assert capsys.readouterr().out.count("on machine") == 2


def test_stored_files_are_advisory_and_say_when_to_measure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    night(tmp_path, 1, 1.0)
    night(tmp_path, 2, 1.3)
    a, b = (str(tmp_path / f"{number:02}" / "results.json") for number in (1, 2))

    assert main(["compare", "--baseline", a, "--candidate", a]) == 0
    assert main(["compare", "--baseline", a, "--candidate", b]) == 3
    assert "advisory" in capsys.readouterr().out


def test_a_file_that_is_no_sweep_is_refused_by_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.json").write_text('{"kind": "sweep"}')

    assert main(["compare", "--baseline", str(tmp_path / "a.json"), "--candidate", "b.json"]) == 4
    assert "a.json" in capsys.readouterr().err


def test_a_missing_base_checkout_is_refused() -> None:
    with pytest.raises(UsageError, match="no folder differential/ there"):
        Side(Path("/nowhere"), {"sql": "sql"}).code()
