"""Where its own tables say two things of one person and year: told of every run, and of nobody else's rules."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import duckdb

from differential.mapping import open_tables
from differential.navigator.tables import CONTRIBUTIONS, DEFERRAL, ENROLLMENT, MATCHES, STATE_BY_YEAR
from differential.schemas import EVENTS_TABLE, STATE_TABLE


def contradictions(folder: Path) -> Iterator[str]:
    """Where its own tables say two things of one person and year; only of tables that are there."""
    with open_tables(folder) as connection:
        there = {row[0] for row in connection.execute("SHOW TABLES").fetchall()}
        for name, tables, query in _CONTRADICTIONS:
            if not set(tables) <= there:
                continue
            try:
                found = connection.execute(query).fetchone()
            except duckdb.Error:
                continue  # a layout without these columns
            if found and found[0]:
                yield f"its tables contradict each other: {name}: {found[0]} of {found[1]}"


_PAIR = "FROM fct_workforce_snapshot s JOIN {other} o USING (employee_id, simulation_year)"
_CONTRADICTIONS: Sequence[tuple[str, tuple[str, ...], str]] = (
    (
        f"enrolled in the snapshot, not in {ENROLLMENT}",
        (STATE_TABLE, ENROLLMENT),
        f"SELECT COUNT(*) FILTER (s.is_enrolled_flag AND NOT o.is_enrolled), COUNT(*) {_PAIR.format(other=ENROLLMENT)}",
    ),
    (
        f"in the snapshot's last year, missing from {DEFERRAL}",
        (STATE_TABLE, DEFERRAL),
        f"SELECT COUNT(*) FILTER (o.employee_id IS NULL), COUNT(*) FROM {STATE_TABLE} s LEFT JOIN {DEFERRAL} o "
        f"USING (employee_id, simulation_year) WHERE simulation_year = (SELECT MAX(simulation_year) FROM {STATE_TABLE})",
    ),
    (
        f"deferral rate of the snapshot and of {STATE_BY_YEAR}",
        (STATE_TABLE, STATE_BY_YEAR),
        "SELECT COUNT(*) FILTER (ABS(COALESCE(s.current_deferral_rate, 0) - COALESCE(o.deferral_rate, 0)) > 5e-5), COUNT(*) "
        + _PAIR.format(other=STATE_BY_YEAR),
    ),
    (
        f"contribution of the snapshot and of {CONTRIBUTIONS}",
        (STATE_TABLE, CONTRIBUTIONS),
        "SELECT COUNT(*) FILTER (ABS(COALESCE(s.prorated_annual_contributions, 0) - COALESCE(o.annual_contribution_amount, 0)) "
        "> 0.005), COUNT(*) " + _PAIR.format(other=CONTRIBUTIONS),
    ),
    (
        f"match of the snapshot and of {MATCHES}",
        (STATE_TABLE, MATCHES),
        "SELECT COUNT(*) FILTER (ABS(COALESCE(s.employer_match_amount, 0) - COALESCE(o.amount, 0)) > 0.005), COUNT(*) "
        + _PAIR.format(other=MATCHES),
    ),
    (
        f"plan_design_id of the events and of {STATE_BY_YEAR}",
        (EVENTS_TABLE, STATE_BY_YEAR),
        f"SELECT COUNT(*) FILTER (plan_design_id NOT IN (SELECT plan_design_id FROM {EVENTS_TABLE})), COUNT(*) "
        f"FROM {STATE_BY_YEAR}",
    ),
)
"""What it is, the tables it takes, and a query for (rows that contradict, rows compared)."""
