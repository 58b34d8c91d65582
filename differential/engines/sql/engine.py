"""SqlEngine: runs, resumes and saves simulations of many worlds with DuckDB."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import replace

import duckdb
import numpy as np
import pyarrow as pa

from differential.engines.sql import database
from differential.engines.sql.resume import run_in_two_legs
from differential.engines.sql.simulate import Record, Saved, simulate
from differential.engines.sql.year import Plan
from differential.run import Capabilities, Proof, Run
from differential.schemas import EVENTS_SCHEMA, STATE_SCHEMA
from differential.variant import Variant, VariantError, legacy_forced, switches_in_force
from fixtures.world import World


class SqlEngine:
    """The rules of docs/simulation.md as DuckDB statements over all worlds at once."""

    name = "sql"
    capabilities = Capabilities(batch_size=False)

    def run(self, worlds: Sequence[World], variant: Variant) -> Run:
        """Simulate every year of the worlds.

        Raises:
            VariantError: a batch_size, or a database with several worlds of one scenario_id and plan_design_id.
            DatabaseError: the database file cannot be used; it is as it was.
        """
        check_variant(worlds, variant)
        years = max((len(world.scenario.years) for world in worlds), default=0)
        if variant.database is not None:
            database.check(variant.database)
        if variant.resume is None:
            run = self.simulate_years(worlds, variant, 0, years)
        else:
            run = run_in_two_legs(self, worlds, variant, years)
        return save(run, worlds, variant, first=0)

    def run_years(self, worlds: Sequence[World], variant: Variant, first: int, count: int) -> Run:
        """Simulate the years with index first .. first + count - 1 (0 is each world's first year); returns their rows only.

        With first > 0 the past is read from variant.database; with a database, its rows of those and later years are
        replaced.

        Raises:
            VariantError: as `run`; first > 0 without a database, or a resume.
            DatabaseError: as `run`, or the file cannot be gone on from.
            SqlEngineError: it lacks the year before, or that year is not this world's.
        """
        check_variant(worlds, variant)
        if variant.resume is not None:
            raise VariantError("run_years goes on from a database by itself: leave resume out")
        if first < 0 or count < 0:
            raise VariantError(f"first and count must not be negative, not {first} and {count}")
        if variant.database is not None:
            database.check(variant.database)
        saved = None
        if first > 0:
            if variant.database is None:
                raise VariantError("years after the first need variant.database, the file that holds the years before")
            events_needed = "incremental_state" not in switches_in_force(variant)
            saved = database.read(variant.database, worlds, first, events=events_needed)
        run = self.simulate_years(worlds, variant, first, count, saved)
        return save(run, worlds, variant, first)

    def simulate_years(
        self, worlds: Sequence[World], variant: Variant, first: int, count: int, saved: Saved | None = None
    ) -> Run:
        """As run_years, from `saved` tables and without touching a database."""
        plan = Plan(switches_in_force(variant), variant.shards, variant.threads)
        record = simulate(worlds, plan, first, count, saved)
        with record.timed("output"):
            events, event_counts = gather(record.events, EVENTS_SCHEMA, len(worlds))
            state, state_counts = gather(record.state, STATE_SCHEMA, len(worlds))
        bounds = tuple(zip(event_counts, state_counts, strict=True))
        return Run(
            events,
            state,
            proof=_proof(worlds, plan, record),
            bounds=bounds if len(worlds) != 1 else None,
            infeasible=record.infeasible,
        )


def check_variant(worlds: Sequence[World], variant: Variant) -> None:
    """Raise VariantError for what this engine does not have."""
    if variant.batch_size is not None:
        raise VariantError("the sql engine has no batch_size: DuckDB's vector size is compiled in")
    if variant.database is not None:
        pairs = [(world.scenario.scenario_id, world.scenario.plan_design_id) for world in worlds]
        repeated = next((pair for pair in pairs if pairs.count(pair) > 1), None)
        if repeated:
            raise VariantError(
                f"{variant.database}: {pairs.count(repeated)} worlds have scenario_id {repeated[0]!r} and plan_design_id "
                f"{repeated[1]!r}; rows in a database are told apart by these, so give each world its own"
            )


def save(run: Run, worlds: Sequence[World], variant: Variant, first: int) -> Run:
    """Leave the run's tables in variant.database, if there is one; returns the run with that in its proof."""
    if variant.database is None:
        return run
    begin = time.perf_counter()
    database.write(variant.database, worlds, run, first, variant.threads)
    assert run.proof is not None
    seconds = {**run.proof.seconds, "database": time.perf_counter() - begin}
    return replace(run, proof=replace(run.proof, database=str(variant.database), seconds=seconds))


def gather(years: dict[int, pa.Table], schema: pa.Schema, worlds: int) -> tuple[pa.Table, list[int]]:
    """Tables per year, each world by world, as one table world by world, and the rows of each world."""
    counts = {index: np.bincount(table["world"].to_numpy(), minlength=worlds) for index, table in years.items()}
    totals: list[int] = np.sum([np.zeros(worlds, np.int64), *counts.values()], axis=0).tolist()
    parts = [table.drop_columns("world").cast(schema) for table in years.values()]
    table = pa.concat_tables(parts) if parts else schema.empty_table()
    if worlds > 1 and len(parts) > 1:
        # a stable sort of the years' rows by world
        order = np.argsort(np.concatenate([table["world"].to_numpy() for table in years.values()]), kind="stable")
        table = table.take(pa.array(order))
    return table, totals


def _proof(worlds: Sequence[World], plan: Plan, record: Record) -> Proof:
    return Proof(
        engine=SqlEngine.name,
        versions={"duckdb": duckdb.__version__, "pyarrow": pa.__version__},
        pid=os.getpid(),
        threads=record.threads,
        switches=plan.branches.taken,
        inputs=tuple(world.fingerprint for world in worlds),
        shard_rows=tuple(record.shard_rows.tolist()),
        forced_legacy=legacy_forced(),
        statements=record.statements,
        rows=dict(record.rows),
        planned=dict(record.planned),
        ignored_hires=record.ignored_hires,
        fallbacks=plan.branches.mixed,
        legs=(os.getpid(),),
        seconds=dict(record.seconds),
        year_seconds=tuple(record.year_seconds),
    )
