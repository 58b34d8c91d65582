"""nightly.yml: limits above the minutes, a corpus that is never lost to an empty one, and one issue for one failure."""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from differential.session import ROOT
from scale.ci.testing import WORKFLOW_FOLDER, check_command, loaded, steps_of
from scale.nightly.corpus import MOST_NIGHTS
from scale.nightly.folders import FLAKY_DAYS, MOST_BUNDLES, MOST_BYTES, RETIRED_DAYS, UNTESTED_DAYS
from scale.nightly.options import add_campaign_options
from scale.nightly.plan import CANARY_SECONDS, LONGEST_UNIT, SHORTEST_UNIT
from scale.nightly.recheck import REPEATS
from scale.nightly.report import write_summary
from scale.nightly.report.issues import marker
from scale.nightly.report.made_up import bad_night

NIGHTLY = loaded(WORKFLOW_FOLDER / "nightly.yml")
JOBS: dict[str, Any] = NIGHTLY["jobs"]
CACHE = "actions/cache/"
STUB = """#!/usr/bin/env bash
# gh as the step knows it: what it reads comes from files through the expression of --jq, everything else is noted
if [ "$1" = api ]; then
  while [ $# -gt 1 ]; do
    case "$1" in repos/*issues*) data=issues ;; repos/*) data=repo ;; esac
    shift
  done
  exec jq -r "$1" "$data.json"
fi
printf '%s\\n' "$*" >> calls.txt
if [ "$1 $2" = "label create" ]; then exit 1; fi
for word; do test "$word" != body.md || cat body.md >> bodies.txt; done
"""
BAD_PLANS = [
    ("0", "2"), ("301", "2"), ("60", "21"), ("", "2"), ("6 0", "2"), ("60", "$(id)"), ("60", "0"), ("08", "2"), ("9" * 20, "2"),
]  # fmt: skip


def script(job: str, mentions: str) -> str:
    (found,) = [step["run"] for name, step in steps_of(NIGHTLY) if name == job and mentions in step.get("run", "")]
    assert isinstance(found, str)
    return found


def bash(text: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(folder / "bin"), "/usr/local/bin", "/usr/bin", "/bin"])
    command = ["bash", "-e", "-c", text]
    return subprocess.run(
        command, cwd=folder, env={"PATH": path, **environment}, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(("minutes", "slices", "parts"), [("60", "2", "[1,2]"), ("1", "1", "[1]"), ("300", "20", None)])
def test_limits_lie_above_the_minutes_and_below_githubs(
    minutes: str, slices: str, parts: str | None, tmp_path: Path
) -> None:
    done = bash(script("plan", "job-limit"), tmp_path, MINUTES=minutes, SLICES=slices, GITHUB_OUTPUT="output")

    assert done.returncode == 0, done.stdout
    found = dict(line.split("=", 1) for line in (tmp_path / "output").read_text().splitlines())
    assert int(minutes) < int(found["step-limit"]) < int(found["job-limit"]) <= 360
    assert json.loads(found["parts"]) == list(range(1, int(slices) + 1))
    assert parts is None or found["parts"] == parts


@pytest.mark.parametrize(("minutes", "slices"), BAD_PLANS)
def test_other_minutes_and_slices_are_refused(minutes: str, slices: str, tmp_path: Path) -> None:
    done = bash(script("plan", "job-limit"), tmp_path, MINUTES=minutes, SLICES=slices, GITHUB_OUTPUT="output")

    assert done.returncode == 1 and "::error::" in done.stdout
    assert not (tmp_path / "output").exists()


def test_the_steps_take_their_limits_from_the_plan() -> None:
    outputs = JOBS["plan"]["outputs"]

    assert JOBS["slice"]["timeout-minutes"] == "${{ fromJSON(needs.plan.outputs.job-limit) }}"
    (step,) = [step for step in JOBS["slice"]["steps"] if "scale nightly" in step.get("run", "")]
    assert step["timeout-minutes"] == "${{ fromJSON(needs.plan.outputs.step-limit) }}"
    for name in ("minutes", "slices", "parts", "step-limit", "job-limit"):
        assert outputs[name] == f"${{{{ steps.plan.outputs.{name} }}}}"


def test_every_slice_has_the_same_corpus_and_an_empty_one_never_takes_the_place_of_one_that_was_not_brought_back() -> (
    None
):
    cached = [(job, step) for job, step in steps_of(NIGHTLY) if step.get("uses", "").startswith(CACHE)]

    assert {step["with"]["path"] for _, step in cached} == {"nightly-corpus"}  # another path is another cache
    restored = {job: step["with"] for job, step in cached if "restore" in step["uses"]}
    assert restored["plan"]["lookup-only"] and restored["plan"]["restore-keys"] == "nightly-corpus-"
    for job in ("slice", "merge"):
        assert restored[job]["key"] == "${{ needs.plan.outputs.corpus }}" and restored[job]["fail-on-cache-miss"]
    ((job, saved),) = [(job, step) for job, step in cached if "save" in step["uses"]]
    assert job == "merge" and saved["if"] == "always() && steps.restore.outcome != 'failure'"
    assert saved["with"]["key"] == restored["plan"]["key"]
    assert "github.run_id" in saved["with"]["key"] and "github.run_attempt" in saved["with"]["key"]


def test_a_night_is_merged_whatever_became_of_its_slices_but_not_taken_for_a_whole_one() -> None:
    assert JOBS["merge"]["if"] == "always() && needs.plan.result == 'success'"
    assert JOBS["slice"]["strategy"]["fail-fast"] is False
    assert "exit 1" in script("merge", "Not every slice")


@pytest.mark.parametrize("status", [0, 1, 3, 130])
def test_news_of_a_slice_is_left_to_the_merged_night_and_anything_else_is_not(status: int, tmp_path: Path) -> None:
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    fake = tmp_path / ".venv" / "bin" / "python"
    fake.write_text(f'#!/bin/sh\ntest -z "$GITHUB_STEP_SUMMARY" || exit 99\nexit {status}\n')
    fake.chmod(0o755)

    done = bash(script("slice", "scale nightly"), tmp_path, MINUTES="1", PART="1/2", SEED="7", GITHUB_STEP_SUMMARY="x")

    assert (done.returncode == 0) is (status in (0, 1))


def test_examples_that_every_slice_has_dropped_are_gone_and_others_keep_their_dates(tmp_path: Path) -> None:
    for name in (
        "nightly-corpus/examples/a/old",
        "nightly-corpus/examples/a/one",
        "slices/nightly-slice-1/nightly-corpus/examples/a/one",
        "slices/nightly-slice-2/nightly-corpus/examples/a/one",
        "slices/nightly-slice-2/nightly-corpus/examples/b/two",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")
    os.utime(tmp_path / "nightly-corpus/examples/a/one", (1e9, 1e9))

    done = bash(script("merge", "nullglob"), tmp_path)

    assert done.returncode == 0, done.stderr
    found = {
        path.name: path.stat().st_mtime for path in (tmp_path / "nightly-corpus/examples").rglob("*") if path.is_file()
    }
    assert sorted(found) == ["one", "two"] and found["one"] == 1e9
    shutil.rmtree(tmp_path / "slices")
    assert bash(script("merge", "nullglob"), tmp_path).returncode == 0
    assert (tmp_path / "nightly-corpus/examples/a/one").exists()


def test_the_document_has_every_option_and_the_limits_of_the_code() -> None:
    text = (ROOT / "docs" / "nightly.md").read_text()
    parser = argparse.ArgumentParser(add_help=False)
    add_campaign_options(parser)

    options = [name for action in parser._actions for name in action.option_strings]
    assert len(options) > 10 and [name for name in options if f"`{name}" not in text] == []
    for said in (
        f"{MOST_BUNDLES} bundles and {MOST_BYTES // 10**6} MB", f"{UNTESTED_DAYS} days for one that nothing can run",
        f"{FLAKY_DAYS} days since it was last seen", f"repros that pass by now | {RETIRED_DAYS} days", f"{MOST_NIGHTS} nights",
        f"({CANARY_SECONDS:.0f} s in", f"units* of {SHORTEST_UNIT:.0f} s to {LONGEST_UNIT / 60:.0f} min",
    ):  # fmt: skip
        assert said in text, said
    assert "tried again four times" in text and REPEATS["flaky"] == 4
    commands = [
        line.split()
        for block in re.findall(r"^```\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
        for line in block.splitlines()
    ]
    ours = [words for words in commands if words[:3] == ["python", "-m", "scale"]]
    assert sum(check_command(words) for words in ours) == len(ours) == 3


def issue(key: str, number: int, **fields: Any) -> dict[str, Any]:
    made = {"number": number, "state": "open", "state_reason": None, "user": {"login": "github-actions[bot]"}}
    return made | {"body": f"{marker(key)}\r\nwhat the bot wrote"} | fields


@pytest.fixture
def post(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Runs the step over the issues that are there already; gives what it asked of gh, and the bodies it posted."""
    if shutil.which("jq") is None:
        pytest.skip("needs jq, which stands in for the one within gh")
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)  # a made-up night is not for the step that runs the tests
    corpus = tmp_path / "corpus"
    write_summary(bad_night(), tmp_path / "night", corpus)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "gh").write_text(STUB)
    (tmp_path / "bin" / "gh").chmod(0o755)

    def run(*issues: dict[str, Any], has_issues: bool = True, most: str = "10") -> tuple[list[str], str]:
        (tmp_path / "repo.json").write_text(json.dumps({"has_issues": has_issues}))
        (tmp_path / "issues.json").write_text(json.dumps(issues))
        for name in ("calls.txt", "bodies.txt"):
            (tmp_path / name).write_text("")
        done = bash(
            script("issues", "gh issue create"),
            tmp_path,
            GH_REPO="o/r",
            RUN_URL="https://run",
            MOST=most,
            GH_TOKEN="none",
        )
        assert done.returncode == 0, done.stderr
        calls = [line for line in (tmp_path / "calls.txt").read_text().splitlines() if not line.startswith("label")]
        return calls, (tmp_path / "bodies.txt").read_text()

    return run


def test_each_failure_that_has_no_issue_gets_one_the_most_interesting_first(post: Any) -> None:
    calls, bodies = post()

    assert [call.partition("--body-file")[0].strip() for call in calls] == [
        "issue create --title Canary missed: S03 in sql",
        "issue create --title Flaky: rows of exit on 4 threads (polars)",
        "issue create --title level_id of eligibility (sql, polars)",
        "issue create --title level_id of the state table (sql, polars)",
        "issue create --title M05: the order of rows changes the result (polars)",
    ]
    assert [line for line in bodies.splitlines() if line.startswith("<!--")] == [
        marker(key)
        for key in (f"canary {bad_night().canary.fault}", *_keys())  # type: ignore[union-attr]
    ]
    assert bodies.count("https://run") == 5


def test_a_failure_that_has_one_gets_a_comment_and_never_a_second_issue(post: Any) -> None:
    flaky, eligible, state, order = _keys()
    calls, _ = post(
        issue(flaky, 11),
        issue(eligible, 12, state="closed", state_reason="completed"),
        issue(state, 13, state="closed", state_reason="not_planned"),
        issue(order, 14, user={"login": "somebody"}),
        issue(order, 15, pull_request={}),
        issue(order, 16, body=f"as {marker(order)} says"),
        issue(order, 17, body=None),
    )

    assert [call.partition(" --")[0] for call in calls] == [
        "issue create",  # the canary
        "issue comment 11",
        "issue reopen 12",
        "issue comment 12",
        "issue create",
    ]
    assert "--title M05" in calls[-1]


def test_a_night_posts_only_so_many(post: Any) -> None:
    calls, _ = post(most="2")

    assert len(calls) == 2


def test_without_issues_nothing_is_posted(post: Any, tmp_path: Path) -> None:
    assert post(has_issues=False) == ([], "")
    (tmp_path / "night" / "issues" / "order.txt").unlink()
    assert post() == ([], "")


def _keys() -> list[str]:
    """Keys of the failures of the bad night, in the order of its issues."""
    night = bad_night()
    eligible, state, order = (
        next(one.key for one in night.new if part in one.key) for part in ("eligibility", "fct_workforce", "M05")
    )
    return [night.flaky[0].key, eligible, state, order]
