"""The table of what was found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

from scipy import stats

from scale.power.trials import TRIALS


def table(trials: Sequence[Mapping[str, Any]], drawn: Mapping[str, tuple[int, int]]) -> str:
    """Markdown: a row for each name, with an exact 95 % interval (Clopper and Pearson) of the rate."""
    lines = [
        "| planted | what has to happen | live trials | as expected | 95 % interval | resampled | seconds a trial, median |",
        "|---|---|---:|---:|---|---|---:|",
    ]
    for name, trial in TRIALS.items():
        own = [one for one in trials if one["name"] == name]
        if not own:
            continue
        hits = sum(bool(one["found"]) for one in own)
        again = f"{drawn[name][0] / drawn[name][1]:.1%} of {drawn[name][1]}" if name in drawn else ""
        lines.append(
            f"| {name} | {trial.expected} | {len(own)} | {hits} | {interval(hits, len(own))} | {again} | "
            f"{median(one['seconds'] for one in own):.0f} |"
        )
    return "\n".join(lines) + "\n"


def interval(hits: int, trials: int) -> str:
    """Exact 95 % interval of a rate, in words."""
    found = stats.binomtest(hits, trials).proportion_ci(0.95, method="exact")
    return f"{found.low:.0%} to {found.high:.0%}"
