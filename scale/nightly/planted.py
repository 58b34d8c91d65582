"""Engines with faults that only a campaign meets, for its figures and tests; `--engine scale.nightly.planted:rare`.

rare     a fault that about one generated world in 100 000 shows, and shows every time
flaky    an engine that goes wrong once in a process, on one world, and never again
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pyarrow as pa

from differential.engines import get_engine
from differential.run import Capabilities, Engine, Run, capabilities_of
from differential.variant import Variant
from fixtures.census import Employee
from fixtures.world import World

RARE_OF = 200_000
"""Couples of two people, of which one is wrong. A world has five; most recur, since generated people share traits."""
RARE_SALT = np.uint64(0xD749AA90D4334B45)
"""Chosen so that none of the couples that recur often is wrong: one of 128 000 generated worlds shows the fault. With 200 times
as many wrong couples 602 do, so that a salt chosen blindly gives 2.4 in 100 000 (`python -m scale.nightly.bench rare`)."""
MOST_PEOPLE = 500
"""Of a world whose couples are looked at: generated ones have 60 at most, and the couples of a hundred thousand take all memory."""
_ODD = np.uint64(0x9E3779B97F4A7C15)
CENT = Decimal("0.01")


Wrong = Callable[[World], str | None]
"""The id of the person of a world for whom an engine is wrong, None where it is right."""


class WrongEngine:
    """An engine, but for one amount of some people in the state table, which is a cent too high in every year.

    column: of that amount. base: the engine, a SPEC or another one that is wrong.
    """

    def __init__(self, name: str, column: str, wrong: Wrong, base: str | Engine = "polars") -> None:
        self.name, self._column, self._wrong, self._base = name, column, wrong, base

    @property
    def base(self) -> Engine:
        """The engine that makes the tables."""
        return get_engine(self._base) if isinstance(self._base, str) else self._base

    @property
    def capabilities(self) -> Capabilities:
        return capabilities_of(self.base)

    def run(self, worlds: Sequence[World], variant: Variant) -> Run:
        """The engine's run, with the amount of the person that `wrong` names of each world."""
        run = self.base.run(worlds, variant)
        if run.proof is not None:
            run = replace(run, proof=replace(run.proof, engine=self.name))
        people = [self._wrong(world) for world in worlds]
        if not any(people):
            return run
        turn = iter(people)

        def edit(events: pa.Table, state: pa.Table) -> tuple[pa.Table, pa.Table]:
            person = next(turn)
            return events, state if person is None else self._raised(state, person)

        return run.map(edit)

    def _raised(self, state: pa.Table, person: str) -> pa.Table:
        place = state.schema.get_field_index(self._column)
        ids, amounts = state["employee_id"].to_pylist(), state[self._column].to_pylist()
        wrong = [amount + CENT if one == person else amount for one, amount in zip(ids, amounts, strict=True)]
        field = state.schema.field(place)
        return state.set_column(place, field, pa.array(wrong, field.type))


def wrong_pair(world: World, of: int = RARE_OF) -> str | None:
    """The id of a person whose pay is wrong because of another one, None in nearly every world.

    Decided by pay, dates and rate of the two alone, by a hash: it stays when others leave, when years and rules change and the
    two get other names, so that a world is reduced to the two; and nothing but trying leads to it.
    """
    here = [one for one in world.census.employees() if one.termination_date is None]
    if len(here) > MOST_PEOPLE:
        return None
    marks = {_mark(one): one.employee_id for one in here}
    hashed = np.array(sorted(marks), np.uint64)
    drawn = (hashed[:, None] ^ (hashed[None, :] >> np.uint64(1)) ^ RARE_SALT) * _ODD
    wrong = np.triu(drawn < np.uint64(2**64 // of), 1)
    return marks[int(hashed[np.argwhere(wrong)[0][0]])] if wrong.any() else None


def _mark(person: Employee) -> int:
    text = f"1 {person.pay_cents} {person.hire_date} {person.birth_date} {person.deferral_bp}"
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")


class Once:
    """Wrong about the first world of some people that it meets, and never again in this process."""

    least = 5

    def __init__(self) -> None:
        self._gone_wrong = False

    def __call__(self, world: World) -> str | None:
        here = [one for one in world.census.employees() if one.termination_date is None]
        if self._gone_wrong or len(here) < self.least:
            return None
        self._gone_wrong = True
        return here[0].employee_id


rare = WrongEngine("polars+rare", "current_salary", wrong_pair)
flaky = WrongEngine("polars+flaky", "current_salary", Once())
