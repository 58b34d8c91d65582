"""Key and Triple: designed cases, as data. The keys stand in keys_*.py, the triples in boundaries_*.py."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from fixtures.census import Employee
from fixtures.world import World
from properties.relations.designed import Measure, person, world


@dataclass(frozen=True)
class Key:
    """One key of docs/simulation.md, section 3, with a world that shows it.

    path: as in the table there, keys of list entries after a dot. low, high: two values, as changes to the calm rules of
    designed.py. sees: what is measured, in words. direction: how the measure answers when low becomes high. values: the two
    measures where arithmetic gives them.
    """

    path: str
    low: Mapping[str, Any]
    high: Mapping[str, Any]
    sees: str
    measure: Measure
    direction: Literal["up", "down", "other"] = "up"
    values: tuple[Any, Any] | None = None
    people: Sequence[Employee] = (person(),)

    @property
    def formula(self) -> str:
        """The clause, for the report."""
        sign = {"up": ">", "down": "<", "other": "!="}[self.direction]
        known = f" ({self.values[0]} and {self.values[1]})" if self.values else ""
        return f"{self.sees} with {self.path} changed {sign} {self.sees} before{known}"

    def worlds(self) -> tuple[World, World]:
        """The world with the low value, and the one with the high."""
        name = {} if self.path in ("scenario_id", "plan_design_id") else {"scenario_id": f"M11.{self.path}"}
        return world(self.people, **name, **self.low), world(self.people, **name, **self.high)


@dataclass(frozen=True)
class Triple:
    """A boundary in three worlds.

    name: the boundary. rule: the section it stands in. worlds: below, at and above. sees, measure: what is looked at; expected:
    its three values. moving: event types that may come and go.
    """

    name: str
    rule: str
    worlds: tuple[World, World, World]
    sees: str
    measure: Measure
    expected: tuple[Any, Any, Any]
    moving: tuple[str, ...] = ()

    @property
    def formula(self) -> str:
        """The clause, for the report."""
        below, at, above = self.expected
        return f"{self.sees} = {below} below, {at} at, {above} above ({self.rule})"
