"""The workflows and the Jenkinsfile: their commands are ones that our programs take, and what they promise holds."""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from differential.session import ROOT
from scale.ci.modes import MODES
from scale.ci.testing import WORKFLOW_FOLDER, check_command, loaded, steps_of

FOLDER = WORKFLOW_FOLDER
WORKFLOWS = sorted(FOLDER.glob("*.yml"))
JENKINSFILE = ROOT / "Jenkinsfile"
VARIABLES = {"MODE": "comprehensive", "BASE_OPTION": "--first-release", "MINUTES": "60", "PART": "1/2", "SEED": "7"}
"""What stands for the variables of a command."""


def scripts(path: Path) -> list[str]:
    """Every shell script of a file."""
    if path.suffix == ".yml":
        return [step["run"] for _, step in steps_of(loaded(path)) if "run" in step]
    text = path.read_text()
    return [long or short for long, short in re.findall(r"""sh (?:'''(.*?)'''|'(.*?)')""", text, re.DOTALL)]


def commands(script: str) -> Iterator[list[str]]:
    """Its single commands as words, if it has any of ours. Expressions of GitHub and variables are replaced."""
    if not re.search(r"\b(make|pytest|python)\b", script):
        return
    plain = re.sub(r"\$\{\{.*?\}\}", "x", script.replace("\\\n", " "))
    plain = re.sub(r"\$\(.*?\)", "x", plain)
    plain = re.sub(r"\$\{?(\w+)(?::-[^}]*)?\}?", lambda found: VARIABLES.get(found[1], "x"), plain)
    lexer = shlex.shlex(plain.replace("\n", " ; "), posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    words: list[str] = []
    for word in lexer:
        if set(word) <= set("();<>|&"):
            if words:
                yield words
            words = []
        elif words or word not in ("if", "then", "else", "do", "!"):
            words.append(word)
    if words:
        yield words


@pytest.mark.parametrize("path", [*WORKFLOWS, JENKINSFILE], ids=lambda path: path.name)
def test_every_command_is_one_that_its_program_takes(path: Path) -> None:
    checked = 0
    for script in scripts(path):
        subprocess.run(["bash", "-n"], input=re.sub(r"\$\{\{.*?\}\}", "x", script), text=True, check=True)
        checked += sum(check_command(words) for words in commands(script))

    least = {"comment.yml": 0, "nightly.yml": 4, "release.yml": 2, "scale.yml": 2, "tests.yml": 3, "Jenkinsfile": 5}
    assert checked >= least[path.name]


def test_the_documented_commands_are_taken_and_the_modes_are_those_of_the_code() -> None:
    text = (ROOT / "docs" / "ci.md").read_text()
    blocks = re.findall(r"^```\n(.*?)^```", text, re.DOTALL | re.MULTILINE)

    assert sum(check_command(words) for block in blocks for words in commands(block)) == 2
    for name, mode in MODES.items():
        row = rf"\| {name} \| profile {mode.profile} \| .* \| {mode.timeout:g} min \| {'yes' if mode.can_go else 'no'}"
        assert re.search(row, text), name


@pytest.mark.parametrize(
    "script",
    [
        "make paritty",
        'make test ARGS="--parity-reprot parity.json"',
        "true && .venv/bin/python -m scale ci --mode fast",
        "if true; then\n  python -m scale gate --parityy x\nfi",
        "python -m scale swep",
        "python -m pytest differential --hypothesis-profile slow",
        "pytest diferential",
        "make lint ARGS=-q",
    ],
)
def test_a_wrong_command_would_be_seen(script: str) -> None:
    with pytest.raises(AssertionError):
        _ = [check_command(words) for words in commands(script)]


def test_the_required_check_reports_whatever_happened_to_the_others() -> None:
    workflow = loaded(FOLDER / "tests.yml")
    events, jobs = workflow[True], workflow["jobs"]  # YAML reads `on` as true

    # a path filter on the event would leave the required check pending for ever
    assert not any(key.startswith("paths") for event in events.values() if event for key in event)
    assert jobs["required"]["if"] == "always()"
    assert set(jobs["required"]["needs"]) == {"changes", "parity", "oldest", "lint"}
    assert "strategy" not in jobs["required"], (
        "the check of a matrix has a name for each entry, and none when it is skipped"
    )


@pytest.mark.parametrize(
    ("changes", "code", "others", "passes"),
    [
        ("success", "true", "success success success", True),
        ("success", "false", "skipped skipped skipped", True),
        ("success", "true", "failure success success", False),
        ("success", "true", "skipped success success", False),
        ("success", "true", "cancelled success success", False),
        ("success", "true", "skipped skipped skipped", False),
        ("success", "", "skipped skipped skipped", False),
        ("failure", "", "skipped skipped skipped", False),
    ],
)
def test_the_required_check_passes_only_where_all_passed_or_nothing_but_prose_changed(
    changes: str, code: str, others: str, passes: bool
) -> None:
    (step,) = loaded(FOLDER / "tests.yml")["jobs"]["required"]["steps"]
    environment = {"CHANGES": changes, "CODE": code, "OTHERS": others, "PATH": "/usr/bin:/bin"}

    done = subprocess.run(["bash", "-e", "-c", step["run"]], env=environment, capture_output=True, check=False)

    assert (done.returncode == 0) is passes


def git(folder: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
    subprocess.run(["git", "-C", str(folder), *identity, *arguments], check=True, capture_output=True)


@pytest.mark.parametrize(
    ("event", "changed", "code"),
    [
        ("pull_request", ["README.md"], "false"),
        ("pull_request", ["CHANGELOG.md", "docs/figures.md"], "false"),
        ("pull_request", ["README.md", "differential/run.py"], "true"),
        ("pull_request", ["docs/checks.md"], "true"),
        ("pull_request", ["fixtures/README.md"], "true"),
        ("push", ["README.md"], "true"),
    ],
)
def test_only_prose_that_no_test_reads_is_no_code(event: str, changed: list[str], code: str, tmp_path: Path) -> None:
    step = next(step for step in loaded(FOLDER / "tests.yml")["jobs"]["changes"]["steps"] if step.get("id") == "diff")
    git(tmp_path, "init", "-q", "-b", "main")
    git(tmp_path, "commit", "-q", "--allow-empty", "-m", "base")
    git(tmp_path, "checkout", "-q", "-b", "change")
    for name in changed:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("changed")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-q", "-m", "change")
    git(tmp_path, "checkout", "-q", "main")
    git(tmp_path, "merge", "-q", "--no-ff", "-m", "merge", "change")
    output = tmp_path.parent / f"{tmp_path.name}.output"

    environment = {"EVENT": event, "GITHUB_OUTPUT": str(output), "PATH": "/usr/bin:/bin"}
    subprocess.run(["bash", "-e", "-c", step["run"]], env=environment, cwd=tmp_path, check=True)

    assert output.read_text() == f"code={code}\n"


@pytest.mark.parametrize("job", ["parity", "oldest"])
def test_the_tests_that_need_a_server_are_not_skipped(job: str) -> None:
    steps = loaded(FOLDER / "tests.yml")["jobs"][job]["steps"]
    commands = [step.get("run", "") for step in steps]
    (tests,) = (number for number, command in enumerate(commands) if command.startswith("make test"))
    assert any("apt-get install" in command and "redis-server" in command for command in commands[:tests])


def test_artifacts_are_always_uploaded() -> None:
    jobs = [
        ("tests.yml", "parity"),
        ("scale.yml", "scale"),
        ("release.yml", "gate"),
        ("nightly.yml", "slice"),
        ("nightly.yml", "merge"),
    ]
    for name, measuring in jobs:
        uploads = [
            step
            for job, step in steps_of(loaded(FOLDER / name))
            if job == measuring and step.get("uses", "").startswith("actions/upload-artifact")
        ]
        assert uploads and {step["if"] for step in uploads} == {"always()"}, name
    last = JENKINSFILE.read_text().partition("always {")[2]
    assert "junit testResults" in last and "archiveArtifacts" in last


def test_only_the_comment_and_the_nights_issues_may_write_and_no_code_of_the_repository_runs_there() -> None:
    for path in WORKFLOWS:
        workflow = loaded(path)
        if path.name != "comment.yml":
            assert workflow["permissions"] == {"contents": "read"}, path.name
        for name, job in workflow["jobs"].items():
            if (path.name, name) == ("nightly.yml", "issues"):
                assert job["permissions"] == {"issues": "write"}
                assert [step.get("uses", "").partition("@")[0] for step in job["steps"]] == [
                    "actions/download-artifact",
                    "",
                ]
            elif "permissions" in job:
                assert job["permissions"] == {"pull-requests": "write"}
                assert job.get("uses") == "./.github/workflows/comment.yml" or path.name == "comment.yml", name
    (post,) = loaded(FOLDER / "comment.yml")["jobs"].values()
    assert not any("checkout" in step.get("uses", "") for step in post["steps"])
    assert post["if"] == "github.event.pull_request.head.repo.full_name == github.repository"


def test_the_sweep_of_a_pull_request_waits_for_its_label_and_the_runner_is_a_setting() -> None:
    scale, release = loaded(FOLDER / "scale.yml")["jobs"]["scale"], loaded(FOLDER / "release.yml")["jobs"]["gate"]

    assert "contains(github.event.pull_request.labels.*.name, 'scale-test')" in scale["if"]
    assert {scale["runs-on"], release["runs-on"]} == {"${{ vars.SCALE_RUNNER || 'ubuntu-latest' }}"}
