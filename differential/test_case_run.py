"""A case in progress: an engine that raises fails it, whatever set of worlds it takes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from differential.cases import all_cases
from differential.parity import CaseRun
from differential.pool import gather
from differential.profiles import PROFILES
from differential.session import Session
from differential.test_parity import feed_all
from fixtures.empties import empties
from fixtures.strategies import worlds
from fixtures.world import World


@pytest.mark.parametrize(
    ("bad", "tries"),
    [
        (lambda batch: len(batch) > 1, 18),  # a batch and no world alone: once passed as if nothing had been
        (lambda batch: len(batch) > 5, 18),
        (lambda _batch: True, 18),
    ],
)
def test_an_engine_that_raises_fails_the_case_and_is_not_asked_for_ever(
    bad: Callable[[Sequence[World]], bool], tries: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = gather(worlds(), 40, 3)
    session = Session(PROFILES["quick"], ("sql", "polars"), chosen[0])
    case = next(case for case in all_cases(("sql", "polars")) if case.test == "sql_vs_polars")
    run = CaseRun(case, session)
    honest, asked = run._run_sides, []

    def raising(left: Any, right: Any, batch: Sequence[World]) -> Any:
        asked.append(len(batch))
        if bad(batch):
            raise ValueError("no")
        return honest(left, right, batch)

    monkeypatch.setattr(run, "_run_sides", raising)

    run.feed(chosen, 0)
    run.finish()

    assert run.record.status == "fail"
    assert run.record.reason.startswith("ValueError: no")
    assert len(run.failures) == 1
    assert len(asked) <= tries


def test_types_of_empty_tables_are_compared_though_no_generated_world_shows_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    engines = ("differential.planted:X24", "polars")
    session = Session(PROFILES["quick"], engines, gather(worlds(), 1, 3)[0], progress=lambda _line: None)
    monkeypatch.setattr(session, "share", lambda *_: iter(()))
    run = CaseRun(next(case for case in all_cases(engines) if case.test == "sql_vs_polars"), session)

    feed_all(run, run.case, session)

    assert [failed.world.fingerprint for failed in run.failures] == [empties()[0].fingerprint]
