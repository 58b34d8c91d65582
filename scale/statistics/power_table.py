"""How often the statistics decide rightly, on simulated timings, as Markdown tables: `python -m scale.statistics.power_table`."""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from scale.policy import Policy
from scale.statistics.history import find_changes, fit_trend
from scale.statistics.linear import fit_linear
from scale.statistics.models import rank_models
from scale.statistics.power import fit_power
from scale.statistics.regression import compare_pairs, decided, judge_build, judge_cell, needs_confirmation
from scale.statistics.simulation import drifting, interleaved_pairs, timings

_SEED = 7
_CASES = (
    # growth, its exponent where it has one, overhead, noise, share of disturbed runs
    ("n", 1.0, 0.0, 0.05, 0.1),
    ("n", 1.0, 0.1, 0.15, 0.1),
    ("n log n", None, 0.0, 0.05, 0.1),
    ("n^1.5", 1.5, 0.1, 0.05, 0.1),
    ("n^1.5", 1.5, 0.1, 0.15, 0.1),
    ("n^2", 2.0, 0.1, 0.05, 0.1),
    ("n", 1.0, 0.1, 0.15, 0.0),
    ("n log n", None, 0.1, 0.15, 0.0),
    ("n^1.2", 1.2, 0.1, 0.15, 0.0),
    ("n^1.5", 1.5, 0.1, 0.15, 0.0),
    ("n^2", 2.0, 0.1, 0.15, 0.0),
)


def scaling_rows(trials: int, runs: int, policy: Policy) -> Iterator[list[str]]:
    """Verdicts of the power fit and the line, and how often the interval of p holds the true exponent."""
    rng = np.random.default_rng(_SEED)
    for growth, exponent, overhead, noise, outliers in _CASES:
        verdicts, lines, covered, near_linear = Counter[str](), 0, 0, 0
        for _ in range(trials):
            points = timings(growth, rng, overhead=overhead, noise=noise, runs=runs, outliers=outliers)
            fit = fit_power(points, policy)
            verdicts[fit.verdict] += 1
            lines += fit_linear(points, policy).verdict == "pass"
            near_linear += rank_models(points, policy).possible[:1] in (("n",), ("n log n",))
            if exponent is not None and fit.p_low is not None and fit.p_high is not None:
                covered += fit.p_low <= exponent <= fit.p_high
        yield [
            f"{growth}, {overhead:.0%}, {noise:.0%}, {outliers:.0%}",
            *(_share(verdicts[name], trials) for name in ("pass", "fail", "inconclusive", "insufficient")),
            _share(lines, trials),
            _share(near_linear, trials),
            _share(covered, trials) if exponent is not None else "-",
        ]


def regression_rows(trials: int, policy: Policy) -> Iterator[list[str]]:
    """What becomes of a cell, and of a build of one cell and of six that slow down alike."""
    rng = np.random.default_rng(_SEED)
    for slowdown in (0.0, 0.05, 0.1, 0.2):
        first, confirmed, cells, single, build = 0, 0, 0, 0, 0
        for _ in range(trials):
            six = []
            for number in range(6):
                initial, again = decided(lambda count, by=slowdown: interleaved_pairs(rng, count, by), policy)  # type: ignore[misc]
                six.append(judge_cell(initial, again, policy))
                if number == 0:
                    one = compare_pairs(*initial, policy)
                    first += one.change == "slower"
                    confirmed += needs_confirmation(one, policy)
            cells += six[0].change == "slower"
            single += judge_build({"0": six[0]}, policy).verdict == "fail"
            build += judge_build({str(i): cell for i, cell in enumerate(six)}, policy).verdict == "fail"
        counts = (first, confirmed, cells, single, build)
        yield [f"{slowdown:+.0%}", *(_share(count, trials) for count in counts)]


def history_rows(trials: int, policy: Policy) -> Iterator[list[str]]:
    """60 nights: no change; a step of 10 % twenty nights ago; a drift of 0.5 % a night."""
    rng = np.random.default_rng(_SEED)
    kinds: dict[str, Callable[[], Sequence[float]]] = {
        "independent, 2 %": lambda: drifting(rng, 60, 0.02, 0.0).tolist(),
        "independent, 5 %": lambda: drifting(rng, 60, 0.05, 0.0).tolist(),
        "AR(1) 0.5, 3 %": lambda: drifting(rng, 60, 0.03, 0.5).tolist(),
        "AR(1) 0.9, 3 %": lambda: drifting(rng, 60, 0.03, 0.9).tolist(),
    }
    for kind, draw in kinds.items():
        counts = [0] * 4
        for _ in range(trials):
            still = np.exp(draw())
            step = np.exp(draw()) * np.where(np.arange(60) >= 40, 1.1, 1)
            creep = np.exp(np.asarray(draw()) + 0.005 * np.arange(60))
            counts[0] += find_changes(still.tolist(), policy).verdict == "fail"
            counts[1] += fit_trend(still.tolist(), policy).label != "stable"
            counts[2] += any(abs(point.index - 40) <= 3 for point in find_changes(step.tolist(), policy).points)
            counts[3] += fit_trend(creep.tolist(), policy).label == "degrading"
        yield [kind, *(_share(count, trials) for count in counts)]


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the tables; about ten minutes with 500 trials."""
    parser = argparse.ArgumentParser(prog="python -m scale.statistics.power_table", description=__doc__)
    parser.add_argument("--trials", type=int, default=500, help="simulated data sets for each row (default 500)")
    trials = parser.parse_args(arguments).trials
    policy = Policy.load()
    for runs in (3, 5):
        print(f"\n### Scaling, 1 000 to 50 000 employees, {runs} runs each, {trials} trials\n")
        head: tuple[str, ...] = ("truth, overhead, noise, disturbed", "pass", "fail", "inconclusive", "insufficient")
        _print((*head, "line passes", "nearest n or n log n", "p in interval"), scaling_rows(trials, runs, policy))
    first = policy.regression.pairs_initial
    print(f"\n### Regression, {first} pairs and {policy.regression.pairs_confirmation} to confirm, {trials} trials\n")
    names = (
        "candidate",
        f"slower by {first} pairs alone",
        "confirmed",
        "cell slower",
        "build of 1 fails",
        "build of 6 fails",
    )
    _print(names, regression_rows(trials, policy))
    print(f"\n### History of 60 nights, {trials} trials\n")
    head = ("nights", "false change", "false trend", "step of 10 % found", "drift of 0.5 % a night: degrading")
    _print(head, history_rows(trials, policy))


def _share(count: int, trials: int) -> str:
    return f"{100 * count / trials:.1f} %"


def _print(head: Sequence[str], rows: Iterator[list[str]]) -> None:
    print(f"| {' | '.join(head)} |\n|---|{'---:|' * (len(head) - 1)}")
    for row in rows:
        print(f"| {' | '.join(row)} |", flush=True)


if __name__ == "__main__":
    main()
