"""Planted faults: each still finds its place in the engine, changes something, and leaves the clean engine as it was."""

from __future__ import annotations

import pytest

from differential.comparison import compare_runs
from differential.engines import get_engine
from differential.engines.sql import SqlEngineError
from differential.planted import FAULTS
from differential.planted.faults import PatchError, _sql
from differential.pool import gather
from differential.run import Run
from differential.variant import Variant
from fixtures.strategies import worlds
from fixtures.world import World

HISTORY_OF_ITS_OWN = ("X12",)
"""Faults that show only on a used database; the rerun case finds them."""


@pytest.fixture(scope="module")
def sample() -> list[World]:
    return gather(worlds(), 400, 11)


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
