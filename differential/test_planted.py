"""Planted faults: each still finds its place in the engine, changes something, and leaves the clean engine as it was."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from differential.comparison import compare_runs
from differential.engines import get_engine
from differential.engines.sql import SqlEngineError, session
from differential.planted import FAULTS, Fault, PlantedEngine
from differential.planted.fault import PatchError
from differential.planted.patches import sql_patch, text_patch
from differential.pool import chunks, gather
from differential.profiles import PROFILES
from differential.run import Run
from differential.variant import Variant
from fixtures.edges import labels_of_run
from fixtures.strategies import worlds
from fixtures.world import World

BATCHES = (12, 200, 2_000, 5_000, 5_000)
MOST = 4
"""Times the worlds of profile ci."""
PLAIN = [
    name for name, fault in FAULTS.items() if fault.verdict == "fail" and "D1" in fault.detectors and name != "X24"
]
"""Faults that show in a plain run over many worlds; the others need a path of their own (properties/faults)."""
EVERYWHERE = [name for name, fault in FAULTS.items() if fault.everywhere]
EACH = 5
"""Of these every fifth is run here, the same ones always; all of them are by the kill matrix of properties/faults."""


class Sample:
    """Worlds of profile ci with their labels, drawn as they are needed; for the rarest faults more than ci has.

    Hypothesis draws other worlds whenever any source file changes, so that what is rare may be missing from one ci run.
    """

    def __init__(self) -> None:
        self.worlds: list[tuple[World, set[str]]] = []
        self._source = chunks(worlds(), 0)

    def grow(self) -> bool:
        """Draw the next chunk; False when there are enough."""
        if len(self.worlds) >= MOST * PROFILES["ci"].worlds:
            return False
        fresh = next(self._source).worlds
        labels = labels_of_run(fresh, get_engine("polars").run(fresh, Variant()))
        self.worlds += zip(fresh, labels, strict=True)
        return True

    def batches(self, fault: Fault) -> Iterator[list[World]]:
        """The worlds that a fault can show on, a few at first."""
        seen = 0
        waiting: list[World] = []
        for size in BATCHES:
            while len(waiting) < size:
                waiting += [world for world, labels in self.worlds[seen:] if fault.shows_on(world, labels)]
                seen = len(self.worlds)
                if len(waiting) < size and not self.grow():
                    break
            if waiting:
                yield waiting[:size]
            waiting = waiting[size:]


@pytest.fixture(scope="module")
def sample() -> Sample:
    return Sample()


@pytest.fixture(scope="module", autouse=True)
def clean_afterwards() -> Iterator[None]:
    """After all the planting the engines are what they were."""
    some = gather(worlds(), 60, 11)
    before = {name: get_engine(name).run(some, Variant()) for name in ("sql", "polars", "oracle")}
    yield
    for name, run in before.items():
        assert all(one.equal for one in compare_runs(run, get_engine(name).run(some, Variant()))), name


@pytest.mark.parametrize("name", FAULTS)
def test_every_patch_finds_its_place(name: str) -> None:
    for planting in FAULTS[name].plantings.values():
        with planting():
            for path in session.RULES.rglob("*.sql"):
                session.rule(str(path.relative_to(session.RULES).with_suffix("")))


def test_profile_ci_has_worlds_for_every_fault(sample: Sample) -> None:
    never = [name for name, fault in FAULTS.items() if not any(sample.batches(fault))]
    assert not never, f"no world of profile ci can show {', '.join(never)}"


@pytest.mark.parametrize("name", PLAIN[::EACH])
def test_a_fault_changes_results_or_is_noticed_by_the_engine(name: str, sample: Sample) -> None:
    fault = FAULTS[name]
    assert any(_shows(fault, mine) for mine in sample.batches(fault))


@pytest.mark.parametrize("name", EVERYWHERE[::EACH])
def test_engines_that_share_a_fault_still_agree(name: str, sample: Sample) -> None:
    """Otherwise comparing them would show the fault, and nothing would be learnt about the properties."""
    fault = FAULTS[name]
    mine = next(one for one in sample.batches(fault) if _shows(fault, one))
    sql, polars, oracle = (_run(PlantedEngine(fault, engine), mine) for engine in fault.engines)
    assert sql is not None and polars is not None and oracle is not None
    assert _equal(sql, polars) and _equal(sql, oracle)


def test_a_fault_goes_along_into_other_processes(sample: Sample) -> None:
    """What a resumed run does is planted in its second process: the first has nothing to forget."""
    mine = [world for world in next(sample.batches(FAULTS["S57"])) if len(world.scenario.years) > 1]
    resumed = PlantedEngine(FAULTS["S57"]).run(mine, Variant(resume=1))
    assert not _equal(get_engine("sql").run(mine, Variant()), resumed)
    assert resumed.proof is not None and len(set(resumed.proof.legs)) == 2


def test_a_patch_whose_place_is_gone_says_so() -> None:
    with sql_patch("quotas", {"no such text": ""})(), pytest.raises(PatchError, match="no longer holds 'no such text'"):
        get_engine("sql").run(gather(worlds(), 2, 1), Variant())
    with ExitStack() as stack, pytest.raises(PatchError, match="no longer holds 'no such text'"):
        stack.enter_context(text_patch("differential.engines.polars.pay", "half_up", {"no such text": ""})())
    with ExitStack() as stack, pytest.raises(PatchError, match="no longer has no_such_name"):
        stack.enter_context(text_patch("differential.engines.polars.pay", "no_such_name", {})())


def _shows(fault: Fault, mine: list[World]) -> bool:
    faulty = _run(PlantedEngine(fault), mine)
    return faulty is None or not _equal(get_engine(fault.engine).run(mine, Variant()), faulty)


def _run(engine: PlantedEngine, some: list[World]) -> Run | None:
    """The faulty run; None where the engine's own check of its plan noticed."""
    try:
        return engine.run(some, Variant())
    except SqlEngineError:
        return None


def _equal(left: Run, right: Run) -> bool:
    return all(one.equal for one in compare_runs(left, right))
