"""Growth of memory and leaks: what rises without end fails, what fills up does not."""

from __future__ import annotations

import numpy as np
import pytest

from scale.policy import GB, MB, Policy
from scale.statistics.memory import fit_growth, judge_leak
from scale.statistics.simulation import SIZES

POLICY = Policy.load()


@pytest.mark.parametrize(("gb_per_1000", "verdict"), [(0.015, "pass"), (1.9, "pass"), (2.1, "fail")])
def test_growth_of_memory(gb_per_1000: float, verdict: str) -> None:
    points = {float(n): [(0.2 + gb_per_1000 * n / 1000) * GB * factor for factor in (0.999, 1.0, 1.001)] for n in SIZES}
    found = fit_growth(points, POLICY)

    assert found.verdict == verdict and found.gb_per_1000 == pytest.approx(gb_per_1000, rel=0.01)


def test_growth_near_the_limit_is_inconclusive_and_too_few_sizes_insufficient() -> None:
    wave = (1.2, 0.8, 0.8, 1.2, 1.2, 0.99)
    for slope in (1.95e-3, 2.2e-3):
        near = {float(n): [slope * n * GB * factor] * 3 for n, factor in zip(SIZES, wave, strict=True)}
        assert fit_growth(near, POLICY).verdict == "inconclusive"
    assert fit_growth({1000.0: [1.0] * 3, 2000.0: [2.0] * 3}, POLICY).verdict == "insufficient"


def _after(curve: np.ndarray, noise_mb: float = 2.0, seed: int = 1) -> list[float]:
    noise = noise_mb * np.random.default_rng(seed).standard_normal(len(curve))
    return [float(value) for value in (400 + curve + noise) * MB]


def _share(curve: np.ndarray, verdict: str, noise_mb: float = 2.0) -> float:
    return float(np.mean([judge_leak(_after(curve, noise_mb, seed), POLICY).verdict == verdict for seed in range(200)]))


RUNS = np.arange(40.0)


def test_a_leak_is_found() -> None:
    assert _share(10 * RUNS, "fail") == 1.0
    assert _share(5 * RUNS, "fail") >= 0.95
    found = judge_leak(_after(10 * RUNS), POLICY)
    assert found.mb_per_run == pytest.approx(10, abs=1) and "MB a run" in found.reason


@pytest.mark.parametrize(
    ("curve", "what"),
    [
        (0 * RUNS, "flat"),
        (200 * (1 - np.exp(-RUNS)), "a cache that fills up"),
        (50.0 * (RUNS >= 6), "one more arena"),
        (np.where(RUNS < 2, 0, 300), "warm-up"),
        (-5 * RUNS, "falling"),
        (0.2 * RUNS, "too small to matter"),
    ],
)
def test_what_is_no_leak_does_not_fail(curve: np.ndarray, what: str) -> None:
    assert _share(curve, "fail") <= 0.01, what
    assert _share(curve, "pass") >= 0.9, what


def test_a_cache_that_is_still_filling_up_does_not_fail() -> None:
    assert _share(200 * (1 - np.exp(-RUNS / 2)), "fail") <= 0.02


def test_several_new_arenas_are_no_leak() -> None:
    """As measured over 50 runs of the polars engine, whose slope alone is 1.3 MB a run."""
    steps = np.repeat([120.0, 138, 172, 186], [5, 9, 12, 24])

    assert _share(steps, "fail") <= 0.01


def test_exactly_flat_memory_passes_and_few_runs_are_insufficient() -> None:
    assert judge_leak([400.0 * MB] * 40, POLICY).verdict == "pass"
    assert judge_leak([400.0 * MB] * 31, POLICY).verdict == "insufficient"
    assert judge_leak([], POLICY).verdict == "insufficient"


def test_a_rise_that_is_not_certain_is_inconclusive() -> None:
    verdicts = {judge_leak(_after(1.5 * RUNS, noise_mb=12, seed=seed), POLICY).verdict for seed in range(50)}

    assert "inconclusive" in verdicts
    assert judge_leak(_after(1.5 * RUNS, noise_mb=0.1), POLICY).verdict == "fail"
