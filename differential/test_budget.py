"""One account of runs that take minutes: each done once, counted, refused beyond the budget, with a share for what is to come."""

from __future__ import annotations

from dataclasses import replace

import pytest

from differential.budget import FROM_CACHE, BudgetSpentError, CostlyRuns
from differential.run import Proof, Run, empty_tables
from fixtures.scenario import ScenarioError


def made(*notes: str) -> Run:
    proof = Proof("slow", {}, 1, 1, frozenset(), ("x",), notes=notes)
    return replace(Run(*empty_tables()), proof=proof)


def test_a_run_is_done_once_and_one_too_many_is_not_started() -> None:
    account, started = CostlyRuns(runs=2), []

    def run() -> Run:
        started.append(1)
        return made()

    first = account.get("a", run)
    assert account.get("a", run) is first
    account.get("b", run)
    assert account.used == len(started) == 2
    with pytest.raises(BudgetSpentError, match="the budget of 2 runs is spent"):
        account.get("c", run)
    assert len(started) == 2
    assert account.get("b", run).proof is not None  # what is there costs nothing


def test_a_run_from_the_cache_costs_nothing() -> None:
    account = CostlyRuns(runs=1)

    account.get("a", lambda: made(FROM_CACHE), kept=True)
    account.get("b", lambda: made(FROM_CACHE))  # found to be there only when it was asked for

    assert account.used == 0
    assert account.left == 1


def test_a_run_that_raises_has_cost_its_time_all_the_same() -> None:
    account = CostlyRuns(runs=1)

    def broken() -> Run:
        raise RuntimeError

    with pytest.raises(RuntimeError):
        account.get("a", broken)
    assert account.left == 0


def test_what_an_engine_cannot_express_has_started_nothing() -> None:
    account = CostlyRuns(runs=1)

    def refused() -> Run:
        raise ScenarioError("cola_rate")

    with pytest.raises(ScenarioError):
        account.get("a", refused)
    assert account.left == 1


def test_what_is_to_come_keeps_its_share() -> None:
    account = CostlyRuns(runs=6)
    account.expect(["a", "b", "c"])

    account.get("a", made)
    assert (account.left, account.over) == (5, 3)
    assert account.for_reduction(8) == 3
    account.get("new", made)
    assert account.over == 2
    account.no_longer(["c", "unknown"])
    assert account.over == 3
    assert CostlyRuns().for_reduction(8) == 8


def test_minutes_are_runs_at_their_mean() -> None:
    account = CostlyRuns(minutes=1)
    assert account.left == float("inf")  # nothing is known yet
    account.used, account._spent_seconds = 2, 40.0
    assert 1 <= account.left <= 3
    account._started -= 61
    assert account.left == 0
    with pytest.raises(BudgetSpentError, match="the budget of 1 minutes is spent"):
        account.get("a", made)
