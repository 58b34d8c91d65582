"""Ways to run the same worlds: over a database that has a past, year by year, beside others."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa

from differential import workers
from differential.engines import get_engine, is_built_in
from differential.results import read_database
from differential.run import Run
from differential.side import History, Side
from differential.variant import Variant
from fixtures.scenario import Scenario
from fixtures.world import World
from properties.relations.edits import lean, newcomer, rules, with_people
from properties.relations.relation import How


class NoPastError(RuntimeError):
    """The run that was to leave its rows in a database left none, so that what follows proves nothing."""


def plain(engine: str, worlds: Sequence[World], timeout: float | None) -> Run:
    """All worlds in one pass, default variant, no database."""
    return Side(engine).run(worlds, timeout=timeout)


def as_side(variant: Variant | None = None, *, history: History = "plain", legacy_flag: bool = False) -> How:
    """A variant or history of differential.side."""

    def how(engine: str, worlds: Sequence[World], timeout: float | None) -> Run:
        return Side(engine, variant or Variant(), legacy_flag, history).run(worlds, timeout=timeout)

    return how


def fresh_database(engine: str, worlds: Sequence[World], timeout: float | None) -> Run:
    """Into a new file, and read back from it."""
    with _file() as path:
        return _stored(_into(path, engine, worlds, timeout), worlds, path)


def after(*others: Callable[[World], World]) -> How:
    """Into a file that runs of these others have filled before, one after the other."""

    def how(engine: str, worlds: Sequence[World], timeout: float | None) -> Run:
        with _file() as path:
            for other in others:
                _leave(path, engine, [other(world) for world in worlds], timeout)
            return _stored(_into(path, engine, worlds, timeout), worlds, path)

    return how


def between(*others: Callable[[World], World]) -> How:
    """Into a file that holds the first of these others already, and that the second goes into afterwards."""

    def how(engine: str, worlds: Sequence[World], timeout: float | None) -> Run:
        before, later = others
        with _file() as path:
            _leave(path, engine, [before(world) for world in worlds], timeout)
            run = _into(path, engine, worlds, timeout)
            _leave(path, engine, [later(world) for world in worlds], timeout)
            return _stored(run, worlds, path)

    return how


def year_by_year(engine: str, worlds: Sequence[World], timeout: float | None) -> Run:
    """Each year by itself, going on from the file."""
    with _file() as path:
        first, *rest = [
            _years(path, engine, worlds, (year, 1), timeout)
            for year in range(max(len(w.scenario.years) for w in worlds))
        ]
        return _stored(_with_plan_of(first, rest), worlds, path)


def all_years(engine: str, worlds: Sequence[World], timeout: float | None) -> Run:
    """run_years over all years, into a new file."""
    with _file() as path:
        years = max(len(world.scenario.years) for world in worlds)
        return _stored(_years(path, engine, worlds, (0, years), timeout), worlds, path)


def early_year_again(engine: str, worlds: Sequence[World], timeout: float | None) -> Run:
    """All years, then the first again, then the others from there."""
    with _file() as path:
        years = max(len(world.scenario.years) for world in worlds)
        _leave(path, engine, worlds, timeout)
        first = _years(path, engine, worlds, (0, 1), timeout)
        rest = [_years(path, engine, worlds, (1, years - 1), timeout)] if years > 1 else []
        return _stored(_with_plan_of(first, rest), worlds, path)


def with_other_rules(world: World) -> World:
    """The same people and names, other rules, a year longer."""
    scenario = world.scenario
    end = min(scenario.end_year + 1, scenario.start_year + 99)
    limits = {end: scenario.limits[scenario.end_year], **scenario.limits}
    other = {"target_growth_rate": 0, "total_termination_rate": 2_000, "new_hire_termination_rate": 0}
    return World(world.census, rules(scenario, {**other, "end_year": end, "limits": limits}))


def with_more_people(world: World) -> World:
    """Two people more."""
    one = with_people(world, [newcomer(world, "more-1")])
    return with_people(one, [newcomer(one, "more-2", deferral_bp=300)])


def with_zero_rates(world: World) -> World:
    """Nothing happens any more but what has no rate."""
    scenario = world.scenario
    zero = {
        "target_growth_rate": 0, "total_termination_rate": 0, "new_hire_termination_rate": 0, "cola_rate": 0,
        "merit_rates": (0,) * len(scenario.levels), "promotion.base_hazard": 0,
        "auto_enrollment.default_deferral_rate": 0, "voluntary_enrollment.enabled": False,
        "employer_core.contribution_rate": 0, "employer_match.cap_percent": 0,
    }  # fmt: skip
    return World(world.census, rules(scenario, zero))


def with_usual_rates(world: World) -> World:
    """What a world with zero rates is run on top of: the default rates of everything that was set to zero."""
    usual, levels = Scenario(), len(world.scenario.levels)
    rates = {
        **{name: getattr(usual, name) for name in ("target_growth_rate", "total_termination_rate", "cola_rate")},
        "merit_rates": (350,) * levels, "promotion.base_hazard": 5_000,
        "auto_enrollment.default_deferral_rate": 300, "voluntary_enrollment.enabled": True,
        "employer_core.contribution_rate": 100, "employer_match.cap_percent": 400,
    }  # fmt: skip
    return World(world.census, rules(world.scenario, rates))


def neighbour(name: str) -> Callable[[World], World]:
    """The same people and scenario name under another plan and seed: they share the tables."""

    def beside(world: World) -> World:
        seed = world.scenario.random_seed ^ len(name)
        return World(world.census, rules(world.scenario, {"plan_design_id": name, "random_seed": seed}))

    return beside


def two_years(world: World) -> World:
    """The world, two years of it at the most."""
    scenario = world.scenario
    end = scenario.start_year + 1
    if scenario.end_year <= end:
        return world
    return lean(World(world.census, rules(scenario, {"end_year": end})))


def itself(world: World) -> World:
    """The very same world."""
    return world


def with_own_name(world: World) -> World:
    """A scenario_id that no other world has: worlds in one database are told apart by it."""
    return World(world.census, rules(world.scenario, {"scenario_id": f"w-{world.fingerprint[:20]}"}))


@contextmanager
def _file() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="relations-") as folder:
        yield Path(folder) / "run.duckdb"


def _into(path: Path, engine: str, worlds: Sequence[World], timeout: float | None) -> Run:
    return Side(engine, Variant(database=path)).run(worlds, timeout=timeout)


def _years(path: Path, engine: str, worlds: Sequence[World], which: tuple[int, int], timeout: float | None) -> Run:
    arguments = (engine, list(worlds), Variant(database=path), *which)
    if is_built_in(engine):
        return run_years(*arguments)
    run: Run = workers.call("properties.relations.ways:run_years", *arguments, timeout=timeout)
    return run


def run_years(engine: str, worlds: Sequence[World], variant: Variant, first: int, count: int) -> Run:
    """The engine's run_years; also what a worker process does for an attached engine."""
    found: Any = get_engine(engine)
    run: Run = found.run_years(worlds, variant, first, count)
    return run


def _names(worlds: Sequence[World]) -> list[tuple[str, str]]:
    return [(world.scenario.scenario_id, world.scenario.plan_design_id) for world in worlds]


def _stored(run: Run, worlds: Sequence[World], path: Path) -> Run:
    """The run with its tables as the file has them."""
    tables = read_database(path, _names(worlds))
    events, state = (pa.concat_tables([pair[side] for pair in tables]) for side in (0, 1))
    bounds = tuple((one.num_rows, other.num_rows) for one, other in tables)
    return replace(run, events=events, state=state, bounds=bounds)


def _leave(path: Path, engine: str, worlds: Sequence[World], timeout: float | None) -> None:
    """Run these worlds into the file. Raises NoPastError when they left nothing in it."""
    run = _into(path, engine, worlds, timeout)
    rows = sum(state.num_rows for _, state in read_database(path, _names(worlds)))
    if run.state.num_rows and not rows:
        raise NoPastError(
            f"a run of {len(worlds)} worlds made {run.state.num_rows} state rows and left none in the database"
        )


def _with_plan_of(first: Run, rest: Sequence[Run]) -> Run:
    """The last leg's run, told of all that was planned and of every reason for having no result."""
    legs = [first, *rest]
    infeasible = {index: why for run in legs for index, why in run.infeasible.items()}
    return replace(legs[-1], infeasible=infeasible)
