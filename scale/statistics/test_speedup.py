"""Thread efficiency comes from what was measured, on the cores that exist."""

from __future__ import annotations

import numpy as np
import pytest

from scale.policy import Policy
from scale.statistics.speedup import judge_speedup

POLICY = Policy.load()


def _amdahl(serial: float, *threads: int, noise: float = 0.0) -> dict[int, list[float]]:
    rng = np.random.default_rng(1)
    return {k: (10 * (serial + (1 - serial) / k) * np.exp(noise * rng.standard_normal(5))).tolist() for k in threads}


@pytest.mark.parametrize(
    ("serial", "efficiency", "label", "verdict"),
    [
        (0.0, 1.0, "excellent", "pass"),
        (0.1, 0.769, "good", "pass"),
        (0.3, 0.526, "poor", "fail"),
        (1.0, 0.25, "poor", "fail"),
    ],
)
def test_different_times_give_different_efficiencies(
    serial: float, efficiency: float, label: str, verdict: str
) -> None:
    found = judge_speedup(_amdahl(serial, 1, 2, 4), cores=4, policy=POLICY)

    four = found.rows[-1]
    assert four.efficiency == pytest.approx(efficiency, abs=0.001) and four.label == label
    assert four.speedup == pytest.approx(4 * efficiency, abs=0.005)
    assert found.verdict == verdict and f"{efficiency:.0%}" in found.reason
    assert found.serial_fraction == pytest.approx(serial, abs=1e-9)


def test_threads_beyond_the_cores_are_shown_and_not_judged() -> None:
    times = _amdahl(0.0, 1, 2) | {8: [10.0] * 5}
    found = judge_speedup(times, cores=2, policy=POLICY)

    assert found.verdict == "pass" and (found.rows[-1].threads, found.rows[-1].verdict, found.rows[-1].judged) == (
        8,
        "info",
        False,
    )
    assert judge_speedup(times, cores=8, policy=POLICY).verdict == "fail"


def test_threads_that_are_ignored_fail() -> None:
    assert judge_speedup({1: [5.0] * 3, 2: [5.0] * 3}, cores=2, policy=POLICY).rows[-1].efficiency == 0.5
    assert judge_speedup({1: [5.0] * 3, 2: [5.0] * 3}, cores=2, policy=POLICY).verdict == "fail"


@pytest.mark.parametrize(
    ("seconds", "cores", "named"),
    [
        ({1: [5.0] * 3, 2: [2.5] * 3}, 1, "run it on one with at least 2"),
        ({2: [2.5] * 3}, 4, "no run with 1 thread"),
        ({1: [5.0] * 3}, 4, "no run with 2 to 4 threads"),
        ({1: [5.0] * 3, 8: [1.0] * 3}, 4, "at least 8 cores"),
        ({1: [5.0] * 3, 2: [2.5] * 2}, 4, "2 runs with 2 threads"),
        ({}, 4, "no run with 1 thread"),
    ],
)
def test_too_little_is_insufficient_and_says_where_to_run_it(
    seconds: dict[int, list[float]], cores: int, named: str
) -> None:
    found = judge_speedup(seconds, cores, POLICY)

    assert found.verdict == "insufficient" and named in found.reason


def test_fail_wins_over_a_count_with_too_few_runs() -> None:
    found = judge_speedup({1: [5.0] * 3, 2: [5.0] * 3, 4: [2.0]}, 4, POLICY)

    assert found.verdict == "fail" and "1 runs with 4 threads" in found.reason


def test_the_serial_fraction_has_an_interval_that_holds_it() -> None:
    found = judge_speedup(_amdahl(0.1, 1, 2, 4, 8, noise=0.03), cores=8, policy=POLICY)

    assert found.serial_low is not None and found.serial_high is not None
    assert found.serial_low < 0.1 < found.serial_high and found.serial_high - found.serial_low < 0.1
