"""The statistics that decide: pure functions over measured values, deterministic; docs/statistics.md says which decides what."""

from scale.statistics.history import ChangePoint, ChangePoints, Trend, find_changes, fit_trend, issue_text
from scale.statistics.linear import LinearFit, fit_linear
from scale.statistics.memory import LeakTest, MemoryGrowth, fit_growth, judge_leak
from scale.statistics.models import Model, Ranking, rank_models
from scale.statistics.power import PowerFit, fit_power
from scale.statistics.regression import (
    BuildVerdict,
    PairVerdict,
    Sides,
    compare_pairs,
    decided,
    judge_build,
    judge_cell,
    needs_confirmation,
    pairs_wanted,
)
from scale.statistics.speedup import Speedup, ThreadRow, judge_speedup
from scale.statistics.summary import Summary, Variation, judge_variation, median_interval, summarise

__all__ = [
    "BuildVerdict",
    "ChangePoint",
    "ChangePoints",
    "LeakTest",
    "LinearFit",
    "MemoryGrowth",
    "Model",
    "PairVerdict",
    "PowerFit",
    "Ranking",
    "Sides",
    "Speedup",
    "Summary",
    "ThreadRow",
    "Trend",
    "Variation",
    "compare_pairs",
    "decided",
    "find_changes",
    "fit_growth",
    "fit_linear",
    "fit_power",
    "fit_trend",
    "issue_text",
    "judge_build",
    "judge_cell",
    "judge_leak",
    "judge_speedup",
    "judge_variation",
    "median_interval",
    "needs_confirmation",
    "pairs_wanted",
    "rank_models",
    "summarise",
]
