"""Determinism against the environment: clean engines pass, and each thing that may leak into a result is found and named."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from unittest import mock

import pytest

from differential.variant import Variant
from properties.environment import EnvironmentOutcome, designed_worlds, run, run_environment, settings
from properties.environment.launch import Answer, launch
from properties.environment.probe import in_order
from properties.environment.settings import BASE, ZONES, Row, Setting, axes, changed, not_in_force, rows
from properties.environment.testing import Leaking

HERE = "properties.environment.testing:"
WORLDS = designed_worlds()
AXIS = {one.name: one.axis for one in settings()}


def _axes(outcomes: Sequence[EnvironmentOutcome], status: str) -> set[str]:
    return {AXIS[outcome.name] for outcome in outcomes if outcome.status == status}


@pytest.mark.parametrize("pairwise", [False, True])
def test_the_rows_hold_every_setting(pairwise: bool) -> None:
    found = {one for row in rows(pairwise=pairwise) for one in changed(row)}
    assert found == set(settings())
    assert set(BASE) == set(axes())


@pytest.mark.parametrize("engine", ["sql", "polars"])
def test_the_engines_are_steady(engine: str) -> None:
    outcomes = run_environment(engine, WORLDS)
    assert {one.name: (one.status, one.reason) for one in outcomes} == {one.name: ("pass", "") for one in settings()}


def test_a_leak_of_everything_fails_under_every_setting_alone() -> None:
    outcomes = run_environment(HERE + "everything", WORLDS)
    assert {one.name: one.status for one in outcomes} == {one.name: "fail" for one in settings()}
    for outcome in outcomes:
        assert outcome.violation is not None and outcome.violation.clause == AXIS[outcome.name]
        assert "current_age" in outcome.violation.found


@pytest.mark.parametrize(
    ("leak", "row"),
    [
        ("hash", {"hash seed": "1"}),
        ("set_order", {"hash seed": "4711"}),
        ("today", {"clock": "a year back"}),
        ("library_clock", {"clock": "a year back"}),
        ("local_time", {"time zone": "America/Los_Angeles"}),
        ("locale", {"locale": "C"}),
        ("start_method", {"start method": "forkserver"}),
    ],
)
def test_each_leak_shows_under_its_setting(leak: str, row: Row) -> None:
    answer, base = launch(HERE + leak, WORLDS, row), launch(HERE + leak, WORLDS, {})
    verdict = run._verdict(row, answer, base, WORLDS)
    assert verdict.broken is not None and not verdict.refused


def test_without_a_compiler_python_s_own_clock_is_moved() -> None:
    with (
        mock.patch("properties.environment.launch.shim", return_value=None),
        mock.patch.object(run, "shim", return_value=None),
    ):
        base = launch(HERE + "today", WORLDS, {})
        answer = launch(HERE + "today", WORLDS, {"clock": "a year back"})
        verdict = run._verdict({"clock": "a year back"}, answer, base, WORLDS)
        note = run._note(Setting("clock", "a year back"))
    assert answer.error is None and (answer.facts["years back"], answer.facts["clock of libraries"]) == (1, 0)
    assert verdict.broken is not None and not verdict.refused
    assert note == "time.time and date.today only: no C compiler here"


# What the outcomes make of the answers is tested with answers that no process gave.


def _imagined(row: Row, leak: int = 0) -> Answer:
    """The answer of a process in which the row is in force; `leak` is added to every age."""
    full = {**BASE, **row}
    worlds = [in_order(world, full["row order"]) for world in WORLDS]
    engine = Leaking("imagined", lambda *_: leak)
    facts = {
        "pid": os.getpid(),
        "utc offset": ZONES.get(full["time zone"], (0,))[0],
        "locale": full["locale"],
        "encoding": "ANSI_X3.4-1968" if full["locale"] == "C" else "UTF-8",
        "years back": int(full["clock"] != BASE["clock"]),
        "clock of libraries": int(full["clock"] != BASE["clock"]),
        "hash": full["hash seed"],
        "threads": int(full["threads"]),
        "row order": full["row order"],
        "start method": full["start method"],
        "folder": full["folder"],
        "folder asked": full["folder"],
        "optimisation": int(full["optimisation"] == "on"),
    }
    return Answer(engine.run(worlds, Variant(threads=int(full["threads"]))), None, facts)


def _outcomes(
    answer: Callable[[Row], Answer], engine: str = "sql", *, pairwise: bool = False
) -> list[EnvironmentOutcome]:
    with mock.patch.object(run, "launch", lambda _engine, _worlds, row, _timeout: answer(row)):
        return run_environment(engine, WORLDS, parallel=1, pairwise=pairwise)


@pytest.mark.parametrize("pairwise", [False, True])
def test_what_only_a_combination_shows_is_an_outcome_of_its_own(pairwise: bool) -> None:
    def answer(row: Row) -> Answer:
        return _imagined(row, int(row.get("optimisation") == "on" and row.get("time zone") == "Pacific/Kiritimati"))

    outcomes = _outcomes(answer, pairwise=pairwise)
    together = [one for one in outcomes if one.status == "fail"]
    assert together and all(" + " in one.name and "optimisation on" in one.name for one in together)
    assert {one.status for one in outcomes if one not in together} == {"pass"}


@pytest.mark.parametrize("setting", settings(), ids=lambda setting: setting.name)
def test_each_setting_is_told_from_the_others(setting: Setting) -> None:
    outcomes = _outcomes(lambda row: _imagined(row, int(row.get(setting.axis) == setting.value)))
    assert [one.name for one in outcomes if one.status == "fail"] == [setting.name]
    (failed,) = [one for one in outcomes if one.status == "fail"]
    assert failed.violation is not None
    assert (failed.violation.check, failed.violation.clause) == (setting.check, setting.axis)


def test_an_engine_that_dies_under_a_setting_fails_there() -> None:
    def answer(row: Row) -> Answer:
        return Answer(None, "the process ended with status 3", {}) if row.get("hash seed") == "1" else _imagined(row)

    (failed,) = [one for one in _outcomes(answer) if one.status == "fail"]
    assert failed.name == "hash seed 1" and failed.reason == "the process ended with status 3"


def test_a_run_without_proof_or_in_another_process_is_refused() -> None:
    def unproven(row: Row) -> Answer:
        answer = _imagined(row)
        assert answer.run is not None
        return replace(answer, run=replace(answer.run, proof=None))

    for answer, why in ((unproven, "no proof"), (lambda row: _elsewhere(_imagined(row)), "made in process")):
        outcomes = _outcomes(answer)
        assert {one.status for one in outcomes} == {"refused"} and len(outcomes) == len(settings())
        assert why in outcomes[0].reason


def _elsewhere(answer: Answer) -> Answer:
    return replace(answer, facts={**answer.facts, "pid": -1})


def test_a_setting_that_is_not_in_force_is_refused() -> None:
    outcomes = _outcomes(lambda _: _imagined({}))
    assert {one.status for one in outcomes} == {"refused"} and len(outcomes) == len(settings())


def test_facts_like_those_of_the_base_are_no_change() -> None:
    facts = {"years back": 1}
    reason = not_in_force(Setting("clock", "a year back"), facts, facts)
    assert reason == "clock a year back: the base shows 1 too, so nothing was changed"


def test_an_engine_in_a_process_of_its_own_is_skipped_and_never_passes() -> None:
    outcomes = run_environment(f"oracle@{sys.executable}", WORLDS)

    assert {one.name: one.status for one in outcomes} == {one.name: "skipped" for one in settings()}
    assert "in a process of its own" in outcomes[0].reason


def test_an_axis_that_the_engine_lacks_is_skipped() -> None:
    outcomes = _outcomes(_imagined, HERE + "one_thread")
    assert _axes(outcomes, "skipped") == {"threads"}
    assert _axes(outcomes, "pass") == set(axes()) - {"threads"}
