"""The kill runner on a fixed small sample of faults, and what the matrix says of them."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from differential.planted import FAULTS
from properties.faults import run_catalogue
from properties.faults.bench import Bench
from properties.faults.comparing import DETECTORS
from properties.faults.holding import PATHS
from properties.faults.kill import Found, Kill, Repro, control, kill
from properties.faults.matrix import KillMatrix
from properties.faults.target import Target, targets_of
from properties.invariants import all_checks
from properties.relations.catalogue import RELATIONS

FOUND = Found("fail", "worlds differ", 1.5)


@pytest.fixture(scope="module")
def bench() -> Bench:
    return Bench(limit=120)


def test_every_expected_detector_is_a_check() -> None:
    known = {*DETECTORS.values(), *all_checks(), *(relation.check.id for relation in RELATIONS), "M22", "L", "error"}
    assert {name for fault in FAULTS.values() for name in fault.detectors} <= known
    assert known >= PATHS


def test_a_fault_of_one_engine_dies_by_comparison_and_is_reduced(bench: Bench) -> None:
    (target,) = targets_of(["X21"])
    done = kill(target, bench, first_only=True)
    assert done.problem is None and done.first == "D1"
    assert done.repro is not None and done.repro.error is None
    assert (done.repro.employees, done.repro.years) <= (3, 3)


def test_a_fault_of_every_engine_survives_comparison_and_dies_by_an_invariant(bench: Bench) -> None:
    (target,) = targets_of(["B05"])
    done = kill(target, bench, first_only=True, reduce=False)
    assert done.problem is None and "I19" in done.found
    assert not any(name.startswith("D") for name in done.found)


def test_a_silent_fall_back_is_refused(bench: Bench) -> None:
    (target,) = targets_of(["X28"])
    done = kill(target, bench)
    assert done.problem is None and done.found["D1"].status == "refused"


def test_a_fault_of_another_process_is_found_on_its_path(bench: Bench) -> None:
    """P56 shows only in the second leg of a resumed run, which is another process."""
    (target,) = targets_of(["P56"])
    done = kill(replace(target, detectors=("D5",)), bench, first_only=True, reduce=False)
    assert done.first == "D5"


def test_no_fault_is_no_alarm(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control runs the same checks; here those of one run, since the others have tests of their own."""
    for name in ("relations", "life", "environment"):
        monkeypatch.setattr(f"properties.faults.holding.{name}", lambda *_a, **_k: [])
    done = control("polars", bench)
    assert done.problem is None, done.found
    assert set(done.stages) == {"first chunks", "invariants", "relations", "life", "environment"}


def test_an_unknown_fault_is_named() -> None:
    with pytest.raises(KeyError, match="no fault X99"):
        run_catalogue(["X05", "X99"])


def test_what_must_be_refused_may_not_fail() -> None:
    refused = _kill("X28", refused=True, found={"D1": replace(FOUND, status="refused")})
    assert refused.problem is None
    assert "must be refused" in (_kill("X28", refused=True, found={"D1": FOUND}).problem or "")
    assert "it survived" in (_kill("X28", refused=True).problem or "")


def test_comparison_must_be_blind_to_what_every_engine_has() -> None:
    assert _kill("X19", blind=True, found={"M21": FOUND}).problem is None
    assert "blind" in (_kill("X19", blind=True, found={"D1": FOUND, "M21": FOUND}).problem or "")


def test_the_matrix_has_survivors_first_and_says_what_was_expected() -> None:
    repro = Repro(employees=1, years=2, runs=9, seconds=2.5, ended="finished")
    killed = _kill("X05", found={"D1": FOUND, "I02": FOUND}, expected=("D1", "I02", "I03"), repro=repro)
    matrix = KillMatrix((killed, _kill("S99"), replace(killed, id="P99", engine="polars")), 12.0, 2)
    lines = matrix.text().splitlines()
    assert [line.split()[0] for line in lines[1:4]] == ["!", "X05", "P99"]
    assert "S99: survived" in matrix.text() and "(silent: I03)" in matrix.text()
    assert "1 x 2 y, 9 runs, 2.5 s" in matrix.text()
    assert not matrix.passed
    assert "2 of 3 faults found" in matrix.text()
    assert json.loads(matrix.dumps())["matrix"]["X05"] == {"D1": 1.5, "I02": 1.5}


def test_a_check_that_fires_without_a_fault_fails_the_matrix() -> None:
    killed = _kill("X05", found={"D1": FOUND})
    clean = Kill("clean sql", "No fault.", "sql", clean=True)
    assert KillMatrix((killed,), 1.0, 1, (clean,)).passed
    alarm = KillMatrix((killed,), 1.0, 1, (replace(clean, found={"I20": FOUND}),))
    assert not alarm.passed and "false alarm of I20" in alarm.text()


def test_targets_of_the_catalogue_are_told_apart() -> None:
    assert [target.id for target in targets_of()] == list(FAULTS)
    everywhere = Target.of_fault(FAULTS["X19"])
    assert everywhere.blind and len({everywhere.spec, everywhere.other, everywhere.judge}) == 3


def _kill(
    name: str,
    *,
    found: dict[str, Found] | None = None,
    expected: tuple[str, ...] = (),
    refused: bool = False,
    blind: bool = False,
    repro: Repro | None = None,
) -> Kill:
    return Kill(name, "What it does.", "sql", expected, refused, blind, found or {}, repro=repro)
