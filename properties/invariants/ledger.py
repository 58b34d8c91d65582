"""Ledger: the tables of one or more worlds in DuckDB, as the queries of checks/ read them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

from differential.run import Infeasible, Proof, Run
from differential.schemas import EVENTS_SCHEMA, STATE_SCHEMA
from fixtures.census import CENSUS_SCHEMA
from fixtures.world import World, stack_censuses
from properties.check import Violation
from properties.invariants.catalogue import Invariant, prepare
from properties.invariants.parameters import level_table, limit_table, scenario_table
from properties.invariants.schema import conform

SHOWN = 3
"""Violations kept of a clause in a world; their number is counted in full."""
UNJUDGED = "unjudged"
"""The clause of a violation that stands for rows on which a query cannot be run at all, such as an absurd date."""
LEAST_P = 1e-9
_RESULT = ("world", "clause", "employee_id", "year", "event_type", "found", "expected")


@dataclass(frozen=True)
class Tables:
    """What there is to judge.

    events, state: rows of all worlds, world after world, with the columns of differential/schemas.py as far as they are there.
    bounds: rows of events and of state of each world. worlds: their inputs; None: unknown, as in another system's tables.
    years: first and last simulated year of each world where `worlds` is None. census_known: the census of `worlds` is real.
    """

    events: pa.Table
    state: pa.Table
    bounds: Sequence[tuple[int, int]]
    worlds: Sequence[World] | None = None
    years: Sequence[tuple[int, int]] = ()
    census: pa.Table | None = None
    infeasible: Mapping[int, Infeasible] = field(default_factory=dict)
    proof: Proof | None = None

    @classmethod
    def of(cls, run: Run, worlds: Sequence[World]) -> Tables:
        """A run's tables with its inputs. Raises RunError when bounds and tables disagree."""
        bounds = [(result.events.num_rows, result.state.num_rows) for result in run.results()]
        return cls(run.events, run.state, bounds, worlds, infeasible=run.infeasible, proof=run.proof)


class Ledger:
    """A connection that holds the tables; `violations` runs one invariant over all worlds at once."""

    def __init__(self, tables: Tables, *, threads: int = 1) -> None:
        self._connection = duckdb.connect(config={"threads": threads})
        self._connection.execute("SET enable_progress_bar = false")  # long queries would draw it over the report
        self._made: set[str] = set()
        self.available: frozenset[str] = self._load(tables)

    def close(self) -> None:
        self._connection.close()

    def unchecked(self, invariant: Invariant) -> dict[str, str]:
        """Clauses that cannot be checked here, and what they lack."""
        lacking = {name: sorted(needs - self.available) for name, needs in invariant.needs.items()}
        return {name: ", ".join(missing) for name, missing in lacking.items() if missing}

    def violations(self, invariant: Invariant) -> tuple[list[Violation], dict[str, int]]:
        """The first places of each world and clause where the invariant does not hold, and the number of all by clause."""
        unchecked = self.unchecked(invariant)
        if len(unchecked) == len(invariant.check.clauses):
            return [], {}
        try:
            rows = self._rows(invariant)
        except duckdb.Error as error:
            # The message may quote the rows it stumbled on, and rows hold people.
            why = f"the query ends in {type(error).__name__}"
            return [Violation(invariant.check.id, UNJUDGED, 0, why, "rows that can be judged")], {UNJUDGED: 1}
        checked = [row for row in rows if row[1] not in unchecked]
        violations = [
            Violation(invariant.check.id, clause, world, found, expected, employee_id, year, event_type)
            for world, clause, employee_id, year, event_type, found, expected, _ in checked
        ]
        return violations, {row[1]: row[-1] for row in checked}

    def _rows(self, invariant: Invariant) -> list[tuple[Any, ...]]:
        for name in invariant.uses:
            self._make(name)
        return self._connection.execute(
            f"""
            SELECT *, count(*) OVER (PARTITION BY clause) AS in_all
            FROM ({invariant.sql}) violation({", ".join(_RESULT)})
            QUALIFY row_number() OVER (PARTITION BY world, clause ORDER BY year, employee_id, event_type, found) <= {SHOWN}
            ORDER BY world, clause, year, employee_id, event_type, found
            """
        ).fetchall()

    def _make(self, name: str) -> None:
        if name not in self._made:
            self._made.add(name)
            self._connection.execute(prepare(name))

    def _load(self, tables: Tables) -> frozenset[str]:
        connection = self._connection
        connection.execute(prepare("macros"))
        available: set[str] = set()
        for name, table, schema, position in (
            ("events", tables.events, EVENTS_SCHEMA, 0),
            ("state", tables.state, STATE_SCHEMA, 1),
        ):
            fitted, missing = conform(table, schema)
            counts = [bound[position] for bound in tables.bounds]
            index = pa.array(np.repeat(np.arange(len(counts), dtype=np.int32), counts))
            connection.register(f"{name}_in", fitted.add_column(0, "world", index))
            available |= {f"{name}.{column}" for column in schema.names if column not in missing}
        if tables.worlds is not None:
            available |= {"scenario", "census"}
            connection.register("scenario", scenario_table(tables.worlds))
            connection.register("level", level_table(tables.worlds))
            connection.register("limit_in", limit_table(tables.worlds))
            connection.register("census_in", stack_censuses(tables.worlds))
        else:
            available |= {"census"} if tables.census is not None else set()
            connection.register("scenario", scenario_table([]))
            connection.register("level", level_table([]))
            connection.register("limit_in", limit_table([]))
            people = CENSUS_SCHEMA.empty_table() if tables.census is None else tables.census
            connection.register(
                "census_in", people.add_column(0, "world", pa.array(np.zeros(people.num_rows, np.int32)))
            )
        connection.register("run", _run_table(tables))
        connection.register("proof_in", _proof_table(tables.proof))
        connection.register("critical", _critical_values())
        connection.register("available", pa.table({"name": pa.array(sorted(available), pa.string())}))
        return frozenset(available | ({"proof"} if tables.proof else set()))


def _run_table(tables: Tables) -> pa.Table:
    count = len(tables.bounds)
    known = tables.worlds is not None
    years = (
        [(w.scenario.years[0], w.scenario.years[-1]) for w in tables.worlds]
        if tables.worlds is not None
        else tables.years
    )
    reasons = [tables.infeasible.get(index) for index in range(count)]
    return pa.table(
        {
            "world": pa.array(range(count), pa.int32()),
            "start_year": pa.array([first for first, _ in years], pa.int32()),
            "end_year": pa.array([last for _, last in years], pa.int32()),
            "has_scenario": pa.array([known] * count, pa.bool_()),
            "has_census": pa.array([known or tables.census is not None] * count, pa.bool_()),
            "infeasible": pa.array([reason is not None for reason in reasons], pa.bool_()),
            "infeasible_code": pa.array([reason and reason.code for reason in reasons], pa.string()),
            "infeasible_year": pa.array([reason and reason.year for reason in reasons], pa.int32()),
        }
    )


def _proof_table(proof: Proof | None) -> pa.Table:
    names = ("hires", "exits", "new_hire_exits")
    columns = {name: pa.array([proof.planned.get(name, 0)] if proof else [], pa.int64()) for name in names}
    return pa.table({**columns, "fallbacks": pa.array([", ".join(proof.fallbacks)] if proof else [], pa.string())})


@cache
def _critical_values() -> pa.Table:
    """I31's bounds: the chi-square statistic that even draws pass with probability LEAST_P, by number of bins."""
    from scipy.stats import chi2

    return pa.table({"bins": [7, 12], "value": [float(chi2.isf(LEAST_P, bins - 1)) for bins in (7, 12)]})
