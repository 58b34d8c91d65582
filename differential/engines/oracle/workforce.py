"""The opening set, exits and hires: docs/simulation.md, 5.1, 5.3 to 5.5."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import NamedTuple

from differential.engines.oracle import draws
from differential.engines.oracle.people import Person, PersonYear, State, Year
from differential.engines.oracle.quotas import Quota, split_over_levels
from differential.engines.oracle.units import ONE_DAY, anniversary, days_in_year
from fixtures.census import CENSUS_SCHEMA
from fixtures.scenario import Scenario
from fixtures.world import World

FIRST_SSN = 900_000_000
SSN_PER_YEAR = 1_000_000


class OpeningSet(NamedTuple):
    """The people of the first opening set with their opening state, by employee_id; census rows hired later."""

    people: list[tuple[Person, State]]
    ignored_hires: int


def opening_set(world: World) -> OpeningSet:
    """5.1: who is there when the first year begins."""
    scenario, opening_day = world.scenario, world.opening_date
    seeded = draws.fold(0, scenario.random_seed)
    table = world.census.table
    columns = [table.column(name).to_pylist() for name in CENSUS_SCHEMA.names]
    people: list[tuple[Person, State]] = []
    ignored = 0
    for employee_id, ssn, key, birth, hire, termination, pay, rate in zip(*columns, strict=True):
        if hire > opening_day:
            ignored += 1
        elif termination is None:
            eligible = eligibility_date(scenario, birth, hire)
            person = Person(employee_id, ssn, key, birth, hire, eligible, draws.fold(seeded, key))
            enrolled = opening_day if rate > 0 else None
            people.append((person, State(initial_level(scenario, pay), pay, rate, enrolled, False, 0)))
    people.sort(key=lambda item: item[0].employee_id)
    return OpeningSet(people, ignored)


def initial_level(scenario: Scenario, pay: int) -> int:
    """The highest level whose band minimum is <= pay, else 1 (section 2)."""
    return max((number for number, band in enumerate(scenario.levels, 1) if band.minimum <= pay), default=1)


def eligibility_date(scenario: Scenario, birth: dt.date, hire: dt.date) -> dt.date:
    """5.8: the later of reaching the minimum age and the end of the waiting period."""
    rules = scenario.eligibility
    return max(anniversary(birth, birth.year + rules.minimum_age), hire + dt.timedelta(days=rules.waiting_period_days))


def headcounts(scenario: Scenario, opening: Sequence[PersonYear]) -> list[int]:
    """People of the opening set per level, level 1 first."""
    counts = [0] * len(scenario.levels)
    for member in opening:
        counts[member.opening.level - 1] += 1
    return counts


def choose_exits(quota: Quota, opening: Sequence[PersonYear], counts: Sequence[int]) -> None:
    """5.3: set the exit of the experienced who leave this year."""
    for level, leaving in enumerate(split_over_levels(quota.exits, counts), 1):
        if leaving == 0:
            continue
        members = [member for member in opening if member.opening.level == level]
        for member in draws.smallest(members, leaving, exit_rank):
            offset = draws.fold(member.draws, draws.EXIT_DATE) % member.year.days
            member.exit_day = member.year.first_day + dt.timedelta(days=offset)
            member.exit_reason = "experienced"


def exit_rank(member: PersonYear) -> tuple[int, str]:
    """What experienced exits are selected by, the smallest first."""
    return draws.fold(member.draws, draws.EXIT_SELECTION), member.person.employee_id


def make_hires(quota: Quota, year: Year, counts: Sequence[int]) -> list[PersonYear]:
    """5.4: this year's hires, numbered over the levels in ascending order."""
    levels = [level for level, coming in enumerate(split_over_levels(quota.hires, counts), 1) for _ in range(coming)]
    return [make_hire(year, number, level) for number, level in enumerate(levels, 1)]


def make_hire(year: Year, number: int, level: int) -> PersonYear:
    """Hire `number` (from 1) of the year, into this level."""
    scenario = year.scenario
    employee_id = f"NH_{year.year}_{number:06d}"
    key = draws.text_key(employee_id)
    person_draws = draws.fold(draws.fold(0, scenario.random_seed), key)
    drawn = draws.fold(person_draws, year.year)
    # Never 31 December, so that a new hire who leaves can leave after the day of the hire.
    hire = year.first_day + dt.timedelta(days=draws.fold(drawn, draws.HIRE_DATE) % (year.days - 1))
    birth_year = year.year - hire_age(scenario, draws.fold(drawn, draws.HIRE_AGE))
    birth_offset = draws.fold(drawn, draws.HIRE_BIRTH_DAY) % days_in_year(birth_year)
    birth = dt.date(birth_year, 1, 1) + dt.timedelta(days=birth_offset)
    band = scenario.levels[level - 1]
    pay = band.minimum + draws.fold(drawn, draws.HIRE_PAY) % (band.maximum - band.minimum + 1)
    ssn = f"SSN-{FIRST_SSN + (year.year - scenario.start_year) * SSN_PER_YEAR + number}"
    eligible = eligibility_date(scenario, birth, hire)
    person = Person(employee_id, ssn, key, birth, hire, eligible, person_draws, number)
    return PersonYear(person, year, State(level, pay, 0, None, False, 0), drawn)


def hire_age(scenario: Scenario, drawn: int) -> int:
    """The first age whose cumulative weight is above the draw modulo the total weight."""
    remaining = drawn % sum(entry.weight for entry in scenario.new_hire_ages)
    for entry in scenario.new_hire_ages:
        remaining -= entry.weight
        if remaining < 0:
            return entry.age
    raise AssertionError("the draw is below the total weight")


def choose_new_hire_exits(quota: Quota, hires: Sequence[PersonYear]) -> None:
    """5.5: set the exit of the new hires who leave in the year of their hire."""
    for member in draws.smallest(hires, quota.new_hire_exits, new_hire_exit_rank):
        first = member.person.hire_date + ONE_DAY
        days = (member.year.last_day - member.person.hire_date).days
        member.exit_day = first + dt.timedelta(days=draws.fold(member.draws, draws.NEW_HIRE_EXIT_DATE) % days)
        member.exit_reason = "new_hire"


def new_hire_exit_rank(member: PersonYear) -> tuple[int, str]:
    """What new-hire exits are selected by, the smallest first."""
    return draws.fold(member.draws, draws.NEW_HIRE_EXIT_SELECTION), member.person.employee_id
