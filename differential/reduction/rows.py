"""Fewer employees: the first-divergent one and what the quotas need, then halves, then one by one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import chain, combinations

import numpy as np

from differential.reduction.pressure import pressures
from differential.reduction.search import Search, attempt
from fixtures.scenario import Scenario
from fixtures.world import World

READABLE = 5
"""Employees that a repro should not exceed."""
_SINGLES = 12
_SEEDS = 6


def few_people(search: Search) -> bool:
    """Straight to one or a few people, under the scenario as it is and under quotas that make something happen to few."""
    if len(search.best.census) == 1:
        return False
    world = search.best
    groups = [group for group in small_groups(world, search.observed.employee_id) if len(group) < len(world.census)]
    scenarios = [short_years(world.scenario, search.observed.year), world.scenario]
    rules = [*scenarios, *pressures(scenarios[0], search.observed.event_type)]
    if not search.many:
        # One by one, the likeliest only: the divergent person and a handful, under rules as they are and under pressure.
        tries = ((group, scenario) for scenario in [scenarios[0], *rules[2:4]] for group in groups[:2])
        return search.first("few people", (taken(world, *pair) for pair in tries), runs=6)
    ordered = sorted(((g, s) for g in groups for s in rules), key=lambda pair: len(pair[0]))
    return search.first("few people", (taken(world, *pair) for pair in ordered), runs=4)


def lottery(search: Search, tickets: int = 192) -> bool:
    """One to five people under drawn quotas and seeds: for failures that hang on a coincidence of counts."""
    world = search.best
    if len(world.census) <= READABLE // 2:
        return False
    draw = np.random.default_rng(len(world.census))
    groups = list(small_groups(world, search.observed.employee_id))
    groups = [group for group in groups if len(group) < len(world.census)]
    if not groups:
        return False
    base = short_years(world.scenario, search.observed.year)

    def tickets_drawn() -> Iterator[World | None]:
        for _ in range(tickets):
            keys = {
                "target_growth_rate": str(draw.integers(-5, 11) / 10),
                "total_termination_rate": str(draw.integers(0, 11) / 10),
                "random_seed": int(draw.integers(0, 100)),
            }
            if draw.integers(2):
                keys["new_hire_termination_rate"] = str(draw.integers(0, 10) / 10)
            group = groups[int(draw.integers(len(groups)))]
            yield attempt(lambda w, g=group, k=keys: World(w.census.take(g), base.replace(**k)), world)  # type: ignore[misc]

    return search.first("quotas", tickets_drawn(), runs=2 if search.many else 4)


def fewer_rows(search: Search) -> bool:
    """Delta debugging over rows: a part alone, or all but a part, in ever smaller parts."""
    changed, parts = False, 4 if search.many else 2
    while len(search.best.census) > 1 and not search.spent:
        count = len(search.best.census)
        parts = min(parts, count)
        if search.many and count <= 24:
            parts = count
        if search.first("rows", _parts(search, parts), runs=1 if search.many else 2 * parts):
            changed, parts = True, max(2, parts // 2)
        elif parts >= count:
            return changed
        else:
            parts *= 4 if search.many else 2
    return changed


def _parts(search: Search, parts: int) -> Iterator[World | None]:
    """The parts, each with the divergent person, then all but each part."""
    world = search.best
    count = len(world.census)
    pieces = np.array_split(np.arange(count), parts)
    wanted = _index_of(world, search.observed.employee_id)
    must = [] if wanted is None else [wanted]
    alone = [np.union1d(piece, must).astype(int) for piece in pieces]
    without = [np.setdiff1d(np.arange(count), np.setdiff1d(piece, must)) for piece in pieces] if parts > 2 else []
    pairs = [np.array(pair) for pair in combinations(range(count), 2)] if 2 < parts == count <= 10 else []
    for rows in chain(pairs, alone, without):
        yield taken(world, rows, world.scenario) if 0 < len(rows) < count else None


def small_groups(world: World, employee_id: str | None) -> list[np.ndarray]:
    """Sets of one to five rows that stand for the whole: the divergent person, alone and with company of the same and of other
    levels; then single people, spread over the census; then a few of one level, and one of each."""
    wanted = _index_of(world, employee_id)
    levels = levels_of(world)
    everyone = np.arange(len(levels))
    first = everyone if wanted is None else np.concatenate([[wanted], everyone[everyone != wanted]])
    level = levels[first[0]]
    same = first[levels[first] == level]
    spread = first[np.unique(levels[first], return_index=True)[1]]
    one_each = np.unique(np.concatenate([first[:1], spread[:READABLE]]))
    singles = [everyone[at : at + 1] for at in np.linspace(0, len(levels) - 1, min(_SINGLES, len(levels))).astype(int)]
    groups = [
        first[:1],
        same[:READABLE],
        same[:2],
        same[:3],
        first[:2],
        first[:3],
        first[:READABLE],
        one_each[:READABLE],
        spread[:2],
    ]
    groups += [*singles, *(row[np.newaxis] for row in spread)]
    return _distinct([np.sort(group) for group in groups if len(group)])


def _distinct(groups: Sequence[np.ndarray]) -> list[np.ndarray]:
    return list({group.tobytes(): group for group in groups}.values())


def levels_of(world: World) -> np.ndarray:
    """Initial levels, 1.., by row (docs/simulation.md, section 2)."""
    minima = np.array([level.minimum for level in world.scenario.levels], np.int64)
    pay = world.census.table["pay_cents"].to_numpy()
    return np.maximum(np.searchsorted(minima, pay, side="right"), 1)


def short_years(scenario: Scenario, year: int | None) -> Scenario:
    """The scenario up to the year of the first divergence."""
    return scenario if year not in scenario.years else scenario.replace(end_year=year)


def taken(world: World, rows: np.ndarray, scenario: Scenario) -> World | None:
    """Some rows of the census under another scenario; None if they do not go together."""
    return attempt(lambda w: replace(w, census=w.census.take(rows), scenario=scenario), world)


def _index_of(world: World, employee_id: str | None) -> int | None:
    if employee_id is None:
        return None
    at = world.census.table["employee_id"].index(employee_id).as_py()  # type: ignore[union-attr]
    return None if at < 0 else int(at)
