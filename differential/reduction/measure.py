"""How simple a world is: what the reducer makes smaller, most important first."""

from __future__ import annotations

import datetime as dt

from fixtures.census import Employee
from fixtures.scenario import Scenario
from fixtures.world import World

CELLS_UP_TO = 200
"""Employees beyond which cells do not count: people do not read such a census yet, and weighing it costs more than a run."""

Weight = tuple[int, ...]
_DEFAULT_LIMITS = Scenario().to_dict()["limits"]


def weight(world: World) -> Weight:
    """Smaller is simpler: employees, years, ids of one's own, changed scenario keys, changed cells, then how plain they are."""
    scenario = world.scenario
    keys, text = rules_weight(scenario)
    size = (len(world.census), len(scenario.years))
    if len(world.census) > CELLS_UP_TO:
        return (*size, 0, keys, text)
    plain = default_employees(len(world.census), scenario)
    people = world.census.employees()
    own_ids = sum(a.employee_id != b.employee_id for a, b in zip(people, plain, strict=True))
    own_ids += sum(a.employee_ssn != b.employee_ssn for a, b in zip(people, plain, strict=True))
    costs = [cost for a, b in zip(people, plain, strict=True) for cost in cell_costs(a, b)]
    return (*size, own_ids, keys, sum(cost > 0 for cost in costs), sum(costs), text)


def changed_keys(scenario: Scenario) -> int:
    """Number of scenario values that differ from the defaults, each entry of a list or mapping counted.

    The last year is not counted: it is what makes fewer years, which weighs more.
    """
    return rules_weight(scenario)[0]


def rules_weight(scenario: Scenario) -> tuple[int, int]:
    """The number of changed values, and how long they are when written down."""
    changed = scenario.to_dict(only_changed=True)
    text = len(str(changed))
    changed.pop("end_year", None)
    limits = changed.pop("limits", {})
    own_years = sum(values != _DEFAULT_LIMITS.get(year) for year, values in limits.items())
    return own_years + sum(_leaves(value) for value in changed.values()), text


def _leaves(value: object) -> int:
    if isinstance(value, dict):
        return sum(_leaves(item) for item in value.values())
    if isinstance(value, (list, tuple)):
        return sum(_leaves(item) for item in value)
    return 1


def default_employees(count: int, scenario: Scenario) -> list[Employee]:
    """The plainest people: E0001, .., born 1985-01-01, hired 2020-01-01, pay 60 000.00, not enrolled.

    For early simulations they are born and hired as much earlier as is needed to be in the opening set.
    """
    born, hired = dt.date(min(1985, scenario.start_year - 40), 1, 1), dt.date(min(2020, scenario.start_year - 5), 1, 1)
    return [Employee(f"E{n:04}", f"SSN-{n:09}", born, hired, 6_000_000) for n in range(1, count + 1)]


def cell_costs(person: Employee, plain: Employee) -> tuple[int, ...]:
    """Per cell 0 for the default, else more for a value that is harder to read; ids and ssn are counted apart."""
    return (
        _date_cost(person.birth_date, plain.birth_date),
        _date_cost(person.hire_date, plain.hire_date),
        _date_cost(person.termination_date, None),
        _number_cost(person.pay_cents, plain.pay_cents),
        _number_cost(person.deferral_bp, 0),
    )


def _date_cost(value: dt.date | None, plain: dt.date | None) -> int:
    if value == plain:
        return 0
    if value is None:
        return 1
    return 1 if value.day == value.month == 1 else 2 if value.day == 1 else 3


def _number_cost(value: int, plain: int) -> int:
    return 0 if value == plain else 1 + len(str(value).rstrip("0"))
