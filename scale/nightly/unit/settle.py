"""What a unit's record and settings stand for: a session of the suite, and where failing examples are kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from differential.comparison import ComparisonPolicy, PolicyError, load_policy
from differential.engines import EngineSpecError, get_engine
from differential.profiles import PROFILES
from differential.session import Session, given_world
from differential.variant import VariantError, legacy_forced
from fixtures.census import CensusError
from fixtures.scenario import ScenarioError
from fixtures.world import WorldError
from scale.nightly.records import REPROS, Unit, UnitSettings
from scale.status import UsageError


def session_of(unit: Unit, settings: UnitSettings, folder: Path, say: Callable[[str], None]) -> Session:
    """The session of a unit. Raises UsageError with one clear message for what cannot be used."""
    try:
        for spec in unit.engines:
            get_engine(spec)
        legacy_forced()
        world = given_world(
            _path(settings.census), _path(settings.scenario), settings.years, settings.employees, settings.random_seed
        )
        policy = load_policy(Path(settings.policy)) if settings.policy else ComparisonPolicy()
    except (EngineSpecError, CensusError, ScenarioError, WorldError, PolicyError, VariantError) as error:
        raise UsageError(str(error)) from None
    return Session(
        profile=PROFILES["nightly"],
        engines=unit.engines,
        world=world,
        given=settings.census is not None,
        scenario_given=settings.scenario is not None,
        policy=policy,
        repro_dir=folder / REPROS,
        keep_identities=settings.keep_identities,
        seed=unit.seed,
        minutes=unit.seconds / 60,
        timeout=settings.engine_timeout,
        progress=say,
        arguments=tuple(_arguments(unit, settings)),
    )


def _path(text: str | None) -> Path | None:
    return None if text is None else Path(text)


def _arguments(unit: Unit, settings: UnitSettings) -> Iterator[str]:
    """The options that decide which engines run on which worlds, as pytest takes them."""
    for spec in unit.engines:
        yield from ("--engine", spec)
    given = {
        "--census": settings.census,
        "--scenario": settings.scenario,
        "--employees": settings.employees,
        "--random-seed": settings.random_seed,
        "--policy": settings.policy,
        "--engine-timeout": settings.engine_timeout,
    }
    for name, value in given.items():
        if value is not None:
            yield from (name, f"{value:g}" if isinstance(value, float) else str(value))
    if settings.years:
        yield from ("--years", *map(str, settings.years))
    yield from ("--hypothesis-profile", "nightly", "--minutes", f"{unit.seconds / 60:g}")
    yield from ("--hypothesis-seed", str(unit.seed))
