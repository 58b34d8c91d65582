"""Stopping a run after some years and going on in a new process, from the saved public tables alone."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from differential import workers
from differential.engines.sql.simulate import Saved
from differential.run import Proof, Run
from differential.variant import Variant, switches_in_force
from fixtures.world import World

if TYPE_CHECKING:
    from differential.engines.sql.engine import SqlEngine

TIMEOUT = 3600.0


def run_in_two_legs(engine: SqlEngine, worlds: Sequence[World], variant: Variant, years: int) -> Run:
    """Simulate the first variant.resume years here and the rest in a new process.

    Where no world has more years than that there is no second leg, and the proof names one process.
    """
    assert variant.resume is not None
    here = replace(variant, resume=None, database=None)
    before = engine.simulate_years(worlds, here, 0, min(variant.resume, years))
    if years <= variant.resume:
        return before
    with tempfile.TemporaryDirectory(prefix="workforce-parity-") as folder:
        save(Path(folder), before, worlds, variant)
        after: Run = workers.call(
            "differential.engines.sql.resume:second_leg", list(worlds), here, variant.resume, years, folder,
            fresh=True, timeout=TIMEOUT,
        )  # fmt: skip
    return join(before, after)


def second_leg(worlds: Sequence[World], variant: Variant, first: int, years: int, folder: str) -> Run:
    """Simulate the years from index `first` on; the past is read from the tables that `save` left in `folder`."""
    from differential.engines.sql.engine import SqlEngine

    return SqlEngine().simulate_years(worlds, variant, first, years - first, load(Path(folder)))


def save(folder: Path, run: Run, worlds: Sequence[World], variant: Variant) -> None:
    """Write what the next leg reads: the last state of every world and, where states are folded, all events."""
    bounds = run.bounds or ((run.events.num_rows, run.state.num_rows),)
    events = _with_world(run.events, [rows for rows, _ in bounds])
    state = _with_world(run.state, [rows for _, rows in bounds])
    assert variant.resume is not None
    last_years = np.array([world.scenario.start_year + variant.resume - 1 for world in worlds])
    is_last = pc.equal(state["simulation_year"], pa.array(last_years[state["world"].to_numpy()], pa.int32()))
    folded = "incremental_state" not in switches_in_force(variant)
    tables = {"state": state.filter(is_last), "events": events if folded else events.slice(0, 0)}
    for name, table in tables.items():
        with pa.OSFile(str(folder / f"{name}.arrow"), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
            writer.write_table(table)


def load(folder: Path) -> Saved:
    """Read what `save` wrote."""

    def read(name: str) -> pa.Table:
        with pa.OSFile(str(folder / f"{name}.arrow"), "rb") as source:
            return pa.ipc.open_file(source).read_all()

    return Saved(state=read("state"), events=read("events"))


def join(before: Run, after: Run) -> Run:
    """Both legs as one run, each world's years in order."""
    assert before.proof is not None and after.proof is not None
    pairs = list(zip(before.results(), after.results(), strict=True))
    return Run(
        pa.concat_tables([part.events for pair in pairs for part in pair]).combine_chunks(),
        pa.concat_tables([part.state for pair in pairs for part in pair]).combine_chunks(),
        proof=_joined_proof(before.proof, after.proof),
        bounds=before.bounds
        and tuple((e1 + e2, s1 + s2) for (e1, s1), (e2, s2) in zip(before.bounds, after.bounds or (), strict=True)),
        infeasible=before.infeasible,
    )


def _joined_proof(first: Proof, second: Proof) -> Proof:
    return replace(
        second,
        pid=first.pid,
        switches=first.switches & second.switches,
        fallbacks=tuple(dict.fromkeys(first.fallbacks + second.fallbacks)),
        legs=first.legs + second.legs,
        statements=first.statements + second.statements,
        shard_rows=tuple(a + b for a, b in zip(first.shard_rows, second.shard_rows, strict=True)),
        rows=_sums(first.rows, second.rows),
        planned=_sums(first.planned, second.planned),
        seconds={name: float(value) for name, value in _sums(first.seconds, second.seconds).items()},
        year_seconds=first.year_seconds + second.year_seconds,
    )


def _sums(first: Mapping[str, float], second: Mapping[str, float]) -> dict[str, int]:
    return {name: first.get(name, 0) + second.get(name, 0) for name in {**first, **second}}  # type: ignore[misc]


def _with_world(table: pa.Table, rows: Sequence[int]) -> pa.Table:
    index = pa.array(np.repeat(np.arange(len(rows), dtype=np.int32), rows))
    return table.add_column(0, "world", index)
