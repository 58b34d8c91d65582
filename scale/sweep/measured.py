"""Reading the runs of a sweep: the counted runs of a cell, their values, and cells that differ in one axis only."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from statistics import median
from typing import Literal

from scale.records import Cell, Run, Sweep

Axis = Literal["employees", "years", "threads"]


def counted(sweep: Sweep) -> dict[Cell, list[Run]]:
    """The runs that count, by cell; a cell without any is left out."""
    found: dict[Cell, list[Run]] = defaultdict(list)
    for run in sweep.runs:
        if run.counted:
            found[run.cell].append(run)
    return dict(found)


def seconds(runs: Iterable[Run]) -> list[float]:
    """Wall seconds of the simulation."""
    return [run.seconds for run in runs if run.seconds is not None]


def peaks(runs: Iterable[Run]) -> list[float]:
    """Peak memory in bytes."""
    return [float(run.memory.peak) for run in runs if run.memory is not None]


def middle(runs: Iterable[Run], value: Callable[[Run], float | None]) -> float | None:
    """Median of a value over runs; None where no run has it."""
    found = [taken for run in runs if (taken := value(run)) is not None]
    return median(found) if found else None


def lines(cells: Iterable[Cell], axis: Axis) -> dict[str, list[Cell]]:
    """Cells that differ in the axis only, at two values of it or more, ascending; by what they share, in words."""
    groups: dict[str, list[Cell]] = defaultdict(list)
    for cell in cells:
        groups[shared(cell, axis)].append(cell)
    return {
        name: sorted(group, key=lambda cell: int(getattr(cell, axis)))
        for name, group in groups.items()
        if len({getattr(cell, axis) for cell in group}) > 1
    }


def shared(cell: Cell, axis: Axis) -> str:
    """What the cell is but for the axis: `sql high, 5 years, 1 shard, 2 threads`."""
    parts = [f"{cell.engine} {cell.level}"]
    if axis != "employees":
        parts.append(f"{cell.employees:,} employees".replace(",", " "))
    if axis != "years":
        parts.append(_plural(cell.years, "year"))
    parts.append(_plural(cell.shards, "shard"))
    if axis != "threads":
        parts.append(_plural(cell.threads, "thread"))
    return ", ".join(parts)


def _plural(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def main_line(cells: Iterable[Cell], axis: Axis) -> list[Cell] | None:
    """The line that decides on an axis: level high if there is one, then most values, widest range, fewest shards and threads."""
    found = sorted(lines(cells, axis).values(), key=lambda line: (-line[0].shards, -line[0].threads), reverse=True)

    def weight(line: list[Cell]) -> tuple[bool, int, float]:
        return line[0].level == "high", len(line), getattr(line[-1], axis) / getattr(line[0], axis)

    return max(found, key=weight, default=None)


def engines_of(cells: Iterable[Cell]) -> list[str]:
    """The engines of the cells, in order of appearance."""
    return list(dict.fromkeys(cell.engine for cell in cells))
