"""Who a person is, what a year starts and ends with, and what happened in it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import NamedTuple

from fixtures.scenario import Limits, Scenario

HIRE, ELIGIBILITY, PROMOTION, RAISE, ENROLLMENT, ESCALATION, OPT_OUT = 1, 2, 3, 4, 5, 6, 7
CONTRIBUTION, MATCH, CORE, TERMINATION = 8, 9, 10, 11
"""Event codes: docs/simulation.md, section 6."""


@dataclass(slots=True)
class Person:
    """What never changes. `draws` is the fold of seed and key; `hire_number` is None for the census."""

    employee_id: str
    ssn: str
    key: int
    birth_date: dt.date
    hire_date: dt.date
    eligibility_date: dt.date
    draws: int
    hire_number: int | None = None


class State(NamedTuple):
    """What one year hands to the next; pay and balance in cents, rate in basis points (0 = not enrolled)."""

    level: int
    pay: int
    rate: int
    enrollment_date: dt.date | None
    opted_out: bool
    balance: int


class Event(NamedTuple):
    """One event; amounts in cents, rates in basis points. `payload` is the finished JSON text."""

    code: int
    day: dt.date
    payload: str
    amount: int | None = None
    previous_amount: int | None = None
    rate: int | None = None
    previous_rate: int | None = None


@dataclass(slots=True)
class Year:
    """One simulated year of one scenario."""

    scenario: Scenario
    year: int
    first_day: dt.date
    last_day: dt.date
    days: int
    limits: Limits
    promotion_day: dt.date
    raise_day: dt.date
    escalation_day: dt.date

    @property
    def is_first(self) -> bool:
        """Whether this is the first simulated year."""
        return self.year == self.scenario.start_year


@dataclass(slots=True)
class PersonYear:
    """One person in one year: the opening state (of a new hire: at hire), what happened, and the running state.

    `draws` is the fold of seed, key and year. `pays` and `rates` list the values with the day each starts, in order of
    time; the first entry starts with the employed window.
    """

    person: Person
    year: Year
    opening: State
    draws: int
    exit_day: dt.date | None = None
    exit_reason: str = ""
    level: int = 0
    pays: list[tuple[dt.date, int]] = field(default_factory=list)
    rates: list[tuple[dt.date, int]] = field(default_factory=list)
    enrollment_date: dt.date | None = None
    opted_out: bool = False
    prorated: int = 0
    contribution: int = 0
    match: int = 0
    core: int = 0
    events: list[Event] = field(default_factory=list)

    def start(self) -> None:
        """Set the running state to the opening state."""
        first = max(self.year.first_day, self.person.hire_date)
        opening = self.opening
        self.level = opening.level
        self.pays = [(first, opening.pay)]
        self.rates = [(first, opening.rate)]
        self.enrollment_date, self.opted_out = opening.enrollment_date, opening.opted_out

    @property
    def last_day(self) -> dt.date:
        """The exit, or 31 December: the end of the employed window."""
        return self.exit_day or self.year.last_day

    @property
    def pay(self) -> int:
        """Pay now, in cents."""
        return self.pays[-1][1]

    @property
    def rate(self) -> int:
        """Deferral rate now, in basis points."""
        return self.rates[-1][1]

    @property
    def hired_this_year(self) -> bool:
        """Whether this is a new hire of the year."""
        return self.person.hire_date >= self.year.first_day

    def employed_on(self, day: dt.date) -> bool:
        """hire <= day <= termination."""
        return self.person.hire_date <= day and (self.exit_day is None or day <= self.exit_day)

    def closing(self) -> State:
        """What the next year starts with."""
        balance = self.opening.balance + self.contribution + self.match + self.core
        return State(self.level, self.pay, self.rate, self.enrollment_date, self.opted_out, balance)
