"""The program of docs/engines.md, run as it is printed there."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from differential.__main__ import PASSES, main
from differential.checking import Step
from differential.comparison import CLAIMS, check_claim, compare_runs
from differential.side import Side
from differential.workers import ROOT
from fixtures.company import companions

DOCS = ROOT / "docs" / "engines.md"
MOST_LINES = 30


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    if not DOCS.exists():
        pytest.skip("installed without docs/")
    text = DOCS.read_text(encoding="utf-8")
    (printed,) = (block for block in text.split("```python\n")[1:] if block.startswith("# run_sim.py"))
    printed = printed.partition("```")[0]
    assert len(printed.splitlines()) <= MOST_LINES
    (tmp_path / "run_sim.py").write_text(printed)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))  # it stands in for a simulation by an engine of the suite
    return f"command:{sys.executable} run_sim.py"


def test_it_is_an_engine_that_agrees(program: str) -> None:
    worlds = companions()[2:4]  # one of them has no result
    run, other = Side(program).run(worlds), Side("sql").run(worlds)

    assert all(found.equal for found in compare_runs(run, other))
    assert run.infeasible == other.infeasible and len(run.infeasible) == 1
    assert check_claim(CLAIMS["sql_vs_polars"], run, other).ok


def test_check_engine_finds_nothing_wrong_with_it(
    program: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # each world costs it a start of Python, and the rows are compared above
    monkeypatch.setattr("differential.checking.check._oracle", lambda *_: Step("agrees with the oracle", "left out"))

    assert main(["check-engine", program]) == PASSES
    assert "engine 'run_sim', a program, started for each run" in capsys.readouterr().out
