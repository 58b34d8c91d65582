"""Comparison of runs over many worlds, scores, and numeric differences."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from differential.comparison import (
    ComparisonError,
    ComparisonPolicy,
    PolicyEntry,
    PolicyUse,
    Scores,
    TableSpec,
    compare_runs,
    least_scores,
    numeric_differences,
    numeric_differences_of_runs,
)
from differential.comparison.testing import examples, with_cell
from differential.comparison.worked import example_run
from differential.run import Infeasible, Run, RunError
from differential.schemas import EVENTS_TABLE

pytestmark = pytest.mark.suite


def edited(run: Run, world: int, column: str, value: object) -> Run:
    """The run with one cell of one world's events replaced."""
    row = sum(events for events, _ in (run.bounds or ())[:world]) + 3
    return replace(run, events=with_cell(run.events, row, column, value))


def test_equal_runs_are_equal_world_by_world() -> None:
    left, right = example_run(), example_run()
    found = compare_runs(left, right)
    assert [world.index for world in found] == [0, 1, 2, 3]
    assert all(world.equal and world.accepted for world in found)
    assert least_scores(found) == Scores()
    assert [world.events.left_rows for world in found] == [events for events, _ in left.bounds or ()]


@examples
@given(st.data())
def test_only_the_world_that_differs_is_reported(data: st.DataObject) -> None:
    left = example_run()
    world = data.draw(st.sampled_from([0, 1, 3]))
    column, value = data.draw(st.sampled_from([("employee_age", 99), ("event_type", "raise"), ("event_date", None)]))
    found = compare_runs(left, edited(example_run(), world, column, value))
    assert [item.index for item in found if not item.equal] == [world]
    rows = found[world].events.left_rows
    assert least_scores(found).least < 1
    if column == "employee_age":
        assert found[world].scores == Scores(1.0, 1.0, (rows - 1) / rows)
        assert least_scores(found) == found[world].scores


def test_rows_in_another_order_are_equal() -> None:
    backwards = example_run().map(
        lambda *tables: (tables[0].take(reverse(tables[0])), tables[1].take(reverse(tables[1])))
    )
    assert all(world.equal for world in compare_runs(example_run(), backwards))


def reverse(table: pa.Table) -> pa.Array:
    return pa.array(range(table.num_rows - 1, -1, -1), pa.int64())


def test_a_row_in_another_world_is_missing_here_and_extra_there() -> None:
    run = example_run()
    assert run.bounds
    (first, states), (second, others), *rest = run.bounds
    moved = replace(run, bounds=((first - 1, states), (second + 1, others), *rest))
    found = compare_runs(run, moved)
    assert [(world.events.only_left, world.events.only_right) for world in found[:2]] == [(1, 0), (0, 1)]


def test_an_infeasible_world_must_be_so_for_the_same_reason_on_both_sides() -> None:
    left = example_run()
    assert left.infeasible == {2: Infeasible("new_hire_exits_certain", 2025)}
    for reasons in ({}, {2: Infeasible("too_many_hires", 2025)}, {2: Infeasible("new_hire_exits_certain", 2026)}):
        found = compare_runs(left, replace(left, infeasible=reasons))
        assert [world.equal for world in found] == [True, True, False, True]
        assert found[2].scores == Scores(0.0, 0.0, 0.0)
        assert "infeasible: sql new_hire_exits_certain in 2025, polars " in found[2].describe("sql", "polars")


def test_runs_over_other_numbers_of_worlds_cannot_be_compared() -> None:
    run = example_run()
    with pytest.raises(ComparisonError, match="one side ran 4 worlds, the other 1"):
        compare_runs(run, replace(run, bounds=None))


def test_bounds_that_contradict_the_tables_are_an_error() -> None:
    run = example_run()
    wrong = replace(run, bounds=((1, 1),) * 4)
    for pair in ((wrong, wrong), (run, wrong), (wrong, run)):
        with pytest.raises(RunError, match="bounds say 4 events and 4 state rows"):
            compare_runs(*pair)


def test_the_policy_is_applied_and_its_use_noted() -> None:
    left = example_run()
    right = edited(left, 0, "employee_age", (left.events["employee_age"][3].as_py() or 0) + 1)
    entry = PolicyEntry(EVENTS_TABLE, "employee_age", Decimal(1), "ages by another rule", dt.date(2027, 1, 31))
    use = PolicyUse()
    (first, *_) = compare_runs(left, right, ComparisonPolicy(entries=(entry,)), use)
    assert (first.equal, first.accepted, first.scores) == (False, True, Scores())
    assert use.names == {entry.name}


def test_least_scores_is_never_an_average() -> None:
    left = example_run()
    good = compare_runs(left, example_run())
    bad = compare_runs(left, edited(left, 1, "employee_age", 99))
    assert least_scores([*good, *bad, *good]) == bad[1].scores
    shorter = compare_runs(left, left.map(lambda events, state: (events.slice(1), state.slice(2))))
    fewest = min(shorter, key=lambda world: world.state.left_rows or 99)
    share = (fewest.state.left_rows - 2) / fewest.state.left_rows
    assert least_scores([*shorter, *good]) == Scores(share, share, share)
    assert least_scores([]) == Scores()


def test_numeric_differences_are_exact() -> None:
    left = pa.table({"k": [1, 2, 3, 4], "v": pa.array([Decimal("0.10"), Decimal("0.20"), None, Decimal("9.00")])})
    right = pa.table({"k": [3, 2, 1, 5], "v": pa.array([Decimal("1.00"), Decimal("0.23"), Decimal("0.00"), None])})
    (found,) = numeric_differences(left, right, TableSpec("t", ("k",)))
    assert (found.count, found.differing, found.largest, found.mean) == (2, 2, Decimal("0.10"), Decimal("0.065"))
    assert found.correlation == 1.0


def test_numeric_differences_beyond_the_floats() -> None:
    left = pa.table({"k": [1, 2], "v": [2**53, 0], "u": pa.array([2**64 - 1, 0], pa.uint64())})
    right = pa.table({"k": [1, 2], "v": [2**53 + 1, 0], "u": pa.array([0, 0], pa.uint64())})
    found = {item.column: item for item in numeric_differences(left, right, TableSpec("t", ("k",)))}
    assert (found["v"].largest, found["v"].mean) == (Decimal(1), Decimal("0.5"))
    assert (found["u"].largest, found["u"].correlation) == (Decimal(2**64 - 1), None)


@pytest.mark.parametrize(
    ("left", "right", "correlation"),
    [([1.0, 2.0, 3.0], [3.0, 2.0, 1.0], -1.0), ([1.0, 1.0], [1.0, 2.0], None), ([1.0], [2.0], None)],
)
def test_correlation(left: list[float], right: list[float], correlation: float | None) -> None:
    keys = list(range(len(left)))
    (found,) = numeric_differences(
        pa.table({"k": keys, "v": left}), pa.table({"k": keys, "v": right}), TableSpec("t", ("k",))
    )
    assert found.correlation == correlation


def test_numeric_differences_of_runs_match_within_worlds() -> None:
    left = example_run()
    right = edited(left, 3, "employee_age", (left.events["employee_age"][3].as_py() or 0) + 40)
    same = {(item.table, item.column): item for item in numeric_differences_of_runs(left, example_run())}
    found = {(item.table, item.column): item for item in numeric_differences_of_runs(left, right)}
    assert found.keys() == same.keys()
    changed = [key for key in found if found[key].differing]
    assert changed == [(EVENTS_TABLE, "employee_age")]
    age = found[EVENTS_TABLE, "employee_age"]
    assert (age.count, age.differing) == (left.events.num_rows, 1)
    assert age.mean == (age.largest or 0) / age.count
    assert same[EVENTS_TABLE, "employee_age"].correlation == 1.0
