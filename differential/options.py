"""The command line of the suite, and what its values settle."""

from __future__ import annotations

import argparse
import math
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from differential.budget import CostlyRuns, begin_costly_runs
from differential.cases import PARITY_TESTS
from differential.commands import KEEP_RUNS
from differential.comparison import ComparisonPolicy, PolicyError, load_policy
from differential.engines import DEFAULT_PAIR, EngineSpecError, get_engine, settled
from differential.navigator.settings import CONFIG, HOME, PYTHON
from differential.profiles import DEFAULT_PROFILE, PROFILES, Profile, base_seed
from differential.run import capabilities_of
from differential.session import Session, given_world
from differential.variant import VariantError, legacy_forced
from fixtures.census import CensusError
from fixtures.scenario import ScenarioError
from fixtures.world import WorldError

NAVIGATOR_OPTIONS = {"navigator_home": HOME, "navigator_python": PYTHON, "navigator_config": CONFIG}


def add_options(parser: pytest.Parser) -> None:
    """Register the options; their help is the reference that docs/engines.md and docs/reports.md point to."""
    group = parser.getgroup("workforce parity")
    add = group.addoption
    add("--engine", action="append", metavar="SPEC", help="engine to compare, repeatable; replaces the default pair sql, "
        "polars: NAME (built in or an entry point), MODULE:ATTRIBUTE, either of them @PYTHON to run it under another Python, or "
        "command:PROGRAM")  # fmt: skip
    add("--parity", action="append", metavar="NAME", choices=PARITY_TESTS, help=f"only this parity test, repeatable: "
        f"{', '.join(PARITY_TESTS)}")  # fmt: skip
    add(
        "--census",
        type=Path,
        metavar="FILE",
        help="your own census (.parquet or .csv); generated worlds are slices of it",
    )
    add("--scenario", type=Path, metavar="FILE", help="your own scenario (YAML)")
    add("--years", type=int, nargs=2, metavar=("FIRST", "LAST"), help="simulated years of the census")
    add("--employees", type=_at_least_one, metavar="N", help="only N rows of the census, the first by employee_id")
    add("--random-seed", type=int, metavar="SEED", help="the simulation's seed (Hypothesis has --hypothesis-seed)")
    add("--minutes", type=_positive, metavar="M", help="time budget instead of a number of worlds")
    add(
        "--slice",
        type=parse_slice,
        default=(1, 1),
        metavar="I/N",
        help="draw the worlds of part I of N, for several machines",
    )
    add(
        "--policy",
        type=Path,
        metavar="FILE",
        help="thresholds, tolerances and ignored columns of attached engines (YAML)",
    )
    add(
        "--repro-dir",
        type=Path,
        default=Path("repros"),
        metavar="DIR",
        help="where failures are written (default: repros)",
    )
    add(
        "--replay",
        type=Path,
        metavar="DIR",
        help="run one repro bundle again: status 0 passes, 1 fails, 125 untestable",
    )
    add(
        "--parity-report",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="write the matrix (.json or .md)",
    )
    add(
        "--keep-identities",
        action="store_true",
        help="leave ids, dates and pay of a given census in repros (ssn never)",
    )
    add("--engine-timeout", type=_positive, metavar="SECONDS", help="longest run of an attached engine (default: 600)")
    add("--navigator-home", type=Path, metavar="DIR", help="checkout of planwise_navigator, for engines navigator:sql and "
        "navigator:polars; written with `=`, since pytest would load the tests of a folder that follows")  # fmt: skip
    add("--navigator-python", type=Path, metavar="FILE", help="the Python that it is installed in")
    add(
        "--navigator-config",
        type=Path,
        metavar="FILE",
        help="the configuration to start from (default: the checkout's own)",
    )
    add(
        "--budget-runs",
        type=_at_least_one,
        metavar="N",
        help="most runs of engines whose runs take minutes, in the whole session",
    )
    add(
        "--budget-minutes",
        type=_positive,
        metavar="M",
        help="the same in minutes; what does not fit is told as not run",
    )
    add("--keep-runs", type=Path, metavar="DIR", help="keep the folder of every run of a command: engine there (default: "
        "three that failed)")  # fmt: skip
    add("--all", action="store_true", dest="run_all", help="also the tests of the suite itself")


def make_session(config: pytest.Config) -> Session:
    """Settle the options; raises pytest.UsageError with one clear message."""
    option = config.option
    profile = PROFILES.get(settings.get_current_profile_name())
    if profile is None:
        raise pytest.UsageError(f"--hypothesis-profile: expected one of {', '.join(PROFILES)}")
    usable_folder(option.repro_dir, "--repro-dir")
    for report in option.parity_report:
        usable_folder(report.parent, "--parity-report")
    navigator_options(option)
    try:
        engines = tuple(dict.fromkeys(settled(spec) for spec in option.engine or DEFAULT_PAIR))
        for spec in engines:
            get_engine(spec)
        costly = any(capabilities_of(get_engine(spec)).costly for spec in engines)
        legacy_forced()
        years = tuple(option.years) if option.years else None
        world = given_world(option.census, option.scenario, years, option.employees, option.random_seed)
        policy = load_policy(option.policy) if option.policy else ComparisonPolicy()
    except (EngineSpecError, CensusError, ScenarioError, WorldError, PolicyError, VariantError) as error:
        raise pytest.UsageError(str(error)) from None
    if option.keep_runs is not None:
        usable_folder(option.keep_runs, "--keep-runs")
        os.environ[KEEP_RUNS] = str(option.keep_runs.absolute())
    _begin_budget(option, costly=costly)
    seed = base_seed(profile, _hypothesis_seed(config))
    return Session(
        profile=profile,
        engines=engines,
        world=world,
        given=option.census is not None,
        scenario_given=option.scenario is not None,
        policy=policy,
        repro_dir=option.repro_dir,
        keep_identities=option.keep_identities,
        seed=seed,
        part=option.slice,
        minutes=option.minutes,
        timeout=option.engine_timeout,
        costly=costly,
        arguments=tuple(_arguments(option, profile, seed)),
    )


def navigator_options(option: argparse.Namespace) -> None:
    """Hand the options on as environment variables, which worker processes see too."""
    for name, variable in NAVIGATOR_OPTIONS.items():
        if getattr(option, name) is not None:
            os.environ[variable] = str(getattr(option, name).absolute())


def _begin_budget(option: argparse.Namespace, *, costly: bool) -> None:
    asked = option.budget_runs is not None or option.budget_minutes is not None
    if asked and not costly:
        raise pytest.UsageError(
            "--budget-runs, --budget-minutes: no engine here has runs that take minutes; use --minutes"
        )
    if asked and getattr(option, "numprocesses", None):
        raise pytest.UsageError("--budget-runs, --budget-minutes: one budget is for one process; leave -n out")
    begin_costly_runs(CostlyRuns(option.budget_runs, option.budget_minutes))


def _arguments(option: argparse.Namespace, profile: Profile, seed: int) -> Iterator[str]:
    """The options that decide which engines run on which worlds, the seed that was drawn among them."""
    for spec in option.engine or ():
        yield from ("--engine", spec)
    given = {
        "--census": option.census,
        "--scenario": option.scenario,
        "--employees": option.employees,
        "--random-seed": option.random_seed,
        "--policy": option.policy,
        "--minutes": option.minutes,
        "--engine-timeout": option.engine_timeout,
        "--navigator-python": option.navigator_python,
        "--navigator-config": option.navigator_config,
        "--budget-runs": option.budget_runs,
        "--budget-minutes": option.budget_minutes,
        "--keep-runs": option.keep_runs,
    }
    for name, value in given.items():
        if value is not None:
            yield from (name, f"{value:g}" if isinstance(value, float) else str(value))
    if option.navigator_home is not None:
        yield f"--navigator-home={option.navigator_home}"
    if option.years:
        yield from ("--years", *map(str, option.years))
    yield from ("--hypothesis-profile", profile.name)
    if not profile.derandomised or seed:
        yield from ("--hypothesis-seed", str(seed))
    if option.slice != (1, 1):
        yield from ("--slice", "{}/{}".format(*option.slice))


def load_profile(config: pytest.Config) -> None:
    """Use profile `ci` where none was asked for, whatever Hypothesis loaded because it saw a CI variable."""
    if config.getoption("hypothesis_profile", None) is None:
        settings.load_profile(DEFAULT_PROFILE)


def _hypothesis_seed(config: pytest.Config) -> int | None:
    value: Any = config.getoption("hypothesis_seed", None)
    return None if value in (None, "random") else int(value)


def _at_least_one(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"expected at least 1, got {value}")
    return value


def _positive(text: str) -> float:
    value = float(text)
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(f"expected a number above 0, got {text}")
    return value


def usable_folder(path: Path, option: str) -> None:
    """Refuse a folder that cannot be made or written to before anything runs, not when a finding is to be saved."""
    nearest = next(folder for folder in (path.absolute(), *path.absolute().parents) if folder.exists())
    if not nearest.is_dir() or not os.access(nearest, os.W_OK) or str(nearest).startswith("/proc"):
        raise pytest.UsageError(f"{option} {path}: {nearest} is not a folder that can be written to")


def parse_slice(text: str) -> tuple[int, int]:
    """`I/N` of an option; raises argparse.ArgumentTypeError."""
    part, _, parts = text.partition("/")
    if not (part.isdigit() and parts.isdigit() and 1 <= int(part) <= int(parts)):
        raise argparse.ArgumentTypeError(f"expected I/N with 1 <= I <= N, such as 1/4, got {text!r}")
    return int(part), int(parts)
