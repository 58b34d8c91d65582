"""The first difference of two results in simulated time: where to start looking.

Order (docs/simulation.md, section 5): an infeasible world, the schema, then per year the selections in their order
(experienced exits 5.3, hires 5.4, new-hire exits 5.5: rows that are missing, extra or dated otherwise), then all other
differences of events by date, employee and event code, then the state rows at the year's end. A difference of selection
comes first although its date may be late, because its consequences may be dated earlier (a leaver's contribution
of a day carries a lower code than the exit itself).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from differential.run import WorldResult
from fixtures.world import World

DivergenceKind = Literal["missing_left", "missing_right", "value", "duplicate", "schema", "infeasible"]
Event = Mapping[str, object]


@dataclass(frozen=True)
class Divergence:
    """Where two results part.

    table: of differential/schemas.py, `` for infeasible. kind: missing_left means that the row is on the right only.
    stage: of the specification, such as `raise (5.7)`. column, left, right: what differs: the values of that column, the
    whole row on one side (missing), the numbers of rows (duplicate), types (schema), reasons (infeasible).
    chain_left, chain_right: that employee's events up to and including this point, in order. census: the employee's
    census row, None for new hires or without a world. context: further lines for people, such as the year's counts.
    """

    table: str
    kind: DivergenceKind
    year: int | None
    stage: str
    employee_id: str | None = None
    event_type: str | None = None
    event_date: dt.date | None = None
    column: str | None = None
    left: object = None
    right: object = None
    chain_left: tuple[Event, ...] = ()
    chain_right: tuple[Event, ...] = ()
    census: Mapping[str, object] | None = None
    context: tuple[str, ...] = ()

    def signature(self, subject: str) -> str:
        """`subject|table|event type|column|kind`, with subject the pair or rule: no ids, values or dates, so that it is the
        same for the same failure in a smaller or another world."""
        raise NotImplementedError

    def describe(self, left: str = "left", right: str = "right") -> str:
        """Plain text for people, aligned and short."""
        raise NotImplementedError


def first_divergence(left: WorldResult, right: WorldResult, world: World | None = None) -> Divergence | None:
    """The first difference in simulated time, None where the two results are exactly equal."""
    raise NotImplementedError
