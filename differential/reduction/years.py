"""Fewer years: end at the divergence, start as late as the failure allows, with the census as it is or aged by the oracle."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from differential.reduction.search import Search, attempt
from differential.variant import Variant
from fixtures.census import Census, Employee
from fixtures.scenario import Scenario
from fixtures.world import World

_AGED_UP_TO = 200
_WINDOWS = 12
_SEEDS = 24


def fewer_years(search: Search) -> bool:
    """One year at best: windows that end at the divergence, then earlier ends."""
    if len(search.best.scenario.years) == 1:
        return False
    return search.first("years", _windows(search), runs=2 if search.many else 6)


def _windows(search: Search) -> Iterator[World | None]:
    world, year = search.best, search.observed.year
    first, last = world.scenario.start_year, world.scenario.end_year
    end = year if year in world.scenario.years else last
    assert end is not None
    if search.many:
        for start in list(range(end, first, -1))[:_WINDOWS]:
            yield later(world, start, end)
            yield aged(world, start, end)
        yield from (_until(world, year) for year in [*range(first, end)[:_WINDOWS], *range(end, last)[:_WINDOWS]])
        return
    if end < last:
        yield _until(world, end)
    for start in dict.fromkeys((end, max(first, end - 1))):
        yield later(world, start, end)
        yield aged(world, start, end)
    yield _until(world, first)
    yield later(world, (first + end + 1) // 2, end)


def default_start(search: Search) -> bool:
    """The default first year, with people's dates moved along or as they are."""
    world = search.best
    shift = Scenario().start_year - world.scenario.start_year
    if shift == 0:
        return False
    moved = [attempt(partial(edit, shift=shift), world) for edit in (_moved_with_people, _moved)]
    # Draws hash the year, so in a batch other seeds are tried with it.
    seeds = range(_SEEDS) if search.many else ()
    reseeded = [attempt(partial(_with_seed, seed=seed), one) for one in moved if one is not None for seed in seeds]
    return search.first("first year", [*moved, *reseeded], runs=2)


def later(world: World, start: int, end: int) -> World | None:
    """The same people, simulated from `start` to `end` only."""
    return attempt(lambda w: replace(w, scenario=w.scenario.replace(start_year=start, end_year=end)), world)


def aged(world: World, start: int, end: int) -> World | None:
    """The people as the oracle leaves them on 31 December before `start`, new hires included, simulated from there."""
    if len(world.census) > _AGED_UP_TO or start <= world.scenario.start_year:
        return None

    def edit(w: World) -> World | None:
        people = _people_after(_until(w, start - 1))
        return World(people, w.scenario.replace(start_year=start, end_year=end)) if people is not None else None

    return attempt(edit, world)


def _people_after(world: World) -> Census | None:
    from differential.engines.oracle import OracleEngine

    state = OracleEngine().run([world], Variant()).state.to_pylist()
    rows = [row for row in state if row["simulation_year"] == world.scenario.end_year and row["is_active"]]
    if not rows:
        return None
    return Census.from_employees(
        Employee(
            row["employee_id"].replace("NH_", "H"),
            f"SSN-{number:09}",
            row["birth_date"],
            row["hire_date"],
            int(row["current_salary"] * 100),
            int(row["deferral_rate"] * 10_000),
        )
        for number, row in enumerate(rows, 1)
    )


def _with_seed(world: World, seed: int) -> World:
    return replace(world, scenario=world.scenario.replace(random_seed=seed))


def _until(world: World, end: int) -> World:
    return replace(world, scenario=world.scenario.replace(end_year=end))


def _moved(world: World, shift: int) -> World:
    scenario, defaults = world.scenario, Scenario().to_dict()["limits"]
    own = {year: values for year, values in scenario.to_dict()["limits"].items() if values != defaults.get(year)}
    first, last = scenario.start_year + shift, scenario.end_year + shift
    limits = {**defaults, **{year + shift: own[year] for year in scenario.years if year in own}}
    return replace(world, scenario=scenario.replace(start_year=first, end_year=last, limits=limits))


def _moved_with_people(world: World, shift: int) -> World:
    people = [
        replace(
            one,
            birth_date=_shifted(one.birth_date, shift),
            hire_date=_shifted(one.hire_date, shift),
            termination_date=one.termination_date and _shifted(one.termination_date, shift),
        )
        for one in world.census.employees()
    ]
    return World(Census.from_employees(people), _moved(world, shift).scenario)


def _shifted(day: dt.date, years: int) -> dt.date:
    try:
        return day.replace(year=day.year + years)
    except ValueError:  # 29 February of a common year
        return day.replace(year=day.year + years, day=28)
