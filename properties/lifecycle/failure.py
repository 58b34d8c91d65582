"""A life that failed, as a person reads it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fixtures.world import World
from properties.check import Violation
from properties.lifecycle.holding import CLAUSES, BrokenError

if TYPE_CHECKING:
    from properties.lifecycle.life import Life

_MOST_PEOPLE = 12


@dataclass(frozen=True)
class Failure:
    """steps: what was done, in order; the last one broke it. worlds: the scenarios that were in the file, by name."""

    steps: tuple[str, ...]
    violation: Violation
    detail: str
    worlds: tuple[tuple[str, World], ...]

    @classmethod
    def of(cls, error: Exception, life: Life) -> Failure:
        """What broke, or what an engine raised, which breaks the clause that every step can be done."""
        broken = error if isinstance(error, BrokenError) else _raised(error)
        worlds = tuple(("/".join(name), slot.world) for name, slot in life.slots.items())
        return cls(tuple(life.steps), broken.violation, broken.detail, worlds)

    @property
    def signature(self) -> str:
        """The same for the same failure in another life: no ids, values or dates."""
        return f"lifecycle|{self.violation.signature}"

    def describe(self) -> str:
        """Plain text: the clause, the steps, what differs, and the worlds."""
        clause = CLAUSES[self.violation.clause]
        lines = [f"{self.violation.check} {self.violation.clause}: {clause}", "", "steps"]
        lines += [f"  {line}" for line in numbered(self.steps)]
        lines += ["", f"after step {len(self.steps)}", *(f"  {line}" for line in self.detail.splitlines())]
        for name, world in self.worlds:
            lines += ["", f"{name}: {_people(world)}", *_scenario(world)]
        return "\n".join(lines)


def _raised(error: Exception) -> BrokenError:
    kind, text = type(error).__name__, " ".join(str(error).split())[:300]
    return BrokenError(Violation("M06", "runs", 0, f"{kind}: {text}", "no error", event_type=kind))


def numbered(steps: Iterable[str]) -> list[str]:
    """The steps as a list that can be done again by hand."""
    return [f"{number}. {step}" for number, step in enumerate(steps, 1)]


def _people(world: World) -> str:
    people = world.census.employees()
    shown = [
        f"  {one.employee_id}  born {one.birth_date}, hired {one.hire_date}, "
        + (f"left {one.termination_date}, " if one.termination_date else "")
        + f"pay {one.pay_cents / 100:.2f}, deferral {one.deferral_bp / 100:g} %"
        for one in people[:_MOST_PEOPLE]
    ]
    return "\n".join([f"{len(people)} {'person' if len(people) == 1 else 'people'}", *shown])


def _scenario(world: World) -> list[str]:
    return [f"  {line}" for line in world.scenario.to_yaml().splitlines() if "_id:" not in line]
