"""Where the checkout is, which Python runs it, and which configuration is the base: options, handed on as environment variables so
that worker processes, replays and sweeps see the same."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from differential.engines.spec import EngineSpecError

HOME, PYTHON, CONFIG = "PARITY_NAVIGATOR_HOME", "PARITY_NAVIGATOR_PYTHON", "PARITY_NAVIGATOR_CONFIG"
CACHE = "PARITY_NAVIGATOR_CACHE"
Mode = Literal["sql", "polars"]
MODES: tuple[Mode, ...] = ("sql", "polars")

STOCK_CONFIG = Path("config") / "simulation_config.yaml"


@dataclass(frozen=True)
class Layout:
    """One of its two layouts. package: of its orchestrator. module: what `python -m` runs. polars_option: the command line chooses
    the mode (else the configuration does)."""

    package: str
    module: str
    polars_option: bool


LAYOUTS = (
    Layout("planalign_orchestrator", "planalign_cli.main", polars_option=True),
    Layout("navigator_orchestrator", "navigator_orchestrator", polars_option=False),
)
"""The layouts of 2026 and of 2025."""


@dataclass(frozen=True)
class Settings:
    """A checkout that can be driven. home, python, config: absolute and there. cache: folder of finished runs; None = keep none."""

    home: Path
    python: Path
    config: Path
    layout: Layout
    cache: Path | None = None


def settings_from(environment: Mapping[str, str]) -> Settings:
    """What the options say.

    Raises:
        EngineSpecError: one is missing or names nothing usable; the message says which and what is expected.
    """
    home = _given(environment, HOME, "--navigator-home", "the folder of a checkout of planwise_navigator")
    python = _given(environment, PYTHON, "--navigator-python", "the Python of the environment that it is installed in")
    if not home.is_dir():
        raise EngineSpecError(f"--navigator-home {home}: no such folder; give a checkout of planwise_navigator")
    layout = next((one for one in LAYOUTS if (home / one.package / "__init__.py").is_file()), None)
    if layout is None or not (home / "dbt" / "dbt_project.yml").is_file():
        expected = " or ".join(one.package for one in LAYOUTS)
        raise EngineSpecError(
            f"--navigator-home {home}: no checkout of planwise_navigator: expected a folder {expected}, and dbt/dbt_project.yml"
        )
    if not python.is_file() or not os.access(python, os.X_OK):
        raise EngineSpecError(f"--navigator-python {python}: no such program; give the python of its environment")
    config = Path(environment[CONFIG]).absolute() if environment.get(CONFIG) else home / STOCK_CONFIG
    if not config.is_file():
        raise EngineSpecError(f"--navigator-config {config}: no such file; give a configuration of planwise_navigator")
    return Settings(home, python, config, layout, _cache(environment))


def _given(environment: Mapping[str, str], name: str, option: str, what: str) -> Path:
    value = environment.get(name)
    if not value:
        raise EngineSpecError(f"engine navigator needs {option} (or {name}): {what}")
    return Path(value).absolute()  # not resolved: the python of an environment is a link that has to stay one


def _cache(environment: Mapping[str, str]) -> Path | None:
    value = environment.get(CACHE)
    if value == "none":
        return None
    if value:
        return Path(value).absolute()
    base = environment.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base).absolute() / "workforce-parity" / "navigator"
