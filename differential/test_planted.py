"""Planted faults: each still finds its place in the engine, changes something, and leaves the clean engine as it was."""

from __future__ import annotations

import datetime as dt

import pytest

from differential.comparison import compare_runs
from differential.engines import get_engine
from differential.engines.sql import SqlEngineError
from differential.planted import FAULTS
from differential.planted.faults import PatchError, _sql
from differential.pool import gather
from differential.run import Run
from differential.variant import Variant
from fixtures.census import Census, Employee
from fixtures.scenario import Scenario
from fixtures.strategies import worlds
from fixtures.world import World

HISTORY_OF_ITS_OWN = ("X12",)
"""Faults that show only on a used database; the rerun case finds them."""


@pytest.fixture(scope="module")
def sample() -> list[World]:
    return [hired_on_the_cutoff(), *gather(worlds(), 400, 11)]


def hired_on_the_cutoff() -> World:
    """X19 needs somebody hired on the cutoff day whom automatic enrolment reaches; too rare to be left to 400 draws."""
    person = Employee("E0001", "SSN-000000001", dt.date(1985, 1, 1), dt.date(2020, 1, 1), 60_000_00)
    automatic = {"scope": "all_eligible_employees", "hire_date_cutoff": dt.date(2020, 1, 1)}
    rules = Scenario.create(auto_enrollment=automatic, voluntary_enrollment={"enabled": False})
    return World(Census.from_employees([person]), rules)


@pytest.fixture(scope="module")
def clean(sample: list[World]) -> dict[str, Run]:
    return {name: get_engine(name).run(sample, Variant()) for name in ("sql", "polars")}


@pytest.mark.parametrize("name", [name for name in FAULTS if name not in HISTORY_OF_ITS_OWN])
def test_a_fault_changes_results_or_is_noticed_by_the_engine(
    name: str, sample: list[World], clean: dict[str, Run]
) -> None:
    fault = FAULTS[name]
    faulty = _run(name, sample)
    assert faulty is None or not all(one.equal for one in compare_runs(clean[fault.engine], faulty))

    again = get_engine(fault.engine).run(sample[:40], Variant())
    assert all(one.equal for one in compare_runs(get_engine("oracle").run(sample[:40], Variant()), again))


def _run(name: str, sample: list[World]) -> Run | None:
    """The faulty run; None where the engine's own check of its plan noticed."""
    try:
        return get_engine(f"differential.planted:{name}").run(sample, Variant())
    except SqlEngineError:
        return None


def test_a_patch_whose_place_is_gone_says_so() -> None:
    with _sql(quotas={"no such text": ""})(), pytest.raises(PatchError, match="no longer holds 'no such text'"):
        get_engine("sql").run(gather(worlds(), 2, 1), Variant())
