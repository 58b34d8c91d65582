"""Bundles of engines under another Python, and of programs: no path in the record, and nothing is started because it says so."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from differential.engines import EngineSpecError
from differential.repro import Failure, replay, write_bundle
from differential.repro.sides import engines_for, side_from, side_record
from differential.side import Side
from fixtures.populations import generate
from fixtures.scenario import Scenario
from fixtures.world import World

HOSTED = f"oracle@{sys.executable}"
LABEL = f"oracle@{Path(sys.executable).parent.parent.name}"
WORLD = World(generate(6, seed=1), Scenario(end_year=2025))


def failure(right: str) -> Failure:
    return Failure(
        test="sql_vs_polars", left=Side("sql"), right=Side(right), world=WORLD, error="WorkerError: it died", claim="sql_vs_polars",
        versions={"pytest": "9", f"{right}: pyarrow": "17.0.0", f"{right}: python": "3.11.2"},
    )  # fmt: skip


def test_a_record_names_versions_and_no_path(tmp_path: Path) -> None:
    path = write_bundle(tmp_path, failure(HOSTED), None, mask=False)
    text = (path / "repro.json").read_text()
    record = json.loads(text)

    assert record["right"]["engine"] == LABEL
    assert record["right"]["versions"] == {"pyarrow": "17.0.0", "python": "3.11.2"}
    assert "versions" not in record["left"]
    assert sys.executable not in text
    report = (path / "report.md").read_text()
    assert f"{LABEL}  (pyarrow 17.0.0, python 3.11.2)" in report
    assert f"--replay {path} --engine {HOSTED}" in report  # the command is for this machine
    assert write_bundle(tmp_path, failure(HOSTED), None, mask=False) == path  # known again


def test_a_replay_starts_only_what_the_command_line_names(tmp_path: Path) -> None:
    path = write_bundle(tmp_path, failure(HOSTED), None, mask=False)

    refused, passing = replay(path), replay(path, engines=["sql", HOSTED])

    assert refused.status == 125
    assert f"{LABEL} is a label" in refused.report and "--engine oracle@PYTHON" in refused.report
    assert passing.status == 0, passing.report


def test_labels_find_their_engines() -> None:
    sides = [Side("sql@one"), Side("sql@two"), Side("command:sim.sh"), Side("polars")]

    found = engines_for(sides, ["sql@/a/two/bin/python", "polars", "sql@/a/other/bin/python", "command:/b/other.sh"])

    assert found == {
        "sql@two": "sql@/a/two/bin/python",
        "sql@one": "sql@/a/other/bin/python",
        "command:sim.sh": "command:/b/other.sh",
    }
    for side, form in ((sides[0], "sql@PYTHON"), (sides[2], "command:PROGRAM")):
        with pytest.raises(EngineSpecError, match=f"give the one to run with --engine {form}"):
            engines_for([side], ["polars", "polars@/a/one"])


@pytest.mark.parametrize(
    "engine", ["sql@/usr/bin/python3", "command:rm -rf .", "command:/bin/sh", "sql@$(id)", "a:b@c:d", "command:"]
)
def test_a_record_cannot_name_a_program(engine: str) -> None:
    record = {**side_record(Side("sql")), "engine": engine}

    with pytest.raises(ValueError, match="is neither a name"):
        side_from(record)
