"""A line through too few points says nothing, and one through enough says little."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy import stats

from scale.policy import Policy
from scale.statistics.linear import fit_linear
from scale.statistics.simulation import SIZES, timings

POLICY = Policy.load()


def test_two_sizes_are_insufficient_although_a_line_fits_them_perfectly() -> None:
    two = {1000.0: [1.0, 1.1, 0.9], 5000.0: [400.0, 410.0, 420.0]}
    perfect = stats.linregress([1000.0, 5000.0], [1.0, 410.0])
    assert perfect.rvalue**2 == pytest.approx(1) and perfect.pvalue == 0  # what was once taken for proof

    assert fit_linear(two, POLICY).verdict == "insufficient"
    assert "2 sizes" in fit_linear(two, POLICY).reason


@pytest.mark.parametrize(
    ("points", "named"),
    [
        ({}, "0 sizes"),
        ({float(n): [1.0 * n] * 3 for n in SIZES[:3]}, "3 sizes were measured and 4 are needed"),
        ({float(n): [1.0 * n] * (2 if n == 5000 else 3) for n in SIZES}, "5000 has 2 runs"),
        ({float(n): [1.0 * n, float("nan"), 1.0] for n in SIZES}, "not a number above 0"),
        ({float(n): [1.0 * n, 0.0, 1.0] for n in SIZES}, "not a number above 0"),
        ({0.0: [1.0] * 3} | {float(n): [1.0 * n] * 3 for n in SIZES}, "size of 0"),
    ],
)
def test_too_little_is_insufficient(points: dict[float, list[float]], named: str) -> None:
    found = fit_linear(points, POLICY)

    assert found.verdict == "insufficient" and named in found.reason
    assert found.as_dict().keys() == {"band", "verdict", "reason"}


def test_the_interval_of_the_slope_allows_for_noise_that_grows_with_the_size() -> None:
    rng, held = np.random.default_rng(1), 0
    for _ in range(300):
        found = fit_linear(timings("n", rng, overhead=0.1, noise=0.05), POLICY)
        assert found.slope_low is not None and found.slope_high is not None
        assert found.verdict == "pass" and found.band == "excellent"
        held += found.slope_low < 90 / 50_000 < found.slope_high

    assert held >= 255  # 85 %; the interval of equal noise holds it in 60 %
    assert json.loads(json.dumps(found.as_dict(), allow_nan=False))["band"] == "excellent"


def test_one_disturbed_run_does_not_decide() -> None:
    points = timings("n", np.random.default_rng(1), overhead=0.1, noise=0.05)
    points[50_000.0][0] *= 5

    assert fit_linear(points, POLICY).verdict == "pass"


@pytest.mark.parametrize(
    ("curve", "named"),
    [
        (lambda n: 0 * n + 10.0, "was the input scaled?"),
        (lambda n: 100 - n / 1000, "is not above 0"),
        (lambda n: 10 + np.sin(n), "R2"),
        (lambda n: n**4.0, "R2"),
    ],
)
def test_what_is_no_line_fails(curve: object, named: str) -> None:
    assert callable(curve)
    found = fit_linear({float(n): [float(curve(n))] * 3 for n in SIZES}, POLICY)

    assert found.verdict == "fail" and named in found.reason


def test_each_band_has_its_name() -> None:
    def band(noise: float) -> tuple[str, str]:
        wave = np.array([1, -1, -1, 1, 1, -1])
        found = fit_linear(
            {float(n): [n + noise * 50_000 + noise * 10_000 * w] * 3 for n, w in zip(SIZES, wave, strict=True)}, POLICY
        )
        return found.band, found.verdict

    assert [band(noise) for noise in (0.1, 0.45, 0.75, 2.0)] == [
        ("excellent", "pass"),
        ("good", "pass"),
        ("acceptable", "fail"),
        ("poor", "fail"),
    ]
