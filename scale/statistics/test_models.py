"""The ranking knows a quadratic, and does not claim n log n."""

from __future__ import annotations

import json

import numpy as np
import pytest

from scale.policy import Policy
from scale.statistics.models import rank_models
from scale.statistics.simulation import SIZES, timings

POLICY = Policy.load()


@pytest.mark.parametrize("growth", ["n", "n log n"])
def test_n_log_n_is_indistinguishable_from_linear(growth: str) -> None:
    for seed in range(10):
        points = timings(growth, np.random.default_rng(seed), overhead=0.05, noise=0.03)
        found = rank_models(points, POLICY)

        assert set(found.possible) == {"n", "n log n"}
        assert found.verdict == "info" and "indistinguishable from linear" in found.reason


@pytest.mark.parametrize("growth", ["n^1.5", "n^2"])
def test_a_steeper_model_is_ranked_first(growth: str) -> None:
    points = timings(growth, np.random.default_rng(1), overhead=0.1, noise=0.05)
    found = rank_models(points, POLICY)

    assert found.possible == (growth,) and found.models[0].difference == 0
    assert [model.difference for model in found.models] == sorted(model.difference for model in found.models)
    json.dumps(found.as_dicts(), allow_nan=False)


def test_much_noise_leaves_more_models() -> None:
    points = timings("n^1.5", np.random.default_rng(1), overhead=0.1, noise=0.4, runs=3)

    assert len(rank_models(points, POLICY).possible) > 1


def test_too_little_ranks_nothing() -> None:
    found = rank_models({float(n): [1.0] * 3 for n in SIZES[:2]}, POLICY)

    assert found.verdict == "insufficient" and found.models == ()


def test_exact_times_do_not_break_the_ranking() -> None:
    assert rank_models({float(n): [1e-3 * n] * 3 for n in SIZES}, POLICY).models[0].name == "n"
