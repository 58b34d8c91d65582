"""The sql engine on its own: draws, switches, shards, resume, database, many worlds. Rules are held by the oracle elsewhere."""

from __future__ import annotations

import datetime as dt
import itertools
import multiprocessing
import os
import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from differential.comparison import CLAIMS, check_claim
from differential.engines.sql import DatabaseError, SqlEngine, SqlEngineError, resume
from differential.engines.sql.session import Session, compose, in_memory, on_disk
from differential.engines.sql.simulate import Saved
from differential.planted.fault import Planting
from differential.planted.patches import text_patch, together
from differential.run import Infeasible, Proof, Run, capabilities_of
from differential.schemas import (
    EVENT_ORDER,
    EVENTS_SCHEMA,
    EVENTS_TABLE,
    STATE_ORDER,
    STATE_SCHEMA,
    STATE_TABLE,
    STATE_VIEW,
)
from differential.variant import LEGACY_FLAG, SWITCHES, Variant, VariantError
from fixtures.census import Census, Employee, employee_key
from fixtures.scenario import Scenario
from fixtures.world import World

CENSUS = Path(__file__).parent.parent / "fixtures" / "data" / "census_cps1976.csv"
COMBINATIONS = ["+".join(c) or "legacy" for n in range(len(SWITCHES) + 1) for c in itertools.combinations(SWITCHES, n)]
MASK = 2**64 - 1


@pytest.fixture(scope="module")
def people() -> Census:
    return Census.load(CENSUS).take(range(30))


@pytest.fixture(scope="module")
def world(people: Census) -> World:
    return World(people, Scenario())


@pytest.fixture(scope="module")
def reference(world: World) -> Run:
    return SqlEngine().run([world], Variant())


@pytest.fixture
def session() -> Iterator[Session]:
    with in_memory(1) as made:
        yield made


def same(first: Run, second: Run) -> bool:
    return bool(
        first.events.equals(second.events)
        and first.state.equals(second.state)
        and (first.bounds, dict(first.infeasible)) == (second.bounds, dict(second.infeasible))
    )


def rows(path: Path, table: str, order: tuple[str, ...]) -> pa.Table:
    with duckdb.connect(str(path), read_only=True) as connection:
        columns = ", ".join(order)
        return connection.sql(f"SELECT * FROM {table} ORDER BY {columns}").to_arrow_table()


# Draws: docs/simulation.md, section 4


def python_fold(h: int, word: int) -> int:
    z = (h + 0x9E3779B97F4A7C15 + word) & MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
    return z ^ (z >> 31)


def test_fold_is_splitmix64(session: Session) -> None:
    assert session.rows("SELECT fold(0::UHUGEINT, 1234567)") == [(6457827717110365317,)]


def test_fold_agrees_with_python_on_random_words_and_edges(session: Session) -> None:
    generator = random.Random(4)
    edges = [0, 1, 2**31, 2**63 - 1, 2**63, MASK]
    pairs = [
        *itertools.product(edges, edges),
        *((generator.getrandbits(64), generator.getrandbits(64)) for _ in range(500)),
    ]
    session.register(
        "pairs_in",
        pa.table(
            {"h": pa.array([h for h, _ in pairs], pa.uint64()), "w": pa.array([w for _, w in pairs], pa.uint64())}
        ),
    )
    found = session.rows("SELECT fold(h::UHUGEINT, w), fold_each(h::UHUGEINT, [w, 7]) FROM pairs_in")
    assert found == [(python_fold(h, w), [python_fold(h, w), python_fold(h, 7)]) for h, w in pairs]


def test_key_of_a_new_hire_is_the_big_endian_start_of_sha256(session: Session) -> None:
    ids = ["NH_2025_000001", "NH_2025_000002", "é"]
    assert [session.rows(f"SELECT text_key('{text}')")[0][0] for text in ids] == [employee_key(text) for text in ids]


@pytest.mark.parametrize(
    ("born", "on_day", "years"),
    [
        ("2004-02-29", "2025-02-27", 20), ("2004-02-29", "2025-02-28", 21), ("2004-02-29", "2024-02-28", 19),
        ("2004-02-29", "2024-02-29", 20), ("2004-12-31", "2025-12-30", 20), ("2004-12-31", "2025-12-31", 21),
    ],
)  # fmt: skip
def test_completed_years(session: Session, born: str, on_day: str, years: int) -> None:
    assert session.rows(f"SELECT completed_years(DATE '{born}', DATE '{on_day}')") == [(years,)]


def test_match_products_need_and_have_128_bits() -> None:
    rich = Employee("A", "1", dt.date(1980, 5, 5), dt.date(2010, 1, 1), 10**10, 10_000)
    tiers = [{"employee_min": 0, "employee_max": 1, "match_rate": 2}]
    limits = {2025: {"elective_deferral": 1e8, "catch_up": 0, "compensation": 1e8, "annual_additions": 1e8}}
    scenario = Scenario.create(
        end_year=2025, total_termination_rate=0, target_growth_rate=0, limits=limits,
        employer_match={"tiers": tiers, "cap_percent": 1}, employer_core={"enabled": False},
    )  # fmt: skip
    state = SqlEngine().run([World(Census.from_employees([rich]), scenario)], Variant()).state
    # at MAX_PAY all year: the match of 100 % is the whole pay, and 415 leaves nothing beside the deferral
    assert [str(state[name][0].as_py()) for name in ("annual_contribution", "employer_match_amount")] == [
        "100000000.00",
        "0.00",
    ]


# The result


def test_tables_have_the_schema_and_the_canonical_order(reference: Run) -> None:
    assert (reference.events.schema, reference.state.schema) == (EVENTS_SCHEMA, STATE_SCHEMA)
    for table, order in ((reference.events, EVENT_ORDER), (reference.state, STATE_ORDER)):
        keys = list(zip(*(table[name].to_pylist() for name in order), strict=True))
        assert keys == sorted(keys) and len(set(keys)) == len(keys) > 0


def test_event_ids_are_unique_uuids_of_version_8(reference: Run) -> None:
    ids = reference.events["event_id"]
    assert len(ids.unique()) == len(ids)
    assert pc.all(
        pc.match_substring_regex(ids, "^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$")
    ).as_py()


def test_event_id_by_hand(reference: Run) -> None:
    event = reference.events.slice(3, 1).to_pylist()[0]
    h = 0
    code = ("hire", "eligibility", "promotion", "raise", "enrollment", "deferral_escalation", "enrollment_change",
            "contribution", "employer_match", "employer_core", "termination").index(event["event_type"]) + 1  # fmt: skip
    key = employee_key(event["employee_id"])
    for word in (employee_key("default"), employee_key("main"), key, event["simulation_year"], code):
        h = python_fold(h, word)
    low = (python_fold(h, 0) & 0x3FFFFFFFFFFFFFFF) | 0x8000000000000000
    text = f"{(h & 0xFFFFFFFFFFFF0FFF) | 0x8000:016x}{low:016x}"
    assert event["event_id"] == "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


# Variants: docs/simulation.md, section 7


@pytest.mark.parametrize("level", COMBINATIONS)
def test_every_switch_combination_gives_the_same(world: World, reference: Run, level: str) -> None:
    run = SqlEngine().run([world], Variant(level=level))
    assert same(run, reference)
    assert run.proof is not None and run.proof.switches == frozenset(level.split("+")) - {"legacy"}


def test_switches_change_the_statements(world: World) -> None:
    """Each switch alone runs other statements than legacy; counted where the count tells, else seen in the rows."""

    def proof_of(level: str) -> Proof:
        proof = SqlEngine().run([world], Variant(level=level)).proof
        assert proof is not None
        return proof

    legacy = proof_of("legacy")
    assert proof_of("fused_events").statements == legacy.statements - 3 * 10
    assert proof_of("tuned_io").statements < legacy.statements
    assert "hazard_cache" in proof_of("hazard_cache").rows and "hazard_cache" not in legacy.rows


_YEAR, _SIMULATE = "differential.engines.sql.year", "differential.engines.sql.simulate"
IGNORED = {
    "hazard_cache": [(_YEAR, "Plan.stage_rule"), (_SIMULATE, "_plan_quotas")],
    "incremental_state": [(_YEAR, "Plan.stage_rule"), (_SIMULATE, "_hand_over")],
    "fused_events": [(_YEAR, "_build_families")],
    "tuned_io": [(_YEAR, "_build_stages"), (_SIMULATE, "_session")],
}
"""Where each switch decides. In tuned_io's places the plan is asked for `plan.tuned_io`."""


@pytest.mark.parametrize("switch", SWITCHES)
def test_a_switch_that_is_ignored_makes_no_proof(world: World, switch: str) -> None:
    """What the proof names is what ran, not what was asked for; a switch that is followed in places is a fall-back."""
    legacy = SqlEngine().run([world], Variant(level="legacy"))
    assert check_claim(CLAIMS["levels"], legacy, SqlEngine().run([world], Variant(level=switch))).ok
    places = [_ignoring(switch, *place) for place in IGNORED[switch]]
    with together(*places)():
        ignored = SqlEngine().run([world], Variant(level=switch))
    outcome = check_claim(CLAIMS["levels"], legacy, ignored)
    assert same(ignored, legacy) and [code for code, _ in outcome.reasons] == ["differ"]
    if len(places) > 1 and switch != "incremental_state":  # whose two places only work as one
        with places[0]():
            half = SqlEngine().run([world], Variant(level=switch))
        assert half.proof is not None and half.proof.fallbacks == (f"{switch}: taken at some branches only",)


def _ignoring(switch: str, module: str, name: str) -> Planting:
    asked = "plan.tuned_io" if switch == "tuned_io" else f'"{switch}" in {"self" if "." in name else "plan"}.switches'
    return text_patch(module, name, {asked: "False"})


def test_both_legs_of_a_resumed_run_took_a_switch(world: World) -> None:
    first = SqlEngine().run([world], Variant())
    assert first.proof is not None
    second = replace(first, proof=replace(first.proof, switches=frozenset({"tuned_io"}), fallbacks=("other",)))
    joined = resume.join(first, second).proof
    assert joined is not None
    assert joined.switches == {"tuned_io"} and joined.fallbacks == ("other",)


def test_legacy_flag_forces_every_switch_off(world: World, reference: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(LEGACY_FLAG, "true")
    run = SqlEngine().run([world], Variant(level="high"))
    assert same(run, reference)
    assert run.proof is not None and run.proof.forced_legacy and run.proof.switches == frozenset()


@pytest.mark.parametrize(("shards", "level"), [(7, "high"), (2, "legacy"), (3, "fused_events"), (3, "tuned_io")])
def test_shards(world: World, reference: Run, shards: int, level: str) -> None:
    run = SqlEngine().run([world], Variant(level=level, shards=shards, threads=2))
    assert same(run, reference)
    assert run.proof is not None
    keys = np.array([employee_key(name) % shards for name in run.state["employee_id"].to_pylist()])
    assert run.proof.shard_rows == tuple(np.bincount(keys, minlength=shards).tolist())


def test_threads_are_read_back(world: World, reference: Run) -> None:
    run = SqlEngine().run([world], Variant(threads=2))
    assert same(run, reference)
    assert (
        run.proof is not None and reference.proof is not None and (run.proof.threads, reference.proof.threads) == (2, 1)
    )


def test_proof_counts_what_was_made(world: World, reference: Run) -> None:
    proof = reference.proof
    assert proof is not None
    types = reference.events["event_type"].to_pylist()
    assert types.count("hire") == proof.planned["hires"] > 0
    assert types.count("termination") == proof.planned["exits"] + proof.planned["new_hire_exits"] > 0
    assert (proof.rows["events"], proof.rows["state"]) == (reference.events.num_rows, reference.state.num_rows)
    assert (proof.engine, proof.pid, proof.inputs) == ("sql", os.getpid(), (world.fingerprint,))
    assert {"event_generation", "state", "output"} <= set(proof.seconds)


@pytest.mark.parametrize(("level", "resume"), [("high", 1), ("legacy", 2)])
def test_resume_goes_on_in_a_new_process(world: World, reference: Run, level: str, resume: int) -> None:
    run = SqlEngine().run([world], Variant(level=level, resume=resume))
    assert same(run, reference)
    assert run.proof is not None and reference.proof is not None
    assert len(set(run.proof.legs)) == 2 and run.proof.legs[0] == os.getpid()
    assert dict(run.proof.planned) == dict(reference.proof.planned)
    assert len(run.proof.year_seconds) == len(world.scenario.years) and min(run.proof.year_seconds) > 0


def test_resume_after_the_last_year_has_one_leg(world: World, reference: Run) -> None:
    run = SqlEngine().run([world], Variant(resume=3))
    assert same(run, reference) and run.proof is not None and run.proof.legs == (os.getpid(),)


def test_a_saved_state_that_is_not_this_world_s_is_refused(world: World, reference: Run) -> None:
    opened = reference.state.filter(pc.equal(reference.state["simulation_year"], 2025))
    saved = opened.slice(1).add_column(0, "world", pa.array([0] * (opened.num_rows - 1), pa.int32()))
    with pytest.raises(SqlEngineError, match="run all years again"):
        SqlEngine().simulate_years([world], Variant(), 1, 2, Saved(state=saved, events=reference.events.slice(0, 0)))


def test_batch_size_is_refused(world: World) -> None:
    with pytest.raises(VariantError, match="batch_size"):
        SqlEngine().run([world], Variant(batch_size=100))
    assert not capabilities_of(SqlEngine()).batch_size


# Many worlds


def many_worlds(people: Census) -> list[World]:
    """Worlds that differ in everything that sizes a table; ids repeat."""
    one_level = {"levels": [{"minimum": 1, "maximum": 2}], "merit_rates": [0.03], "promotion": {"increase_pct": []}}
    late = [Employee("L1", "1", dt.date(1990, 1, 1), dt.date(2026, 3, 1), 5_000_000)]
    return [
        World(people, Scenario()),
        World(people.take(range(5)), Scenario.create(start_year=2031, end_year=2036, random_seed=7, scenario_id="b")),
        World(people, Scenario.create(new_hire_termination_rate=1)),
        World(people.take([3]), Scenario.create(end_year=2025, **one_level)),
        World(people, Scenario.create(target_growth_rate=-1)),
        World(people, Scenario.create(target_growth_rate=1, new_hire_termination_rate="0.9", end_year=2025)),
        World(Census.from_employees(late), Scenario()),
        World(
            people.take(range(9)), Scenario.create(auto_enrollment={"scope": "all_eligible_employees"}, end_year=2029)
        ),
    ]


@pytest.fixture(scope="module")
def alone(people: Census) -> list[Run]:
    return [SqlEngine().run([world], Variant()) for world in many_worlds(people)]


VARIANTS = [Variant(), Variant(level="legacy", shards=2), Variant(resume=2)]


@pytest.mark.parametrize("variant", VARIANTS, ids=Variant.describe)
def test_a_batch_equals_each_world_alone(people: Census, alone: list[Run], variant: Variant) -> None:
    run = SqlEngine().run(many_worlds(people), variant)
    assert dict(run.infeasible) == {2: Infeasible("new_hire_exits_certain", 2025)}
    for single, result in zip(alone, run.results(), strict=True):
        assert result.events.equals(single.events) and result.state.equals(single.state)
        assert result.infeasible == single.infeasible.get(0)


def test_too_many_hires_is_infeasible_alone(people: Census) -> None:
    scenario = Scenario.create(target_growth_rate=1, new_hire_termination_rate="0.9999", end_year=2032)
    run = SqlEngine().run([World(people, scenario)], Variant())
    # 30 people double every year: 30 x 10 000 hires in 2025, 120 x 10 000 in 2027
    assert run.infeasible[0].code == "too_many_hires" and run.infeasible[0].year > 2025
    assert run.events.equals(EVENTS_SCHEMA.empty_table()) and run.state.equals(STATE_SCHEMA.empty_table())


@pytest.mark.parametrize("level", ["high", "legacy"])
def test_nobody_and_no_worlds_give_typed_empty_tables(level: str) -> None:
    late = Census.from_employees([Employee("L1", "1", dt.date(1990, 1, 1), dt.date(2026, 3, 1), 5_000_000)])
    for worlds in ([World(late, Scenario())], []):
        run = SqlEngine().run(worlds, Variant(level=level))
        assert run.events.equals(EVENTS_SCHEMA.empty_table()) and run.state.equals(STATE_SCHEMA.empty_table())
        assert run.proof is not None and run.proof.ignored_hires == len(worlds)


def test_a_failed_run_leaves_nothing_to_the_next(world: World, reference: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as patch:
        patch.setattr("differential.engines.sql.simulate._check_headcounts", fail)
        with pytest.raises(ZeroDivisionError):
            SqlEngine().run([world], Variant())
    assert same(SqlEngine().run([world], Variant()), reference)


# Database


def test_database_holds_the_run_beside_others(world: World, reference: Run, tmp_path: Path) -> None:
    path = tmp_path / "run.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("CREATE TABLE mine AS SELECT 42 AS answer")
    other = World(world.census, Scenario.create(scenario_id="other", end_year=2026))
    run = SqlEngine().run([other, world], Variant(database=path))
    assert run.proof is not None and run.proof.database == str(path)
    again = SqlEngine().run([world], Variant(database=path, level="legacy"))
    assert same(again, reference)
    assert rows(path, EVENTS_TABLE, EVENT_ORDER).equals(
        pa.concat_tables([reference.events, next(run.results()).events]).combine_chunks()
    )
    assert rows(path, STATE_VIEW, STATE_ORDER).num_rows == run.state.num_rows
    with duckdb.connect(str(path), read_only=True) as connection:
        assert connection.execute("SELECT answer FROM mine").fetchall() == [(42,)]


def test_a_shorter_run_leaves_no_later_years(world: World, tmp_path: Path) -> None:
    path = tmp_path / "run.duckdb"
    SqlEngine().run([world], Variant(database=path))
    short = World(world.census, world.scenario.replace(end_year=2025))
    run = SqlEngine().run([short], Variant(database=path))
    assert rows(path, STATE_TABLE, STATE_ORDER).equals(run.state.combine_chunks())


@pytest.mark.parametrize("level", ["high", "legacy"])
def test_years_run_one_by_one_through_a_database(world: World, reference: Run, tmp_path: Path, level: str) -> None:
    path = tmp_path / "run.duckdb"
    variant = Variant(database=path, level=level)
    engine = SqlEngine()
    parts = [engine.run_years([world], variant, first, 1) for first in (0, 1, 2, 1)]
    assert parts[1].events.equals(parts[3].events) and parts[1].state["simulation_year"].unique().to_pylist() == [2026]
    # going back to the second year takes the third away until it runs again
    assert rows(path, STATE_TABLE, STATE_ORDER)["simulation_year"].unique().to_pylist() == [2025, 2026]
    engine.run_years([world], variant, 2, 5)
    assert rows(path, EVENTS_TABLE, EVENT_ORDER).equals(reference.events.combine_chunks())
    assert rows(path, STATE_TABLE, STATE_ORDER).equals(reference.state.combine_chunks())


def test_years_without_their_past_are_refused(world: World, tmp_path: Path) -> None:
    engine = SqlEngine()
    with pytest.raises(VariantError, match="database"):
        engine.run_years([world], Variant(), 1, 1)
    with pytest.raises(DatabaseError, match="no such file"):
        engine.run_years([world], Variant(database=tmp_path / "none.duckdb"), 1, 1)
    path = tmp_path / "run.duckdb"
    engine.run_years([world], Variant(database=path), 0, 1)
    with pytest.raises(SqlEngineError, match="run all years again"):
        engine.run_years([world], Variant(database=path), 2, 1)


def test_worlds_of_one_name_cannot_share_a_database(world: World, tmp_path: Path) -> None:
    with pytest.raises(VariantError, match="2 worlds have scenario_id 'default'"):
        SqlEngine().run([world, world], Variant(database=tmp_path / "run.duckdb"))


def test_a_file_that_is_no_database_is_left_alone(world: World, tmp_path: Path) -> None:
    path = tmp_path / "notes.duckdb"
    path.write_text("my notes " * 1000)
    with pytest.raises(DatabaseError, match=r"notes\.duckdb.*not a DuckDB database"):
        SqlEngine().run([world], Variant(database=path))
    assert path.read_text() == "my notes " * 1000
    with pytest.raises(DatabaseError, match="folder does not exist"):
        SqlEngine().run([world], Variant(database=tmp_path / "missing" / "run.duckdb"))


def test_a_table_of_the_same_name_with_other_columns_is_left_alone(world: World, tmp_path: Path) -> None:
    path = tmp_path / "run.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute(f"CREATE TABLE {STATE_TABLE} AS SELECT 1 AS mine")
    with pytest.raises(DatabaseError, match="other columns"):
        SqlEngine().run([world], Variant(database=path))
    with duckdb.connect(str(path), read_only=True) as connection:
        assert connection.execute(f"SELECT * FROM {STATE_TABLE}").fetchall() == [(1,)]


def _hold(path: str, held: object, release: object) -> None:
    with duckdb.connect(path):
        held.set()  # type: ignore[attr-defined]
        release.wait(60)  # type: ignore[attr-defined]


def test_a_database_held_elsewhere_is_named(world: World, tmp_path: Path) -> None:
    path = tmp_path / "run.duckdb"
    context = multiprocessing.get_context("spawn")
    held, release = context.Event(), context.Event()
    holder = context.Process(target=_hold, args=(str(path), held, release))
    holder.start()
    try:
        assert held.wait(60)
        with pytest.raises(DatabaseError, match=r"run\.duckdb: held by another process"):
            SqlEngine().run([world], Variant(database=path))
    finally:
        release.set()
        holder.join()


def test_an_interrupted_write_leaves_the_old_rows(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "run.duckdb"
    run = SqlEngine().run([world], Variant(database=path))
    broken = replace(run, state=run.state.rename_columns([f"x_{name}" for name in run.state.column_names]))
    with monkeypatch.context() as patch:
        patch.setattr(SqlEngine, "simulate_years", lambda *_: broken)
        with pytest.raises(DatabaseError, match=r"run\.duckdb"):
            SqlEngine().run([world], Variant(database=path))
    assert rows(path, EVENTS_TABLE, EVENT_ORDER).equals(run.events.combine_chunks())


# The session


def test_sessions_start_empty_and_leave_nothing(tmp_path: Path) -> None:
    for make in (in_memory, on_disk):
        for _ in range(2):
            with make(1) as session:
                assert session.rows("SELECT count(*) FROM duckdb_tables()") == [(0,)]
                session.run("CREATE TABLE left_over AS SELECT 1")


def test_compose_puts_relations_before_the_query_s_own() -> None:
    assert compose({}, "SELECT 1") == "SELECT 1"
    with duckdb.connect() as connection:
        query = compose({"a": "SELECT 1 AS x"}, "WITH b AS (FROM a) SELECT x + 1 FROM b")
        assert connection.execute(query).fetchall() == [(2,)]
