"""Keeping people's data out of what is written down: social security numbers always, all else where the failure survives it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pyarrow as pa

from differential.reduction.measure import default_employees
from differential.reduction.model import Budget, Fails, Observed
from differential.reduction.search import as_observed, attempt
from fixtures.census import Census, Employee
from fixtures.units import MAX_PAY_CENTS
from fixtures.world import World

GROUPS: dict[str, tuple[str, ...]] = {
    "ids": ("employee_id",),
    "dates": ("birth_date", "hire_date", "termination_date"),
    "pay": ("pay_cents",),
}
"""What counts as people's data beside the ssn, and the columns it is in."""
_NAMES = {
    "employee_id": "employee_id",
    "birth_date": "employee_birth_date",
    "hire_date": "employee_hire_date",
    "termination_date": "employee_termination_date",
    "pay_cents": "employee_gross_compensation",
}
_COMBINATIONS = (
    frozenset({"ids", "dates", "pay"}), frozenset({"ids", "dates"}), frozenset({"ids", "pay"}),
    frozenset({"dates", "pay"}), frozenset({"ids"}), frozenset({"dates"}), frozenset({"pay"}), frozenset[str](),
)  # fmt: skip
_WORLDS_A_CALL = 4
CELLS_UP_TO = 30
"""People up to whom it is found out cell by cell what the failure needs of them."""
_IDS_TRIED = 64
SSN_STAYED = "employee_ssn: the failure needs the real ones, which are never written, so this repro does not show it"


@dataclass(frozen=True)
class Anonymised:
    """A world without people's data, as far as the failure survives that.

    own: the GROUPS that still hold the given values. stayed: in words, what could not be replaced. observed: the failure of
    `world`; None when it does not survive even masked ssn. runs: calls of the check.
    """

    world: World
    own: frozenset[str]
    stayed: tuple[str, ...]
    observed: Observed | None
    runs: int


def mask_ssn(census: Census) -> Census:
    """The census with every employee_ssn replaced by SSN-000000001, .. in row order."""
    masked = pa.array([f"SSN-{number:09}" for number in range(1, len(census) + 1)], pa.string())
    at = census.table.schema.get_field_index("employee_ssn")
    return Census(census.table.set_column(at, census.table.schema.field(at), masked))


def masked_ssn(world: World) -> World:
    """The world with its census masked so."""
    return replace(world, census=mask_ssn(world.census))


def anonymise(
    world: World,
    fails: Fails,
    *,
    many: bool = True,
    observed: Observed | str | None = None,
    own: frozenset[str] | None = None,
    cells: bool = False,
    budget: Budget | None = None,
) -> Anonymised:
    """The world with ssn masked, and with ids, dates and pay replaced where the failure survives it.

    own: the groups to replace, None for all. They are replaced whole, for everybody; with `cells` (for a reduced world: up to 30
    people) value by value, which leaves default values as they are and tells exactly what the failure needs.
    The ssn are masked even if the failure does not survive that.
    """
    own = frozenset(GROUPS) if own is None else own
    trial = _Trial(fails, as_observed(observed), many, budget or Budget())
    masked = masked_ssn(world)
    if trial.observed is None and trial.first([world]) is None:
        return Anonymised(masked, own, (SSN_STAYED, *sorted(own)), None, trial.runs)
    if cells and len(world.census) <= CELLS_UP_TO:
        return _by_cell(masked, own, trial)
    wanted = list(dict.fromkeys(groups & own for groups in _COMBINATIONS))
    found = trial.first([attempt(partial(_replaced, groups=groups), masked) for groups in wanted])
    if found is None:
        return Anonymised(masked, own, (SSN_STAYED, *sorted(own)), None, trial.runs)
    best, position = found
    left = own - wanted[position]
    stayed = [f"{_NAMES[column]} of all people" for group in sorted(left) for column in GROUPS[group]]
    return Anonymised(best, left, tuple(stayed), trial.observed, trial.runs)


class _Trial:
    """Runs candidates until one fails as the original does."""

    def __init__(self, fails: Fails, observed: Observed | None, many: bool, budget: Budget) -> None:
        self.observed, self.runs = observed, 0
        self._fails, self._many, self._budget = fails, many, budget

    def first(self, candidates: Sequence[World | None]) -> tuple[World, int] | None:
        """The first candidate that fails and its position; without a known failure, the first that fails at all."""
        made = [(world, position) for position, world in enumerate(candidates) if world is not None]
        rows = max((len(world.census) for world, _ in made), default=1)
        size = (_WORLDS_A_CALL if rows > CELLS_UP_TO else len(made)) if self._many else 1
        for at in range(0, len(made), max(1, size)):
            if self.runs >= self._budget.runs:
                return None
            self.runs += 1
            part = made[at : at + size]
            for item, verdict in zip(part, self._fails([world for world, _ in part]), strict=True):
                seen = as_observed(verdict)
                if seen is not None and (self.observed is None or seen.signature == self.observed.signature):
                    self.observed = seen
                    return item
        return None


def _replaced(world: World, groups: frozenset[str]) -> World:
    """All of these groups replaced: ids by position, dates moved by days, pay by a few per cent; the same every time."""
    people = world.census.employees()
    opening = world.opening_date
    draw = np.random.default_rng(len(people))
    days, percents = draw.integers(1, 46, (len(people), 2)), draw.integers(1, 11, len(people))
    signs = draw.choice([-1, 1], (len(people), 3))
    if "dates" in groups:
        moves = (days * signs[:, :2]).tolist()
        people = [_moved(one, birth, hire, opening) for one, (birth, hire) in zip(people, moves, strict=True)]
    if "pay" in groups:
        shares = (100 + percents * signs[:, 2]).tolist()
        people = [
            replace(one, pay_cents=_scaled(one.pay_cents, share)) for one, share in zip(people, shares, strict=True)
        ]
    if "ids" in groups:
        plain = default_employees(len(people), world.scenario)
        people = [replace(one, employee_id=other.employee_id) for one, other in zip(people, plain, strict=True)]
    return World(Census.from_employees(people), world.scenario)


def _moved(person: Employee, birth_days: int, hire_days: int, opening: dt.date) -> Employee:
    birth = max(person.birth_date + dt.timedelta(days=4 * birth_days), dt.date(1900, 1, 2))
    hire = person.hire_date + dt.timedelta(days=hire_days)
    if (hire > opening) != (person.hire_date > opening):
        hire = person.hire_date - dt.timedelta(days=hire_days)
    hire = max(hire, birth + dt.timedelta(days=15 * 366))
    end = person.termination_date
    if end is not None:
        end = min(max(hire, end + (hire - person.hire_date)), opening)
    return replace(person, birth_date=birth, hire_date=hire, termination_date=end)


def _scaled(cents: int, percent: int) -> int:
    digits = max(0, len(str(cents)) - 4)
    scaled = round(cents * percent // 100, -digits)
    return min(MAX_PAY_CENTS, max(1, scaled if scaled != cents else cents + 10**digits))


def _by_cell(world: World, own: frozenset[str], trial: _Trial) -> Anonymised:
    """Every value that is not the default employee's is replaced by another one, if the failure survives that."""
    stayed, groups = [], set()
    if trial.first([world]) is None:
        return Anonymised(world, own, (SSN_STAYED, *sorted(own)), None, trial.runs)
    for row in range(len(world.census)):
        for group, column in ((name, column) for name in sorted(own) for column in GROUPS[name]):
            person = world.census.employees()[row]
            plain = default_employees(row + 1, world.scenario)[row]
            if getattr(person, column) in (None, getattr(plain, column)):
                continue
            others = _others(person, column)
            found = trial.first([attempt(partial(_with_cell, row=row, column=column, value=v), world) for v in others])
            if found is None:
                stayed.append(f"{_NAMES[column]} of row {row + 1}")
                groups.add(group)
            else:
                world = found[0]
    return Anonymised(world, frozenset(groups), tuple(stayed), trial.observed, trial.runs)


def _with_cell(world: World, row: int, column: str, value: object) -> World:
    people = world.census.employees()
    changes: dict[str, object] = {column: value}
    people[row] = replace(people[row], **changes)  # type: ignore[arg-type]
    return World(Census.from_employees(people), world.scenario)


def _others(person: Employee, column: str) -> Iterator[object]:
    """Other values for a cell, the least telling first."""
    value = getattr(person, column)
    if column == "employee_id":
        yield from (f"E{number:04}" for number in range(1, _IDS_TRIED))
    elif column == "pay_cents":
        rounded = [round(value, -digits) for digits in (6, 5, 4, 2)]
        nearby = [value + step for step in (100_000, -100_000, 100, -100, 1, -1)]
        yield from (
            cents for cents in dict.fromkeys([*rounded, *nearby]) if 0 < cents <= MAX_PAY_CENTS and cents != value
        )
    else:
        firsts = [dt.date(value.year, 1, 1), value.replace(day=1)]
        nearby_days = [value + dt.timedelta(days=days) for days in (-200, 200, -20, 20, -1, 1)]
        yield from (day for day in dict.fromkeys([*firsts, *nearby_days]) if day != value)
