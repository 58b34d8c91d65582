"""Made-up timings on which the statistics are tried: what the tests and power_table.py draw from."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from scale.statistics.plain import Array

SIZES = (1_000, 2_000, 5_000, 10_000, 20_000, 50_000)
GROWTHS: dict[str, Callable[[Array], Array]] = {
    "n": lambda n: n,
    "n log n": lambda n: n * np.log(n),
    "n^1.2": lambda n: n**1.2,
    "n^1.5": lambda n: n**1.5,
    "n^2": lambda n: n**2,
}


def timings(
    growth: str,
    rng: np.random.Generator,
    *,
    overhead: float,
    noise: float,
    runs: int = 5,
    outliers: float = 0.0,
    sizes: tuple[int, ...] = SIZES,
) -> dict[float, list[float]]:
    """Seconds by size. overhead: share of the largest run's time that does not grow. noise: of the logarithm, standard deviation.

    outliers: share of runs that take 1.2 to 2 times as long.
    """
    n = np.array(sizes, dtype=float)
    grown = GROWTHS[growth](n)
    curve = 100 * (overhead + (1 - overhead) * grown / grown[-1])
    taken = curve[:, None] * np.exp(noise * rng.standard_normal((len(n), runs)))
    taken *= _disturbances(rng, taken.shape, outliers)
    return {float(size): row.tolist() for size, row in zip(sizes, taken, strict=True)}


def interleaved_pairs(
    rng: np.random.Generator, pairs: int, slowdown: float, noise: float = 1.0
) -> tuple[list[float], list[float]]:
    """Seconds of base and candidate, the candidate `slowdown` (0.1 is 10 %) slower, the first of each pair in turn.

    A shared machine: a load that drifts (AR(1) from run to run, coefficient 0.9, standard deviation 6 %), shot noise of 3 %, and
    5 % of the runs 1.2 to 2 times as long. noise: multiplies all three.
    """
    load = drifting(rng, 2 * pairs, 0.06 * noise)
    shot = 0.03 * noise * rng.standard_normal(2 * pairs)
    taken = np.exp(load + shot) * _disturbances(rng, (2 * pairs,), 0.05 * noise)
    pair, turn = taken.reshape(pairs, 2), np.arange(pairs) % 2
    base, candidate = pair[np.arange(pairs), turn], pair[np.arange(pairs), 1 - turn] * (1 + slowdown)
    return base.tolist(), candidate.tolist()


def drifting(rng: np.random.Generator, count: int, deviation: float, coefficient: float = 0.9) -> Array:
    """A stationary AR(1) series of the given standard deviation."""
    shocks = deviation * rng.standard_normal(count)
    series = np.empty(count)
    series[0] = shocks[0]
    for index in range(1, count):
        series[index] = coefficient * series[index - 1] + np.sqrt(1 - coefficient**2) * shocks[index]
    return series


def _disturbances(rng: np.random.Generator, shape: tuple[int, ...], share: float) -> Array:
    return np.where(rng.random(shape) < share, rng.uniform(1.2, 2.0, shape), 1.0)
