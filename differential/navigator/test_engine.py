"""A run from end to end, on a made-up checkout that behaves like the real one: what is proven, refused, kept and cleaned up."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from differential.budget import FROM_CACHE
from differential.comparison import CLAIMS, check_claim, compare_runs
from differential.navigator.engine import NavigatorEngine
from differential.navigator.settings import LAYOUTS
from differential.navigator.tables import read_run
from differential.navigator.testing import POLARS, SQL, recorded_world, runs_of, stand_in
from differential.processes import without_network
from differential.run import Run, RunError
from differential.variant import Variant
from differential.workers import WorkerError
from fixtures.scenario import ScenarioError
from fixtures.world import World

WORLD = recorded_world()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("both")


@pytest.fixture(scope="module")
def both(folder: Path) -> tuple[Run, Run]:
    settings = stand_in(folder, cached=True)
    sql, polars = (NavigatorEngine(mode, settings).run([WORLD], Variant(threads=2)) for mode in ("sql", "polars"))
    return sql, polars


def test_its_tables_are_read_and_its_proof_comes_from_what_it_left(both: tuple[Run, Run]) -> None:
    sql, polars = both

    recorded = [Run(*read_run(folder, WORLD)[:2]) for folder in (SQL, POLARS)]
    assert compare_runs(sql, recorded[0])[0].equal
    assert compare_runs(polars, recorded[1])[0].equal
    assert sql.proof is not None
    assert (sql.proof.engine, sql.proof.threads, sql.proof.fallbacks) == ("navigator:sql", 2, ())
    assert sql.proof.versions["dbt-core"] == "1.8.8"
    assert sql.proof.inputs == (WORLD.fingerprint,)
    assert set(sql.proof.seconds) == {"start", "initialization", "event_generation", "state_accumulation"}
    assert sql.proof.year_seconds == (1.5, 1.5)
    assert check_claim(CLAIMS["sql_vs_polars"], sql, polars).ok
    assert polars.proof is not None
    assert "its state tables were made by dbt, not by Polars: made up" in polars.proof.notes
    assert "its own log: 1 INFO" in sql.proof.notes


def test_each_run_has_a_private_copy_no_network_and_nothing_of_our_environment(
    both: tuple[Run, Run], folder: Path
) -> None:
    first, second = runs_of(stand_in(folder, cached=True))

    assert first["folder"] != second["folder"]
    assert not Path(first["folder"]).exists()
    assert first["left"] == []  # logs and events of earlier runs of the checkout are not its own
    assert first["profiles"] == f"{first['folder']}/dbt"
    assert first["path"].startswith(f"{folder}{os.pathsep}")
    assert first["proxy"] == "http://127.0.0.1:9"
    assert both[0].proof is not None
    if without_network():
        assert set(first["network"]) <= {"lo"}
        assert not any("namespace" in note for note in both[0].proof.notes)
    arguments = first["arguments"]
    assert arguments[:2] == ["simulate", "2025-2026"]
    assert arguments[arguments.index("--threads") + 1] == "2"
    assert "--use-polars-engine" not in arguments
    assert "--use-polars-engine" in second["arguments"]
    assert first["config"]["optimization"]["event_generation"]["mode"] == "sql"


def test_a_finished_run_is_kept_by_everything_that_decides_it(
    both: tuple[Run, Run], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = NavigatorEngine("sql", stand_in(folder, cached=True))
    asked = len(runs_of(engine.settings))

    again = engine.run([WORLD], Variant(threads=2))

    assert len(runs_of(engine.settings)) == asked
    assert again.proof is not None
    assert FROM_CACHE in again.proof.notes
    assert compare_runs(again, both[0])[0].equal
    assert check_claim(CLAIMS["new_process"], again, both[0]).status == "refused"  # one run is no second one
    assert engine.is_kept(WORLD, Variant(threads=2))
    assert not engine.is_kept(WORLD, Variant(threads=4))
    assert not engine.is_kept(World(WORLD.census, WORLD.scenario.replace(random_seed=1)), Variant(threads=2))
    monkeypatch.setenv("PYTHONHASHSEED", "4711")
    assert not engine.is_kept(WORLD, Variant(threads=2))  # the same seed in a new process is a run of its own
    monkeypatch.undo()
    assert engine.is_kept(WORLD, Variant(threads=2))
    (engine.settings.home / "dbt" / "model.sql").write_text("-- another model\n")
    assert not NavigatorEngine("sql", engine.settings).is_kept(WORLD, Variant(threads=2))


def test_a_silent_fall_back_is_refused_with_its_reason(tmp_path: Path) -> None:
    settings = stand_in(tmp_path, layout=LAYOUTS[1], fall_back=True)
    sql, polars = (NavigatorEngine(mode, settings).run([WORLD], Variant()) for mode in ("sql", "polars"))

    outcome = check_claim(CLAIMS["sql_vs_polars"], sql, polars)

    assert compare_runs(sql, polars)[0].equal  # what looks like parity
    assert outcome.status == "refused"
    assert "384 of 384 events have parameter_source 'fused_event_generation'" in outcome.describe()
    assert "No module named 'made_up'" in outcome.describe()
    arguments = runs_of(settings)[1]["arguments"]
    assert arguments[:3] == ["run", "--years", "2025-2026"]  # the layout of 2025
    assert "--use-polars-engine" not in arguments


def test_threads_that_its_log_does_not_show_are_refused(tmp_path: Path) -> None:
    engine = NavigatorEngine("sql", stand_in(tmp_path, threads_in_log=1))
    one, four = (engine.run([WORLD], Variant(threads=threads)) for threads in (1, 4))

    outcome = check_claim(CLAIMS["threads"], one, four)

    assert outcome.status == "refused"
    assert "4 threads were asked for; dbt's log tells {'1': 3}" in outcome.describe()


def test_an_empty_year_is_refused_though_it_reports_success(tmp_path: Path) -> None:
    run = NavigatorEngine("sql", stand_in(tmp_path, without_type="fct_yearly_events")).run([WORLD], Variant())

    assert run.proof is not None
    assert any("there is no event of 2026 at all" in fallback for fallback in run.proof.fallbacks)


def test_a_run_that_dies_or_hangs_is_told_and_leaves_nothing_behind(tmp_path: Path) -> None:
    dying, hanging = (tmp_path / name for name in ("dying", "hanging"))

    with pytest.raises(
        WorkerError, match=r"(?s)navigator:sql ended with exit status 1.*no such table, it says"
    ) as raised:
        NavigatorEngine("sql", stand_in(dying, fail="no such table, it says", cached=True)).run([WORLD], Variant())
    assert raised.value.kind == "died"
    assert not list((dying / "cache").iterdir())
    started = time.monotonic()
    settings = stand_in(hanging, sleep=60)
    with pytest.raises(WorkerError, match=r"did not end in 3 s; it and its children were killed"):
        NavigatorEngine("sql", settings).run_within([WORLD], Variant(), 3)
    assert time.monotonic() - started < 30
    [run] = runs_of(settings)
    assert not Path(run["folder"]).exists()
    assert not Path(f"/proc/{run['pid']}").exists()


def test_a_world_that_cannot_be_expressed_starts_nothing(tmp_path: Path) -> None:
    engine = NavigatorEngine("sql", stand_in(tmp_path))

    with pytest.raises(ScenarioError, match="merit_rates"):
        engine.run([World(WORLD.census, WORLD.scenario.replace(merit_rates=["0.01"] * 5))], Variant())
    assert runs_of(engine.settings) == []


def test_several_worlds_are_several_runs(tmp_path: Path) -> None:
    engine = NavigatorEngine("sql", stand_in(tmp_path))
    worlds = [WORLD, World(WORLD.census.take([0, 1]), WORLD.scenario.replace(end_year=2025))]

    run = engine.run(worlds, Variant())

    assert len(runs_of(engine.settings)) == len(run) == 2
    with pytest.raises(RunError):
        next(Run(run.events.slice(1), run.state, bounds=run.bounds).results())
    first, second = run.results()
    assert first.events.num_rows == 384
    assert set(second.events["simulation_year"].to_pylist()) == {2025}
