"""The default employee: whole columns first, then single cells, then easy values; ids E0001, .. and small seeds."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from differential.reduction.measure import default_employees
from differential.reduction.rules import resets
from differential.reduction.search import Edit, Search, attempt
from fixtures.census import Census, Employee
from fixtures.scenario import Scenario
from fixtures.world import World

COLUMNS = ("birth_date", "hire_date", "termination_date", "pay_cents", "deferral_bp")
CELLS_UP_TO = 30
SEEDS = 24
_SEEDS_FOR_IDS = 92
_RESEEDED_UP_TO = 5


def default_columns(search: Search) -> bool:
    """Columns of the census set to the default employee's value."""
    return search.edits("columns", [_column(column) for column in COLUMNS])


def default_cells(search: Search) -> bool:
    """Single cells set to the default employee's value."""
    count = len(search.best.census)
    if count == 1 or count > CELLS_UP_TO:
        return False
    return search.edits("cells", [_cell(row, column) for row in range(count) for column in COLUMNS])


def plain_cells(search: Search) -> bool:
    """Cells that must differ: the first day of their year or month, round amounts."""
    changed = False
    while len(search.best.census) <= CELLS_UP_TO and not search.spent:
        if not search.first("cells", _plainer_worlds(search.best), runs=2 if search.many else 4):
            break
        changed = True
    return changed


def _plainer_worlds(world: World) -> Iterator[World | None]:
    for row, person in enumerate(world.census.employees()):
        for column in COLUMNS:
            for value in plainer_cell(column, getattr(person, column)):
                yield attempt(_set(row, column, value), world)


def plainer_cell(column: str, value: Any) -> Iterator[object]:
    """Simpler values of a cell, the simplest first."""
    if isinstance(value, dt.date):
        ladder: list[object] = [dt.date(value.year, 1, 1), value.replace(day=1)]
    elif value is None:
        return
    elif column == "pay_cents":
        ladder = [round(value, -digits) for digits in (7, 6, 5, 4, 2) if round(value, -digits) > 0]
    else:
        ladder = [500, 1_000, round(value, -2), 1]
    yield from (item for item in dict.fromkeys(ladder) if item != value)


def plain_names(search: Search) -> bool:
    """Ids E0001, .. and the default seed. Draws hash both, so new ids are tried under several seeds as well."""
    world, seed = search.best, search.best.scenario.random_seed
    named = len(world.census) <= CELLS_UP_TO and all(a.employee_id == b.employee_id for a, b in _pairs(world))
    if named and seed == Scenario().random_seed:
        return False
    likely = dict.fromkeys([seed, Scenario().random_seed, 0, 1])
    if search.first("ids", (_named(world, one) for one in likely), runs=1 if search.many else 4):
        return True
    others = range(2, _SEEDS_FOR_IDS) if search.many and not named and len(world.census) <= CELLS_UP_TO else ()
    if search.first("ids", (_named(world, one) for one in others), runs=1):
        return True
    count = len(search.best.census)
    changed = search.edits("ids", [_id(row) for row in range(count)]) if count <= CELLS_UP_TO else False
    return search.edits("seed", [_seed(42)]) or changed


def reseeded(search: Search) -> bool:
    """Default values together with another seed, in a batch: for what only has to differ because of how it draws."""
    world = search.best
    if not search.many or len(world.census) > _RESEEDED_UP_TO:
        return False
    cells = [_cell(row, column) for row in range(len(world.census)) for column in COLUMNS]
    simpler = [changed for edit in [*resets(world.scenario), *cells] if (changed := attempt(edit, world)) is not None]
    seeds = dict.fromkeys([42, *range(SEEDS)])
    trials = (attempt(_seed(seed), one) for seed in seeds for one in simpler)
    return search.first("seed", trials, runs=3)


def _named(world: World, seed: int) -> World | None:
    def edit(w: World) -> World:
        people = [replace(a, employee_id=b.employee_id, employee_ssn=b.employee_ssn) for a, b in _pairs(w)]
        return World(Census.from_employees(people), w.scenario.replace(random_seed=seed))

    return attempt(edit, world)


def _id(row: int) -> Edit:
    def edit(world: World) -> World | None:
        people = world.census.employees()
        plain = default_employees(len(people), world.scenario)[row]
        changed = replace(people[row], employee_id=plain.employee_id, employee_ssn=plain.employee_ssn)
        return _with_row(world, people, row, changed)

    return edit


def _seed(seed: int) -> Edit:
    def edit(world: World) -> World | None:
        if world.scenario.random_seed == seed:
            return None
        return replace(world, scenario=world.scenario.replace(random_seed=seed))

    return edit


def _column(column: str) -> Edit:
    def edit(world: World) -> World | None:
        people = [replace(a, **{column: getattr(b, column)}) for a, b in _pairs(world)]
        changed = World(Census.from_employees(people), world.scenario)
        return None if changed.fingerprint == world.fingerprint else changed

    return edit


def _cell(row: int, column: str) -> Edit:
    def edit(world: World) -> World | None:
        plain = default_employees(row + 1, world.scenario)[row]
        return _set(row, column, getattr(plain, column))(world)

    return edit


def _set(row: int, column: str, value: Any) -> Edit:
    def edit(world: World) -> World | None:
        people = world.census.employees()
        return _with_row(world, people, row, replace(people[row], **{column: value}))

    return edit


def _with_row(world: World, people: list[Employee], row: int, person: Employee) -> World | None:
    if people[row] == person:
        return None
    people[row] = person
    return World(Census.from_employees(people), world.scenario)


def _pairs(world: World) -> list[tuple[Employee, Employee]]:
    return list(zip(world.census.employees(), default_employees(len(world.census), world.scenario), strict=True))
