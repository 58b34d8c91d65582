"""What a twin changed is told in a line, whatever it was."""

from __future__ import annotations

from dataclasses import replace

import pytest

from differential.reduction.measure import default_employees
from fixtures.census import Census
from fixtures.scenario import Scenario
from fixtures.world import World
from properties.changes import describe_change

PEOPLE = default_employees(3, Scenario())
BASE = World(Census.from_employees(PEOPLE), Scenario())
NEW = replace(PEOPLE[0], employee_id="N1", employee_ssn="1")


@pytest.mark.parametrize(
    ("twin", "told"),
    [
        (BASE, "the same world"),
        (World(BASE.census.take([2, 0, 1]), BASE.scenario), "the rows in another order"),
        (World(Census.from_employees([*PEOPLE, NEW]), BASE.scenario), "1 person more (N1)"),
        (World(Census.from_employees(PEOPLE[:1]), BASE.scenario), "2 people less (E0002, E0003)"),
        (
            World(
                Census.from_employees([replace(one, employee_id=f"X{one.employee_id}") for one in PEOPLE]),
                BASE.scenario,
            ),
            "all people renamed, E0001 to XE0001",
        ),
        (
            World(Census.from_employees([replace(one, pay_cents=1) for one in PEOPLE]), BASE.scenario),
            "pay_cents of E0001 6000000 -> 1 and 2 more",
        ),
        (
            World(BASE.census, BASE.scenario.replace(cola_rate=0, end_year=2026)),
            "end_year 2027 -> 2026; cola_rate 0.01 -> 0",
        ),
    ],
)
def test_a_change_in_a_line(twin: World, told: str) -> None:
    assert describe_change(BASE, twin) == told
