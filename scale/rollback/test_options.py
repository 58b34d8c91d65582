"""The command line of the drill: what it refuses, and that it asks before it does anything."""

from __future__ import annotations

import functools
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from differential.session import ROOT
from scale.__main__ import main
from scale.rollback.testing import TAG, System
from scale.status import Status


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> System:
    """For tests that change nothing."""
    return System.make(tmp_path_factory.mktemp("system"))


def filled(options: str, system: System) -> list[str]:
    """Options with the system's places in them."""
    places = {"ROOT": system.root, "CONFIG": system.config, "REPO": system.repo}
    return [
        functools.reduce(lambda text, name: text.replace(name, str(places[name])), places, part)
        for part in options.split()
    ]


USAGE = [
    ("--repo CONFIG", "not the working tree of a git repository"),
    ("--repo ROOT/none", "no such folder"),
    ("--database ROOT/none", "no such file"),
    ("--config ROOT/none", "no such folder"),
    ("--engine sql", "--engine and --rebuild-command: give one of them"),
    ("--models nowhere", "--models nowhere: nothing of that name"),
    ("--models ..", "--models ..: nothing of that name"),
    ("--backup CONFIG/backup", "lies in the configuration"),
    ("--database CONFIG/built.duckdb", "lies in the configuration, which has to stay as it is"),
    ("--config REPO", "is the repository with all that is in it"),
    ("--policy CONFIG/plan.yaml", "--policy: "),
    ("--mapping CONFIG/plan.yaml", "unknown key 'growth'"),
    ("--backup CONFIG/../taken", "exists already and was left as it is"),
]


@pytest.mark.parametrize(("options", "told"), USAGE)
def test_wrong_usage_is_told(system: System, capfd: pytest.CaptureFixture[str], options: str, told: str) -> None:
    (system.root / "taken").mkdir(exist_ok=True)
    (system.root / "taken" / "file").touch()

    assert main(system.arguments("execute", *filled(options, system))) == Status.USAGE
    assert told in capfd.readouterr().err and not system.backup.exists()


CHECKS = [
    ("--tag v9", f"there is no tag v9; tags: {TAG}. Tag the release to go back to: git tag v9"),
    ("--database REPO/models/events.sql", "events.sql: not a DuckDB database file"),
    ("--rebuilt orders", "--rebuilt orders: no such table"),
    ("--config CONFIG/empty", "no files there"),
]


@pytest.mark.parametrize(("options", "told"), CHECKS)
def test_what_is_missing_is_told_before_anything_is_tried(
    system: System, capfd: pytest.CaptureFixture[str], options: str, told: str
) -> None:
    assert main(system.arguments("validate", *filled(options, system))) == Status.FAIL
    printed = capfd.readouterr().out
    assert told in printed and "not run: what it needs is not there" in printed


def test_built_in_options_are_not_for_other_systems(system: System, capfd: pytest.CaptureFixture[str]) -> None:
    place = ["--repo", str(system.repo), "--database", str(system.database), "--config", str(system.config)]

    assert main(["rollback", "validate", *place, "--rebuilt", "notes"]) == Status.USAGE
    assert "--rebuilt is for other systems" in capfd.readouterr().err
    assert main(["rollback", "validate", *place]) == Status.USAGE
    assert "expected one of scenario.yaml and scenario.yml, there is neither" in capfd.readouterr().err


def test_restore_takes_nothing_but_a_backup(system: System, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["rollback", "restore", "--backup", str(system.config)]) == Status.USAGE
    assert "not the backup folder of a drill" in capfd.readouterr().err


def test_without_a_terminal_it_wants_yes(
    system: System, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = [argument for argument in system.arguments("execute") if argument != "--yes"]
    with Path(os.devnull).open() as nothing:
        monkeypatch.setattr(sys, "stdin", nothing)
        assert main(arguments) == Status.USAGE
    assert "add --yes to go on without" in capfd.readouterr().err and not system.backup.exists()


@pytest.mark.parametrize(("typed", "status"), [("yes", Status.USAGE), (TAG, Status.PASS)])
def test_the_tag_has_to_be_typed(tmp_path: Path, typed: str, status: Status) -> None:
    system = System.make(tmp_path / "system")
    arguments = [argument for argument in system.arguments("execute") if argument != "--yes"]
    terminal, theirs = pty.openpty()
    code = "import sys; from scale.rollback.testing_kills import scale, without_validation; without_validation(); "
    code += "from scale.status import UsageError\ntry: sys.exit(scale(sys.argv[1:]))\nexcept UsageError: sys.exit(4)"
    os.write(terminal, f"{typed}\n".encode())
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], cwd=ROOT, stdin=theirs, capture_output=True, check=False
    )
    os.close(terminal)
    os.close(theirs)

    assert done.returncode == status, done.stderr
    assert "Type the tag to go on" in done.stderr.decode() and system.backup.exists() == (status == Status.PASS)
