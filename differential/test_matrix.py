"""The matrix: scores are never rounded up, statuses never hidden, and all three forms tell the same."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import asdict
from decimal import Decimal
from typing import Any

import pytest

from differential.comparison import ComparisonPolicy, PolicyEntry
from differential.matrix import Matrix, matrix_json, matrix_markdown, matrix_text
from differential.parity import CaseRecord
from differential.profiles import PROFILES
from differential.session import Session, given_world


@pytest.fixture
def session() -> Session:
    return Session(PROFILES["ci"], ("sql", "polars"), given_world(None, None, None, 3, None))


def record(**changes: Any) -> dict[str, Any]:
    plain = asdict(CaseRecord("threads", "sql-4", "sql", "sql threads=4", "threads", 1.0, exact=True, worlds=10))
    return plain | changes


def test_a_score_just_below_one_does_not_look_like_one(session: Session) -> None:
    matrix = Matrix(session)
    matrix.add(record(scores={"count": 1.0, "overlap": 0.99999, "value": 0.5}, status="fail", failed=3))

    (line,) = [line for line in matrix_text(matrix) if line.startswith("threads[sql-4]  ")]

    assert line.split()[-5:] == ["1", "0.9999", "0.5000", "exact", "fail"]


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [
        ([], "empty"),
        (["pass", "pass"], "pass"),
        (["pass", "fail"], "fail"),
        (["fail", "unproven"], "unproven"),
        (["unproven", "refused", "pass"], "refused"),
    ],
)
def test_the_worst_status_is_the_status(session: Session, statuses: list[str], expected: str) -> None:
    matrix = Matrix(session)
    for status in statuses:
        matrix.add(record(status=status))

    assert matrix.status == expected
    assert json.loads(matrix_json(matrix))["status"] == expected


def test_json_and_markdown_hold_the_facts_of_every_test(session: Session) -> None:
    numeric = {
        "fct_yearly_events.level_id": {"count": 9, "differing": 2, "largest": 3.0, "mean": 0.5, "correlation": 0.25}
    }
    matrix = Matrix(session)
    matrix.add(record(numeric=numeric, status="fail", bundle="repros/x", versions={"sql: duckdb": "9.9"}, skipped=2))
    matrix.add({"coverage": {"worlds": 5, "labels": {"hire": 4, "leap_year": 0}}})

    report = json.loads(matrix_json(matrix))
    text = matrix_markdown(matrix)

    assert report["schema_version"] == 1
    assert report["engines"][0] == {"spec": "sql", "versions": {"duckdb": "9.9"}}
    assert report["tests"][0]["numeric"] == numeric
    assert report["coverage"]["labels"]["leap_year"] == 0
    assert "| threads[sql-4] | fct_yearly_events.level_id | 9 | 2 | 3 | 0.5 | 0.250000 |" in text
    for fact in ("repros/x", "never generated: leap_year", "2 worlds could not be run", "# Parity: fail"):
        assert fact in text


def test_a_policy_entry_that_nothing_needed_is_stale_only_in_a_complete_session(session: Session) -> None:
    def entry(column: str, until: dt.date) -> PolicyEntry:
        return PolicyEntry("fct_yearly_events", column, Decimal("0.01"), "float money", until)

    future, past = dt.date(2999, 1, 1), dt.date(2020, 1, 1)
    entries = (entry("needed", future), entry("unneeded", future), entry("late", past))
    session.policy = ComparisonPolicy(entries=entries, source="policy.yaml")
    matrix = Matrix(session)
    matrix.add(record(policy_use=[entries[0].name, entries[2].name]))

    matrix.finish(complete=True)
    assert [stale.entry.column for stale in matrix.stale] == ["unneeded", "late"]

    matrix.finish(complete=False)
    assert [stale.entry.column for stale in matrix.stale] == ["late"]
