"""What a decision leaves: files that shells, JUnit readers and GitHub take, whatever a stranger's text is in them."""

from __future__ import annotations

import argparse
import json
import subprocess
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from differential.session import ROOT
from scale import gate
from scale.gate.decide import decide
from scale.gate.evidence import read_evidence
from scale.gate.outputs import (
    DECISION,
    ENV,
    FILES,
    JUNIT,
    STEP_SUMMARY_LIMIT,
    SUMMARY,
    env_text,
    set_aside,
    write_decision,
)
from scale.gate.record import CRITERIA, Decision
from scale.gate.summary import COMMENT_LIMIT, LIMIT, summary_markdown
from scale.gate.testing import CANDIDATE, clean_evidence, passing, written
from scale.policy import Policy
from scale.records import read_record
from scale.status import Status, UsageError

HOSTILE = "x' ; touch /tmp/owned; $(id) `id` | a\nb <script>@all\x00\x1b[31m \ud800".encode(errors="replace").decode()


def decision_of(folder: Path, **spoiled: Any) -> Decision:
    evidence = read_evidence(written(clean_evidence() | spoiled, folder))
    return decide(evidence, CANDIDATE, Policy.load(), first_release=False, analyse=passing)


@pytest.fixture
def refusal(tmp_path: Path) -> Decision:
    """A no-go full of somebody else's text."""
    evidence = clean_evidence()
    evidence["parity"]["tests"][0].update(status="fail", reason=HOSTILE)
    evidence["properties"]["checks"][0].update(status=HOSTILE)
    return decision_of(tmp_path, **evidence).model_copy(update={"engines": [HOSTILE, "sql"]})


def test_the_decision_is_read_back_as_it_was(tmp_path: Path) -> None:
    made = decision_of(tmp_path)
    write_decision(made, tmp_path)

    assert read_record(tmp_path / DECISION, Decision) == made
    assert {path.name for path in tmp_path.iterdir()} >= set(FILES)


@pytest.mark.parametrize("hostile", [False, True])
def test_a_shell_reads_the_env_file_and_runs_nothing_of_it(hostile: bool, tmp_path: Path, refusal: Decision) -> None:
    made = refusal if hostile else decision_of(tmp_path)
    (tmp_path / ENV).write_text(env_text(made))

    shown = " ".join(f'"$WORKFORCE_PARITY_{name}"' for name in ("DECISION", "STATUS", "ENGINES"))
    script = f'set -eu; . "{tmp_path / ENV}"; printf "%s|%s|%s" {shown}'
    read = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True)

    assert read.stderr == ""
    assert read.stdout.startswith("no-go|1|x' ; touch" if hostile else "go|0|sql polars")
    assert len(env_text(made).splitlines()) == 7 + len(CRITERIA)


def test_every_name_of_the_env_file_is_documented(tmp_path: Path) -> None:
    told = (ROOT / "docs" / "ci.md").read_text()

    names = [line.partition("=")[0] for line in env_text(decision_of(tmp_path)).splitlines()]

    assert [
        name for name in names if f"`{name}`" not in told and f"`{name.removeprefix('WORKFORCE_PARITY')}`" not in told
    ] == []


def test_junit_tells_failures_from_errors_and_never_passes_what_is_missing(tmp_path: Path, refusal: Decision) -> None:
    write_decision(refusal, tmp_path)

    (suite,) = ET.parse(tmp_path / JUNIT).getroot()

    assert {name: suite.get(name) for name in ("tests", "failures", "errors", "skipped")} == {
        "tests": "6", "failures": "1", "errors": "0", "skipped": "0",
    }  # fmt: skip
    missing = decision_of(tmp_path, sweep=None, compare=None)
    write_decision(missing, tmp_path)
    (suite,) = ET.parse(tmp_path / JUNIT).getroot()
    assert (suite.get("failures"), suite.get("errors")) == ("0", "5")
    cases = {case.get("name"): [child.tag for child in case] for case in suite}
    assert cases[CRITERIA["parity"]] == ["system-out"] and cases[CRITERIA["linear"]] == ["error"]


def test_junit_keeps_to_the_strict_form(tmp_path: Path, refusal: Decision) -> None:
    """The attributes and children that the xunit2 schema allows, with times."""
    write_decision(refusal, tmp_path)

    root = ET.parse(tmp_path / JUNIT).getroot()

    assert root.tag == "testsuites" and set(root.attrib) == set()
    (suite,) = root
    assert set(suite.attrib) == {"name", "tests", "failures", "errors", "skipped", "time", "timestamp", "hostname"}
    for case in suite:
        assert set(case.attrib) == {"classname", "name", "time"} and float(case.attrib["time"]) >= 0
        assert all(child.tag in ("failure", "error", "system-out") for child in case)
        assert all(set(child.attrib) <= {"message", "type"} for child in case)
    parity = next(case for case in suite if case.get("name") == CRITERIA["parity"])
    assert float(parity.attrib["time"]) > 0


def test_the_summary_holds_no_markup_of_strangers(refusal: Decision) -> None:
    text = summary_markdown(refusal)

    assert "<script>" not in text and "@all" not in text and "\x1b" not in text
    for row in (line for line in text.splitlines() if line.startswith("| ") and "criterion" not in line):
        assert row.replace("\\|", "").count("|") in (4, 5), row


@pytest.mark.parametrize("limit", [LIMIT, COMMENT_LIMIT, 5_000, 100])
def test_the_summary_stays_within_its_limit_whatever_it_holds(limit: int, tmp_path: Path) -> None:
    evidence = clean_evidence()
    tests = evidence["parity"]["tests"]
    tests += [{**tests[0], "name": f"extra {index}", "status": "fail", "reason": "ж" * 5_000} for index in range(2_000)]

    text = summary_markdown(decision_of(tmp_path, **evidence), limit)

    assert len(text.encode()) <= limit
    assert "no-go" in text or limit == 100
    assert DECISION in text


def test_the_steps_summary_is_appended_and_stays_below_githubs_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "step.md"
    file.write_text("before\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(file))
    made = decision_of(tmp_path)

    write_decision(made, tmp_path)
    assert file.read_text() == "before\n" + (tmp_path / SUMMARY).read_text()

    file.write_text("x" * (STEP_SUMMARY_LIMIT - 400))
    write_decision(made, tmp_path)
    assert file.stat().st_size <= STEP_SUMMARY_LIMIT
    assert DECISION in file.read_text()[-200:]


def test_an_earlier_decision_is_kept_and_out_of_the_way(tmp_path: Path) -> None:
    made = decision_of(tmp_path)
    for _ in range(2):  # two decisions of one second do not overwrite each other
        write_decision(made, tmp_path)
        place = set_aside(tmp_path)
        assert place is not None and {path.name for path in place.iterdir()} == set(FILES)
        assert not (tmp_path / ENV).exists()

    assert len(list((tmp_path / "earlier").iterdir())) == 2
    assert set_aside(tmp_path) is None


def gate_options(*arguments: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    gate.add_arguments(parser)
    return parser.parse_args(arguments)


def test_without_any_evidence_the_command_says_no_go_and_how_to_get_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)

    status = gate.run(gate_options("--output", str(tmp_path)))

    assert status == Status.INSUFFICIENT
    assert json.loads((tmp_path / DECISION).read_text())["decision"] == "no-go"
    shown = capsys.readouterr().out
    assert "release gate: no-go" in shown and "Run `python -m scale sweep`" in shown


def test_wrong_usage_leaves_no_earlier_go_in_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    write_decision(decision_of(tmp_path), tmp_path)
    broken = tmp_path / "broken.json"
    broken.write_text("{")

    assert gate.run(gate_options("--parity", str(broken), "--output", str(tmp_path))) == Status.USAGE
    assert "WORKFORCE_PARITY_DECISION=no-go" in (tmp_path / ENV).read_text()

    with pytest.raises(UsageError, match="give one of them"):
        gate.run(gate_options("--compare", "c.json", "--first-release", "--output", str(tmp_path)))
    with pytest.raises(UsageError, match="cannot be written"):
        gate.run(gate_options("--output", str(broken / "inside")))
