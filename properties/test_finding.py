"""Findings of properties: saved at once, reduced, replayed by either command, and nothing of people where none belong."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from differential.engines import get_engine
from differential.pool import Chunk, gather
from differential.profiles import PROFILES
from differential.quality.worlds import noisy_world
from differential.repro import load_bundle, regressions, replay, shrink_failure
from differential.repro.record import RecordError, finding_from
from differential.run import Capabilities, Run
from differential.session import ROOT, Session
from differential.side import Side
from differential.variant import Variant
from fixtures.world import World
from properties.check import Violation
from properties.finding import PropertyFinding, explain, finding_of
from properties.judging import InvariantJudge, judge_of, wanted_first

HERE = "properties.test_finding"
PAY = Side("differential.quality.faults:ENGINES.raise_on_pay_before_promotion")
RAISES = Side("differential.quality.faults:RAISES_ON_TWO")


class Edited:
    """Polars with its run edited."""

    capabilities = Capabilities(threads=False, batch_size=False, resume=False, database=False)

    def __init__(self, name: str, edit: Callable[[Run, Sequence[World]], Run]) -> None:
        self.name, self.edit = name, edit

    def run(self, worlds: Sequence[World], variant: Variant) -> Run:
        run = self.edit(get_engine("polars").run(worlds, variant), worlds)
        return replace(run, proof=run.proof and replace(run.proof, engine=self.name))


def _first_row_is_older(run: Run, worlds: Sequence[World]) -> Run:
    """The first census row of a world is a year older than it is: a dependence on the order of rows."""
    firsts = iter([world.census.table["employee_id"][0].as_py() for world in worlds])

    def edit(events: pa.Table, state: pa.Table) -> tuple[pa.Table, pa.Table]:
        first, at = next(firsts), state.column_names.index("current_age")
        ages = [
            age + (employee == first)
            for age, employee in zip(state["current_age"].to_pylist(), state["employee_id"].to_pylist(), strict=True)
        ]
        return events, state.set_column(at, state.schema.field(at), pa.array(ages, pa.int32()))

    return run.map(edit)


def _quotes_people(run: Run, worlds: Sequence[World]) -> Run:
    row = worlds[0].census.table.slice(0, 1).to_pylist()[0]
    raise ValueError(f"cannot simulate {row['employee_id']} {row['employee_ssn']}")


def _no_growth_column(run: Run, worlds: Sequence[World]) -> Run:
    return replace(run, state=run.state.drop_columns(["current_age"]))


ORDERED = Edited("ordered", _first_row_is_older)
QUOTING = Edited("quoting", _quotes_people)
LACKING = Edited("lacking", _no_growth_column)


def broken(side: Side, check: str, world: World, **changes: Any) -> PropertyFinding:
    judge = judge_of(check)
    violations = judge.violations(side, [world], None)
    assert violations
    finding = PropertyFinding(
        test=check, side=side, world=world, judge=judge, wanted=violations[0].signature, **changes
    )
    return finding.seen(violations)


@pytest.fixture(scope="module")
def pay() -> PropertyFinding:
    return broken(PAY, "I19", noisy_world(60, 61))


@pytest.fixture(scope="module")
def bundle(pay: PropertyFinding, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return shrink_failure(tmp_path_factory.mktemp("repros"), pay)[0]


def edit(path: Path, **changes: Any) -> None:
    record = json.loads((path / "repro.json").read_text())
    (path / "repro.json").write_text(json.dumps(record | changes))


@pytest.fixture
def copy(bundle: Path, tmp_path: Path) -> Path:
    for file in bundle.iterdir():
        if file.is_file():
            (tmp_path / file.name).write_bytes(file.read_bytes())
    return tmp_path


def test_a_broken_invariant_is_reduced_and_replayed(bundle: Path, copy: Path) -> None:
    record = json.loads((bundle / "repro.json").read_text())

    assert bundle.name.startswith("i19-raise_step-raise-")
    assert (record["kind"], record["check"], record["employees"], record["verified"]) == ("property", "I19", 1, True)
    result = replay(bundle)
    assert (result.status, result.note, result.signature) == (1, "", "I19|raise_step|raise")
    assert replay(bundle / "unreduced").status == 1
    edit(copy, side=Side("oracle").to_json())
    assert (replay(copy).status, replay(copy).report) == (0, f"{copy}: no longer fails: oracle keeps I19")


def test_the_report_tells_in_this_order(bundle: Path) -> None:
    text = (bundle / "report.md").read_text()

    marks = [
        "I19 Pay chain: ", "raise_on_pay_before_promotion", "1 employee, 1 year", "clause raise_step: new pay = ",
        "found     63000.00 from 72000.00", "expected  75600.00", "events of E0001", " !  2026-07-15  raise", "state of E0001",
        "current_salary", "oracle\n  its own run of this world keeps I19", "= 75600.00", "census (1 employee)", "random_seed",
        "pytest properties --replay",
    ]  # fmt: skip
    at = 0
    for mark in marks:
        at = text.index(mark, at)
    assert len(text.splitlines()) <= 60


def test_candidates_are_judged_in_one_pass_and_the_wanted_clause_comes_first(pay: PropertyFinding) -> None:
    verdicts = pay.check()([noisy_world(1, 2), pay.world])

    assert pay.check().many
    assert verdicts == [None, pay.observed]
    assert wanted_first([Violation("I", "a", 0, "", ""), Violation("I", "b", 0, "", "")], "I|b|-")[0].clause == "b"
    assert not judge_of("I36").many  # types belong to the run as a whole, so candidates cannot be told apart


@pytest.mark.parametrize("suite", ["properties", "differential"])
def test_either_command_replays_it(suite: str, bundle: Path) -> None:
    done = _pytest(suite, "--replay", str(bundle))

    assert done.returncode == 1, done.stderr
    assert "clause raise_step" in done.stdout


def test_a_bundle_runs_alone_outside_the_tree(copy: Path) -> None:
    failing = _pytest("-p", "no:cacheprovider", "--rootdir", str(copy), str(copy / "test_repro.py"))
    edit(copy, side=Side("oracle").to_json())
    passing = _pytest("-p", "no:cacheprovider", "--rootdir", str(copy), str(copy / "test_repro.py"))

    assert (failing.returncode, passing.returncode) == (1, 0), failing.stdout + passing.stdout
    assert "clause raise_step" in failing.stdout


def _pytest(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "-q", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)


def test_a_broken_relation_says_what_its_twin_changed(tmp_path: Path) -> None:
    finding = broken(Side(f"{HERE}:ORDERED"), "M01", noisy_world(12, 13))

    path, text, reduction = shrink_failure(tmp_path, finding)

    assert reduction is not None
    assert reduction.verified
    assert len(reduction.world.census) == 2
    assert path.name.startswith("m01-reversed")
    assert "reversed: the rows in another order" in text
    assert "its own run of this world keeps M01" in text
    assert (replay(path).status, replay(path).note) == (1, "")
    edit(path, side=Side("polars").to_json())
    assert replay(path).status == 0


def test_a_relation_that_proves_nothing_cannot_be_tested(copy: Path) -> None:
    edit(copy, check="M04", signature="M04|after more people|-", side=Side(f"{HERE}:ORDERED").to_json())

    result = replay(copy)

    assert result.status == 125
    assert "has no database" in result.report


def test_numbers_of_rows_stand_for_people_where_nobody_is_named(tmp_path: Path) -> None:
    side = Side("differential.quality.faults:ENGINES.hires_rounded_not_raised")

    _, text, _ = shrink_failure(tmp_path, broken(side, "I03", noisy_world(60, 61)))

    assert "\nnumbers of rows\n" in text
    assert "people in the state" in text


def test_a_missing_column_is_judged_without_it(tmp_path: Path) -> None:
    path, text, _ = shrink_failure(tmp_path, broken(Side(f"{HERE}:LACKING"), "I36", noisy_world(5, 6)))

    assert "found     current_age: no such column" in text
    assert replay(path).note == ""


def test_an_engine_that_raises_is_a_finding_with_its_traceback(tmp_path: Path) -> None:
    finding = PropertyFinding(test="run", side=RAISES, world=noisy_world(2, 1), error="ZeroDivisionError: x")

    path, text, reduction = shrink_failure(tmp_path, finding)

    assert reduction is not None
    assert path.name.startswith("run-error-")
    assert "error: ZeroDivisionError: employee" in text
    assert "raise ZeroDivisionError" in (path / "error.txt").read_text()
    assert (replay(path).status, replay(path).note) == (1, "")
    edit(path, side=Side("oracle").to_json())
    assert "oracle does not raise" in replay(path).report


def test_it_is_saved_before_shrinking_and_kept_when_interrupted(tmp_path: Path, pay: PropertyFinding) -> None:
    def interrupted(_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        explain(pay, _session(tmp_path), interrupted)

    [path] = regressions(tmp_path)
    assert json.loads((path / "repro.json").read_text())["ended"] == "interrupted"
    assert load_bundle(path / "unreduced").finding.world.fingerprint == pay.world.fingerprint


def _session(folder: Path, **changes: Any) -> Session:
    arguments = ("--engine", PAY.engine, "--hypothesis-profile", "quick")
    world = changes.pop("world", None) or noisy_world(1, 1)
    return Session(
        PROFILES["quick"],
        (PAY.engine,),
        world,
        repro_dir=folder,
        arguments=arguments,
        progress=lambda _: None,
        **changes,
    )


def test_a_drawn_world_is_explained(tmp_path: Path) -> None:
    session, judge = _session(tmp_path), judge_of("I19")
    chunk = Chunk(tuple(gather(session.strategy, 80, 3)), 3, 80)
    violations = judge.violations(PAY, chunk.worlds, None)
    index = violations[0].world
    mine = [one for one in violations if one.world == index]
    finding = finding_of(session, PAY, chunk.worlds[index], judge=judge, violations=mine)

    text, path = explain(finding, session, chunk=chunk)

    record = json.loads((path / "repro.json").read_text())
    assert record["command"] == f"pytest properties --engine {PAY.engine} --hypothesis-profile quick"
    assert (record["hypothesis_seed"], record["profile"], record["employees"]) == (0, "quick", 1)
    assert "clause raise_step" in text


# ---- people's data


def _traces(folder: Path, world: World) -> list[str]:
    texts = [path.read_text() for path in folder.rglob("*") if path.is_file()]
    people = world.census.employees()
    words = {one.employee_id for one in people} | {one.employee_ssn for one in people}
    words |= {f"{one.pay_cents / 100:.2f}" for one in people} | {str(one.birth_date) for one in people}
    return sorted(word for word in words - {"1985-01-01", "60000.00"} if any(word in text for text in texts))


def test_given_people_are_withheld_and_then_replaced(tmp_path: Path) -> None:
    finding = broken(PAY, "I19", noisy_world(60, 61), given=True, command="pytest properties --census x.csv")

    path, text, reduction = shrink_failure(tmp_path, finding)

    assert reduction is not None
    assert reduction.verified
    assert _traces(tmp_path, finding.world) == []
    assert "have been replaced" in text or "from the given census" in text
    assert replay(path).status == 1


def test_an_ssn_of_a_given_census_is_in_no_text(tmp_path: Path) -> None:
    world = noisy_world(6, 7)
    ssn = world.census.table["employee_ssn"][0].as_py()

    class Quoting(InvariantJudge):
        """Its violations quote an ssn of the world."""

        def violations(self, side: Side, worlds: Sequence[World], timeout: float | None) -> list[Violation]:  # noqa: ARG002
            quoted = worlds[0].census.table["employee_ssn"][0].as_py()
            return [Violation("I10", "one_ssn", 0, f"{'x' * 125} {quoted}", quoted)]

    stub = Quoting(judge_of("I10").entry)
    finding = PropertyFinding(test="I10", side=Side("oracle"), world=world, judge=stub, given=True)

    shrink_failure(tmp_path, finding.seen(stub.violations(finding.side, [world], None)), keep_identities=True)

    texts = [path.read_text() for path in tmp_path.rglob("*") if path.is_file()]
    assert not [text for text in texts if ssn[:8] in text]
    assert any(world.census.table["employee_id"][0].as_py() in text for text in texts)


@pytest.mark.parametrize("check", ["run", "M01"])
def test_what_an_engine_says_of_given_people_is_nowhere(check: str, tmp_path: Path) -> None:
    world, side = noisy_world(3, 4), Side(f"{HERE}:QUOTING")
    if check == "M01":
        finding = broken(side, check, world, given=True)
    else:
        error = f"ValueError: {world.census.table['employee_id'][0].as_py()}"
        finding = PropertyFinding(test=check, side=side, world=world, error=error, trace=error, given=True)

    shrink_failure(tmp_path, finding)

    assert _traces(tmp_path, world) == []
    assert not list(tmp_path.rglob("error.txt"))


# ---- records


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"check": "I99"}, "key check: no check 'I99' in the catalogue"),
        ({"check": 7}, "key check: TypeError"),
        ({"side": None}, "key side"),
        ({"side": Side("os;x").to_json()}, "key side"),
        ({"side": Side("nobody").to_json()}, "unknown engine 'nobody'"),
        ({"signature": None}, "key signature"),
        ({"side": Side("oracle", Variant(threads=3)).to_json()}, "cannot be tested"),
    ],
)
def test_a_tampered_record_cannot_be_tested_and_says_why(changes: dict[str, Any], message: str, copy: Path) -> None:
    edit(copy, **changes)

    result = replay(copy)

    assert result.status == 125
    assert message in result.report
    assert "Traceback" not in result.report


def test_another_failure_than_the_recorded_one_is_noted(copy: Path) -> None:
    edit(copy, signature="odd")

    result = replay(copy)

    assert result.status == 1
    assert "another failure than the recorded one" in result.note


def test_where_properties_are_not_known_the_record_says_what_to_run(
    pay: PropertyFinding, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("differential.repro.finding._kinds", {})
    monkeypatch.setattr("differential.repro.finding._homes", {})

    with pytest.raises(RecordError, match="pytest properties --replay"):
        finding_from({"kind": "property"}, pay.world)
