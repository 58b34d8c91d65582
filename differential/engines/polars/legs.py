"""One leg of a run: some years, in one process, from the start or from saved tables."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import duckdb
import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from differential.engines.polars import database, morsels
from differential.engines.polars.ledger import Ledger, Route
from differential.engines.polars.restore import restore
from differential.engines.polars.scratch import Scratch
from differential.engines.polars.simulate import Saved, Simulation
from differential.engines.polars.tables import render
from differential.run import Proof, Run, empty_tables
from fixtures.world import World

_Number = TypeVar("_Number", int, float)

ENGINE = "polars"
MAX_THREADS = "POLARS_MAX_THREADS"
_EVENTS_FILE, _STATE_FILE = "events.arrow", "state.arrow"


@dataclass(frozen=True)
class Leg:
    """What to run: year offsets first..last - 1 on a route, leaving the rows in `database` if there is one.

    saved: folder of a leg without a database that a leg with first > 0 goes on from; see `save`.
    """

    worlds: tuple[World, ...]
    route: Route
    threads: int
    first: int
    last: int
    forced_legacy: bool = False
    batch_size: int | None = None
    database: Path | None = None
    saved: Path | None = None

    def environment(self) -> dict[str, str]:
        """What must be set before Polars is first imported."""
        size = {} if self.batch_size is None else morsels.environment(self.batch_size)
        return {MAX_THREADS: str(self.threads), **size}

    def fits_this_process(self) -> bool:
        """Whether Polars was imported here with these settings."""
        sized = self.batch_size is None or morsels.asked_for_here(self.batch_size)
        return sized and pl.thread_pool_size() == self.threads


def run_leg(leg: Leg) -> Run:
    """Run the leg in this process; the Run has the rows of its years only."""
    if leg.database is not None:
        database.check(leg.database)
    ledger = Ledger()
    if not leg.worlds:
        return Run(*empty_tables(), proof=_proof(leg, ledger, {}, 0), bounds=())
    with ledger.timed("planning"):
        simulation = Simulation(leg.worlds, leg.route, ledger)
        saved = _saved(leg, simulation) if leg.first else None
    with Scratch(in_memory=leg.route.has("tuned_io")) as scratch:
        years = simulation.years(leg.first, leg.last, scratch, saved)
        with ledger.timed("output"):
            events, state, bounds = render(leg.worlds, years)
    if leg.database is not None:
        with ledger.timed("database"):
            database.replace(leg.database, leg.worlds, leg.first, events, state, leg.threads)
    plan = simulation.plan
    return Run(
        events,
        state,
        proof=_proof(leg, ledger, plan.totals(leg.first, leg.last), simulation.ignored_hires),
        bounds=bounds if len(leg.worlds) > 1 else None,
        infeasible=plan.infeasible,
    )


def save(run: Run, folder: Path) -> None:
    """Leave a leg's public tables in a folder, `world` first, for the leg that goes on from there."""
    bounds = np.array(run.bounds or [(run.events.num_rows, run.state.num_rows)], np.int64).reshape(-1, 2)
    for name, table, sizes in ((_EVENTS_FILE, run.events, bounds[:, 0]), (_STATE_FILE, run.state, bounds[:, 1])):
        world = pa.array(np.repeat(np.arange(len(sizes), dtype=np.int32), sizes))
        labelled = table.add_column(0, "world", world)
        with pa.OSFile(str(folder / name), "wb") as sink, pa.ipc.new_file(sink, labelled.schema) as writer:
            writer.write_table(labelled)


def join_legs(first: Run, second: Run) -> Run:
    """Two legs as one run: each world's rows of the first, then of the second."""
    parts = list(zip(first.results(), second.results(), strict=True))
    bounds = tuple(
        (before.events.num_rows + after.events.num_rows, before.state.num_rows + after.state.num_rows)
        for before, after in parts
    )
    joined = replace(
        first,
        events=pa.concat_tables(result.events for pair in parts for result in pair).combine_chunks(),
        state=pa.concat_tables(result.state for pair in parts for result in pair).combine_chunks(),
        bounds=None if first.bounds is None else bounds,
    )
    return replace(joined, proof=_join_proofs(first.proof, second.proof))


def _saved(leg: Leg, simulation: Simulation) -> Saved:
    needs_events = not leg.route.has("incremental_state")
    if leg.saved is None:
        assert leg.database is not None
        events, state = database.read(leg.database, leg.worlds, leg.first, leg.threads, events=needs_events)
    else:
        events = _load(leg.saved / _EVENTS_FILE) if needs_events else None
        state = _load(leg.saved / _STATE_FILE)
        years = pa.array([world.scenario.start_year + leg.first - 1 for world in leg.worlds], pa.int32())
        state = state.filter(pc.equal(state["simulation_year"], years.take(state["world"].combine_chunks())))
    return restore(simulation, leg.first, events, state)


def _load(path: Path) -> pa.Table:
    with pa.memory_map(str(path)) as source:
        return pa.ipc.open_file(source).read_all()


def _proof(leg: Leg, ledger: Ledger, planned: Mapping[str, int], ignored_hires: int) -> Proof:
    size = None if leg.batch_size is None else morsels.measured(leg.batch_size)
    other_size = () if size == leg.batch_size else (f"batch_size: {leg.batch_size} asked, {size} in force",)
    versions = {"polars": pl.__version__, "pyarrow": pa.__version__, "python": platform.python_version()}
    if leg.database is not None:
        versions["duckdb"] = duckdb.__version__
    return Proof(
        engine=ENGINE,
        versions=versions,
        pid=os.getpid(),
        threads=pl.thread_pool_size(),
        switches=frozenset(ledger.taken),
        inputs=tuple(world.fingerprint for world in leg.worlds),
        shard_rows=tuple(ledger.shard_rows[index] for index in range(leg.route.shards)),
        batch_size=size,
        forced_legacy=leg.forced_legacy,
        statements=ledger.statements,
        rows=dict(ledger.rows),
        planned=dict(planned),
        ignored_hires=ignored_hires,
        fallbacks=other_size,
        legs=(os.getpid(),),
        database=None if leg.database is None else str(leg.database),
        seconds=dict(ledger.seconds),
        year_seconds=tuple(ledger.year_seconds),
    )


def _join_proofs(first: Proof | None, second: Proof | None) -> Proof:
    assert first is not None
    assert second is not None
    return replace(
        second,
        switches=first.switches & second.switches,
        shard_rows=tuple(a + b for a, b in zip(first.shard_rows, second.shard_rows, strict=True)),
        statements=first.statements + second.statements,
        rows=_added(first.rows, second.rows),
        fallbacks=tuple(dict.fromkeys(first.fallbacks + second.fallbacks)),
        planned=_added(first.planned, second.planned),
        legs=first.legs + second.legs,
        seconds=_added(first.seconds, second.seconds),
        year_seconds=first.year_seconds + second.year_seconds,
    )


def _added(first: Mapping[str, _Number], second: Mapping[str, _Number]) -> dict[str, _Number]:
    return {name: first.get(name, 0) + second.get(name, 0) for name in {**first, **second}}
