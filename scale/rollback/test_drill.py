"""The drill as its users run it: there and forward again, and everything that goes wrong on the way leaves things as they were."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from scale.__main__ import main
from scale.records import read_record
from scale.rollback.journal import Journal
from scale.rollback.record import Rollback
from scale.rollback.testing import COPY, TAG, System, make_tables, nothing_to_say
from scale.status import Status


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> System:
    return System.make(tmp_path_factory.mktemp("made"))


@pytest.fixture
def system(made: System, tmp_path: Path) -> System:
    shutil.copytree(made.root, tmp_path / "system", symlinks=True)
    return System(tmp_path / "system")


def record_of(system: System) -> Rollback:
    return read_record(system.backup / "rollback.json", Rollback)


def pays(database: Path) -> list[float]:
    with duckdb.connect(str(database), read_only=True) as connection:
        return [
            float(row[0]) for row in connection.execute("SELECT compensation_amount FROM fct_yearly_events").fetchall()
        ]


def test_validate_changes_nothing(system: System, capfd: pytest.CaptureFixture[str]) -> None:
    before = (system.database_hash(), system.user_state(), system.git("for-each-ref"))
    notes = sorted((system.repo / ".git").iterdir())

    assert main(system.arguments("validate")) == Status.PASS
    assert (system.database_hash(), system.user_state(), system.git("for-each-ref")) == before
    assert sorted((system.repo / ".git").iterdir()) == notes
    told = capfd.readouterr().out
    assert "on main at" in told and "not committed, and left alone: models/draft.sql" in told
    drill = read_record(system.root / "validated" / "rollback.json", Rollback)
    assert (drill.result, drill.rehearsed, drill.tag) == ("pass", False, TAG)


def test_there_and_forward_again(system: System, capfd: pytest.CaptureFixture[str]) -> None:
    user, old = system.user_state(), system.database_hash()

    assert main(system.arguments("execute")) == Status.PASS
    drill = record_of(system)
    assert drill.database == {"before": old, "after": system.database_hash()} and old != system.database_hash()
    assert (drill.result, drill.agreement, drill.rows["fct_yearly_events"]) == ("pass", "equal", 12)
    assert [step.name for step in drill.actions[0].steps][-7:] == [
        "backup", "verify backup", "checkout", "rebuild", "verify", "compare", "switch",
    ]  # fmt: skip
    assert drill.seconds == pytest.approx(sum(step.seconds for step in drill.actions[0].steps))
    assert system.user_state() == user
    checkout = system.backup / "checkout"
    assert (checkout / "models" / "events.sql").read_text() == "SELECT 1 -- as released\n"
    flags = dict(line.split("=", 1) for line in (checkout / ".env.rollback").read_text().splitlines())
    assert flags["FEATURE_FLAG_LEGACY_EVENTS"] == "true" and flags["ROLLBACK_TAG"] == TAG and flags["ROLLBACK_TIME"]
    assert (system.backup / "models" / "models" / "draft.sql").exists()

    capfd.readouterr()
    assert main(system.arguments("execute", "--backup", str(system.root / "other"))) == Status.INSUFFICIENT
    assert "went back: the database is the rebuilt one; go forward again with" in capfd.readouterr().err
    assert not (system.root / "other").exists()

    assert main(system.arguments("restore")) == Status.PASS
    assert (system.database_hash(), system.user_state(), system.worktrees()) == (old, user, 0)
    assert [action.action for action in record_of(system).actions] == ["execute", "restore"]
    assert main(system.arguments("restore")) == Status.PASS  # once more does no harm
    capfd.readouterr()
    assert main(system.arguments("execute", "--backup", str(system.root / "other"))) == Status.PASS
    assert "an earlier drill" not in capfd.readouterr().err


FAULTS: list[tuple[str, str]] = [
    ("echo out of luck; exit 3", "status 3; it had printed:\n  | out of luck"),
    ("true", "the rebuild left 0 rows of fct_yearly_events"),
    ("rm \"$ROLLBACK_DATABASE\"", "left no database"),
    ("printf rubbish > \"$ROLLBACK_DATABASE\"", "not a DuckDB database file"),
    ('cp "{root}/richer.duckdb" "$ROLLBACK_DATABASE"', "compensation_amount"),
    ('cp "{root}/poorer.duckdb" "$ROLLBACK_DATABASE"', "table notes is gone"),
    (f'{COPY}; cp "{{root}}/richer.duckdb" "{{database}}"', "itself was written to"),
    (f'{COPY}; rm "{{config}}/plan.yaml"', "plan.yaml missing"),
    (f'{COPY}; touch "{{repo}}/models/new.sql"', "models/new.sql added"),
]  # fmt: skip


@pytest.mark.parametrize(("command", "told"), FAULTS)
def test_a_failure_puts_everything_back(
    system: System, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, command: str, told: str
) -> None:
    monkeypatch.setattr("scale.rollback.execute.validate", nothing_to_say)
    make_tables(system.root / "richer.duckdb", raise_by=5)
    make_tables(system.root / "poorer.duckdb")
    with duckdb.connect(str(system.root / "poorer.duckdb")) as connection:
        connection.execute("DROP TABLE notes")
    user, old = system.user_state(), system.database_hash()
    places = {"root": system.root, "database": system.database, "config": system.config, "repo": system.repo}
    for name, path in places.items():
        command = command.replace(f"{{{name}}}", str(path))

    assert main(system.arguments("execute", command=command)) == Status.FAIL
    printed = capfd.readouterr()
    assert told in printed.out and "everything is as it was before" in printed.err
    for path in system.database.parent.glob("*.set-aside-*"):
        path.unlink()  # what a command wrote over the database itself is kept
    assert (system.database_hash(), system.user_state(), system.worktrees()) == (old, user, 0)
    assert (record_of(system).result, record_of(system).database.get("after")) == ("fail", None)


def test_legacy_writers_that_differ_are_refused_before_anything_is_done(
    system: System, capfd: pytest.CaptureFixture[str]
) -> None:
    make_tables(system.root / "richer.duckdb", raise_by=5)
    broken = f'{COPY}; test -z "$FEATURE_FLAG_LEGACY_EVENTS" || cp "{system.root}/richer.duckdb" "$ROLLBACK_DATABASE"'

    assert main(system.arguments("validate", command=broken)) == Status.FAIL
    assert "current legacy on a slice: differs" in capfd.readouterr().out
    assert main(system.arguments("execute", command=broken)) == Status.FAIL
    assert "not begun: nothing was changed" in capfd.readouterr().out and not system.backup.exists()


def test_other_results_pass_where_they_are_announced(system: System) -> None:
    make_tables(system.root / "richer.duckdb", raise_by=5)
    richer = f'cp "{system.root}/richer.duckdb" "$ROLLBACK_DATABASE"'

    assert main(system.arguments("execute", "--results-may-differ", command=richer)) == Status.PASS
    assert record_of(system).agreement == "differs" and "tables differs" in record_of(system).told
    assert pays(system.database)[0] == 50005


@pytest.mark.parametrize(("until", "status"), [("2999-01-31", Status.PASS), ("2020-01-31", Status.FAIL)])
def test_a_policy_excuses_what_it_names_until_its_end(system: System, until: str, status: Status) -> None:
    make_tables(system.root / "richer.duckdb", raise_by=5)
    policy = system.root / "policy.yaml"
    entry = f"{{table: fct_yearly_events, tolerance: 5, reason: other money, until: {until}}}"
    policy.write_text(f"columns:\n  compensation_amount: {entry}\n")
    command = f'cp "{system.root}/richer.duckdb" "$ROLLBACK_DATABASE"'
    sound = f'if test -n "$ROLLBACK_SLICE"; then {COPY}; else {command}; fi'

    assert main(system.arguments("execute", "--policy", str(policy), command=sound)) == status
    assert status != Status.PASS or record_of(system).agreement == "within the policy"


def test_tables_go_by_the_users_names(system: System) -> None:
    for path in (system.database, system.config / "built.duckdb"):
        with duckdb.connect(str(path)) as connection:
            connection.execute("DROP VIEW employee_state_by_year; ALTER TABLE fct_yearly_events RENAME TO events")
            connection.execute("ALTER TABLE fct_workforce_snapshot RENAME TO people")
            connection.execute("ALTER TABLE events RENAME employee_id TO person")
    with duckdb.connect(str(system.config / "built.duckdb")) as connection:
        connection.execute("INSERT INTO notes VALUES ('run again')")
    mapping = system.root / "names.yaml"
    mapping.write_text("events: {table: events, columns: {employee_id: person}}\nstate: {table: people}\n")
    options = ("--mapping", str(mapping))

    assert main(system.arguments("execute", *options)) == Status.FAIL  # notes are not to be rebuilt
    more = (*options, "--rebuilt", "notes", "--backup", str(system.root / "second"))
    assert main(system.arguments("execute", *more)) == Status.PASS
    assert read_record(system.root / "second" / "rollback.json", Rollback).rows == {"events": 12, "people": 12}


def test_work_that_was_done_since_is_kept(system: System, capfd: pytest.CaptureFixture[str]) -> None:
    old = system.database_hash()
    main(system.arguments("execute"))
    with duckdb.connect(str(system.database)) as connection:
        connection.execute("INSERT INTO notes VALUES ('written since')")
    (system.config / "plan.yaml").write_text("growth: 0.99\n")
    (system.backup / "checkout" / "hotfix.sql").write_text("SELECT 4\n")

    assert main(system.arguments("restore")) == Status.PASS
    told = capfd.readouterr().err
    (aside,) = system.database.parent.glob("*.set-aside-*")
    with duckdb.connect(str(aside), read_only=True) as connection:
        assert ("written since",) in connection.execute("FROM notes").fetchall()
    assert aside.name in told and "kept, as there are changes that are not committed (hotfix.sql)" in told
    assert (system.backup / "set-aside" / "configuration" / "plan.yaml").read_text() == "growth: 0.99\n"
    assert (system.config / "plan.yaml").read_text() == "growth: 0.03\n"
    assert (system.backup / "checkout" / "hotfix.sql").exists() and system.database_hash() == old

    with duckdb.connect(str(system.database)) as connection:
        connection.execute("INSERT INTO notes VALUES ('after the drill')")
    newer = system.database_hash()
    assert main(system.arguments("restore")) == Status.FAIL  # over and done with: newer work is not taken back
    assert "was left alone" in capfd.readouterr().out and system.database_hash() == newer


def test_models_are_left_to_git_where_another_commit_is_checked_out(
    system: System, capfd: pytest.CaptureFixture[str]
) -> None:
    main(system.arguments("execute"))
    (system.repo / "models" / "events.sql").write_text("SELECT 5 -- mended\n")
    system.commit("mended")

    assert main(system.arguments("restore")) == Status.PASS
    assert "models: left to git" in capfd.readouterr().err
    assert (system.repo / "models" / "events.sql").read_text() == "SELECT 5 -- mended\n"


def _spoil_copy(system: System) -> None:
    (path,) = (system.backup / "database").iterdir()
    path.write_bytes(path.read_bytes()[:-1] + b"x")


def _lose_copy(system: System) -> None:
    (system.backup / "configuration" / "plan.yaml").unlink()


@pytest.mark.parametrize("spoil", [_spoil_copy, _lose_copy])
def test_a_spoilt_backup_is_not_put_back(
    system: System, capfd: pytest.CaptureFixture[str], spoil: Callable[[System], None]
) -> None:
    main(system.arguments("execute"))
    rebuilt, user = system.database_hash(), system.user_state()
    spoil(system)

    assert main(system.arguments("restore")) == Status.FAIL
    assert "the backup is not what was backed up" in capfd.readouterr().out
    assert (system.database_hash(), system.user_state()) == (rebuilt, user)


def test_a_database_that_was_not_closed(system: System) -> None:
    """Its log is only read by validate, and folded in by execute, as DuckDB does at the next opening."""
    left_open = (
        "import duckdb, os, sys; c = duckdb.connect(sys.argv[1]); "
        "c.execute(\"INSERT INTO notes VALUES ('late')\"); os._exit(0)"
    )
    subprocess.run([sys.executable, "-c", left_open, str(system.database)], check=True)
    log = system.database.with_name(f"{system.database.name}.wal")
    before = (system.database.read_bytes(), log.read_bytes())

    assert main(system.arguments("validate")) == Status.PASS
    assert (system.database.read_bytes(), log.read_bytes()) == before
    with duckdb.connect(str(system.config / "built.duckdb")) as connection:
        connection.execute("INSERT INTO notes VALUES ('late')")
    assert main(system.arguments("execute")) == Status.PASS
    assert not log.exists() and main(system.arguments("restore")) == Status.PASS
    with duckdb.connect(str(system.database), read_only=True) as connection:
        assert ("late",) in connection.execute("FROM notes").fetchall()


def test_links_are_followed_and_stay(system: System) -> None:
    link, config = system.root / "link.duckdb", system.root / "linked config"
    link.symlink_to(system.database)
    config.symlink_to(system.config)
    (system.config / "plan.link").symlink_to("plan.yaml")
    arguments = ["--database", str(link), "--config", str(config)]

    assert main(system.arguments("execute", *arguments)) == Status.PASS
    assert link.is_symlink() and config.is_symlink()
    (system.config / "plan.link").unlink()
    assert main(system.arguments("restore")) == Status.PASS
    assert (system.config / "plan.link").readlink() == Path("plan.yaml") and link.is_symlink()


def test_the_backup_may_lie_on_another_file_system(system: System) -> None:
    elsewhere = Path("/dev/shm") / f"workforce-parity-{system.root.parent.name}-{Path.cwd().stat().st_ino}"
    if not elsewhere.parent.is_dir() or elsewhere.parent.stat().st_dev == system.root.stat().st_dev:
        pytest.skip("no second file system at /dev/shm")
    old = system.database_hash()
    try:
        assert main(system.arguments("execute", "--backup", str(elsewhere))) == Status.PASS
        assert main(system.arguments("restore", "--backup", str(elsewhere))) == Status.PASS
        assert system.database_hash() == old
    finally:
        shutil.rmtree(elsewhere, ignore_errors=True)


def test_the_journal_says_where_a_drill_stands(system: System) -> None:
    main(system.arguments("execute"))
    journal = read_record(system.backup / "journal.json", Journal)

    assert (journal.state, journal.step, journal.new) == ("rolled back", "switch", system.database_hash())
    main(system.arguments("restore"))
    assert json.loads((system.backup / "journal.json").read_text())["state"] == "forward again"
