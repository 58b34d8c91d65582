"""Engines with a planted regression, for --engine scale.power.planted:NAME. Each is the polars engine with one thing added."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import duckdb
import numpy as np
import pyarrow.compute as pc

from differential.engines import get_engine
from differential.run import Capabilities, Run, capabilities_of
from differential.schemas import STATE_TABLE
from differential.variant import Variant
from fixtures.world import World

Inner = Callable[[Variant], Run]
BASE = "polars"
SLOWDOWN = 0.10
PEAK_BYTES = 600_000_000
PEAK_SECONDS = 0.2
LEAK_BYTES = 5_000_000
_kept: list[np.ndarray] = []


class Planted:
    """An engine that runs `change(variant, inner)` in place of the built-in one, under a name of its own."""

    def __init__(self, name: str, change: Callable[[Variant, Inner], Run]) -> None:
        self.name, self._change = f"{BASE}+{name}", change

    @property
    def capabilities(self) -> Capabilities:
        return capabilities_of(get_engine(BASE))

    def run(self, worlds: Sequence[World], variant: Variant) -> Run:
        """The built-in engine's run with the regression in it."""
        run = self._change(variant, lambda changed: get_engine(BASE).run(worlds, changed))
        return run if run.proof is None else replace(run, proof=replace(run.proof, engine=self.name))


def _clean(variant: Variant, inner: Inner) -> Run:
    return inner(variant)


def _slower(variant: Variant, inner: Inner) -> Run:
    """A tenth of the run's time more, all of it computing."""
    started = time.perf_counter()
    run = inner(variant)
    until = time.perf_counter() + SLOWDOWN * (time.perf_counter() - started)
    while time.perf_counter() < until:
        pass
    return run


def _quadratic_delete(variant: Variant, inner: Inner) -> Run:
    """X29 of docs/checks.md: the last year is written again, and what it replaces is found by a join on a constant key.

    A quarter of the year's rows is joined, which is quadratic all the same and keeps a trial short.
    """
    run = inner(variant)
    if variant.database is not None:
        _refresh(variant.database, variant.threads)
    return run


def _refresh(database: Path, threads: int) -> None:
    with duckdb.connect(str(database), config={"threads": str(threads)}) as connection:
        last = f"(SELECT max(simulation_year) FROM {STATE_TABLE})"
        connection.execute(f"CREATE TEMP TABLE again AS FROM {STATE_TABLE} WHERE simulation_year = {last}")
        connection.execute(
            f"DELETE FROM {STATE_TABLE} USING (FROM again LIMIT (SELECT count(*) // 4 FROM again)) AS r "
            f"WHERE {STATE_TABLE}.scenario_id = r.scenario_id AND {STATE_TABLE}.simulation_year = r.simulation_year"
        )
        connection.execute(f"INSERT INTO {STATE_TABLE} FROM again")


def _leak(variant: Variant, inner: Inner) -> Run:
    """Five megabytes of each run outlive it."""
    run = inner(variant)
    _kept.append(np.ones(LEAK_BYTES, np.uint8))
    return run


def _memory_peak(variant: Variant, inner: Inner) -> Run:
    """600 MB for 200 ms."""
    block = np.ones(PEAK_BYTES, np.uint8)
    time.sleep(PEAK_SECONDS)
    del block
    return inner(variant)


def _dropped_year(variant: Variant, inner: Inner) -> Run:
    """The last year's rows are lost."""
    run = inner(variant)
    last = pc.max(run.state["simulation_year"])
    return run.map(
        lambda events, state: (
            events.filter(pc.not_equal(events["simulation_year"], last)),
            state.filter(pc.not_equal(state["simulation_year"], last)),
        )
    )


def _one_thread(variant: Variant, inner: Inner) -> Run:
    """Runs with one thread, whatever was asked, and says so."""
    return inner(replace(variant, threads=1))


def _one_thread_hidden(variant: Variant, inner: Inner) -> Run:
    """As above, with a proof that says what was asked."""
    run = _one_thread(variant, inner)
    return run if run.proof is None else replace(run, proof=replace(run.proof, threads=variant.threads))


clean = Planted("clean", _clean)
slower = Planted("slower", _slower)
x29 = Planted("x29", _quadratic_delete)
leak = Planted("leak", _leak)
memory_peak = Planted("memory_peak", _memory_peak)
dropped_year = Planted("dropped_year", _dropped_year)
one_thread = Planted("one_thread", _one_thread)
one_thread_hidden = Planted("one_thread_hidden", _one_thread_hidden)
