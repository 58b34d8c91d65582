"""The worlds of the machine: a few companies for each scenario name, and changes of their rules."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import pyarrow.compute as pc

from differential.pool import gather
from fixtures.census import Census
from fixtures.company import companions
from fixtures.scenario import Scenario
from fixtures.strategies import affordable_years, worlds
from fixtures.world import World

Name = tuple[str, str]
NAMES: tuple[Name, ...] = (("base", "main"), ("base", "other"), ("Base", "main"))
"""scenario_id and plan_design_id of what lies in one file: alike in one of the two, or in all but a capital letter."""

MAX_PEOPLE = 8
MAX_YEARS = 4
COMPANIES = 3
EARLIEST_START, LATEST_START = 1950, 2200
"""Bounds of start_year (docs/simulation.md, section 3)."""
_DRAWN = 48
_OTHER_SEED = 0x1234_5678


def _unchanged(world: World) -> World:
    return world


def _other_seed(world: World) -> World:
    seed = world.scenario.random_seed ^ _OTHER_SEED
    return replace(world, scenario=world.scenario.replace(random_seed=seed))


def _zero_rates(world: World) -> World:
    """Nobody is hired, leaves, is promoted, raised or enrolled: far fewer rows than before (M04)."""
    scenario = world.scenario
    promotion = {**scenario.to_dict()["promotion"], "base_hazard": 0}
    rules = scenario.replace(
        target_growth_rate=0, total_termination_rate=0, new_hire_termination_rate=0, cola_rate=0,
        merit_rates=[0] * len(scenario.levels), promotion=promotion, auto_enrollment={"enabled": False},
        voluntary_enrollment={"enabled": False}, employer_match={"enabled": False}, employer_core={"enabled": False},
    )  # fmt: skip
    return replace(world, scenario=rules)


def _fewer_years(world: World) -> World:
    return replace(world, scenario=world.scenario.replace(end_year=world.scenario.start_year))


def _fewer_people(world: World) -> World:
    return replace(world, census=world.census.take(range((len(world.census) + 1) // 2)))


def _earlier_start(world: World) -> World:
    """A year earlier, without those who left in that year: their leaving would lie ahead."""
    return _moved(world, -1)


def _later_start(world: World) -> World:
    return _moved(world, 1)


def _moved(world: World, years: int) -> World:
    old = world.scenario
    start, end = old.start_year + years, old.end_year + years
    if not EARLIEST_START <= start <= LATEST_START:
        return world
    limits = dict(old.to_dict()["limits"])
    limits.setdefault(start, limits[old.start_year])
    limits.setdefault(end, limits[old.end_year])
    scenario = old.replace(start_year=start, end_year=end, limits=limits)
    table = world.census.table
    left = pc.fill_null(pc.greater_equal(pc.year(table["termination_date"]), start), False)
    return World(Census(table.filter(pc.invert(left))), scenario)


def _infeasible(world: World) -> World:
    """All new hires leave and the company grows: no rows, whatever was there before (5.2)."""
    return replace(world, scenario=world.scenario.replace(target_growth_rate=1, new_hire_termination_rate=1))


UNCHANGED = "unchanged"
CHANGES: Mapping[str, Callable[[World], World]] = {
    UNCHANGED: _unchanged,
    "another seed": _other_seed,
    "all rates zero": _zero_rates,
    "fewer years": _fewer_years,
    "fewer people": _fewer_people,
    "a year earlier": _earlier_start,
    "a year later": _later_start,
    "infeasible": _infeasible,
}


@dataclass(frozen=True)
class Palette:
    """companies: per name, worlds of 1 to 8 people and 1 to 4 years, the plainest first; derived: each under each change."""

    derived: Mapping[tuple[Name, int, str], World]

    def world(self, name: Name, company: int, change: str) -> World:
        return self.derived[name, company, change]

    def worlds(self) -> list[World]:
        """All of them, each input once."""
        return list({world.fingerprint: world for world in self.derived.values()}.values())


def make_palette(seed: int) -> Palette:
    """For each name one plain company and two generated from the seed; no two names share a generated one."""
    drawn = [w for w in gather(worlds(max_employees=MAX_PEOPLE, max_years=MAX_YEARS), _DRAWN, seed, None) if _lively(w)]
    drawn = [*drawn, _plain(), *_spare()][: len(NAMES) * (COMPANIES - 1)]
    derived: dict[tuple[Name, int, str], World] = {}
    for position, name in enumerate(NAMES):
        for company, world in enumerate([_plain(), *drawn[position :: len(NAMES)]]):
            named = _named(world, name)
            for change, make in CHANGES.items():
                derived[name, company, change] = make(named)
    return Palette(derived)


def _lively(world: World) -> bool:
    """Years enough for a past and a future, and possible in all of them."""
    scenario = world.scenario
    people = int(pc.sum(pc.is_null(world.census.table["termination_date"])).as_py() or 0)
    return len(scenario.years) >= 3 and affordable_years(scenario, people) >= len(scenario.years)


def _plain() -> World:
    """Two people, one of whom enrols by a draw, for three years under the default rules: enough for most failures."""
    return World(companions()[0].census.take([0, 2]), Scenario.create(end_year=2027))


def _spare() -> list[World]:
    """Where the seed drew too few."""
    census = companions()[0].census
    return [World(census.take(range(size)), Scenario.create(end_year=2028, random_seed=size)) for size in range(3, 8)]


def _named(world: World, name: Name) -> World:
    scenario, plan = name
    return replace(world, scenario=world.scenario.replace(scenario_id=scenario, plan_design_id=plan))
