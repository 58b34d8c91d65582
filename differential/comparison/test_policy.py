"""Policy files: what is read, what is refused and how, and which entries are stale."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest

from differential.comparison import (
    DEFAULT_THRESHOLDS,
    ComparisonPolicy,
    PolicyError,
    PolicyUse,
    TableSpec,
    compare_tables,
    load_policy,
    stale_entries,
)
from differential.schemas import EVENTS_TABLE, STATE_TABLE

pytestmark = pytest.mark.suite

GOOD = """
thresholds:
  sql vs mine: {sql_vs_polars: 0.999, threads: 1}
columns:
  compensation_amount: {table: fct_yearly_events, tolerance: 0.01, reason: float money, until: 2027-01-31}
  employee_id:
    - {table: fct_yearly_events, tolerance: 1, reason: numbers, until: 2027-01-31}
    - {table: fct_workforce_snapshot, tolerance: 2, reason: numbers, until: 2027-01-31}
ignore:
  - {column: created_at, table: fct_yearly_events, reason: wall clock, until: 2026-12-31}
"""
LINE = "columns: {a: {table: fct_yearly_events, tolerance: 0.01, reason: r, until: 2027-01-31}}"


def write(folder: Path, text: str) -> Path:
    path = folder / "policy.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_policy_file_is_read(tmp_path: Path) -> None:
    policy = load_policy(write(tmp_path, GOOD))
    assert policy.threshold("mine", "sql", "sql_vs_polars") == 0.999
    assert policy.threshold("sql", "mine", "levels") == DEFAULT_THRESHOLDS["levels"]
    assert policy.threshold("sql", "other", "unheard_of") == 1.0
    events, state = policy.rules(EVENTS_TABLE), policy.rules(STATE_TABLE)
    assert events.tolerances == {"compensation_amount": Decimal("0.01"), "employee_id": Decimal(1)}
    assert (events.ignored, state.ignored) == (frozenset({"created_at"}), frozenset())
    assert state.tolerances == {"employee_id": Decimal(2)}


@pytest.mark.parametrize("text", ["", "thresholds:\ncolumns:\nignore:\n", "# nothing yet"])
def test_an_empty_policy_is_exact(tmp_path: Path, text: str) -> None:
    policy = load_policy(write(tmp_path, text))
    assert (policy.entries, policy.thresholds) == ((), {})
    assert policy.threshold("a", "b", "legacy") == 1.0


BAD = {
    "[1]": "the file: expected keys and values",
    "treshold: {}": "the file: unknown key 'treshold': expected thresholds, columns, ignore",
    "thresholds: {sql: {threads: 1}}": "thresholds.sql: expected two engine names",
    "thresholds: {a vs b: {threads: 1}, b vs a: {threads: 1}}": "thresholds.b vs a: the same pair of engines",
    "thresholds: {a vs b: {treads: 1}}": "thresholds.a vs b: unknown key 'treads'",
    "thresholds: {a vs b: {threads: 99}}": "thresholds.a vs b.threads: expected a score of 0 to 1, got 99",
    "thresholds: {a vs b: {threads: yes}}": "thresholds.a vs b.threads: expected a score",
    "thresholds: {a vs b: {threads: .nan}}": "thresholds.a vs b.threads: expected a score",
    "columns: {a: 3}": "columns.a: expected keys and values, got 3",
    "columns: {a: [{table: x}]}": r"columns.a\[0\]: tolerance, reason, until is missing",
    LINE.replace("0.01", "-1"): "columns.a.tolerance: expected a number above 0, got -1",
    LINE.replace("0.01", "a lot"): "columns.a.tolerance: expected a number above 0, got 'a lot'",
    LINE.replace("0.01", ".inf"): "columns.a.tolerance: expected a number above 0",
    LINE.replace("fct_yearly_events", "events"): "columns.a.table: unknown table 'events': expected fct_yearly_events",
    LINE.replace("reason: r", "reason: ''"): "columns.a.reason: expected text",
    LINE.replace("2027-01-31", "soon"): "columns.a.until: expected a date such as 2027-01-31, got 'soon'",
    LINE.replace("2027-01-31", "2027-01-31 10:00:00"): "columns.a.until: expected a date",
    LINE.replace("reason: r", "reason: r, owner: me"): "columns.a: unknown key 'owner'",
    "ignore: {a: b}": "ignore: expected a list",
    "ignore: [{column: 1, table: fct_yearly_events, reason: r, until: 2027-01-31}]": r"ignore\[0\].column: expected text",
    LINE
    + "\nignore: [{column: a, table: fct_yearly_events, reason: r, until: 2027-01-31}]": "a second entry for the same",
    "columns: {a: 1, a: 2}": "not valid YAML: .*key 'a' is given twice",
    "columns: !!python/object/apply:os.system [ls]": "not valid YAML",
    "columns: {": "not valid YAML",
    "? [a, b]\n: 1": "not valid YAML|unknown key",
    "until: 2027-13-45": "not valid YAML",
}


@pytest.mark.parametrize("text", BAD)
def test_a_bad_policy_file_names_file_and_key(tmp_path: Path, text: str) -> None:
    path = write(tmp_path, text)
    with pytest.raises(PolicyError, match=BAD[text]) as caught:
        load_policy(path)
    assert str(caught.value).startswith(str(path))
    assert len(str(caught.value).splitlines()) == 1


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match=r"absent\.yaml: cannot be read: No such file"):
        load_policy(tmp_path / "absent.yaml")
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(PolicyError, match="not valid YAML"):
        load_policy(tmp_path / "binary")


def test_entries_are_stale_unless_needed_and_in_time(tmp_path: Path) -> None:
    policy = load_policy(write(tmp_path, GOOD))
    use, spec = PolicyUse(), TableSpec(EVENTS_TABLE, ("k",))
    left = pa.table({"k": [1], "compensation_amount": [1.0], "created_at": ["now"]})
    right = pa.table({"k": [1], "compensation_amount": [1.005], "created_at": ["then"]})
    use.record(policy, compare_tables(left, left, spec, policy.rules(EVENTS_TABLE)))
    assert use.names == set()
    use.record(policy, compare_tables(left, right, spec, policy.rules(EVENTS_TABLE)))
    assert use.names == {"columns.compensation_amount (fct_yearly_events)", "ignore.created_at (fct_yearly_events)"}
    found = {item.entry.name: item.why for item in stale_entries(policy, use, dt.date(2027, 1, 1))}
    assert found == {
        "columns.employee_id (fct_yearly_events)": "no difference needed it",
        "columns.employee_id (fct_workforce_snapshot)": "no difference needed it",
        "ignore.created_at (fct_yearly_events)": "past its end date 2026-12-31",
    }
    elsewhere = PolicyUse()
    elsewhere.merge(use.names | {entry.name for entry in policy.entries})
    assert stale_entries(policy, elsewhere, dt.date(2026, 12, 31)) == []


def test_a_tolerance_that_covers_nothing_is_not_needed() -> None:
    policy = ComparisonPolicy()
    left, right = pa.table({"k": [1], "v": [1.0]}), pa.table({"k": [1], "v": [2.0]})
    use = PolicyUse()
    use.record(policy, compare_tables(left, right, TableSpec("t", ("k",))))
    assert use.names == set()
