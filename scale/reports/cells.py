"""The runs of a sweep by cell, as the reports show them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import median

from scale.records import Cell, Run, RunStatus, Sweep
from scale.reports.document import one_line
from scale.statistics.summary import Summary, summarise

_GRAVEST: tuple[RunStatus, ...] = ("memory", "timeout", "failed", "refused", "ok")
"""Which status names a cell whose runs differ."""


@dataclass(frozen=True)
class CellView:
    """A planned cell and its runs without the warm-up. planned: how many there were to be."""

    cell: Cell
    scenarios: tuple[str, ...]
    runs: tuple[Run, ...]
    planned: int

    @cached_property
    def counted(self) -> list[Run]:
        return [run for run in self.runs if run.counted]

    @cached_property
    def seconds(self) -> Summary | None:
        return _summary(self.values(lambda run: run.seconds))

    @cached_property
    def peak(self) -> Summary | None:
        return _summary(self.values(lambda run: run.memory.peak if run.memory else None))

    @property
    def memory_kind(self) -> str:
        return ", ".join(sorted({run.memory.kind for run in self.counted if run.memory}))

    @property
    def events_per_second(self) -> float | None:
        """Median over runs of events over wall seconds."""
        return self.middle(lambda run: run.events / run.seconds if run.events is not None and run.seconds else None)

    @property
    def added_per_employee(self) -> float | None:
        """Bytes: highest peak less what was in use before the simulation, per employee."""
        added = self.values(lambda run: run.memory.peak - run.memory.before if run.memory else None)
        return max(added) / self.cell.employees if added else None

    @property
    def status(self) -> str:
        """`ok`, `not run`, or the gravest status of its runs."""
        found = {run.status for run in self.runs}
        return next((status for status in _GRAVEST if status in found), "not run")

    @property
    def status_text(self) -> str:
        """The status with how many runs it is of, and the last line of the first error."""
        if self.status == "not run":
            return "not run"
        bad = [run for run in self.runs if run.status != "ok"]
        short = f" ({len(self.runs)} of {self.planned} runs)" if len(self.runs) < self.planned else ""
        if not bad:
            return f"ok{short}"
        return f"{self.status} ({len(bad)} of {len(self.runs)} runs): {last_line(bad[0].error)}"

    def values(self, of: Callable[[Run], float | None]) -> list[float]:
        """The figure of every counted run that has it."""
        return [float(value) for run in self.counted if (value := of(run)) is not None]

    def middle(self, of: Callable[[Run], float | None]) -> float | None:
        """The figure's median over counted runs."""
        values = self.values(of)
        return median(values) if values else None


def _summary(values: Sequence[float]) -> Summary | None:
    return summarise(values) if values else None


def last_line(error: str, limit: int = 120) -> str:
    """What a traceback ends with."""
    return one_line(next((line for line in reversed(error.splitlines()) if line.strip()), "no message"), limit)


def cell_views(sweep: Sweep) -> list[CellView]:
    """Every planned cell in the plan's order, then cells that only runs name."""
    runs: dict[Cell, list[Run]] = {}
    for run in sweep.runs:
        if not run.warm_up:
            runs.setdefault(run.cell, []).append(run)
    views = [
        CellView(cell, tuple(names), tuple(runs.pop(cell, ())), sweep.repetitions) for cell, names in sweep.planned
    ]
    return views + [CellView(cell, (), tuple(found), sweep.repetitions) for cell, found in runs.items()]


def progress(views: Sequence[CellView]) -> tuple[int, int]:
    """How many of the planned runs there are; repeats beyond the plan do not make up for others."""
    return sum(min(len(view.runs), view.planned) for view in views), sum(view.planned for view in views)


def describe(cell: Cell) -> str:
    """The cell in words: sql, 5,000 employees, 5 years, level high, 4 shards, 1 thread."""
    return f"{one_line(cell.engine, 80)}, {cell.employees:,} employees, {held(cell)}"


def held(cell: Cell, *, level: bool = True) -> str:
    """What is the same over a series of sizes."""
    parts = [f"{cell.years} year{'s' * (cell.years > 1)}"]
    parts += [f"level {cell.level}"] if level else []
    parts += [f"{cell.shards} shard{'s' * (cell.shards > 1)}", f"{cell.threads} thread{'s' * (cell.threads > 1)}"]
    return ", ".join(parts)


def main_series(views: Sequence[CellView]) -> list[CellView]:
    """The cells that differ in engine, level and size alone, of the years, shards and threads with most sizes (then most cells)."""
    groups: dict[tuple[int, int, int], list[CellView]] = {}
    for view in views:
        groups.setdefault((view.cell.years, view.cell.shards, view.cell.threads), []).append(view)
    if not groups:
        return []
    return max(groups.values(), key=lambda group: (len({view.cell.employees for view in group}), len(group)))
