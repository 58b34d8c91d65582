"""A slowdown of 10 % is found on a noisy machine, and clean pairs raise no alarm."""

from __future__ import annotations

import numpy as np
import pytest

from scale.policy import Policy
from scale.statistics.regression import PairVerdict, compare_pairs, decided, judge_build, judge_cell
from scale.statistics.simulation import interleaved_pairs

POLICY = Policy.load()
BASE = [1.00, 1.01, 1.02, 0.99, 1.00, 1.03, 0.98, 1.01, 1.00, 1.02] * 2


def _scaled(factor: float) -> list[float]:
    return [value * factor for value in BASE]


def _rate(slowdown: float, trials: int, noise: float = 1.0) -> float:
    rng = np.random.default_rng(6)
    found = 0
    for _ in range(trials):
        initial, again = decided(lambda count: interleaved_pairs(rng, count, slowdown, noise), POLICY)
        found += judge_build({"cell": judge_cell(initial, again, POLICY)}, POLICY).verdict == "fail"
    return found / trials


@pytest.mark.parametrize("noise", [1.0, 1.5])
def test_ten_percent_is_found(noise: float) -> None:
    assert _rate(0.10, 400, noise) >= 0.94


@pytest.mark.parametrize("noise", [1.0, 2.0])
def test_clean_pairs_raise_no_alarm(noise: float) -> None:
    assert _rate(0.0, 1000, noise) <= 0.01


@pytest.mark.parametrize(
    ("factor", "change", "verdict"), [(1.1, "slower", "fail"), (0.9, "faster", "pass"), (1.0, "unchanged", "pass")]
)
def test_a_round_of_pairs(factor: float, change: str, verdict: str) -> None:
    found = compare_pairs(BASE, _scaled(factor), POLICY)

    assert found.change == change and found.verdict == verdict and found.ratio == pytest.approx(factor)


def test_significant_is_not_large_and_large_is_not_significant() -> None:
    small = compare_pairs(BASE, _scaled(1.04), POLICY)
    assert small.p_value is not None and small.p_value < 0.05 and small.change == "unchanged"

    rng = np.random.default_rng(2)
    wide = [(1 + rng.uniform(-0.6, 0.6, 10)).tolist() for _ in range(2)]
    loose = compare_pairs(wide[0], [value * 1.1 for value in wide[0][::-1]], POLICY)
    assert loose.median_difference is not None and loose.median_difference > 0.05 and loose.change == "unchanged"


@pytest.mark.parametrize(
    ("base", "candidate"),
    [([], []), (BASE[:9], BASE[:9]), (BASE, BASE[:12]), ([*BASE[:19], 0.0], BASE), ([*BASE[:19], float("nan")], BASE)],
)
def test_too_few_pairs_are_insufficient(base: list[float], candidate: list[float]) -> None:
    found = compare_pairs(base, candidate, POLICY)

    assert found.verdict == "insufficient" and found.ratio is None
    assert judge_build({"cell": found}, POLICY).verdict == "insufficient"


def test_only_the_confirmation_counts() -> None:
    slow, same = (BASE[:10], _scaled(1.3)[:10]), (BASE, _scaled(1.0))

    assert judge_cell(slow, same, POLICY).change == "unchanged"
    assert judge_cell(slow, (BASE, _scaled(1.3)), POLICY).change == "slower"
    assert judge_cell(slow, None, POLICY).verdict == "insufficient"
    assert judge_cell(slow, (BASE[:10], _scaled(1.3)[:10]), POLICY).verdict == "insufficient"
    assert judge_cell(same, None, POLICY).change == "unchanged"


def _cells(*factors: float) -> dict[str, PairVerdict]:
    return {f"cell {i}": compare_pairs(BASE, _scaled(factor), POLICY) for i, factor in enumerate(factors)}


def test_the_build_is_decided_on_all_cells() -> None:
    assert judge_build(_cells(1.1, 1.1, 1.1), POLICY).verdict == "fail"
    assert judge_build(_cells(1.0, 1.0, 0.9), POLICY).verdict == "pass"
    assert judge_build({}, POLICY).verdict == "insufficient"


def test_one_slower_cell_is_a_warning_with_its_name() -> None:
    found = judge_build(_cells(1.0, 1.12, 1.0, 1.0), POLICY)

    assert found.verdict == "pass" and found.geometric_mean == pytest.approx(1.12**0.25)
    assert len(found.warnings) == 1 and "cell 1 is slower: +12.0%" in found.warnings[0]


def test_a_cell_without_pairs_is_never_a_pass() -> None:
    short = {"short": compare_pairs([], [], POLICY)}

    assert judge_build(_cells(1.0, 1.0) | short, POLICY).verdict == "insufficient"
    assert judge_build(_cells(1.2, 1.2) | short, POLICY).verdict == "fail"


def test_a_mean_above_the_limit_without_a_slower_cell_is_inconclusive() -> None:
    unsure = PairVerdict(1.08, 0.2, 0.08, "unchanged", "pass", "noisy")

    assert judge_build({"cell": unsure}, POLICY).verdict == "inconclusive"
