"""What tests drive instead of the real system: a made-up checkout whose program takes its command line, and leaves its files and
tables as the real one does, copied from recorded ones. It holds none of its code."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import yaml

from differential.navigator.settings import LAYOUTS, Layout, Settings
from fixtures.census import Census
from fixtures.scenario import Scenario
from fixtures.world import World

RECORDED = Path(__file__).resolve().parents[2] / "fixtures" / "data" / "navigator"
SQL, SQL_4, POLARS = (RECORDED / f"598f9e97_{name}" for name in ("sql", "sql_4_threads", "polars"))
FELL_BACK = RECORDED / "23bdf971_polars"


def recorded_world() -> World:
    """What the recorded tables were made from."""
    return World(Census.load(RECORDED / "census_100.parquet"), Scenario(end_year=2026))


def stand_in(folder: Path, *, layout: Layout = LAYOUTS[0], cached: bool = False, **told: Any) -> Settings:
    """A checkout in `folder` with its program and a Python for it. told: how the program behaves, by key (`_PROGRAM`)."""
    home, runs = folder / "checkout", folder / "runs.jsonl"
    program = home / layout.module.replace(".", "/")
    program = program.with_suffix(".py") if layout.polars_option else program / "__main__.py"
    for path, text in (
        (program, _PROGRAM),
        (home / layout.package / "__init__.py", ""),
        (home / "dbt" / "dbt_project.yml", "name: stand_in\n"),
        (home / "tests" / "conftest.py", "raise RuntimeError('nobody loads the tests of a checkout')\n"),
        (home / "logs" / "navigator.log", "left by an earlier run\n"),
        (home / "data" / "parquet" / "events" / "events_2026.parquet", "left by an earlier run\n"),
    ):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    config = folder / "config.yaml"
    config.write_text(yaml.safe_dump({**_CONFIG, "stand_in": {"recorded": str(RECORDED), "runs": str(runs), **told}}))
    python = folder / "python"
    python.write_text(_PYTHON.format(python=sys.executable, versions=json.dumps(_VERSIONS)))
    python.chmod(0o755)
    return Settings(home, python, config, layout, folder / "cache" if cached else None)


def runs_of(settings: Settings) -> list[dict[str, Any]]:
    """What the program says of each of its runs."""
    log = settings.config.with_name("runs.jsonl")
    return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []


_VERSIONS = {"python": "3.11.7", "duckdb": "1.0.0", "dbt-core": "1.8.8", "dbt-duckdb": "1.8.1", "polars": "1.33.1"} | {
    "pydantic": "2.7.4"
}
_PYTHON = """#!/bin/sh
if [ "$1" = "-I" ]; then echo '{versions}'; exit 0; fi
exec {python} "$@"
"""
_CONFIG = {
    "simulation": {"start_year": 2025, "end_year": 2029, "random_seed": 7, "target_growth_rate": 0.05},
    "setup": {"census_parquet_path": "data/census.parquet", "clear_mode": "year"},
    "workforce": {"total_termination_rate": 0.11},
    "optimization": {
        "level": "baseline",
        "e068c_threading": {"dbt_threads": 2, "event_shards": 1},
        "event_generation": {"mode": "polars", "polars": {"enabled": True, "fallback_on_error": True}},
    },
    "orchestrator": {"threading": {"enabled": True, "thread_count": 4}},
}
_PROGRAM = """
import argparse, json, os, sys, time
from pathlib import Path
import duckdb, yaml

parser = argparse.ArgumentParser()
parser.add_argument("command")
parser.add_argument("years_given", nargs="?")
for name in ("--config", "--database", "--threads", "--years", "--polars-output"):
    parser.add_argument(name)
for name in ("--verbose", "--use-polars-engine", "--force-restart"):
    parser.add_argument(name, action="store_true")
asked = parser.parse_args()
config = yaml.safe_load(Path(asked.config).read_text())
told = config["stand_in"]
mode = config["optimization"]["event_generation"]["mode"]
if asked.command == "simulate" and not asked.use_polars_engine:
    mode = "sql"
with open(told["runs"], "a") as log:
    log.write(json.dumps({
        "arguments": sys.argv[1:], "config": config, "folder": os.getcwd(), "pid": os.getpid(),
        "network": [line.split(":")[0].strip() for line in Path("/proc/net/dev").read_text().splitlines()[2:]],
        "proxy": os.environ["https_proxy"], "profiles": os.environ["DBT_PROFILES_DIR"], "path": os.environ["PATH"],
        "hash_seed": os.environ.get("PYTHONHASHSEED", ""),
        "left": [str(path) for name in ("logs", "data/parquet") for path in Path(name).rglob("*")],
    }) + "\\n")
if told.get("sleep"):
    time.sleep(told["sleep"])
if told.get("fail"):
    print(told["fail"])
    sys.exit(1)
made_by = mode
if mode == "polars" and told.get("fall_back"):
    print("Polars event generation failed: Polars event factory not available: No module named 'made_up'")
    made_by = "sql"
first, last = (int(year) for year in (asked.years or asked.years_given).split("-"))
threads = told.get("threads_in_log", asked.threads)
Path("dbt/logs").mkdir(parents=True, exist_ok=True)
with open("dbt/logs/dbt.log", "w") as log:
    for stage in ("initialization", "event_generation", "state_accumulation"):
        print(f"   Executing stage: {stage}", flush=True)
        log.write(f"Running with dbt=1.8.8\\nConcurrency: {threads} threads (target='dev')\\n")
if mode == "polars" and not told.get("fall_back"):
    print("E076 Polars state accumulation failed: made up")
artifacts = Path("artifacts/runs/1")
artifacts.mkdir(parents=True)
years = {f"year_simulation_{year}": {"duration_seconds": 1.5} for year in range(first, last + 1)}
(artifacts / "performance.json").write_text(json.dumps(years))
Path("logs").mkdir(exist_ok=True)
Path("logs/navigator.log").write_text(json.dumps({"level": "INFO", "message": "made up"}) + "\\n")
census = config["setup"]["census_parquet_path"]
with duckdb.connect(asked.database) as connection:
    for file in sorted((Path(told["recorded"]) / f"598f9e97_{made_by}").glob("*.parquet")):
        where = f"simulation_year BETWEEN {first} AND {last}"
        where += f" AND (employee_id LIKE 'NH_%' OR employee_id IN (SELECT employee_id FROM '{census}'))"
        if file.stem == told.get("without_type"):
            where += " AND false"
        connection.execute(f"CREATE TABLE {file.stem} AS SELECT *, now() AS created_at FROM '{file}' WHERE {where}")
    needs = "41 AS total_hires_needed, 24 AS expected_experienced_terminations, 11 AS expected_new_hire_terminations"
    connection.execute("CREATE TABLE int_workforce_needs AS SELECT " + needs)
    if told.get("raises_later"):
        connection.execute("UPDATE fct_yearly_events SET compensation_amount = compensation_amount + 1 WHERE event_type = 'raise'")
"""
