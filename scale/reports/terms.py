"""The terms of the reports, in a sentence or two each."""

from __future__ import annotations

SWEEP_TERMS = (
    "Cell: one engine at one level on a census of one size over some years, in shards and on threads. Each run of it "
    "has a process and a database of its own.",
    "Time: wall seconds of the simulation with its database, without starting the process and making the census. "
    "Warm-ups are not counted; runs without a result are shown and not counted.",
    "cv: coefficient of variation, the standard deviation of the runs over their mean. std is of the sample (n - 1).",
    "Peak memory: of the whole process tree, the larger of the sampled peak and the kernel's high-water mark; the "
    "highest of the runs. PSS counts pages that processes share once, RSS in each of them.",
    "Added per employee: peak memory less what was in use when the simulation began (interpreter, libraries, census), "
    "over employees.",
    "R2: share of the variance of the medians that a straight line explains. It also passes quadratic growth behind a "
    "fixed cost, so that it never decides alone.",
    "Exponent: p of time = a + b n^p, with a bootstrap interval. 1 is linear; n log n looks like 1.1 over these sizes "
    "and cannot be told from it.",
    "AICc: how well a growth law describes the times, less for more parameters; the least is best. Laws within the "
    "policy's difference are not ruled out.",
    "Efficiency: time on one thread over time on n threads, divided by n. Counts beyond the machine's cores are "
    "shown, never judged.",
    "Verdicts: fail and timeout speak for themselves. Insufficient: not measured, or too little. Inconclusive: "
    "measured, and the data decide neither way. Info: shown, never judged. The gravest is the sweep's.",
)

COMPARISON_TERMS = (
    "Pair: one run of the base and one of the candidate next to each other, so that what the machine does meanwhile "
    "meets both.",
    "Ratio: median time of the candidate over that of the base; above 1 the candidate is slower.",
    "Confirmation: where the first pairs looked different, pairs of their own are measured, and they alone count.",
    "p-value: of Mann-Whitney, two-sided: how often chance alone would part two equal sides as far as this.",
    "Geometric mean: of the cells' ratios; it decides for all cells together. One slower cell is a warning.",
    "Same results: whether both sides left equal tables. A time is worth nothing where they did not.",
)
