"""The exponent: what it decides on simulated timings, that no overhead fools it, and that it says when it does not know."""

from __future__ import annotations

import json
from collections import Counter

import numpy as np
import pytest
from scipy import stats
from scipy.optimize import least_squares

from scale.policy import Policy
from scale.statistics.curve import _refine, fit_curves
from scale.statistics.linear import fit_linear
from scale.statistics.plain import Array
from scale.statistics.power import fit_power
from scale.statistics.simulation import SIZES, timings

POLICY = Policy.load()
QUICK = POLICY.model_copy(update={"power": POLICY.power.model_copy(update={"resamples": 200})})
TRIALS = 60


def _verdicts(
    growth: str, overhead: float, noise: float, *, runs: int = 5, outliers: float = 0.0, trials: int = TRIALS
) -> Counter[str]:
    rng = np.random.default_rng(20)
    made = (timings(growth, rng, overhead=overhead, noise=noise, runs=runs, outliers=outliers) for _ in range(trials))
    return Counter(fit_power(points, QUICK).verdict for points in made)


@pytest.mark.parametrize("runs", [3, 5])
@pytest.mark.parametrize("growth", ["n^1.5", "n^2"])
def test_more_than_linear_is_rejected_behind_an_overhead_and_noise(growth: str, runs: int) -> None:
    found = _verdicts(growth, 0.1, 0.15, runs=runs)

    assert found["pass"] <= 0.05 * TRIALS
    assert found["fail"] >= (0.95 if runs == 5 or growth == "n^2" else 0.80) * TRIALS


@pytest.mark.parametrize("runs", [3, 5])
def test_linear_is_not_failed(runs: int) -> None:
    found = _verdicts("n", 0.1, 0.15, runs=runs, trials=100)

    assert found["fail"] <= 1
    assert found["pass"] >= (88 if runs == 5 else 70)


@pytest.mark.parametrize(
    ("growth", "overhead", "noise", "passes", "fails"),
    [
        ("n", 0.0, 0.05, (0.98, 1), (0, 0)),
        ("n", 0.1, 0.15, (0.75, 1), (0, 0.02)),
        ("n log n", 0.0, 0.05, (0.98, 1), (0, 0)),
        ("n^1.5", 0.1, 0.05, (0, 0), (0.98, 1)),
        ("n^1.5", 0.1, 0.15, (0, 0), (0.85, 1)),
        ("n^2", 0.1, 0.05, (0, 0), (1, 1)),
    ],
)
def test_with_one_run_in_ten_disturbed(
    growth: str, overhead: float, noise: float, passes: tuple[float, float], fails: tuple[float, float]
) -> None:
    found = _verdicts(growth, overhead, noise, outliers=0.1)

    assert passes[0] <= found["pass"] / TRIALS <= passes[1] and fails[0] <= found["fail"] / TRIALS <= fails[1]


def test_r2_and_a_log_log_slope_pass_a_quadratic_behind_an_overhead_and_the_exponent_does_not() -> None:
    overhead, sizes = 0.4, np.array(SIZES, dtype=float)
    points = timings("n^2", np.random.default_rng(2), overhead=overhead, noise=0.02)
    centre = [float(np.median(points[n])) for n in sizes]

    line = fit_linear(points, POLICY)
    slope = stats.linregress(np.log(sizes), np.log(centre)).slope
    found = fit_power(points, POLICY)

    assert line.verdict == "pass" and line.r2 is not None and line.r2 > 0.9
    assert slope < POLICY.power.lower_end_above
    assert found.verdict == "fail" and found.p == pytest.approx(2, abs=0.1)


def test_the_curve_is_the_one_that_scipy_finds() -> None:
    rng = np.random.default_rng(8)
    sizes = np.repeat(np.arange(len(SIZES)), 5)
    log_u = np.log(np.array(SIZES) / SIZES[-1])[sizes]
    for growth in ("n", "n^1.5", "n^2"):
        points = timings(growth, rng, overhead=0.1, noise=0.1, outliers=0.1)
        log_t = np.log(np.concatenate([points[float(n)] for n in SIZES]))

        def residuals(theta: Array, log_t: Array = log_t) -> Array:
            rest: Array = log_t - theta[0] - np.log(theta[2] + np.exp(theta[1] * log_u))
            return rest

        start = fit_curves(log_u, log_t[None], sizes)
        ours = _refine(log_u, log_t[None], start, np.array([0.1]), 20)
        limits = ((-np.inf, 0.05, 0), (np.inf, 4, np.inf))
        theirs = least_squares(
            residuals, (4.0, 1.2, 0.3), bounds=limits, loss="huber", f_scale=1.345 * 0.1, xtol=1e-12, ftol=1e-12
        )
        assert ours.p[0] == pytest.approx(theirs.x[1], abs=1e-3)
        assert start.p[0] == pytest.approx(theirs.x[1], abs=0.05)  # at a scale of its own


def test_the_figures_describe_the_curve() -> None:
    exact = {float(n): [2.0 + 3e-4 * n] * 3 for n in SIZES}
    found = fit_power(exact, POLICY)

    assert found.verdict == "pass"
    assert (found.a, found.b, found.p) == pytest.approx((2.0, 3e-4, 1.0), rel=1e-3)
    assert found.overhead_ratio == pytest.approx(17 / 2, rel=1e-3)
    assert set(found.residuals) == set(exact) and max(map(abs, found.residuals.values())) < 1e-6


def test_the_same_runs_give_the_same_interval() -> None:
    points = timings("n", np.random.default_rng(4), overhead=0.1, noise=0.15)

    assert fit_power(points, POLICY) == fit_power(dict(reversed(points.items())), POLICY)


def test_it_says_when_it_does_not_know() -> None:
    found = fit_power(timings("n^1.2", np.random.default_rng(3), overhead=0.1, noise=0.15), POLICY)

    assert found.verdict == "inconclusive" and "more runs" in found.reason


@pytest.mark.parametrize(
    ("points", "named"),
    [
        ({float(n): [1.0 * n] * 3 for n in (1000, 2000, 5000)}, "3 sizes"),
        ({float(n): [1.0 * n] * 2 for n in SIZES}, "2 runs"),
        ({float(n): [1.0 * n] * 3 for n in (5000, 10_000, 20_000, 50_000)}, "largest over smallest is 10"),
        ({float(n): [30 + 7e-4 * n] * 3 for n in SIZES}, "2.2 times the fixed cost"),
        ({float(n): [30.0] * 3 for n in SIZES}, "times the fixed cost"),
    ],
)
def test_too_little_is_insufficient(points: dict[float, list[float]], named: str) -> None:
    found = fit_power(points, POLICY)

    assert found.verdict == "insufficient" and named in found.reason
    json.dumps(found.as_dict(), allow_nan=False)


def test_fail_wins_over_what_is_missing_for_a_pass() -> None:
    near = {float(n): [1e-6 * n**2] * 3 for n in (5000, 10_000, 20_000, 50_000)}

    assert fit_power(near, POLICY).verdict == "fail"


def test_fail_wins_where_both_limits_are_met() -> None:
    between = {float(n): [1e-3 * n**1.2] * 3 for n in SIZES}
    found = fit_power(between, POLICY)

    assert found.p_high is not None and found.p_high <= POLICY.power.upper_end_at_most
    assert found.verdict == "fail"


def test_years_need_less_of_a_ratio() -> None:
    years = {float(y): [0.1 + 1.0 * y] * 3 for y in (1, 2, 5, 10)}

    assert fit_power(years, POLICY, axis="years").verdict == "pass"
    assert fit_power(years, POLICY).verdict == "insufficient"


def test_without_overhead_json_has_no_infinity() -> None:
    found = fit_power({float(n): [1e-3 * n] * 3 for n in SIZES}, POLICY)

    written = json.loads(json.dumps(found.as_dict(), allow_nan=False))
    assert {"a", "b", "p", "p_low", "p_high", "verdict", "reason", "residual 1000"} <= written.keys()
