"""Census and configuration as it is given them: only what a run decides is overwritten, and what it cannot express is an error."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq
import pytest
import yaml

from differential.engines import get_engine
from differential.engines.spec import EngineSpecError
from differential.navigator.inputs import configured, expressed, read_base, write_census
from differential.navigator.settings import HOME, PYTHON, settings_from
from differential.navigator.testing import RECORDED, recorded_world, stand_in
from differential.variant import Variant, VariantError
from fixtures.scenario import Scenario, ScenarioError
from fixtures.world import World

WORLD = recorded_world()


def test_its_census_holds_the_same_people_in_its_sixteen_columns(tmp_path: Path) -> None:
    write_census(WORLD, tmp_path / "census.parquet")

    written, theirs = (pq.read_table(path) for path in (tmp_path / "census.parquet", RECORDED / "census_100.parquet"))
    assert set(written.column_names) == set(theirs.column_names)
    assert len(written.column_names) == 16
    unused = {name for name in theirs.column_names if "contribution" in name} | {"eligibility_entry_date"}
    for name in set(theirs.column_names) - unused:
        assert written[name].type == theirs[name].type, name
        assert written[name].to_pylist() == theirs[name].to_pylist(), name


def test_the_base_keeps_its_own_options(tmp_path: Path) -> None:
    base = read_base(stand_in(tmp_path).config)

    config = configured(base, WORLD, Variant(threads=4), "sql", Path("/there/census.parquet"))

    assert config["simulation"] == {"start_year": 2025, "end_year": 2026, "random_seed": 42, "target_growth_rate": 0.05}
    assert config["setup"] == {"census_parquet_path": "/there/census.parquet", "clear_mode": "year"}
    assert config["workforce"] == base["workforce"]
    assert config["optimization"]["level"] == "baseline"
    assert config["optimization"]["e068c_threading"] == {"dbt_threads": 4, "event_shards": 1}
    assert config["optimization"]["event_generation"]["mode"] == "sql"
    assert config["optimization"]["event_generation"]["polars"]["fallback_on_error"] is True
    assert config["orchestrator"]["threading"] == {"enabled": True, "thread_count": 4}
    assert base["simulation"]["random_seed"] == 7  # the base itself stays as it was


def test_changed_keys_of_a_scenario_are_written_in_its_keys(tmp_path: Path) -> None:
    scenario = Scenario.create(
        end_year=2026,
        target_growth_rate="-0.02",
        total_termination_rate="0.2",
        auto_enrollment={"scope": "all_eligible_employees", "opt_out_by_age": dict.fromkeys(_AGES, "0.5")},
        deferral_auto_escalation={"enabled": False, "hire_date_cutoff": "2021-05-01"},
        employer_core={"contribution_rate": "0.02"},
    )

    config = configured(
        read_base(stand_in(tmp_path).config), World(WORLD.census, scenario), Variant(), "polars", Path("c")
    )

    assert config["simulation"]["target_growth_rate"] == -0.02
    assert config["workforce"] == {"total_termination_rate": 0.2}
    auto = config["enrollment"]["auto_enrollment"]
    assert auto == {"scope": "all_eligible_employees", "opt_out_rates": {"by_age": dict.fromkeys(_AGES, 0.5)}}
    assert config["deferral_auto_escalation"] == {"enabled": False, "hire_date_cutoff": "2021-05-01"}
    assert config["employer_core_contribution"] == {"contribution_rate": 0.02}
    assert config["optimization"]["event_generation"]["polars"]["max_threads"] == 1
    assert yaml.safe_load(yaml.safe_dump(config)) == config
    assert expressed(WORLD.scenario) == {}


_AGES = ("young", "mid_career", "mature", "senior")


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"cola_rate": "0.02"}, "cola_rate: planwise_navigator takes it from its own tables or code"),
        ({"employer_match": {"cap_percent": "0.05"}}, r"employer_match\.cap_percent: "),
        ({"eligibility": {"minimum_age": 18}}, r"eligibility\.minimum_age: "),
        ({"end_year": 2036}, "years 2025-2036: planwise_navigator starts in 2025"),
        ({"start_year": 2026, "end_year": 2027}, "years 2026-2027"),
        ({"random_seed": 2**31}, "random_seed 2147483648: planwise_navigator takes 0 to 2147483647"),
    ],
)
def test_what_it_cannot_express_is_an_error_that_names_the_key(keys: dict[str, object], said: str) -> None:
    world = World(WORLD.census, Scenario.create(**keys))

    with pytest.raises(ScenarioError, match=said):
        configured({"simulation": {}}, world, Variant(), "sql", Path("c"))


@pytest.mark.parametrize(
    ("variant", "said"),
    [
        (Variant(level="low"), "cannot be run with level low"),
        (Variant(shards=4, batch_size=8), "with 4 shards, a batch size"),
        (Variant(resume=1), "with a resumed run"),
    ],
)
def test_axes_that_it_lacks_are_refused_before_anything_runs(variant: Variant, said: str) -> None:
    with pytest.raises(VariantError, match=said):
        configured({"simulation": {}}, WORLD, variant, "sql", Path("c"))


def test_settings_that_cannot_be_used_say_which_option(tmp_path: Path) -> None:
    good = stand_in(tmp_path)
    told = {HOME: str(good.home), PYTHON: str(good.python)}
    for changed, said in (
        ({HOME: ""}, "needs --navigator-home"),
        ({PYTHON: ""}, "needs --navigator-python"),
        ({HOME: str(tmp_path / "none")}, "no such folder"),
        ({HOME: str(tmp_path)}, "no checkout of planwise_navigator: expected a folder planalign_orchestrator or"),
        ({PYTHON: str(tmp_path / "config.yaml")}, "no such program"),
        ({}, "--navigator-config .*simulation_config.yaml: no such file"),
    ):
        with pytest.raises(EngineSpecError, match=said):
            settings_from({**told, **changed})
    with pytest.raises(EngineSpecError, match=r"engine navigator:dask: expected navigator:sql or navigator:polars"):
        get_engine("navigator:dask")
