"""Which of n, n log n, n^1.5 and n^2 describes the times best; shown, never decides."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from scipy.optimize import least_squares

from scale.policy import Policy
from scale.statistics.plain import Array, Points, figures, shortage
from scale.status import Verdict

_GROWTHS: Mapping[str, Callable[[Array], Array]] = {
    "n": lambda n: n,
    "n log n": lambda n: n * np.log(n),
    "n^1.5": lambda n: n**1.5,
    "n^2": lambda n: n**2,
}
_NEAR_LINEAR = ("n", "n log n")
_PARAMETERS = 3  # a, b and the variance


@dataclass(frozen=True)
class Model:
    """t = a + b g(n). difference: of its AICc to the best model's. possible: not ruled out by the data."""

    name: str
    aicc: float
    difference: float
    possible: bool

    def as_dict(self) -> dict[str, float | str]:
        """For records.Series.models."""
        return figures(
            model=self.name, aicc=self.aicc, difference=self.difference, possible="yes" if self.possible else "no"
        )


@dataclass(frozen=True)
class Ranking:
    """Models from best to worst. possible: those within the policy's difference, and always n with n log n: over two decades of
    sizes n log n has an exponent of about 1.1 and nothing tells it from n^1.1 or a cache that gets colder, so it is not claimed.
    """

    models: tuple[Model, ...]
    possible: tuple[str, ...]
    verdict: Verdict
    reason: str

    def as_dicts(self) -> list[dict[str, float | str]]:
        """For records.Series.models."""
        return [model.as_dict() for model in self.models]


def rank_models(points: Points, policy: Policy) -> Ranking:
    """AICc of each model with intercept (a >= 0, b > 0), fitted in relative terms. The verdict is `info`, or `insufficient`."""
    missing = shortage(points, policy)
    if missing:
        return Ranking((), (), "insufficient", missing)
    xs = sorted(points)
    n = np.concatenate([np.full(len(points[x]), float(x)) for x in xs])
    log_t = np.log(np.concatenate([np.asarray(points[x], dtype=float) for x in xs]))
    scores = sorted((_aicc(growth(n), log_t), name) for name, growth in _GROWTHS.items())
    best = scores[0][0]
    within = {name for score, name in scores if score - best <= policy.models.difference_indistinguishable}
    if within.intersection(_NEAR_LINEAR):
        within.update(_NEAR_LINEAR)
    models = tuple(Model(name, score, score - best, name in within) for score, name in scores)
    return Ranking(models, tuple(name for _, name in scores if name in within), "info", _words(within))


def _aicc(growth: Array, log_t: Array) -> float:
    """Corrected Akaike criterion of a + b g with Gaussian noise in log t (Burnham and Anderson, section 2.4)."""
    growth = growth / growth.max()
    top = float(np.exp(np.median(log_t[growth == growth.max()])))
    found = least_squares(
        lambda theta: log_t - np.log(theta[0] + theta[1] * growth),
        x0=(0.05 * top, 0.95 * top),
        bounds=((0, 1e-12 * top), (np.inf, np.inf)),
        x_scale=top,
    )
    count = len(log_t)
    squares = max(2 * float(found.cost), 1e-18 * count)
    correction = 2 * _PARAMETERS * (_PARAMETERS + 1) / (count - _PARAMETERS - 1)
    return count * float(np.log(squares / count)) + 2 * _PARAMETERS + correction


def _words(possible: set[str]) -> str:
    names = [name for name in _GROWTHS if name in possible]
    if names == list(_NEAR_LINEAR):
        return "indistinguishable from linear: n and n log n are not told apart over these sizes"
    if len(names) == 1:
        return f"nearest to {names[0]} of the models ranked"
    return f"not told apart: {', '.join(names)}"
