"""Programs as engines: the folder they get and leave, every fault of what they leave, their limits, and what stays behind."""

from __future__ import annotations

import datetime as dt
import json
import os
import shutil
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from differential.commands import KEEP_RUNS, engine
from differential.commands.casting import TableError, conform
from differential.commands.program import PLAIN
from differential.commands.proof_file import ProofError
from differential.comparison import CLAIMS, check_claim, compare_runs
from differential.engines import EngineSpecError, get_engine, label, settled
from differential.run import capabilities_of
from differential.schemas import EVENTS_SCHEMA, STATE_SCHEMA
from differential.side import Side
from differential.variant import Variant, VariantError
from differential.workers import WorkerError
from fixtures.census import Census
from fixtures.populations import generate
from fixtures.scenario import Scenario
from fixtures.world import World

WORLD = World(generate(12, seed=3), Scenario(end_year=2026))
ORACLE = Side("oracle").run([WORLD])
PROOF: dict[str, Any] = {
    "engine": "acme",
    "versions": {"acme": "7"},
    "world": WORLD.fingerprint,
    "threads": 1,
    "switches": [],
}
NOON = dt.datetime(2025, 1, 1, 12)  # noqa: DTZ001 - tables know no time zones
Make = Callable[..., str]


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Make:
    """A program that leaves the oracle's tables, edited: `program(line, events=..., state=..., proof=...)` is its SPEC."""
    monkeypatch.delenv(KEEP_RUNS, raising=False)
    monkeypatch.setattr(engine, "_kept", [])
    ready = tmp_path / "ready"
    ready.mkdir()

    def make(line: str = "", **edited: Any) -> str:
        pq.write_table(edited.get("events", ORACLE.events), ready / "events.parquet")
        pq.write_table(edited.get("state", ORACLE.state), ready / "state.parquet")
        proof = edited.get("proof", PROOF)
        (ready / "proof.json").write_text(proof if isinstance(proof, str) else json.dumps(proof))
        path = tmp_path / "acme.sh"
        path.write_text(f'#!/bin/sh\nset -e\ncp {ready}/* "$1"\n{line}\n')
        path.chmod(0o755)
        get_engine.cache_clear()
        return f"command:{path}"

    return make


def changed(table: pa.Table, name: str, column: Any) -> pa.Table:
    return table.set_column(table.column_names.index(name), name, column)


def test_the_folder_holds_the_whole_input(program: Make, tmp_path: Path) -> None:
    run = Side(program(f'cp "$1"/* {tmp_path}')).run([WORLD])

    census = pq.read_schema(tmp_path / "census.parquet")
    assert census.field("employee_birth_date").type == pa.date32()
    assert census.field("employee_gross_compensation").type == pa.decimal128(18, 2)
    again = World(Census.load(tmp_path / "census.parquet"), Scenario.load(tmp_path / "scenario.yaml"))
    asked = json.loads((tmp_path / "variant.json").read_text())
    assert again.fingerprint == WORLD.fingerprint == asked["world"]
    assert "voluntary_enrollment" in (tmp_path / "scenario.yaml").read_text()  # also what is at its default
    assert asked["threads"] == 1 and asked["level"] == "high" and asked["legacy_flag"] is False
    assert all(found.equal for found in compare_runs(run, ORACLE))
    assert check_claim(CLAIMS["oracle"], run, ORACLE).ok
    assert run.proof and run.proof.engine == "acme" and run.proof.pid != os.getpid() and not run.proof.notes


def test_runs_at_the_same_time_keep_out_of_each_others_way(program: Make, tmp_path: Path) -> None:
    side = Side(program(f'basename "$1" >> {tmp_path}/seen; sleep 0.3'))
    with ThreadPoolExecutor(4) as pool:
        runs = list(pool.map(lambda _: side.run([WORLD]), range(4)))

    assert len(set((tmp_path / "seen").read_text().split())) == 4
    assert len({run.proof.pid for run in runs if run.proof}) == 4
    assert not [
        folder
        for folder in Path(tempfile.gettempdir()).glob("acme-*")
        if folder.name in (tmp_path / "seen").read_text()
    ]


def test_without_proof_it_is_unproven(program: Make) -> None:
    run = Side(program('rm "$1/proof.json"')).run([WORLD])

    assert run.proof is None
    assert check_claim(CLAIMS["oracle"], run, ORACLE).status == "unproven"


def test_a_world_without_result(program: Make) -> None:
    proof = {**PROOF, "infeasible": {"code": "too_many_hires", "year": 2025}}
    run = Side(program('rm "$1/events.parquet" "$1/state.parquet"', proof=proof)).run([WORLD])

    assert run.infeasible[0].code == "too_many_hires" and run.events.schema == EVENTS_SCHEMA and not run.state.num_rows


@pytest.mark.parametrize(
    ("proof", "message"),
    [
        ("{", "Invalid JSON"),
        ({**PROOF, "threads": 0}, "key threads: Input should be greater than or equal to 1"),
        ({**PROOF, "threads": "4"}, "key threads: Input should be a valid integer"),
        ({name: value for name, value in PROOF.items() if name != "engine"}, "key engine is missing"),
        ({**PROOF, "enigne": "x"}, "unknown key 'enigne'"),
        ({**PROOF, "versions": {}}, "key versions"),
        ({**PROOF, "world": "of yesterday"}, "key world: is 'of yesterday', expected the one of variant.json"),
        ({**PROOF, "switches": ["turbo"]}, "key switches: 'turbo' is unknown; expected some of fused_events"),
        ({**PROOF, "planned": {"hires": -1}}, r"key planned\.hires"),
    ],
)
def test_what_is_wrong_in_proof_json_is_named(program: Make, proof: object, message: str) -> None:
    with pytest.raises(ProofError, match=rf"acme: proof\.json: .*{message}"):
        Side(program(proof=proof)).run([WORLD])


def test_types_that_say_the_same_are_cast_and_told(program: Make) -> None:
    events = ORACLE.events
    for name, kind in {
        "event_date": pa.timestamp("us"), "compensation_amount": pa.float64(), "level_id": pa.int64(),
        "employee_deferral_rate": pa.float64(),
    }.items():  # fmt: skip
        events = changed(events, name, events[name].cast(kind))
    events = changed(events, "event_type", events["event_type"].dictionary_encode())
    events = events.append_column("loaded_at", pa.array([NOON] * events.num_rows))
    run = Side(program(events=events)).run([WORLD])

    assert all(found.equal for found in compare_runs(run, ORACLE))
    assert run.events.schema == EVENTS_SCHEMA
    assert run.proof and len(run.proof.notes) == 6
    assert "events.parquet: left out loaded_at, which section 6 does not know" in run.proof.notes
    assert "events.parquet: compensation_amount cast from double to decimal128(18, 2)" in run.proof.notes


@pytest.mark.parametrize(
    ("name", "column", "message"),
    [
        (
            "compensation_amount",
            pa.array([1.25] * 6 + [1.005] + [2.0] * 3),
            r"column compensation_amount, row 7: 1\.005 \(double\)",
        ),
        ("compensation_amount", pa.array([1.25] * 9 + [float("nan")]), "row 10: nan"),
        ("compensation_amount", pa.array(["1.25"] * 10), r"is string, expected decimal128\(18, 2\)"),
        ("level_id", pa.array([1] * 4 + [2**40] + [1] * 5), rf"column level_id, row 5: {2**40}"),
        ("level_id", pa.array([1.0] * 3 + [1.5] + [1.0] * 6), r"column level_id, row 4: 1\.5"),
        (
            "event_date",
            pa.array([None] * 9 + [NOON]),
            "row 10: 2025-01-01 12:00:00",
        ),
        ("event_date", pa.array(["2025-01-01"] * 10), "is string, expected date32"),
        ("employee_id", pa.array(list(range(10))), "is int64, expected string"),
    ],
)
def test_a_value_that_would_change_is_refused_by_column_and_row(name: str, column: pa.Array, message: str) -> None:
    rows = pa.table([pa.nulls(10, field.type) for field in EVENTS_SCHEMA], schema=EVENTS_SCHEMA)

    with pytest.raises(TableError, match=message):
        conform(changed(rows, name, column), EVENTS_SCHEMA, "events.parquet")


def test_columns_that_are_missing_or_doubled() -> None:
    state = STATE_SCHEMA.empty_table()
    with pytest.raises(TableError, match=r"state\.parquet: no column is_active, deferral_rate; it has scenario_id"):
        conform(state.drop_columns(["is_active", "deferral_rate"]), STATE_SCHEMA, "state.parquet")
    with pytest.raises(TableError, match="column is_active occurs twice"):
        conform(state.append_column("is_active", state["is_active"]), STATE_SCHEMA, "state.parquet")
    shuffled, notes = conform(state.select(state.column_names[::-1]), STATE_SCHEMA, "state.parquet")
    assert shuffled.schema == STATE_SCHEMA and not notes


@pytest.mark.parametrize(
    ("line", "kind", "message"),
    [
        ("echo out of paper; exit 3", "died", r"acme ended with exit status 3\n  \| out of paper"),
        ("kill -SEGV $$", "died", "by signal SIGSEGV"),
        ("sleep 60 & sleep 60", "hung", r"did not end in 0\.5 s"),
    ],
)
def test_a_program_that_fails_is_told_with_its_output_and_its_folder(
    program: Make, line: str, kind: str, message: str
) -> None:
    with pytest.raises(WorkerError, match=message) as raised:
        Side(program(line)).run([WORLD], timeout=0.5 if kind == "hung" else None)

    assert raised.value.kind == kind
    folder = Path(str(raised.value).rpartition("its folder is kept: ")[2].strip())
    assert (folder / "census.parquet").exists() and (folder / "output.log").exists()
    shutil.rmtree(folder)


def test_files_that_are_not_there_or_no_tables(program: Make) -> None:
    with pytest.raises(TableError, match=r"acme: state\.parquet: the program ended well and did not leave it"):
        Side(program('rm "$1/state.parquet"')).run([WORLD])
    with pytest.raises(TableError, match=r"events\.parquet: cannot be read as Parquet"):
        Side(program('echo hello > "$1/events.parquet"')).run([WORLD])
    for folder in engine._kept:
        shutil.rmtree(folder)


def test_few_folders_of_failed_runs_stay_and_all_on_request(
    program: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    side, kept = Side(program("exit 1")), []
    for _ in range(engine.MOST_KEPT + 1):
        with pytest.raises(WorkerError) as raised:
            side.run([WORLD])
        kept.append(str(raised.value))
    assert [text.count("its folder is kept") for text in kept] == [1, 1, 1, 0]
    assert "--keep-runs DIR keeps all" in kept[-1]
    for folder in engine._kept:
        shutil.rmtree(folder)

    monkeypatch.setenv(KEEP_RUNS, str(tmp_path / "runs"))
    Side(program()).run([WORLD])
    assert len(list((tmp_path / "runs").glob("acme-*/events.parquet"))) == 1


def test_what_it_can_do_is_told_in_a_file_beside_it(program: Make, tmp_path: Path) -> None:
    spec = program()
    assert capabilities_of(get_engine(spec)) == PLAIN
    with pytest.raises(
        VariantError, match=r"has no threads; if it does, say `threads: true` in acme\.capabilities\.yaml"
    ):
        Side(spec, Variant(threads=4)).run([WORLD])

    beside = tmp_path / "acme.capabilities.yaml"
    beside.write_text("threads: true\nlevels: [legacy, high]\n")
    can = capabilities_of(get_engine(program()))
    assert can.threads and can.levels == ("legacy", "high") and not can.shards and not can.many_worlds
    for text, message in {
        "treads: true": "unknown key 'treads'; expected threads",
        "threads: 4": "key threads: expected true or false, got 4",
        "levels: [fast]": "key levels: expected a list of legacy, low, medium, high",
        "levels: [low]": "key levels: high must be among them",
        "- threads": "expected keys and values",
    }.items():
        beside.write_text(text)
        with pytest.raises(EngineSpecError, match=rf"acme\.capabilities\.yaml: {message}"):
            get_engine(program())


def test_programs_that_cannot_be_run(tmp_path: Path) -> None:
    plain = tmp_path / "plain.sh"
    plain.write_text("exit 0\n")
    for spec, message in {
        "command:": "name a program, such as command:./run_sim.sh",
        "command:/no/such": "/no/such is no program here or on PATH",
        f"command:{plain}": f"may not be executed; make it executable: chmod \\+x {plain}",
        "command:sh 'x": "No closing quotation",
    }.items():
        with pytest.raises(EngineSpecError, match=message):
            get_engine(spec)
    assert label(f"command:sh {plain}") == "command:plain.sh"


def test_a_spec_means_the_same_in_another_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "sim.py").touch()
    monkeypatch.chdir(tmp_path)

    assert settled("command:python sim.py --fast") == f"command:python {tmp_path}/sim.py --fast"
    assert settled("command:./sim.py") == f"command:{tmp_path}/sim.py"


def test_a_cent_too_much_is_found(program: Make) -> None:
    pay = ORACLE.events["compensation_amount"]
    more = pc.if_else(pc.equal(ORACLE.events["event_type"], "raise"), pc.add(pay, pa.scalar(1, pay.type)), pay).cast(
        pay.type
    )
    run = Side(program(events=changed(ORACLE.events, "compensation_amount", more))).run([WORLD])

    assert not compare_runs(run, ORACLE)[0].equal
