"""Medians with an interval that exists, and spread."""

from __future__ import annotations

import numpy as np
import pytest

from scale.policy import Policy
from scale.statistics.summary import judge_variation, median_interval, summarise

POLICY = Policy.load()


def test_the_interval_of_the_median_is_refused_where_none_exists() -> None:
    assert median_interval([]) is None
    assert median_interval([1, 2, 3, 4, 5]) is None  # smallest to largest holds it with 93.75 % only
    assert median_interval([6, 1, 2, 3, 4, 5]) == (1, 6)
    assert median_interval(range(1, 11)) == (2, 9)


def test_the_interval_holds_the_median_often_enough_whatever_the_distribution() -> None:
    rng = np.random.default_rng(3)
    held = 0
    for _ in range(1000):
        low, high = median_interval(rng.exponential(size=12).tolist()) or (0.0, 0.0)
        held += low <= np.log(2) <= high

    assert held >= 940


def test_summary_of_few_runs() -> None:
    three = summarise([1.0, 2.0, 6.0])
    assert (three.n, three.mean, three.median, three.min, three.max) == (3, 3.0, 2.0, 1.0, 6.0)
    assert three.std == pytest.approx(np.sqrt(7)) and three.cv == pytest.approx(np.sqrt(7) / 3)
    assert three.median_low is None and three.median_high is None
    assert summarise([2.0]).std == 0.0 and summarise([2.0]).cv is None
    with pytest.raises(ValueError, match="nothing to summarise"):
        summarise([])


@pytest.mark.parametrize(
    ("values", "verdict"),
    [
        ([1.0, 1.1, 0.9], "pass"),
        ([1.0, 1.6, 0.9], "fail"),
        ([1.0, 1.0], "insufficient"),
        ([0.0, 0.0, 0.0], "insufficient"),
    ],
)
def test_variation(values: list[float], verdict: str) -> None:
    found = judge_variation(values, POLICY.time.cv_below, POLICY)

    assert found.verdict == verdict and found.reason
