"""All repeats, variants and engines leave the same tables of the same people: parity at the sweep's sizes."""

from __future__ import annotations

from collections import defaultdict

from scale.records import Cell, Check, Run
from scale.sweep.question import ALL, Question

TABLES = Question(
    "tables",
    "All repeats, variants and engines leave the same tables",
    "parity",
    "Run `pytest differential`: it reduces the difference to a few people.",
)


def same_tables(runs: dict[Cell, list[Run]]) -> Check:
    """The hashes of events and state over all runs of one census and number of years."""
    results: dict[tuple[int, int, int], dict[tuple[str, str], list[str]]] = defaultdict(lambda: defaultdict(list))
    for cell, taken in runs.items():
        for run in taken:
            if run.hashes:
                results[cell.employees, cell.years, cell.seed][run.hashes["events"], run.hashes["state"]].append(
                    cell.key
                )
    for (employees, years, _), sides in results.items():
        if len(sides) > 1:
            fewest, *_, most = sorted(sides.values(), key=len)
            return TABLES.answer(
                ALL,
                "fail",
                f"{employees} employees x {years} years: {len(sides)} different results; {fewest[0]} differs from {most[0]}",
            )
    compared = [sum(len(keys) for keys in sides.values()) for sides in results.values()]
    several = [count for count in compared if count > 1]
    if not several:
        return TABLES.missing(
            ALL, "no two runs of the same people and years with hashes", "Run more than once, or several variants."
        )
    return TABLES.answer(ALL, "pass", f"{sum(several)} runs of {len(several)} sizes: one result for each size")
