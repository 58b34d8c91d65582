"""Fewer employees: the first-divergent one and what the quotas need, then halves, then one by one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import chain, combinations

import numpy as np

from differential.reduction.model import Observed
from differential.reduction.pressure import pressures
from differential.reduction.search import WORLDS_A_CALL, Search, attempt
from fixtures.scenario import Scenario
from fixtures.world import World

READABLE = 5
"""Employees that a repro should not exceed."""
_SINGLES = 12
_ALL_AT_ONCE = 24
_FEW_RUNS = 18
_LOTTERY_RUNS = 14
_ROW_RUNS = 16
"""What each way to fewer people may use of the runs while a run takes one candidate."""


def few_people(search: Search) -> bool:
    """Straight to one or a few people, under the scenario as it is and under rules that make something happen to few."""
    world, seen = search.best, search.observed
    if len(world.census) == 1:
        return False
    short = short_years(world.scenario, seen.year)
    pressed = pressures(short, seen.event_type)
    groups = [group for group in small_groups(world, seen.employee_id) if len(group) < len(world.census)]
    if search.many:
        pairs = [(group, rules) for group in groups for rules in (short, world.scenario, *pressed)]
        pairs.sort(key=lambda pair: len(pair[0]))
    else:
        pairs = _likeliest(groups, short, world.scenario, pressed, quotas=of_quotas(search.observed))
    return search.first("few people", (taken(world, *pair) for pair in pairs), runs=4 if search.many else _FEW_RUNS)


def of_quotas(seen: Observed) -> bool:
    """Whether the failure hangs on who is hired or leaves, so that few people need other rates to show it."""
    return seen.event_type in ("hire", "termination") or (seen.employee_id or "").startswith("NH_")


def _likeliest(
    groups: Sequence[np.ndarray], short: Scenario, whole: Scenario, pressed: Sequence[Scenario], *, quotas: bool
) -> list[tuple[np.ndarray, Scenario]]:
    """For one run a candidate: one, two, five; as it is for a failure of the person's own, under pressure for one of quotas."""
    alone, five = groups[0], groups[-1]
    pairs = [group for group in groups if len(group) == 2][:2] or [five]
    if quotas:
        tries = [*((alone, rules) for rules in pressed[:5]), *((pairs[0], rules) for rules in pressed[:6])]
        # Which side's row is missing first hangs on the draws.
        again = [(pairs[0], rules.replace(random_seed=seed)) for seed in (1, 2) for rules in pressed[:2]]
        return [*tries, *again, *((group, pressed[0]) for group in (*pairs[1:], five)), (five, short)]
    return [(alone, short), *((group, short) for group in pairs), (alone, whole), (five, short), (alone, pressed[0])]


def lottery(search: Search) -> bool:
    """Two to five people under drawn quotas and seeds: for failures that hang on a coincidence of counts."""
    world = search.best
    count = len(world.census)
    if count <= 2 or (count <= READABLE and not search.many):
        return False
    draw = np.random.default_rng(count)
    groups = [group for group in small_groups(world, search.observed.employee_id) if len(group) < count]
    if not search.many:
        groups = [group for group in groups if len(group) > 1] or groups
    base = short_years(world.scenario, search.observed.year)
    bases = [base, *pressures(base, search.observed.event_type)[:1]]
    tickets = (_ticket(world, groups, bases, draw) for _ in range(2 * WORLDS_A_CALL))
    return search.first("quotas", tickets, runs=2 if search.many else _LOTTERY_RUNS)


def lottery_of_quotas(search: Search) -> bool:
    """The lottery before anything slower: where few candidates can be tried and the failure is one of quotas."""
    return not search.many and len(search.best.census) > READABLE and of_quotas(search.observed) and lottery(search)


def _ticket(
    world: World, groups: Sequence[np.ndarray], bases: Sequence[Scenario], draw: np.random.Generator
) -> World | None:
    keys: dict[str, str | int] = {
        "target_growth_rate": str(draw.integers(-5, 11) / 10),
        "total_termination_rate": str(draw.integers(0, 11) / 10),
        "random_seed": int(draw.integers(0, 100)),
    }
    if draw.integers(2):
        keys["new_hire_termination_rate"] = str(draw.integers(0, 10) / 10)
    scenario = bases[int(draw.integers(len(bases)))].replace(**keys)
    return taken(world, groups[int(draw.integers(len(groups)))], scenario)


def fewer_rows(search: Search) -> bool:
    """Delta debugging over rows: a part alone, or all but a part, in ever smaller parts."""
    changed, parts, runs = False, 4 if search.many else 2, search.runs
    while len(search.best.census) > 1 and not search.spent:
        count = len(search.best.census)
        if count > READABLE and not search.many and search.runs - runs > _ROW_RUNS:
            return changed
        parts = count if search.many and count <= _ALL_AT_ONCE else min(parts, count)
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
    groups = [first[:1], spread[:2], same[:2], one_each[:READABLE], same[:3], first[:3], first[:READABLE]]
    groups += [*singles, *(row[np.newaxis] for row in spread), same[:READABLE]]
    return _distinct([np.sort(group) for group in groups if len(group)])


def _distinct(groups: Sequence[np.ndarray]) -> list[np.ndarray]:
    return list({group.tobytes(): group for group in groups}.values())


def levels_of(world: World) -> np.ndarray:
    """Initial levels, 1.., by row (docs/simulation.md, section 2)."""
    minima = np.array([level.minimum for level in world.scenario.levels], np.int64)
    pay = world.census.table["pay_cents"].to_numpy()
    levels: np.ndarray = np.maximum(np.searchsorted(minima, pay, side="right"), 1)
    return levels


def short_years(scenario: Scenario, year: int | None) -> Scenario:
    """The scenario up to the year of the first divergence."""
    return scenario if year not in scenario.years else scenario.replace(end_year=year)


def taken(world: World, rows: np.ndarray, scenario: Scenario) -> World | None:
    """Some rows of the census under another scenario; None if they do not go together."""
    return attempt(lambda w: replace(w, census=w.census.take(rows), scenario=scenario), world)


def _index_of(world: World, employee_id: str | None) -> int | None:
    if employee_id is None:
        return None
    at = world.census.table["employee_id"].index(employee_id).as_py()
    return None if at < 0 else int(at)
