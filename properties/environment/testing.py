"""Engines for the tests whose results hang on the environment: the oracle, with one number added that it must not know."""

from __future__ import annotations

import datetime as dt
import locale
import multiprocessing
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from differential.engines.oracle import OracleEngine
from differential.run import Capabilities, Run
from differential.variant import Variant
from fixtures.world import World

_WITH_THREADS = Capabilities(resume=False, batch_size=False, database=False, shards=False)
Amount = Callable[[Sequence[World], Variant], int]


@dataclass(frozen=True)
class Leaking:
    """Adds `amount` to every age in the state."""

    name: str
    amount: Amount
    capabilities: Capabilities = _WITH_THREADS

    def run(self, worlds: Sequence[World], variant: Variant) -> Run:
        run = OracleEngine().run(worlds, Variant())
        assert run.proof is not None
        amount = pa.scalar(self.amount(worlds, variant) % 1_000_000, pa.int32())
        place = run.state.schema.get_field_index("current_age")
        ages = pc.add(run.state["current_age"], amount)
        proof = replace(run.proof, engine=self.name, threads=variant.threads)
        return replace(run, state=run.state.set_column(place, run.state.field(place), ages), proof=proof)


def _places_in_a_set(*_: object) -> int:
    order = {letter: place for place, letter in enumerate(set("abcdefghijklmnop"))}
    return order["a"] + 16 * order["b"] + 256 * order["c"]


def _library_year(*_: object) -> int:
    return int(duckdb.connect().execute("SELECT year(now()::TIMESTAMP)").fetchall()[0][0])


def _start_method(*_: object) -> int:
    return int(multiprocessing.parent_process() is not None)


def _encoding(*_: object) -> int:
    return len(locale.nl_langinfo(locale.CODESET)) + 100 * len(locale.localeconv()["thousands_sep"] or "")


LEAKS: dict[str, Amount] = {
    "hash": lambda *_: hash("x"),
    "set_order": _places_in_a_set,
    "today": lambda *_: dt.date.today().year,  # noqa: DTZ011 - the fault
    "library_clock": _library_year,
    "local_time": lambda *_: time.localtime(0).tm_hour * 100 + time.localtime(0).tm_mday,
    "locale": _encoding,
    "threads": lambda _, variant: variant.threads,
    "first_row": lambda worlds, _: sum(
        int(world.census.table["pay_cents"][0].as_py()) for world in worlds if len(world.census)
    ),
    "folder": lambda *_: len(str(Path.cwd())),
    "optimisation": lambda *_: int(__debug__),
    "start_method": _start_method,
}
"""By name: what must have no influence."""


def _all(worlds: Sequence[World], variant: Variant) -> int:
    return hash(
        tuple(amount(worlds, variant) for name, amount in LEAKS.items() if name not in ("hash", "set_order"))
    ) + hash("x")


def __getattr__(name: str) -> Leaking:
    """`properties.environment.testing:today` is the engine with that leak."""
    if name in LEAKS:
        return Leaking(name, LEAKS[name])
    raise AttributeError(name)


everything = Leaking("everything", _all)
one_thread = Leaking("one_thread", lambda *_: 0, capabilities=replace(_WITH_THREADS, threads=False))
