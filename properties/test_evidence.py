"""The rows of a violation: the right person and years, the telling columns, the row that is meant among few lines."""

from __future__ import annotations

from dataclasses import replace

from differential.quality.worlds import noisy_world
from differential.run import WorldResult
from differential.side import Side
from properties.check import Violation
from properties.evidence import MOST_EVENTS, evidence_lines, evidence_of
from properties.judging import judge_of

WORLD = noisy_world(30, 31)
RESULT: WorldResult = next(Side("oracle").run([WORLD]).results())
ENTRY = judge_of("I19").entry


def raise_of_year(year: int) -> Violation:
    for row in RESULT.events.to_pylist():
        if (row["simulation_year"], row["event_type"]) == (year, "raise"):
            return Violation("I19", "raise_step", 0, "1", "2", row["employee_id"], year, "raise")
    raise AssertionError("no raise")


def test_that_persons_rows_of_the_year_and_the_year_before() -> None:
    violation = raise_of_year(2027)

    evidence = evidence_of(RESULT, violation)
    events, state = evidence_lines(evidence, violation, ENTRY)

    assert {row["employee_id"] for row in (*evidence.events, *evidence.state)} == {violation.employee_id}
    assert {row["simulation_year"] for row in evidence.events} == {2026, 2027}
    assert [line.split()[1] for line in events if line.lstrip().startswith("!")] == ["2027-07-15"]
    assert state[1].split() == ["2026", "2027"]
    assert any(line.split()[0] == "current_salary" for line in state[2:])
    assert not [line for line in (*events, *state) if "ssn" in line]


def test_many_events_are_cut_around_the_one_that_is_meant() -> None:
    violation = raise_of_year(2026)
    evidence = evidence_of(RESULT, violation)
    meant = next(row for row in evidence.events if row["simulation_year"] == 2026 and row["event_type"] == "raise")
    others = [row for row in evidence.events if row["event_type"] != "raise"] * 10

    lines = evidence_lines(replace(evidence, events=(*others, meant, *others)), violation, ENTRY)[0]

    assert len(lines) == MOST_EVENTS + 3
    assert lines[-2].lstrip().startswith("!")
    assert lines[-1] == f"  ... and {2 * len(others) + 1 - MOST_EVENTS} more"


def test_numbers_of_rows_where_nobody_is_named() -> None:
    violation = Violation("I02", "target", 0, "1", "2", None, 2026)

    (lines,) = evidence_lines(evidence_of(RESULT, violation), violation, ENTRY)

    active = sum(row["is_active"] for row in RESULT.state.to_pylist() if row["simulation_year"] == 2026)
    assert lines[1].split() == ["2025", "2026"]
    assert lines[-1].split()[-1] == str(active)


def test_the_rows_of_the_only_person_there_is() -> None:
    world = noisy_world(1, 1)
    result = next(Side("oracle").run([world]).results())
    violation = Violation("I02", "target", 0, "1", "2", None, world.scenario.start_year)

    evidence = evidence_of(result, violation)

    assert evidence.employee_id == result.state["employee_id"][0].as_py()
    assert evidence_lines(evidence, violation, ENTRY)[-1][0] == f"state of {evidence.employee_id}"


def test_tables_without_the_columns_to_look_in_give_nothing() -> None:
    bare = replace(RESULT, state=RESULT.state.drop_columns(["simulation_year"]))

    assert evidence_lines(evidence_of(bare, raise_of_year(2026)), raise_of_year(2026), ENTRY) == []
