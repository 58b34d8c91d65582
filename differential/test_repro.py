"""Bundles: written whole, read back equal, replayed with the right status; no people's data where none belong."""

from __future__ import annotations

import datetime as dt
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from differential.comparison import ComparisonPolicy, Divergence, PolicyEntry
from differential.quality.worlds import noisy_world
from differential.reduction import Budget, Reduction
from differential.repro import (
    BundleError,
    Failure,
    load_bundle,
    regressions,
    replay,
    report,
    shrink_failure,
    write_bundle,
)
from differential.repro.bundle import bundle_name, report_text
from differential.repro.spreadsheet import census_from_csv, census_to_csv
from differential.side import Side
from differential.variant import Variant
from fixtures.census import Census, CensusError, Employee
from fixtures.scenario import Scenario
from fixtures.world import World

ROOT = Path(__file__).resolve().parent.parent
FAULTS = "differential.quality.faults:ENGINES"


def failure(fault: str = "raise_on_pay_before_promotion", rows: int = 60, **changes: Any) -> Failure:
    world = changes.pop("world", None) or noisy_world(rows, rows + 1)
    right = Side(f"{FAULTS}.{fault}")
    found = Failure(test="sql_vs_polars", left=Side("oracle"), right=right, world=world, claim="sql_vs_polars")
    return replace(found.on(world), command="pytest differential --parity sql_vs_polars", **changes)


def reduction_of(found: Failure) -> Reduction:
    return Reduction(found.world, found.observed, 7, 70, 1.5, True, "finished")


def small(found: Failure) -> Failure:
    """The same failure on a single employee."""
    person = Employee("E0001", "SSN-000000001", dt.date(1999, 1, 1), dt.date(2020, 1, 1), 6_000_000)
    scenario = Scenario.create(start_year=2026, end_year=2026, random_seed=5)
    return found.on(World(Census.from_employees([person]), scenario))


@pytest.fixture(scope="module")
def found() -> Failure:
    return failure()


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def edit(bundle: Path, change: Callable[[dict[str, Any]], None]) -> None:
    record = json.loads((bundle / "repro.json").read_text())
    change(record)
    (bundle / "repro.json").write_text(json.dumps(record))


def test_a_failure_is_saved_reduced_and_replayed(tmp_path: Path, found: Failure) -> None:
    path, text, reduction = shrink_failure(tmp_path, found)

    assert reduction is not None
    assert reduction.verified
    assert {"census.csv", "scenario.yaml", "report.md", "test_repro.py", "repro.json", "unreduced/census.csv"} <= set(
        contents(path)
    )
    record = json.loads((path / "repro.json").read_text())
    assert (record["schema"], record["employees"], record["years"]) == (1, 1, 1)
    assert {"left", "right", "scores", "first_divergence", "runs", "seconds"} <= set(record)
    assert record["first_divergence"]["stage"] == "raise (5.7)"
    assert len(text.splitlines()) <= 60
    result = replay(path)
    assert (result.status, result.note, result.signature) == (1, "", record["signature"])
    assert load_bundle(path / "unreduced").finding.world.fingerprint == found.world.fingerprint
    assert replay(path / "unreduced").status == 1


def test_the_report_tells_in_this_order(found: Failure) -> None:
    text = report(small(found), command="pytest differential --replay repros/x")

    marks = [
        "oracle and raise_on_pay_before_promotion differ", "first divergence: compensation_amount of raise",
        "what led there", "\noracle\n", "oracle agrees with it, raise_on_pay_before_promotion does not",
        "census (1 employee)", "1999-01-01", "start_year: 2026  (default 2025)", "random_seed: 5",
        "pytest differential --replay repros/x",
    ]  # fmt: skip
    at = 0
    for mark in marks:
        at = text.index(mark, at)
    assert len(text.splitlines()) <= 60


def test_saved_before_shrinking_and_kept_when_interrupted(
    tmp_path: Path, found: Failure, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("differential.repro.shrink.reduce_world", interrupted)
    with pytest.raises(KeyboardInterrupt):
        shrink_failure(tmp_path, found)

    [path] = regressions(tmp_path)
    assert load_bundle(path).finding.world.fingerprint == found.world.fingerprint
    assert replay(path).status == 1


def test_an_interrupted_reduction_is_saved_and_ends_the_session(tmp_path: Path, found: Failure) -> None:
    def progress(_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        shrink_failure(tmp_path, found, progress=progress)

    [path] = regressions(tmp_path)
    record = json.loads((path / "repro.json").read_text())
    assert record["ended"] == "interrupted"
    assert record["employees"] < 60


def test_an_interrupted_write_leaves_all_or_nothing(
    tmp_path: Path, found: Failure, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_bundle(tmp_path, found, mask=False)
    before = contents(path)
    rename = Path.rename

    def broken(self: Path, target: Path) -> Path:
        if self.name.startswith(".part-"):
            raise KeyboardInterrupt
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", broken)
    with pytest.raises(KeyboardInterrupt):
        write_bundle(tmp_path, small(found), reduction_of(small(found)), mask=False)

    assert contents(path) == before
    assert [one.name for one in tmp_path.iterdir()] == [path.name]


def test_a_run_killed_between_two_renames_is_repaired(tmp_path: Path, found: Failure) -> None:
    path = write_bundle(tmp_path, found, mask=False)
    path.rename(tmp_path / f".old-{path.name}")

    assert write_bundle(tmp_path, found, mask=False) == path
    assert load_bundle(path).finding.world.fingerprint == found.world.fingerprint


def test_names_are_stable_and_hold_no_text_of_the_user(found: Failure) -> None:
    assert bundle_name(found) == bundle_name(small(found))
    assert bundle_name(found).startswith("sql_vs_polars-raise-compensation_amount-")
    assert bundle_name(found) != bundle_name(replace(found, right=Side("oracle", Variant(threads=2))))
    hostile = failure(world=found.world)
    assert hostile.divergence is not None
    hostile = replace(
        hostile, test="../../x", divergence=replace(hostile.divergence, event_type="rm -rf", column="=1+1")
    )
    assert bundle_name(hostile).rpartition("-")[0] == "x-event"


@pytest.mark.parametrize(
    ("kind", "table", "words"),
    [("schema", "fct_workforce_snapshot", "schema-hire_date"), ("infeasible", "", "infeasible")],
)
def test_names_say_when_a_schema_or_a_whole_world_differs(kind: Any, table: str, words: str, found: Failure) -> None:
    divergence = Divergence(table, kind, None, "schema (6)", column="hire_date" if table else "a/b")

    assert bundle_name(replace(found, divergence=divergence)).startswith(f"sql_vs_polars-{words}-")


def test_the_smallest_wins_and_nothing_else_is_overwritten(tmp_path: Path, found: Failure) -> None:
    one = small(found)
    first = write_bundle(tmp_path, found, reduction_of(found), mask=False)
    smaller = write_bundle(tmp_path, one, reduction_of(one), mask=False)
    assert smaller == first
    assert load_bundle(first).finding.world.fingerprint == one.world.fingerprint

    before = contents(first)
    beside = write_bundle(tmp_path, found, reduction_of(found), mask=False)
    assert beside.name == f"{first.name}-2"
    assert contents(first) == before

    other = tmp_path / bundle_name(one)
    shutil.rmtree(beside)
    (other / "repro.json").write_text("mine")
    assert write_bundle(tmp_path, one, reduction_of(one), mask=False) != other
    assert (other / "repro.json").read_text() == "mine"


def test_the_same_failure_again_leaves_one_bundle(tmp_path: Path, found: Failure) -> None:
    first, _, _ = shrink_failure(tmp_path, found)
    before = contents(first)

    again, _, _ = shrink_failure(tmp_path, found)

    assert again == first
    assert contents(first) == before
    assert [one.name for one in tmp_path.iterdir()] == [first.name]


def test_a_bundle_runs_alone_under_pytest_and_holds_no_text_of_the_user(tmp_path: Path, found: Failure) -> None:
    one, other = small(found), small(replace(found, right=Side("oracle")))
    path = write_bundle(tmp_path, one, reduction_of(one), mask=False)
    passing = write_bundle(tmp_path, replace(other, error="Gone: x"), reduction_of(one), mask=False)
    assert (path / "test_repro.py").read_bytes() == (passing / "test_repro.py").read_bytes()

    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(path / "test_repro.py")]
    failed = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=120, check=False)

    assert failed.returncode == 1, failed.stdout + failed.stderr
    assert "first divergence: compensation_amount of raise" in failed.stdout


# ---- people's data


def given_failure(fault: str = "catch_up_from_51", rows: int = 60) -> Failure:
    return failure(fault, rows, given=True)


def traces(folder: Path, world: World) -> list[str]:
    """Ids, ssn, pay and birth dates of a census that occur in any file of a folder, hidden ones too."""
    texts = [path.read_text() for path in folder.rglob("*") if path.is_file()]
    plain = {"1985-01-01", "60000.00"}
    people = world.census.employees()
    words = {one.employee_id for one in people} | {one.employee_ssn for one in people}
    words |= {f"{one.pay_cents / 100:.2f}" for one in people} | {str(one.birth_date) for one in people}
    return sorted(word for word in words - plain if any(word in text for text in texts))


def test_nothing_of_given_people_is_written_before_they_are_replaced(tmp_path: Path) -> None:
    found = given_failure()

    path = write_bundle(tmp_path, found, mask=True)

    assert traces(tmp_path, found.world) == []
    assert not (path / "census.csv").exists()
    assert found.command is not None
    assert found.command in report_text(path)
    assert replay(path).status == 125


def test_given_people_are_replaced(tmp_path: Path) -> None:
    found = given_failure()

    path, text, reduction = shrink_failure(tmp_path, found)

    assert reduction is not None
    assert reduction.verified
    assert traces(tmp_path, found.world) == []
    assert "ids, ssn, dates and pay have been replaced" in text
    assert replay(path).status == 1


def test_what_the_failure_needs_of_given_people_is_named(tmp_path: Path) -> None:
    world = noisy_world(400, 401, deferral_auto_escalation={"hire_date_cutoff": "2019-03-01"})
    found = failure("cutoff_for", world=world, given=True)

    _, text, _ = shrink_failure(tmp_path, found)

    assert "from the given census, since the failure needs it\n  employee_hire_date of row 1" in text
    assert traces(tmp_path, world) == []


def test_ssn_are_masked_even_when_identities_are_kept(tmp_path: Path) -> None:
    found = given_failure()
    assert found.divergence is not None
    ssn = found.world.census.table["employee_ssn"].to_pylist()
    found = replace(found, divergence=replace(found.divergence, left=ssn[0], right=f"x{ssn[1]}"))

    path = write_bundle(tmp_path, found, mask=False)

    written = " ".join(one.decode() for one in contents(tmp_path).values())
    assert not [one for one in ssn if one in written]
    assert "P000001" in written
    assert load_bundle(path).finding.world.census.table["employee_id"].equals(found.world.census.table["employee_id"])


def test_a_failure_that_does_not_show_again_leaks_nothing(tmp_path: Path) -> None:
    found = replace(given_failure(), right=Side("oracle"))

    path, text, reduction = shrink_failure(tmp_path, found)

    assert reduction is None
    assert "did not show again" in text
    assert traces(tmp_path, found.world) == []
    assert regressions(tmp_path) == [path]


def test_the_message_of_an_engine_is_not_written_with_given_people(tmp_path: Path) -> None:
    found = replace(
        given_failure(), divergence=None, error="ValueError: employee P000001 is odd", trace="P000001 is odd"
    )

    path = write_bundle(tmp_path, found, mask=False)

    assert not (path / "error.txt").exists()
    assert not [name for name, text in contents(tmp_path).items() if b"is odd" in text]


# ---- files


TEXT = st.text(st.characters(blacklist_categories=("Cs", "Cc")), min_size=1, max_size=12)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(TEXT, st.integers(1, 10**10), st.integers(0, 10_000)),
        min_size=1,
        max_size=5,
        unique_by=lambda r: r[0],
    )
)
def test_a_census_reads_back_equal(rows: list[tuple[str, int, int]]) -> None:
    people = [
        Employee(f"={name}" if n % 2 else name, f"@{n}", dt.date(1980, 2, 29), dt.date(2000, 2, 29), pay, rate)
        for n, (name, pay, rate) in enumerate(rows)
        if not name.startswith("NH_")
    ]
    if not people or len({one.employee_id for one in people}) < len(people):
        return
    census = Census.from_employees(people)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "census.csv"
        path.write_text(census_to_csv(census), encoding="utf-8")
        assert census_from_csv(path).table.equals(census.table)


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)", "'quoted", "＝1", "nan", "null", 'a"b,c', " x "])
def test_hostile_ids_open_harmlessly_and_read_back(tmp_path: Path, name: str) -> None:
    people = [Employee(name, "1", dt.date(1980, 1, 1), dt.date(2000, 1, 1), 1, 0, dt.date(2001, 1, 1))]
    census = Census.from_employees(people)
    path = tmp_path / "census.csv"
    path.write_text(census_to_csv(census), encoding="utf-8")

    assert census_from_csv(path).table.equals(census.table)
    cell = path.read_text(encoding="utf-8").splitlines()[1].lstrip('"')
    assert not cell.startswith(("=", "+", "-", "@", "＝"))


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("E1,1,1980-01-01,2000-01-01,,x,true,0", "row 1, column employee_gross_compensation"),
        ("E1,1,1980-13-01,2000-01-01,,1,true,0", "row 1, column employee_birth_date"),
        ("E1,1", "row 1, column employee_birth_date"),
        ("E1,1,1980-01-01,2000-01-01,,0,true,0", "column employee_gross_compensation is not above 0"),
    ],
)
def test_a_bad_census_names_file_row_and_column(tmp_path: Path, line: str, message: str) -> None:
    path = tmp_path / "census.csv"
    head = census_to_csv(noisy_world(1, 1).census).splitlines()[0]
    path.write_text(f"{head}\n{line}\n")

    with pytest.raises(CensusError, match=message) as raised:
        census_from_csv(path)
    assert str(path) in str(raised.value)


def test_sides_policy_and_threshold_are_read_back(tmp_path: Path, found: Failure) -> None:
    policy = ComparisonPolicy(
        entries=(PolicyEntry("fct_yearly_events", "event_id", None, "random in it", dt.date(2030, 1, 1)),)
    )
    one = replace(small(found), policy=policy, threshold=0.9999, left=Side("oracle"), hypothesis_seed=3, profile="ci")
    path = write_bundle(tmp_path, one, reduction_of(one), mask=False)

    read = load_bundle(path).finding

    assert isinstance(read, Failure)
    assert (read.left, read.right, read.test, read.claim) == (one.left, one.right, one.test, one.claim)
    assert (read.threshold, read.profile, read.hypothesis_seed) == (0.9999, "ci", 3)
    assert read.policy is not None
    assert read.policy.entries == policy.entries
    assert read.world.fingerprint == one.world.fingerprint


def _set(key: str, value: Any) -> Callable[[Path], None]:
    return lambda path: edit(path, lambda record: record.__setitem__(key, value))


def _write(name: str, text: str) -> Callable[[Path], None]:
    def spoil(path: Path) -> None:
        (path / name).write_text(text)

    return spoil


BROKEN: dict[str, tuple[Callable[[Path], Any], str]] = {
    "no folder": (shutil.rmtree, "no such folder"),
    "no record": (lambda path: (path / "repro.json").unlink(), "repro.json: missing"),
    "no census": (lambda path: (path / "census.csv").unlink(), "census.csv: missing"),
    "malformed": (_write("repro.json", "{"), "not valid JSON"),
    "nested": (_write("repro.json", "[" * 100_000), "not valid JSON"),
    "a list": (_write("repro.json", "[]"), "expected an object"),
    "later schema": (_set("schema", 2), "key schema is 2"),
    "later kind": (_set("kind", "hologram"), "key kind: 'hologram' is not known here"),
    "no side": (_set("left", None), "key left"),
    "odd engine": (_set("left", {**Side("os;x:y").to_json()}), "key left"),
    "unknown engine": (_set("left", Side("nobody").to_json()), "unknown engine 'nobody'"),
    "missing module": (_set("right", Side("no.such.module:x").to_json()), "no.such.module"),
    "unknown claim": (_set("claim", "mine"), "key claim"),
    "bad variant": (_set("left", {**Side("oracle").to_json(), "variant": {"level": "odd"}}), "key left"),
    "a database": (_set("left", {**Side("oracle").to_json(), "variant": {"database": "/tmp/x"}}), "key left"),
    "bad policy": (_set("policy", [{"table": 1}]), "key policy"),
    "yaml tag": (_write("scenario.yaml", "!!python/object/apply:os.system ['true']"), "scenario.yaml: not valid YAML"),
    "unknown key": (_write("scenario.yaml", "grwth: 1"), "scenario.yaml: unknown key 'grwth'"),
    "bad census": (_write("census.csv", "a,b\n1,2\n"), "census.csv: missing column"),
    "binary census": (lambda path: (path / "census.csv").write_bytes(b"\xff\xfe\x00"), "census.csv"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_bundle_cannot_be_tested_and_says_why(name: str, tmp_path: Path, found: Failure) -> None:
    one = small(found)
    path = write_bundle(tmp_path, one, reduction_of(one), mask=False)
    spoil, message = BROKEN[name]
    spoil(path)

    result = replay(path)

    assert result.status == 125
    assert message in result.report
    assert "Traceback" not in result.report


def test_a_link_out_of_the_bundle_is_refused(tmp_path: Path, found: Failure) -> None:
    one = small(found)
    path = write_bundle(tmp_path / "repros", one, reduction_of(one), mask=False)
    outside = tmp_path / "census.csv"
    (path / "census.csv").rename(outside)
    (path / "census.csv").symlink_to(outside)

    with pytest.raises(BundleError, match="outside the repro"):
        load_bundle(path)


# ---- statuses


def test_statuses(tmp_path: Path, found: Failure) -> None:
    one = small(found)
    path = write_bundle(tmp_path, one, reduction_of(one), mask=False)
    assert replay(path).status == 1

    _set("signature", "sql_vs_polars|fct_yearly_events|hire|-|value")(path)
    other = replay(path)
    assert other.status == 1
    assert "another failure than the recorded one" in other.note

    _set("right", Side("polars").to_json())(path)
    fixed = replay(path)
    assert fixed.status == 0
    assert "no longer fails" in fixed.report

    _set("right", Side("oracle").to_json())(path)  # one engine on both sides proves nothing
    assert replay(path).status == 125

    _set("right", Side("oracle", Variant(threads=3)).to_json())(path)  # a variant that the engine lacks
    assert replay(path).status == 125


def test_an_engine_that_raises_fails(tmp_path: Path) -> None:
    right = Side("differential.quality.faults:RAISES_ON_TWO")
    raising = Failure(test="oracle", left=Side("oracle"), right=right, world=noisy_world(2, 1))
    raising = raising.on(raising.world)
    path, text, reduction = shrink_failure(tmp_path, raising, budget=Budget(runs=12))

    assert reduction is not None
    assert reduction.verified
    assert len(reduction.world.census) == 2
    assert "error: ZeroDivisionError" in text
    assert path.name.startswith("oracle-error-")
    assert (replay(path).status, replay(path).note) == (1, "")
    assert "its traceback is in error.txt" in text
    trace = (path / "error.txt").read_text()
    assert "in a worker process" in trace
    assert "raise ZeroDivisionError" in trace


def test_an_edited_world_is_noted(tmp_path: Path, found: Failure) -> None:
    one = small(found)
    path = write_bundle(tmp_path, one, reduction_of(one), mask=False)
    (path / "scenario.yaml").write_text((path / "scenario.yaml").read_text() + "scenario_id: mine\n")

    assert "edited since" in replay(path).note


def test_regressions_are_the_folders_by_name(tmp_path: Path) -> None:
    for name in ("b", "a", ".part-x", "__pycache__"):
        (tmp_path / name).mkdir()
    (tmp_path / "README.md").write_text("x")

    assert [path.name for path in regressions(tmp_path)] == ["a", "b"]
    assert regressions(tmp_path / "none") == []
