"""The output tables: names, types, keys, canonical order. Source: docs/simulation.md, section 6."""

from __future__ import annotations

import pyarrow as pa

MONEY = pa.decimal128(18, 2)
RATE = pa.decimal128(7, 4)

EVENT_TYPES = (
    "hire",
    "eligibility",
    "promotion",
    "raise",
    "enrollment",
    "deferral_escalation",
    "enrollment_change",
    "contribution",
    "employer_match",
    "employer_core",
    "termination",
)
"""In their order on one day; the code of a type is its position from 1."""

EVENTS_SCHEMA = pa.schema(
    [
        ("event_id", pa.string()),
        ("scenario_id", pa.string()),
        ("plan_design_id", pa.string()),
        ("employee_id", pa.string()),
        ("employee_ssn", pa.string()),
        ("event_type", pa.string()),
        ("simulation_year", pa.int32()),
        ("event_date", pa.date32()),
        ("event_sequence", pa.int32()),
        ("event_payload", pa.string()),
        ("compensation_amount", MONEY),
        ("previous_compensation", MONEY),
        ("employee_deferral_rate", RATE),
        ("prev_employee_deferral_rate", RATE),
        ("level_id", pa.int32()),
        ("employee_age", pa.int32()),
        ("employee_tenure", pa.int32()),
    ]
)

STATE_SCHEMA = pa.schema(
    [
        ("scenario_id", pa.string()),
        ("plan_design_id", pa.string()),
        ("employee_id", pa.string()),
        ("employee_ssn", pa.string()),
        ("birth_date", pa.date32()),
        ("simulation_year", pa.int32()),
        ("is_active", pa.bool_()),
        ("hire_date", pa.date32()),
        ("termination_date", pa.date32()),
        ("employment_status", pa.string()),
        ("detailed_status_code", pa.string()),
        ("current_level", pa.int32()),
        ("current_salary", MONEY),
        ("prorated_annual_compensation", MONEY),
        ("current_age", pa.int32()),
        ("current_tenure", pa.int32()),
        ("is_eligible", pa.bool_()),
        ("eligibility_date", pa.date32()),
        ("is_enrolled", pa.bool_()),
        ("deferral_rate", RATE),
        ("enrollment_date", pa.date32()),
        ("has_opted_out", pa.bool_()),
        ("annual_contribution", MONEY),
        ("employer_match_amount", MONEY),
        ("employer_core_amount", MONEY),
        ("account_balance", MONEY),
    ]
)

DUCKDB_TYPES = {
    pa.string(): "VARCHAR",
    pa.int32(): "INTEGER",
    pa.date32(): "DATE",
    pa.bool_(): "BOOLEAN",
    MONEY: "DECIMAL(18,2)",
    RATE: "DECIMAL(7,4)",
}
"""What DuckDB calls the types of the columns."""

EVENTS_TABLE = "fct_yearly_events"
STATE_TABLE = "fct_workforce_snapshot"
STATE_VIEW = "employee_state_by_year"

EVENT_KEY = ("scenario_id", "plan_design_id", "employee_id", "simulation_year", "event_type")
STATE_KEY = ("scenario_id", "plan_design_id", "employee_id", "simulation_year")
EVENT_ORDER = ("scenario_id", "plan_design_id", "simulation_year", "employee_id", "event_sequence")
STATE_ORDER = ("scenario_id", "plan_design_id", "simulation_year", "employee_id")
