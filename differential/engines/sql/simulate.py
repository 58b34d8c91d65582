"""Simulate a range of years of many worlds on one session: load, plan, build year by year, collect."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from differential.engines.sql import parameters
from differential.engines.sql.errors import SqlEngineError
from differential.engines.sql.session import Session, in_memory, make_input_tables, on_disk, rule
from differential.engines.sql.year import Plan, build_year, statement
from differential.run import Infeasible
from fixtures.world import World, stack_censuses


@dataclass(frozen=True)
class Saved:
    """Public tables of earlier years with a first column `world`: all that a run needs to go on from them.

    state: the rows of the year before. events: of all years before; only read without incremental_state.
    """

    state: pa.Table
    events: pa.Table


@dataclass
class Record:
    """What a simulation made and did.

    events, state: per year index, its rows in canonical order, world by world, with a first column `world`.
    """

    threads: int = 0
    statements: int = 0
    ignored_hires: int = 0
    events: dict[int, pa.Table] = field(default_factory=dict)
    state: dict[int, pa.Table] = field(default_factory=dict)
    infeasible: dict[int, Infeasible] = field(default_factory=dict)
    rows: Counter[str] = field(default_factory=Counter)
    planned: Counter[str] = field(default_factory=Counter)
    shard_rows: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))
    seconds: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    year_seconds: list[float] = field(default_factory=list)

    @contextmanager
    def timed(self, stage: str) -> Iterator[None]:
        """Add the wall time of the block to a stage."""
        begin = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[stage] += time.perf_counter() - begin


def simulate(worlds: Sequence[World], plan: Plan, first: int, count: int, saved: Saved | None) -> Record:
    """Simulate year indexes first .. first + count - 1 of each world that has them.

    Raises:
        SqlEngineError: the saved tables do not hold the opening set that the worlds' plans start from.
    """
    record = Record(shard_rows=np.zeros(plan.shards, np.int64))
    with _session(plan) as session:
        record.threads = session.threads
        with record.timed("load"):
            _load(session, worlds)
        with record.timed("quotas"):
            quotas = _plan_quotas(session, plan, first, count, record)
        if saved is not None:
            _check_saved(saved, first, quotas.get(first, {}))
            _restore(session, plan, saved)
        for year_index in range(first, first + count):
            if year_index not in quotas:
                break
            begin = time.perf_counter()
            _simulate_year(session, plan, year_index, quotas[year_index], record)
            record.year_seconds.append(time.perf_counter() - begin)
        record.statements = session.statements
    if not record.state:
        # with no year to make, every way is gone to its end
        plan.branches.on.update(plan.switches)
    return record


def _session(plan: Plan) -> AbstractContextManager[Session]:
    if plan.tuned_io:
        plan.branches.on.add("tuned_io")
        return in_memory(plan.threads)
    plan.branches.off.add("tuned_io")
    return on_disk(plan.threads)


def _load(session: Session, worlds: Sequence[World]) -> None:
    make_input_tables(session)
    session.register("worlds_in", parameters.world_table(worlds))
    session.register("levels_in", parameters.level_table(worlds))
    session.register("age_weights_in", parameters.age_weight_table(worlds))
    session.register("years_in", parameters.year_table(worlds))
    session.register("census_in", stack_censuses(worlds))
    session.run(rule("load_world"))
    session.run("INSERT INTO level BY NAME SELECT * FROM levels_in")
    session.run("INSERT INTO age_weight BY NAME SELECT * FROM age_weights_in")
    session.run(rule("load_calendar"))
    session.run("INSERT INTO census BY NAME SELECT * FROM census_in")
    session.unregister_all()


def _plan_quotas(
    session: Session, plan: Plan, first: int, count: int, record: Record
) -> dict[int, dict[int, tuple[int, int, int, int]]]:
    """Plan all years, set aside worlds that cannot be simulated, and count what the plan promises.

    Returns per year index and world: headcount, hires, exits, new-hire exits.
    """
    session.run(rule("quotas"))
    rows = session.rows("SELECT * FROM quota ORDER BY world, year_index")
    starts = dict(session.rows("SELECT world, start_year FROM world"))
    record.ignored_hires = session.rows(
        "SELECT count(*) FROM census JOIN world USING (world) WHERE hire_date >= make_date(start_year, 1, 1)"
    )[0][0]
    record.infeasible = {
        world: Infeasible(code, starts[world] + year_index) for world, year_index, *_, code in rows if code is not None
    }
    if record.infeasible:
        # without a calendar a world takes part in no year
        session.run("DELETE FROM calendar WHERE world IN (SELECT world FROM quota WHERE code IS NOT NULL)")
    if "hazard_cache" in plan.switches:
        plan.branches.on.add("hazard_cache")
        session.run(rule("hazard_table"))
        record.rows["hazard_cache"] = session.rows("SELECT count(*) FROM hazard")[0][0]
    else:
        plan.branches.off.add("hazard_cache")
    quotas: dict[int, dict[int, tuple[int, int, int, int]]] = defaultdict(dict)
    record.planned.update(hires=0, exits=0, new_hire_exits=0)
    for world, year_index, headcount, hires, exits, new_hire_exits, _ in rows:
        if world in record.infeasible or not first <= year_index < first + count:
            continue
        quotas[year_index][world] = (headcount, hires, exits, new_hire_exits)
        record.planned.update(hires=hires, exits=exits, new_hire_exits=new_hire_exits)
    return dict(quotas)


def _check_saved(saved: Saved, first: int, quotas: Mapping[int, tuple[int, int, int, int]]) -> None:
    """The year before must have left each world's planned headcount: events alone do not tell that a year is missing."""
    active = np.bincount(
        saved.state["world"].to_numpy(), saved.state["is_active"].to_numpy(), max(quotas, default=0) + 1
    )
    for world, (headcount, *_) in quotas.items():
        if active[world] != headcount:
            raise SqlEngineError(
                f"world {world}, year index {first}: the saved state of the year before has {int(active[world])} active people, "
                f"the plan opens with {headcount}; the year before is missing or not this world's: run all years again"
            )


def _restore(session: Session, plan: Plan, saved: Saved) -> None:
    if "incremental_state" in plan.switches:
        plan.branches.on.add("incremental_state")
        session.register("saved_in", saved.state)
        session.run("CREATE OR REPLACE TABLE state_before AS FROM saved_in")
    else:
        plan.branches.off.add("incremental_state")
        session.register("saved_in", saved.events)
        session.run("CREATE OR REPLACE TABLE events_before AS FROM saved_in")
    session.unregister_all()


def _simulate_year(
    session: Session, plan: Plan, year_index: int, quotas: Mapping[int, tuple[int, int, int, int]], record: Record
) -> None:
    with record.timed("event_generation"):
        tables = build_year(session, plan, year_index)
        events = session.arrow(statement(tables, "events", ("person_year", "event_row")))
    with record.timed("state"):
        state = session.arrow(statement(tables, "state", ("person_year",)))
        _check_headcounts(state, year_index, quotas)
        _hand_over(session, plan, events, state)
    record.events[year_index], record.state[year_index] = events, state
    record.shard_rows += tables.shard_rows
    record.rows.update(opening=sum(quota[0] for quota in quotas.values()), person_years=state.num_rows)
    record.rows.update(events=events.num_rows, state=state.num_rows)


def _check_headcounts(state: pa.Table, year_index: int, quotas: Mapping[int, tuple[int, int, int, int]]) -> None:
    """The plan promised each world's rows before any was made; a difference means the opening set is not the plan's."""
    worlds = max(quotas) + 1
    made = np.bincount(state["world"].to_numpy(), minlength=worlds)
    left = np.bincount(state["world"].to_numpy(), ~state["is_active"].to_numpy(), minlength=worlds).astype(np.int64)
    for world, (headcount, hires, exits, new_hire_exits) in quotas.items():
        if (made[world], left[world]) != (headcount + hires, exits + new_hire_exits):
            raise SqlEngineError(
                f"world {world}, year index {year_index}: {made[world]} people of whom {left[world]} leave, where the plan has "
                f"{headcount} + {hires} hires, {exits} + {new_hire_exits} exits; the year before it is not this world's: "
                "run all years again"
            )


def _hand_over(session: Session, plan: Plan, events: pa.Table, state: pa.Table) -> None:
    """Keep what the next year opens from: the state, or else every event so far."""
    if "incremental_state" in plan.switches:
        plan.branches.on.add("incremental_state")
        session.register("handed_over", state)
        session.run("CREATE OR REPLACE TABLE state_before AS FROM handed_over")
    else:
        plan.branches.off.add("incremental_state")
        session.register("handed_over", events)
        session.run("CREATE TABLE IF NOT EXISTS events_before AS FROM handed_over LIMIT 0")
        session.run("INSERT INTO events_before FROM handed_over")
    session.unregister_all()
