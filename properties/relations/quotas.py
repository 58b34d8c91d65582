"""Quotas and selections of one year, computed by the relations themselves from docs/simulation.md, sections 4, 5.2 to 5.5.

Written from the specification alone: a relation that asks an engine for the quotas would believe whatever it says.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from differential.run import WorldResult
from fixtures.census import employee_key
from fixtures.scenario import Scenario
from fixtures.world import World
from properties.relations.edits import in_force, initial_level

EXIT_SELECTION, NEW_HIRE_EXIT_SELECTION = 1, 7
_WORD = (1 << 64) - 1


def draw(key: int, seed: int, year: int, stream: int) -> int:
    """Section 4: the fold of seed, key, year and stream."""
    state = 0
    for word in (seed, key, year, stream):
        state = _mix((state + 0x9E3779B97F4A7C15 + word) & _WORD)
    return state


def _mix(z: int) -> int:
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _WORD
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _WORD
    return z ^ (z >> 31)


@dataclass(frozen=True)
class Opening:
    """The opening set of a year: level by employee id, and how many were hired in the year before."""

    levels: Mapping[str, int]
    previous_hires: int


@dataclass(frozen=True)
class YearPlan:
    """Who leaves and which hire numbers there are: exits by id, level by hire number, leaving hires by id."""

    exits: frozenset[str]
    hires: tuple[int, ...]
    new_hire_exits: frozenset[str]


def first_opening(world: World) -> Opening:
    """The opening set of the first year, from the census (5.1)."""
    people = in_force(world)
    rows = zip(people["employee_id"].to_pylist(), people["pay_cents"].to_pylist(), strict=True)
    return Opening({name: initial_level(world.scenario, pay) for name, pay in rows}, 0)


def opening_after(result: WorldResult, year: int) -> Opening:
    """The opening set of the year after `year`, from that year's state rows."""
    columns = ("employee_id", "simulation_year", "is_active", "current_level", "hire_date")
    rows = [row for row in _rows(result.state, columns) if row[1] == year and row[2]]
    return Opening({row[0]: row[3] for row in rows}, sum(row[4].year == year for row in rows))


def year_plan(scenario: Scenario, year: int, opening: Opening) -> YearPlan:
    """The year's selections (5.2 to 5.5)."""
    counts = Counter(opening.levels.values())
    population = [counts[level] for level in range(1, len(scenario.levels) + 1)]
    exits, hires, leaving = totals(scenario, len(opening.levels), opening.previous_hires)
    chosen: set[str] = set()
    for level, quota in enumerate(split(exits, population), 1):
        members = [name for name, held in opening.levels.items() if held == level]
        chosen |= set(_smallest(members, quota, scenario, year, EXIT_SELECTION))
    by_number = [level for level, quota in enumerate(split(hires, population), 1) for _ in range(quota)]
    names = [f"NH_{year}_{number:06d}" for number in range(1, hires + 1)]
    out = _smallest(names, leaving, scenario, year, NEW_HIRE_EXIT_SELECTION)
    return YearPlan(frozenset(chosen), tuple(by_number), frozenset(out))


def totals(scenario: Scenario, n: int, p: int) -> tuple[int, int, int]:
    """Experienced exits, hires and new-hire exits of a year that opens with n people, p of them hired the year before (5.2)."""
    g, t, h = scenario.target_growth_rate, scenario.total_termination_rate, scenario.new_hire_termination_rate
    target = (2 * n * (10_000 + g) + 10_000) // 20_000
    exits = ((n - p) * t + p * h) // 10_000
    net = target - (n - exits)
    if net <= 0:
        return exits - net, 0, 0
    hires = -(-10_000 * net // (10_000 - h))
    return exits, hires, hires - net


def split(total: int, population: Sequence[int]) -> list[int]:
    """Largest remainder over the levels, ties to the lower one (5.3)."""
    n = sum(population)
    if not n:
        return [0] * len(population)
    parts = [total * count // n for count in population]
    order = sorted(range(len(population)), key=lambda level: (-(total * population[level] % n), level))
    for level in order[: total - sum(parts)]:
        parts[level] += 1
    return parts


def _smallest(names: Iterable[str], count: int, scenario: Scenario, year: int, stream: int) -> list[str]:
    ranked = sorted(
        (draw(employee_key(name), scenario.random_seed, year, stream), name.encode(), name) for name in names
    )
    return [name for _, _, name in ranked[:count]]


def _rows(table: pa.Table, columns: Sequence[str]) -> list[tuple[Any, ...]]:
    return list(zip(*(table[name].to_pylist() for name in columns), strict=True))


def moves(result: WorldResult) -> Counter[tuple[int, str]]:
    """How many were hired, left, and left in the year of their hire: by (year, what), from the events."""
    found: Counter[tuple[int, str]] = Counter()
    for year, event, payload in _rows(result.events, ("simulation_year", "event_type", "event_payload")):
        if event == "hire":
            found[year, "hires"] += 1
        elif event == "termination":
            found[year, "new-hire exits" if '"new_hire"' in payload else "experienced exits"] += 1
    return found
