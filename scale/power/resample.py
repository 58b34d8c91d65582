"""Rates from recorded timings: runs are drawn again from the live trials and judged by the same rules, thousands of times."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np

from scale.policy import Policy
from scale.statistics import decided, fit_power, judge_cell

DRAWS = {"slower": 2000, "clean pairs": 2000, "x29": 200, "clean exponent": 200}
"""Names that are resampled, and how often. A fit takes a bootstrap of its own, so that there are fewer."""
_SEED = 11


def resampled(trials: Sequence[dict[str, Any]], policy: Policy) -> dict[str, tuple[int, int]]:
    """(found, draws) by name. Pairs stay pairs: the drift of the machine, which both share, is part of what is drawn."""
    rng = np.random.default_rng(_SEED)
    found: dict[str, tuple[int, int]] = {}
    for name, draws in DRAWS.items():
        recorded = [trial["timings"] for trial in trials if trial["name"] == name]
        if len(recorded) > 1:
            judge = _slower if "base" in recorded[0] else _fails
            hits = sum(judge(recorded, rng, policy) for _ in range(draws))
            wanted = hits if name in ("slower", "x29") else draws - hits
            found[name] = (wanted, draws)
    return found


def _slower(recorded: Sequence[dict[str, list[float]]], rng: np.random.Generator, policy: Policy) -> bool:
    base = np.concatenate([one["base"] for one in recorded])
    candidate = np.concatenate([one["candidate"] for one in recorded])

    def pairs(count: int) -> tuple[list[float], list[float]]:
        rows = rng.integers(0, len(base), count)
        return base[rows].tolist(), candidate[rows].tolist()

    first, second = decided(pairs, policy)
    return judge_cell(first, second, policy).change == "slower"


def _fails(recorded: Sequence[dict[str, list[float]]], rng: np.random.Generator, policy: Policy) -> bool:
    pools: dict[str, list[float]] = defaultdict(list)
    for one in recorded:
        for size, values in one.items():
            pools[size] += values
    points = {
        float(size): rng.choice(values, policy.sufficiency.runs_minimum).tolist() for size, values in pools.items()
    }
    return fit_power(points, policy).verdict == "fail"
