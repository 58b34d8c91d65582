"""The polars engine on its own: draws, dates, quotas, and every way of running that must not change the result."""

from __future__ import annotations

import dataclasses
import datetime as dt
import random
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path

import duckdb
import numpy as np
import polars as pl
import pyarrow as pa
import pytest

from differential import workers
from differential.engines.polars import (
    DatabaseError,
    PolarsEngine,
    SavedStateError,
    arrow,
    contributions,
    database,
    dates,
    draws,
    pay,
    quotas,
)
from differential.engines.polars.parameters import Parameters
from differential.run import Infeasible, Run
from differential.schemas import EVENTS_SCHEMA, EVENTS_TABLE, STATE_SCHEMA, STATE_TABLE, STATE_VIEW
from differential.variant import LEGACY_FLAG, SWITCHES, Variant, VariantError
from fixtures.census import Census, Employee
from fixtures.scenario import Scenario
from fixtures.world import World

pytestmark = pytest.mark.suite

CENSUS = Path(__file__).resolve().parent.parent / "fixtures" / "data" / "census_cps1976.csv"
HERE = pl.thread_pool_size()
"""Threads of this process's pool: variants that ask for as many run here, others in a worker."""
ELSEWHERE = HERE + 1
ENGINE = PolarsEngine()


@pytest.fixture(scope="module")
def census() -> Census:
    return Census.load(CENSUS).take(range(30))


@pytest.fixture(scope="module")
def worlds(census: Census) -> list[World]:
    """Worlds that differ in years, levels, tiers, rates, people and size; ids repeat between them."""
    bands = [{"minimum": 100, "maximum": "60000.05"}, {"minimum": 60_001, "maximum": 90_000}]
    shapes = [
        Scenario.create(scenario_id="a"),
        Scenario.create(scenario_id="b", start_year=2027, end_year=2030, random_seed=7, cola_rate="0.02"),
        Scenario.create(
            scenario_id="c", levels=bands, merit_rates=["0.01", "0.02"], promotion={"increase_pct": ["0.1"]}
        ),
        Scenario.create(scenario_id="d", end_year=2025, target_growth_rate="-0.3"),
        Scenario.create(
            scenario_id="e",
            auto_enrollment={"scope": "all_eligible_employees", "default_deferral_rate": "0.06"},
            employer_match={"tiers": [{"employee_min": 0, "employee_max": 1, "match_rate": "0.25"}], "cap_percent": 1},
            new_hire_ages=[{"age": 61, "weight": 3}],
        ),
    ]
    return [World(census.take(range(index, 30 - index)), scenario) for index, scenario in enumerate(shapes)]


@pytest.fixture(scope="module")
def reference(worlds: list[World]) -> Run:
    return run(worlds)


def run(worlds: Sequence[World], **axes: object) -> Run:
    return ENGINE.run(worlds, Variant(**{"threads": HERE, **axes}))  # type: ignore[arg-type]


def assert_same(run_: Run, expected: Run) -> None:
    assert run_.events.schema.equals(EVENTS_SCHEMA)
    assert run_.state.schema.equals(STATE_SCHEMA)
    assert run_.bounds == expected.bounds
    assert run_.events.equals(expected.events)
    assert run_.state.equals(expected.state)
    assert dict(run_.infeasible) == dict(expected.infeasible)


# Draws, dates, quotas, columns


def test_fold_gives_the_published_first_output() -> None:
    first = pl.select(draws.fold(draws.u64(0), draws.u64(1_234_567))).item()
    assert first == draws.fold_number(0, 1_234_567) == 6457827717110365317


def test_fold_of_columns_equals_python_over_the_whole_range() -> None:
    source = random.Random(1)
    edges = [0, 1, 2**63 - 1, 2**63, 2**64 - 1]
    pairs = [(a, b) for a in edges for b in edges] + [
        (source.getrandbits(64), source.getrandbits(64)) for _ in range(500)
    ]
    frame = pl.DataFrame(pairs, schema={"h": pl.UInt64, "w": pl.UInt64}, orient="row")
    folded = frame.select(draws.fold(pl.col("h"), pl.col("w"))).to_series().to_list()
    assert folded == [draws.fold_number(h, w) for h, w in pairs]


def test_a_draw_is_reduced_in_unsigned_arithmetic() -> None:
    keys = [2**64 - 1 - index for index in range(100)]
    frame = pl.DataFrame({"year_key": pl.Series(keys, dtype=pl.UInt64)})
    drawn = frame.select(draws.draw(3, pl.lit(999_983, dtype=pl.Int64))).to_series()
    assert drawn.dtype == pl.Int64
    assert drawn.to_list() == [draws.fold_number(key, 3) % 999_983 for key in keys]


@pytest.mark.parametrize("year", [1899, 1900, 1904, 2000, 2023, 2024, 2100, 2299])
def test_anniversaries_and_new_year(year: int) -> None:
    def expected(born: dt.date) -> dt.date:
        leap_day_in_common_year = (born.month, born.day) == (2, 29) and not (
            year % 4 == 0 and (year % 100 or year % 400 == 0)
        )
        return dt.date(year, 2, 28) if leap_day_in_common_year else born.replace(year=year)

    born = [dt.date(base, 1, 1) + dt.timedelta(day) for base in (1972, 1973) for day in range(365)]
    frame = pl.DataFrame({"born": born}).with_columns(day=pl.col("born").cast(pl.Int32))
    index = dates.leap_index(pl.col("day"), dates.year_of(pl.col("day")))
    found = frame.select(dates.anniversary(index, pl.lit(year, dtype=pl.Int32)).cast(pl.Date)).to_series().to_list()
    assert found == [expected(date) for date in born]
    assert dates.new_years(np.array([year]))[0] == dates.day_number(dt.date(year, 1, 1))


def test_quotas_by_hand() -> None:
    """50 people at +1 %: half_up(50.5) = 51; 12 % leave: 6; net 7 at 25 % new-hire exits: 10 hires, 3 of them leave."""
    growth, exit_rate, new_hire_rate = np.array([100]), np.array([1200]), np.array([2500])
    plan = quotas.plan_quotas(
        np.array([50]), growth, exit_rate, new_hire_rate, start=np.array([2025]), years=np.array([2])
    )
    assert [int(table[0, 0]) for table in (plan.exits, plan.hires, plan.new_hire_exits)] == [6, 10, 3]
    assert int(plan.opening[1, 0]) == 51
    # Second year: 44 x 12 % + 7 x 25 % = 7.03, so 7; target half_up(51.51) = 52; net 8, hires ceil(8 / .75) = 11.
    assert [int(table[1, 0]) for table in (plan.exits, plan.hires, plan.new_hire_exits)] == [7, 11, 3]


def test_split_by_level_gives_ties_to_the_lower_level() -> None:
    counts = np.array([[1, 1, 1, 0], [5, 0, 3, 2], [0, 0, 0, 0]])
    assert quotas.split_by_level(np.array([2, 5, 0]), counts).tolist() == [[1, 1, 0, 0], [3, 0, 1, 1], [0, 0, 0, 0]]


def test_uuid_text_and_decimals_round_trip() -> None:
    high = np.array([0, 2**64 - 1, 0x0123456789ABCDEF], np.uint64)
    low = np.array([2**64 - 1, 0, 0xFEDCBA9876543210], np.uint64)
    expected = [f"{h:016x}{w:016x}" for h, w in zip(high.tolist(), low.tolist(), strict=True)]
    found = arrow.uuids(high, low).to_pylist()
    assert [text.replace("-", "") for text in found] == expected
    assert {tuple(map(len, text.split("-"))) for text in found} == {(8, 4, 4, 4, 12)}
    values = pl.Series("v", [0, 1, None, 10**15], dtype=pl.Int64)
    column = arrow.decimals(values, pa.decimal128(18, 2))
    column.validate(full=True)
    assert [None if value is None else str(value) for value in column.to_pylist()] == [
        "0.00",
        "0.01",
        None,
        "10000000000000.00",
    ]
    assert arrow.counts(column.slice(1), "v").to_list() == values.to_list()[1:]


def test_hazards_by_hand() -> None:
    """Base 20 000 ppm, tenure 2-4 x 1.5, age 25-34 x 1.4: 42 000; one level up less 15 %: 35 700; two: 29 400."""
    world = World(Census.from_employees([_person(0)]), Scenario.create())
    table = pay.hazard_table(Parameters([world]).rules(0), 1)
    found = dict(zip(table["cell"].to_list(), table["hazard"].to_list(), strict=True))
    assert [found[(level * 5 + 1) * 5 + 1] for level in range(3)] == [42_000, 35_700, 29_400]
    assert found[(0 * 5 + 0) * 5 + 4] == 20_000 * 5_000 * 3_000 // 10**8


def test_match_in_two_divisions_equals_exact_arithmetic() -> None:
    """Up to the largest pay, 366 days and 1e8 squared basis points, where the sum needs 69 bits."""
    source = random.Random(2)

    def case() -> tuple[int, int, int, int, int]:
        days = source.choice([365, 366])
        before = source.randint(0, days)
        pays = [source.choice([10**10, source.randint(0, 10**10)]) for _ in range(2)]
        rates = [source.choice([10**8, 0, 9_999, 10_001, source.randint(0, 10**8)]) for _ in range(2)]
        return pays[0] * before, pays[1] * (days - before), rates[0], rates[1], days

    cases = [case() for _ in range(2000)]
    names = ["before_limited_pay_days", "after_limited_pay_days", "match_before", "match_after", "days"]
    frame = pl.DataFrame(cases, schema=dict.fromkeys(names, pl.Int64), orient="row")
    found = frame.select(contributions.match_amount(pl.col("days"))).to_series().to_list()
    exact = [(2 * (a * m + b * n) + 10**8 * days) // (2 * 10**8 * days) for a, b, m, n, days in cases]
    assert found == exact
    assert max(a * m + b * n for a, b, m, n, _ in cases) > 2**63


# Ways of running


@pytest.mark.parametrize(
    "level", ["+".join(chosen) or "legacy" for size in range(5) for chosen in combinations(SWITCHES, size)]
)
def test_every_combination_of_switches(level: str, worlds: list[World], reference: Run) -> None:
    result = run(worlds, level=level)
    assert_same(result, reference)
    assert result.proof is not None
    assert result.proof.switches == (frozenset() if level == "legacy" else frozenset(level.split("+")))


def test_the_legacy_flag_decides(worlds: list[World], reference: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(LEGACY_FLAG, "on")
    result = run(worlds, level="high")
    assert_same(result, reference)
    assert result.proof is not None
    assert (result.proof.switches, result.proof.forced_legacy) == (frozenset(), True)


def test_a_batch_equals_each_world_alone(worlds: list[World], reference: Run) -> None:
    for world, part in zip(worlds, reference.results(), strict=True):
        alone = run([world])
        assert alone.bounds is None
        assert alone.events.equals(part.events)
        assert alone.state.equals(part.state)


@pytest.mark.parametrize("level", ["high", "legacy"])
def test_shards(level: str, worlds: list[World], reference: Run) -> None:
    result = run(worlds, level=level, shards=4)
    assert_same(result, reference)
    assert result.proof is not None
    assert len(result.proof.shard_rows) == 4
    assert min(result.proof.shard_rows) > 0
    assert sum(result.proof.shard_rows) == result.state.num_rows


def test_other_thread_count_runs_in_a_worker_that_is_kept(worlds: list[World], reference: Run) -> None:
    first, second = run(worlds, threads=ELSEWHERE), run(worlds, threads=ELSEWHERE, shards=2)
    for result in (first, second):
        assert_same(result, reference)
    assert reference.proof is not None
    assert first.proof is not None
    assert second.proof is not None
    assert (reference.proof.threads, first.proof.threads) == (HERE, ELSEWHERE)
    assert first.proof.pid == second.proof.pid != reference.proof.pid


@pytest.mark.parametrize("size", [1, 7])
def test_batch_size_is_measured_in_the_streaming_engine(size: int, worlds: list[World], reference: Run) -> None:
    result = run(worlds, batch_size=size)
    assert_same(result, reference)
    assert result.proof is not None
    assert (result.proof.batch_size, result.proof.fallbacks) == (size, ())


@pytest.mark.parametrize(("years", "level"), [(1, "high"), (2, "legacy"), (3, "fused_events")])
def test_resume_goes_on_in_a_new_process(years: int, level: str, worlds: list[World], reference: Run) -> None:
    result = run(worlds, resume=years, level=level)
    assert_same(result, reference)
    assert result.proof is not None
    assert reference.proof is not None
    assert len(set(result.proof.legs)) == 2
    assert result.proof.planned == reference.proof.planned
    assert result.proof.rows["events"] == result.events.num_rows
    assert len(result.proof.year_seconds) == max(len(world.scenario.years) for world in worlds)
    assert min(result.proof.year_seconds) > 0


def test_order_of_census_rows_has_no_meaning(worlds: list[World], reference: Run) -> None:
    mixed = [World(world.census.take(range(len(world.census) - 1, -1, -1)), world.scenario) for world in worlds]
    assert_same(run(mixed), reference)


def test_ids_on_both_sides_of_hires_sort_by_bytes() -> None:
    names = ["N", "NH", "NH-1", "NHA", "NI", "a", "é", "Z", "0"]
    people = [_person(index, employee_id=name) for index, name in enumerate(names)]
    result = run([World(Census.from_employees(people), Scenario.create(target_growth_rate="0.5"))])
    for year in (2025, 2026, 2027):
        rows = result.state.filter(pa.compute.equal(result.state["simulation_year"], year))
        found = [text.encode() for text in rows["employee_id"].to_pylist()]
        assert any(name.startswith(b"NH_") for name in found)
        assert found == sorted(found)


# Worlds at the edge


def test_an_infeasible_world_fails_alone(worlds: list[World], reference: Run) -> None:
    certain = World(worlds[0].census, Scenario.create(new_hire_termination_rate=1))
    doubling = Scenario.create(end_year=2035, target_growth_rate=1, new_hire_termination_rate="0.9999")
    result = run([certain, *worlds, World(worlds[0].census, doubling)])
    assert result.infeasible[0] == Infeasible("new_hire_exits_certain", 2025)
    assert result.infeasible[6].code == "too_many_hires"
    assert 2025 < result.infeasible[6].year < 2035
    assert result.bounds is not None
    assert result.bounds[0] == result.bounds[-1] == (0, 0)
    assert result.bounds[1:-1] == reference.bounds
    assert result.events.equals(reference.events)
    assert result.state.equals(reference.state)
    assert result.proof is not None
    assert reference.proof is not None
    assert result.proof.planned == reference.proof.planned


@pytest.mark.parametrize("level", ["high", "legacy"])
@pytest.mark.parametrize(
    ("people", "keys", "rows"),
    [
        ([{"termination_date": dt.date(2022, 1, 1)}, {"hire_date": dt.date(2025, 1, 1)}], {}, 0),
        ([{}, {}], {"target_growth_rate": 0, "total_termination_rate": 0}, 6),
        ([{}, {}], {"target_growth_rate": -1}, 2),
        ([{"pay_cents": 10**10, "deferral_bp": 10_000}] * 3, {"cola_rate": 1, "target_growth_rate": 0}, None),
    ],
    ids=["nobody", "nothing_happens", "everyone_leaves", "highest_pay"],
)
def test_empty_and_extreme_worlds(
    level: str, people: list[dict[str, object]], keys: dict[str, object], rows: int | None
) -> None:
    census = Census.from_employees([_person(index, **facts) for index, facts in enumerate(people)])
    result = run([World(census, Scenario.create(**keys))], level=level)
    assert result.events.schema.equals(EVENTS_SCHEMA)
    assert result.state.schema.equals(STATE_SCHEMA)
    assert rows is None or result.state.num_rows == rows
    if rows is None:
        assert max(result.events["compensation_amount"].drop_null().to_pylist()) == 100_000_000


def test_ignored_hires_are_counted_and_no_worlds_are_no_rows() -> None:
    census = Census.from_employees([_person(0), _person(1, hire_date=dt.date(2025, 1, 1))])
    proof = run([World(census, Scenario.create())]).proof
    assert proof is not None
    assert proof.ignored_hires == 1
    assert run([]).bounds == ()


def test_proof_counts_what_happened(worlds: list[World], reference: Run) -> None:
    proof = reference.proof
    assert proof is not None
    types = reference.events["event_type"].to_pylist()
    exits = proof.planned["exits"] + proof.planned["new_hire_exits"]
    assert (types.count("hire"), types.count("termination")) == (proof.planned["hires"], exits)
    assert (proof.rows["events"], proof.rows["state"]) == (reference.events.num_rows, reference.state.num_rows)
    assert proof.inputs == tuple(world.fingerprint for world in worlds)
    assert {"event_generation", "state", "output"} <= proof.seconds.keys()
    assert proof.statements > 0


# Database


def test_database_holds_the_run_and_is_replaced_by_the_next(
    worlds: list[World], reference: Run, tmp_path: Path
) -> None:
    path = tmp_path / "runs.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("CREATE TABLE notes AS SELECT 'kept' AS note")
    longer = dataclasses.replace(
        worlds[0], scenario=worlds[0].scenario.replace(end_year=2030, target_growth_rate="0.2")
    )
    run([longer, *worlds[1:]], database=path)
    assert_same(run(worlds[:2], database=path, level="legacy"), run(worlds[:2]))
    assert _stored(path, STATE_TABLE) == _stored(path, STATE_VIEW) == reference.state.num_rows
    assert _stored(path, EVENTS_TABLE) == reference.events.num_rows
    with duckdb.connect(str(path)) as connection:
        assert connection.execute("SELECT note FROM notes").fetchall() == [("kept",)]
        events = connection.sql(f"SELECT * FROM {EVENTS_TABLE} ORDER BY ALL").to_arrow_table()
    assert events.cast(EVENTS_SCHEMA).equals(
        reference.events.sort_by([(name, "ascending") for name in EVENTS_SCHEMA.names])
    )


@pytest.mark.parametrize("level", ["high", "legacy"])
def test_year_by_year_in_a_database_equals_one_go(
    level: str, worlds: list[World], reference: Run, tmp_path: Path
) -> None:
    variant = Variant(threads=HERE, level=level, database=tmp_path / "runs.duckdb")
    parts = [ENGINE.run_years(worlds, variant, first, 1) for first in range(4)]
    assert sum(part.events.num_rows for part in parts) == reference.events.num_rows
    # An early year run again takes what followed it away, and going on from it gives the same.
    ENGINE.run_years(worlds, variant, 1, 1)
    again = ENGINE.run_years(worlds, variant, 2, 9)
    assert again.events.num_rows == parts[2].events.num_rows + parts[3].events.num_rows
    with duckdb.connect(str(variant.database)) as connection:
        key = "scenario_id, plan_design_id, simulation_year, employee_id COLLATE C"
        state = connection.sql(f"SELECT * FROM {STATE_TABLE} ORDER BY {key}").to_arrow_table()
        events = connection.sql(f"SELECT * FROM {EVENTS_TABLE} ORDER BY {key}, event_sequence").to_arrow_table()
    assert state.cast(STATE_SCHEMA).equals(reference.state)
    assert events.cast(EVENTS_SCHEMA).equals(reference.events)


def test_resume_with_a_database(worlds: list[World], reference: Run, tmp_path: Path) -> None:
    path = tmp_path / "runs.duckdb"
    assert_same(run(worlds, database=path, resume=2), reference)
    assert _stored(path, EVENTS_TABLE) == reference.events.num_rows


def test_going_on_from_what_is_not_there(worlds: list[World], tmp_path: Path) -> None:
    variant = Variant(threads=HERE, database=tmp_path / "runs.duckdb")
    with pytest.raises(DatabaseError, match=r"runs\.duckdb: no such file"):
        ENGINE.run_years(worlds, variant, 1, 1)
    ENGINE.run_years(worlds[:1], variant, 0, 1)
    with pytest.raises(SavedStateError, match="scenario b"):
        ENGINE.run_years(worlds, variant, 1, 1)
    with pytest.raises(VariantError, match="needs the saved tables"):
        ENGINE.run_years(worlds, Variant(threads=HERE), 1, 1)


def test_worlds_that_a_database_could_not_tell_apart(worlds: list[World], tmp_path: Path) -> None:
    with pytest.raises(VariantError, match="2 worlds have scenario_id a and plan_design_id main"):
        run([worlds[0], worlds[0]], database=tmp_path / "runs.duckdb")
    assert run([worlds[0], worlds[0]], resume=1).bounds is not None


@pytest.mark.parametrize("kind", ["no_folder", "not_a_database", "other_columns"])
def test_unusable_database_files(kind: str, worlds: list[World], tmp_path: Path) -> None:
    path = tmp_path / "runs.duckdb"
    if kind == "no_folder":
        path = tmp_path / "missing" / "runs.duckdb"
    elif kind == "not_a_database":
        path.write_text("people's notes\n" * 1000)
    else:
        with duckdb.connect(str(path)) as connection:
            connection.execute(f"CREATE TABLE {EVENTS_TABLE} AS SELECT 1 AS one")
    before = path.read_bytes() if path.exists() else None
    with pytest.raises(DatabaseError, match=r"runs\.duckdb"):
        run(worlds[:1], database=path)
    assert (path.read_bytes() if path.exists() else None) == before


def test_a_database_that_another_process_holds(worlds: list[World], tmp_path: Path) -> None:
    path = tmp_path / "runs.duckdb"
    run(worlds[:1], database=path)
    before = _stored(path, EVENTS_TABLE)
    workers.call("differential.test_polars_engine:hold", str(path), env={"HOLDER": "1"})
    try:
        with pytest.raises(DatabaseError, match=r"runs\.duckdb: .*nothing in it was changed"):
            run(worlds[1:2], database=path)
    finally:
        workers.call("differential.test_polars_engine:let_go", env={"HOLDER": "1"})
    assert _stored(path, EVENTS_TABLE) == before


def test_an_interrupted_write_leaves_the_old_state(
    worlds: list[World], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "runs.duckdb"
    run(worlds[:2], database=path)
    before = _rows(path, EVENTS_TABLE), _rows(path, STATE_TABLE)
    changed = [World(world.census, world.scenario.replace(random_seed=99)) for world in worlds[:2]]
    whole = database.replace

    def with_bad_state(
        path: Path, worlds: Sequence[World], first: int, events: pa.Table, state: pa.Table, threads: int
    ) -> None:
        whole(path, worlds, first, events, state.drop_columns(["account_balance"]), threads)

    monkeypatch.setattr(database, "replace", with_bad_state)
    with pytest.raises(DatabaseError, match="cannot be written"):
        run(changed, database=path)
    assert (_rows(path, EVENTS_TABLE), _rows(path, STATE_TABLE)) == before


def test_intermediate_files_are_removed(worlds: list[World], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import tempfile

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    seen: list[int] = []
    kept = tempfile.TemporaryDirectory.cleanup

    def count(folder: tempfile.TemporaryDirectory[str]) -> None:
        seen.append(len(list(Path(folder.name).glob("*.parquet"))))
        kept(folder)

    monkeypatch.setattr(tempfile.TemporaryDirectory, "cleanup", count)
    run(worlds, level="legacy")
    assert len(seen) == 1
    assert seen[0] > 10
    assert list(tmp_path.iterdir()) == []
    run(worlds, level="high")
    assert len(seen) == 1


_held: list[duckdb.DuckDBPyConnection] = []


def hold(path: str) -> None:
    """Open a database in this (worker) process and keep it open."""
    _held.append(duckdb.connect(path))


def let_go() -> None:
    """Close what `hold` opened."""
    while _held:
        _held.pop().close()


def _person(index: int, **facts: object) -> Employee:
    person = Employee(f"E{index}", f"SSN-{100_000_000 + index}", dt.date(1980, 3, 1), dt.date(2020, 5, 5), 6_000_000)
    return dataclasses.replace(person, **facts)  # type: ignore[arg-type]


def _stored(path: Path, table: str) -> int:
    return len(_rows(path, table))


def _rows(path: Path, table: str) -> list[tuple[object, ...]]:
    with duckdb.connect(str(path)) as connection:
        return connection.execute(f"SELECT * FROM {table} ORDER BY ALL").fetchall()
