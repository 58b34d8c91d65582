"""The drill on the project's own engines: a repository with a release, a database that the engine left, a scenario and a census."""

from __future__ import annotations

import shutil
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest

from differential.engines import get_engine
from differential.session import ROOT
from differential.variant import Variant
from fixtures.census import Census
from fixtures.populations import generate
from fixtures.scenario import Scenario
from fixtures.world import World
from scale.__main__ import main
from scale.records import read_record
from scale.rollback.record import Rollback
from scale.rollback.testing import TAG, System, nothing_to_say
from scale.status import Status

FOLD = "differential/engines/sql/rules/year/opening_folded.sql"
"""Only the legacy writers run it: they fold the opening set of a year from the census and all events so far."""


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> System:
    """The engines as they are here, committed and tagged; two scenarios and a table of the user's in one database."""
    system = System(tmp_path_factory.mktemp("built-in"))
    for package in ("differential", "fixtures"):
        shutil.copytree(
            ROOT / package,
            system.repo / package,
            ignore=shutil.ignore_patterns("__pycache__", "test_*.py", "regressions"),
        )
    system.git("init", "--quiet", "--initial-branch", "main")
    system.git("add", ".")
    system.commit("the release")
    system.git("tag", TAG)
    system.config.mkdir()
    system.database.parent.mkdir()
    pq.write_table(generate(60, 1).to_source_table(), system.config / "census.parquet")
    (system.config / "scenario.yaml").write_text("start_year: 2025\nend_year: 2026\n")
    census = Census.load(system.config / "census.parquet")
    for scenario in (Scenario.load(system.config / "scenario.yaml"), Scenario.create(scenario_id="other")):
        get_engine("sql").run([World(census, scenario)], Variant(database=system.database))
    with duckdb.connect(str(system.database)) as connection:
        connection.execute("CREATE TABLE notes AS SELECT 'mine' AS note")
    return system


def arguments(system: System, action: str, *more: str) -> list[str]:
    given = system.arguments(action, *more)
    if "--rebuild-command" in given:
        at = given.index("--rebuild-command")
        del given[at : at + 2]
    return given


@pytest.mark.parametrize("engine", ["sql", "polars"])
def test_there_and_forward_again(system: System, engine: str, tmp_path: Path) -> None:
    user, old, backup = system.user_state(), system.database_hash(), tmp_path / "backup"

    assert main(arguments(system, "execute", "--engine", engine, "--backup", str(backup))) == Status.PASS
    drill = read_record(backup / "rollback.json", Rollback)
    assert (drill.agreement, drill.engine, set(drill.hashes)) == ("equal", engine, set(drill.rows))
    assert {check.name: check.verdict for check in drill.actions[0].checks} == dict.fromkeys(
        ["tag", "repository", "configuration", "database", "space", "legacy", "rebuilt", "invariants", "untouched"],
        "pass",
    ) | {"agreement": "pass", "other tables": "pass"}
    assert system.database_hash() == drill.database["after"] != old
    with duckdb.connect(str(system.database), read_only=True) as connection:
        scenarios = connection.execute("SELECT DISTINCT scenario_id FROM fct_yearly_events ORDER BY 1").fetchall()
    assert scenarios == [("default",), ("other",)]
    assert main(["rollback", "restore", "--backup", str(backup)]) == Status.PASS
    assert (system.database_hash(), system.user_state()) == (old, user)


def test_a_broken_legacy_path_is_refused(system: System, capfd: pytest.CaptureFixture[str]) -> None:
    """Of the working tree only: the tag is sound, and validate says which of the two it is."""
    rule = system.repo / FOLD
    sound = rule.read_text()
    broken = sound.replace("('contribution', 'employer_match', 'employer_core')", "('contribution', 'employer_match')")
    assert broken != sound
    try:
        rule.write_text(broken)
        assert main(arguments(system, "validate")) == Status.FAIL
    finally:
        rule.write_text(sound)
    told = capfd.readouterr().out
    assert "current legacy on a slice: differs" in told and "account_balance" in told
    assert f"legacy of {TAG} on a slice: equal" in told and "could NOT go back" in told


def test_a_flag_that_no_longer_decides_is_refused(system: System, capfd: pytest.CaptureFixture[str]) -> None:
    module = system.repo / "differential" / "variant.py"
    sound = module.read_text()
    try:
        module.write_text(sound.replace("return frozenset() if legacy_forced() else", "return"))
        assert main(arguments(system, "validate")) == Status.FAIL
    finally:
        module.write_text(sound)
    assert "it took the switches" in capfd.readouterr().out


def test_a_database_of_another_seed_does_not_agree(
    system: System, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scale.rollback.execute.validate", nothing_to_say)
    user, old = system.user_state(), system.database_hash()
    scenario = system.config / "scenario.yaml"
    sound = scenario.read_text()
    try:
        scenario.write_text(f"{sound}random_seed: 7\n")
        assert main(arguments(system, "execute")) == Status.FAIL
    finally:
        scenario.write_text(sound)
    assert "the rebuilt tables against the backup: differs" in capfd.readouterr().out
    assert (system.database_hash(), system.user_state(), system.worktrees()) == (old, user, 0)
