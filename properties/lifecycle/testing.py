"""Engines that treat a database file wrongly, for the tests: a built-in engine whose statements on the file are edited."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any
from unittest import mock

import duckdb

from differential.engines.polars import PolarsEngine
from differential.run import Capabilities, Run
from differential.variant import Variant
from fixtures.world import World

Edit = Callable[[str], str]
_IN_ONE_PROCESS = Capabilities(threads=False, batch_size=False, resume=False)


class _Edited:
    """A connection whose statements are edited. Everything else it hands on."""

    def __init__(self, connection: Any, edit: Edit) -> None:
        self._connection = connection
        self._edit = edit

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    def execute(self, query: str, *args: Any) -> Any:
        return self._connection.execute(self._edit(query), *args)


@contextmanager
def _edited(edit: Edit) -> Iterator[None]:
    connect = duckdb.connect

    def edited(*args: Any, **keys: Any) -> Any:
        return _Edited(connect(*args, **keys), edit)

    with mock.patch.object(duckdb, "connect", edited):
        yield


@dataclass(frozen=True)
class FaultyEngine:
    """The polars engine in one process, with its statements on the file edited."""

    name: str
    edit: Edit = str
    capabilities: Capabilities = _IN_ONE_PROCESS
    proof_name: str = ""

    def run(self, worlds: Sequence[World], variant: Variant) -> Run:
        with _edited(self.edit):
            return self._named(PolarsEngine().run(worlds, variant))

    def run_years(self, worlds: Sequence[World], variant: Variant, first: int, count: int) -> Run:
        with _edited(self.edit):
            return self._named(PolarsEngine().run_years(worlds, variant, first, count))

    def _named(self, run: Run) -> Run:
        assert run.proof is not None
        return replace(run, proof=replace(run.proof, engine=self.proof_name or self.name))


class _RunOnly:
    """An engine that has `run` and nothing else, as most attached ones."""

    name = "run_only"
    capabilities = _IN_ONE_PROCESS

    def run(self, worlds: Sequence[World], variant: Variant) -> Run:
        return FaultyEngine(self.name).run(worlds, variant)


def _without_transaction(query: str) -> str:
    return "SELECT 1" if query.startswith(("BEGIN", "COMMIT", "ROLLBACK")) else query


def _replaced(old: str, new: str) -> Edit:
    """Fails where the place is no longer there, so that a fault cannot quietly become none."""

    def edit(query: str) -> str:
        if not query.startswith("DELETE FROM"):
            return query
        assert old in query, f"the engine's statement no longer holds {old!r}: {query}"
        return query.replace(old, new)

    return edit


def _also(statement: str) -> Edit:
    return lambda query: f"{statement}; {query}" if query.startswith("DELETE FROM fct_yearly_events") else query


_PLAN = "AND fct_yearly_events.plan_design_id = replaced.plan_design_id "
run_only = _RunOnly()
clean = FaultyEngine("clean")
no_transaction = FaultyEngine("no_transaction", _without_transaction)
forgets_plan = FaultyEngine("forgets_plan", lambda query: query.replace(_PLAN, ""))
ignores_case = FaultyEngine(
    "ignores_case",
    lambda query: query.replace(".scenario_id = replaced.scenario_id", ".scenario_id ILIKE replaced.scenario_id"),
)
keeps_later_years = FaultyEngine("keeps_later_years", _replaced(">= replaced", "= replaced"))
deletes_nothing = FaultyEngine("deletes_nothing", _replaced(">= replaced", "< 0 * replaced"))
changes_the_past = FaultyEngine(
    "changes_the_past", _also("UPDATE fct_workforce_snapshot SET current_age = current_age + 1")
)
drops_own_table = FaultyEngine("drops_own_table", _also("DELETE FROM notes_of_the_owner"))
leaves_strays = FaultyEngine(
    "leaves_strays",
    _also("INSERT INTO fct_workforce_snapshot (scenario_id, simulation_year) VALUES ('scratch', 2025)"),
)
says_other_name = FaultyEngine("says_other_name", proof_name="sql")
