"""Check and Violation: what must hold, and one place where it does not."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Check:
    """One entry of docs/checks.md.

    id: such as `I19` or `M05`. title: a few words. sentence: what must hold, in one sentence. clauses: the parts it is checked in,
    each with its formula, as the report prints it.
    """

    id: str
    title: str
    sentence: str
    clauses: dict[str, str]

    @property
    def key(self) -> tuple[str, int]:
        """Sorts I2 before I10."""
        return self.id[0], int(self.id[1:])


@dataclass(frozen=True)
class Violation:
    """One place where a check does not hold.

    check, clause: as in Check. world: index of the world in the run that was judged. found, expected: the two sides of the
    clause's formula, as text. Where it lies: employee_id, year, event_type; None where the clause is about more than that.
    """

    check: str
    clause: str
    world: int
    found: str
    expected: str
    employee_id: str | None = None
    year: int | None = None
    event_type: str | None = None

    @property
    def signature(self) -> str:
        """Sanitised: the same for the same failure in another world; names no person and no value."""
        return f"{self.check}|{self.clause}|{self.event_type or '-'}"
