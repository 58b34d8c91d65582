"""The public system's known breaks: named with their numbers, so that a new one stands out."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from differential.mapping import MAPPINGS
from differential.navigator.testing import POLARS, RECORDED, SQL
from differential.schemas import EVENTS_TABLE
from fixtures.census import Census
from properties.invariants import judge_tables
from properties.outside import load_mapping, load_results
from properties.rules import load_rules
from properties.session import catalogue

ROOT = Path(__file__).resolve().parent.parent
KNOWN = {
    ("I06", "after_exit"): 19,  # 15 raises and 4 enrolments
    ("I07", "before_hire"): 7,
    ("I19", "previous"): 7,
    ("I15", "rate"): 8,
}


def totals(folder: Path) -> dict[tuple[str, str], int]:
    mapped, census = load_mapping(MAPPINGS / "planwise_navigator.yaml"), Census.load(RECORDED / "census_100.parquet")
    return judge_tables(load_results(folder, mapped, census).tables).totals


def test_the_known_breaks_of_its_sql_mode_are_found() -> None:
    found = totals(SQL)

    assert {key: found.get(key) for key in KNOWN} == KNOWN


@pytest.mark.parametrize(("folder", "mode"), [(SQL, "sql"), (POLARS, "polars")], ids=["sql", "polars"])
def test_its_rules_policy_covers_all_that_is_known_and_no_more(folder: Path, mode: str) -> None:
    found = totals(folder)
    rules = load_rules(MAPPINGS / f"planwise_navigator.{mode}.rules.yaml", catalogue()).rules

    uncovered = [
        key for key in found if not any((rule.check, rule.clause) == key for rule in rules) and key[0] != "I36"
    ]
    assert not uncovered
    measured = {rule.name: rule.places(found) for rule in rules if rule.at_most is not None and rule.places(found)}
    assert measured == {rule.name: rule.at_most for rule in rules if rule.name in measured}
    assert not [rule.name for rule in rules if rule.exceeded(found)]
    # what is left is told by tables that only a run's own reading joins
    assert {rule.name for rule in rules if not rule.places(found)} <= {"I37.balance", "I37.planned", "I11.opted_out"}


def test_a_new_break_stands_out(tmp_path: Path) -> None:
    for file in SQL.glob("*.parquet"):
        (tmp_path / file.name).write_bytes(file.read_bytes())
    events = tmp_path / f"{EVENTS_TABLE}.parquet"
    duckdb.sql(f"""
        COPY (
            SELECT * REPLACE (
                CASE WHEN event_type = 'hire' AND employee_id = 'NH_2025_000003' THEN employee_id || 'x' ELSE employee_id END
                    AS employee_id,
                CASE WHEN event_type = 'enrollment' AND employee_id = (
                    SELECT MIN(employee_id) FROM '{events}' WHERE event_type = 'enrollment' AND employee_id LIKE 'EMP%'
                ) THEN TIMESTAMP '1990-01-01' ELSE effective_date END AS effective_date
            )
            FROM '{events}'
        ) TO '{tmp_path / "new.parquet"}' (FORMAT parquet)
    """)
    (tmp_path / "new.parquet").replace(events)

    command = [sys.executable, "-m", "pytest", "properties/test_properties.py", "-q", "-p", "no:cacheprovider"]
    command += [f"--results={tmp_path}"]
    command += [f"--mapping={MAPPINGS / 'planwise_navigator.yaml'}", f"--census={RECORDED / 'census_100.parquet'}"]
    command += [f"--rules={MAPPINGS / 'planwise_navigator.sql.rules.yaml'}"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)

    assert done.returncode == 1, done.stdout[-3_000:]
    assert "I07.before_hire: 8 places, 7 are known: this is news" in done.stdout
    assert "I06[results]: rule I06.after_exit warn at most 19" in done.stdout  # and what is known stays a warning
    failed = {line.split("[")[1].split("]")[0] for line in done.stdout.splitlines() if line.startswith("FAILED")}
    assert {"I07", "I10"} <= failed
    assert "I06" not in failed
