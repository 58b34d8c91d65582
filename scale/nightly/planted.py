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
from differential.run import Capabilities, Run, capabilities_of
from differential.variant import Variant
from fixtures.census import Employee
from fixtures.world import World

RARE_SALT = "1"
RARE_OF = 1_700_000
"""Pairs of two people, of which one is wrong. `python -m scale.nightly.rarity` measures in how many worlds one is."""
_ODD = np.uint64(0x9E3779B97F4A7C15)
CENT = Decimal("0.01")


class WrongPay:
    """The Polars engine, but for some people's pay, which is a cent too high in every year."""

    base = "polars"

    def __init__(self, name: str, wrong: Callable[[World], str | None]) -> None:
        self.name, self._wrong = name, wrong

    @property
    def capabilities(self) -> Capabilities:
        return capabilities_of(get_engine(self.base))

    def run(self, worlds: Sequence[World], variant: Variant) -> Run:
        """The engine's run, with the pay of the person that `wrong` names of each world."""
        run = get_engine(self.base).run(worlds, variant)
        if run.proof is not None:
            run = replace(run, proof=replace(run.proof, engine=self.name))
        people = [self._wrong(world) for world in worlds]
        if not any(people):
            return run
        turn = iter(people)

        def edit(events: pa.Table, state: pa.Table) -> tuple[pa.Table, pa.Table]:
            person = next(turn)
            return events, state if person is None else _raised(state, person)

        return run.map(edit)


def _raised(state: pa.Table, person: str) -> pa.Table:
    place = state.schema.get_field_index("current_salary")
    ids, pay = state["employee_id"].to_pylist(), state["current_salary"].to_pylist()
    wrong = [amount + CENT if one == person else amount for one, amount in zip(ids, pay, strict=True)]
    field = state.schema.field(place)
    return state.set_column(place, field, pa.array(wrong, field.type))


def wrong_pair(world: World, of: int = RARE_OF) -> str | None:
    """The id of a person whose pay is wrong because of another one, None in nearly every world.

    Decided by pay, dates and rate of the two alone, by a hash: it stays when others leave, when years and rules change and the
    two get other names, so that a world is reduced to the two; and nothing but trying leads to it.
    """
    here = [one for one in world.census.employees() if one.termination_date is None]
    marks = {_mark(one): one.employee_id for one in here}
    hashed = np.array(sorted(marks), np.uint64)
    drawn = (hashed[:, None] ^ (hashed[None, :] >> np.uint64(1))) * _ODD >> np.uint64(16)
    wrong = np.triu(drawn % np.uint64(of) == 0, 1)
    return marks[int(hashed[np.argwhere(wrong)[0][0]])] if wrong.any() else None


def _mark(person: Employee) -> int:
    text = f"{RARE_SALT} {person.pay_cents} {person.hire_date} {person.birth_date} {person.deferral_bp}"
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")


class FlakyEngine(WrongPay):
    """Goes wrong on the first world of many people that it meets, once in the life of a process."""

    least = 5

    def __init__(self) -> None:
        super().__init__("polars+flaky", self._once)
        self._gone_wrong = False

    def _once(self, world: World) -> str | None:
        here = [one for one in world.census.employees() if one.termination_date is None]
        if self._gone_wrong or len(here) < self.least:
            return None
        self._gone_wrong = True
        return here[0].employee_id


rare = WrongPay("polars+rare", wrong_pair)
flaky = FlakyEngine()
