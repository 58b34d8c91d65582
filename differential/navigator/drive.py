"""One run, as its users do it: its command line, in a working copy, with no network, under limits of time and memory."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from differential.navigator.inputs import configured, write_census, write_config
from differential.navigator.settings import Mode, Settings
from differential.processes import Ended, run_program, without_network
from differential.variant import Variant
from fixtures.world import World

DEFAULT_SECONDS = 3_600.0
_MEMORY_SHARE = 0.4
"""Of the machine, for one run: two run at once."""
_STAGE = re.compile(r"Executing stage:\s*([a-z_]+)")
_NOWHERE = "http://127.0.0.1:9"
_PROXIES = ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
_FOREIGN = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "DBT_PROFILES_DIR", "DATABASE_PATH", "POLARS_MAX_THREADS")
"""Of our own environment, or of the user's for other runs; NAV_* override the configuration, and go too."""


@dataclass(frozen=True)
class Driven:
    """What a run left in its working copy. stages: (seconds since the start, stage) as it printed them. isolated: no network at
    all; else only its proxies led nowhere."""

    database: Path
    ended: Ended
    log: Path
    stages: tuple[tuple[float, str], ...]
    isolated: bool


def drive(
    settings: Settings,
    base: Mapping[str, Any],
    copy: Path,
    world: World,
    variant: Variant,
    mode: Mode,
    seconds: float | None,
) -> Driven:
    """Run it in `copy`. Raises WorkerError (it died, hung, took too much memory), and what `configured` raises."""
    census, config, log = copy / "parity_census.parquet", copy / "parity_config.yaml", copy / "parity_run.log"
    database, events = copy / "parity.duckdb", copy / "data" / "parquet" / "events"
    write_config(configured(base, world, variant, mode, census), config)
    write_census(world, census)
    stages: list[tuple[float, str]] = []

    def note(at: float, line: str) -> None:
        if found := _STAGE.search(line):
            stages.append((at, found.group(1)))

    prefix = without_network()
    ended = run_program(
        [*prefix, *_command(settings, world, variant, mode, config, database, events)],
        folder=copy,
        environment=_environment(settings, copy, database, variant),
        log=log,
        seconds=DEFAULT_SECONDS if seconds is None else seconds,
        memory=int(_MEMORY_SHARE * psutil.virtual_memory().total),
        called=f"navigator:{mode}",
        line=note,
    )
    return Driven(database, ended, log, tuple(stages), bool(prefix))


def _command(
    settings: Settings, world: World, variant: Variant, mode: Mode, config: Path, database: Path, events: Path
) -> list[str]:
    years = f"{world.scenario.start_year}-{world.scenario.end_year}"
    common = ["--config", str(config), "--database", str(database), "--threads", str(variant.threads), "--verbose"]
    start = [str(settings.python), "-m", settings.layout.module]
    if not settings.layout.polars_option:
        return [*start, "run", "--years", years, "--force-restart", *common]
    polars = ["--use-polars-engine", "--polars-output", str(events)] if mode == "polars" else []
    return [*start, "simulate", years, *common, *polars]


def _environment(settings: Settings, copy: Path, database: Path, variant: Variant) -> dict[str, str]:
    """Ours without what is ours, its own Python's programs first (it starts `dbt` by name), and nothing told to anybody."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in (*_FOREIGN, *_PROXIES) and not name.startswith(("NAV_", "DBT_", "PARITY_", "FEATURE_FLAG_"))
    }
    return {
        **kept,
        "PATH": os.pathsep.join([str(settings.python.parent), os.environ.get("PATH", os.defpath)]),
        "DBT_PROFILES_DIR": str(copy / "dbt"),
        "DATABASE_PATH": str(database),
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        "DO_NOT_TRACK": "1",
        "POLARS_MAX_THREADS": str(variant.threads),
        "PYTHONUNBUFFERED": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        **dict.fromkeys(_PROXIES, _NOWHERE),
    }
