"""Nightly histories: a step is found where it is, a drift is named, and quiet nights are left alone."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from scale.policy import Policy
from scale.statistics.history import find_changes, fit_trend, issue_text

POLICY = Policy.load()
NIGHTS = np.arange(60)


def _nights(level: np.ndarray, noise: float, seed: int) -> list[float]:
    noisy = 10 * level * np.exp(noise * np.random.default_rng(seed).standard_normal(len(level)))
    return [float(value) for value in noisy]


def _share(level: np.ndarray, noise: float, holds: Callable[[list[float]], bool], trials: int = 100) -> float:
    return float(np.mean([holds(_nights(level, noise, seed)) for seed in range(trials)]))


def test_a_step_is_found_where_it_is() -> None:
    step = np.where(NIGHTS >= 40, 1.1, 1.0)

    def found(values: list[float]) -> bool:
        changes = find_changes(values, POLICY)
        return changes.verdict == "fail" and any(abs(point.index - 40) <= 3 for point in changes.points)

    assert _share(step, 0.03, found, 60) >= 0.95


def test_quiet_nights_raise_no_alarm() -> None:
    flat = np.ones(60)

    assert _share(flat, 0.05, lambda values: bool(find_changes(values, POLICY).points)) <= 0.01
    assert _share(flat, 0.05, lambda values: fit_trend(values, POLICY).label != "stable", 200) <= 0.02


@pytest.mark.parametrize(("rate", "label"), [(0.005, "degrading"), (-0.005, "improving"), (0.0005, "stable")])
def test_a_slow_drift_is_named(rate: float, label: str) -> None:
    assert _share(np.exp(rate * NIGHTS), 0.02, lambda values: fit_trend(values, POLICY).label == label) >= 0.95


def test_single_bad_nights_are_no_change() -> None:
    bad = np.where(np.isin(NIGHTS, [50, 51, 55]), 3.0, 1.0)

    assert _share(bad, 0.03, lambda values: bool(find_changes(values, POLICY).points), 40) == 0
    assert _share(bad, 0.03, lambda values: fit_trend(values, POLICY).label != "stable") <= 0.03


def test_only_a_slower_level_of_late_fails() -> None:
    faster = _nights(np.where(NIGHTS >= 40, 0.8, 1.0), 0.02, 1)
    long_ago = _nights(np.where(NIGHTS >= 20, 1.2, 1.0), 0.02, 1)

    for values in (faster, long_ago):
        changes = find_changes(values, POLICY)
        assert len(changes.points) == 1 and changes.verdict == "pass"


def test_two_steps_are_two_points_and_a_small_one_is_none() -> None:
    two = find_changes(_nights(np.select([NIGHTS < 20, NIGHTS < 40], [1.0, 1.3], 1.0), 0.02, 1), POLICY)
    small = find_changes(_nights(np.where(NIGHTS >= 30, 1.03, 1.0), 0.005, 1), POLICY)

    assert [point.index for point in two.points] == [20, 40] and two.points[0].change == pytest.approx(0.3, abs=0.03)
    assert small.points == ()


def test_few_nights_are_insufficient_and_exactly_equal_ones_stable() -> None:
    assert fit_trend([1.0] * 9, POLICY).verdict == "insufficient"
    assert find_changes([1.0] * 9, POLICY).verdict == "insufficient"
    assert fit_trend([1.0] * 20, POLICY).label == "stable"
    assert find_changes([1.0] * 20, POLICY).verdict == "pass"


def test_the_same_history_gives_the_same_answer_and_a_text() -> None:
    values = _nights(np.where(NIGHTS >= 45, 1.2, 1.0), 0.02, 1)
    changes = find_changes(values, POLICY)

    assert changes == find_changes(values, POLICY)
    text = issue_text("sql 50000x5", changes, [f"night {i}" for i in range(60)])
    assert "sql 50000x5: +" in text and "from night 45 on" in text and "up to night 44" in text
