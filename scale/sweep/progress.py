"""Progress of a sweep: a line for each finished run, and on a terminal a bar with the time left."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from statistics import median

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn

from scale.records import Cell, Run

_START = 2.0
"""Seconds that a run takes around the simulation (process, imports, census), until runs have been seen."""
_RATE = 2e-5
"""Seconds per employee and year, until runs of the engine have been seen."""


class Forecast:
    """How long the runs that are left will take, from those that are done."""

    def __init__(self) -> None:
        self._taken: dict[str, list[float]] = {}
        self._rates: dict[str, list[float]] = {}

    def learn(self, run: Run) -> None:
        """Take a finished run into account."""
        if run.process_seconds is None:
            return
        cell = run.cell
        self._taken.setdefault(cell.key, []).append(run.process_seconds)
        rate = max(0.0, run.process_seconds - _START) / (cell.employees * cell.years)
        self._rates.setdefault(cell.engine, []).append(rate)

    def seconds(self, cell: Cell) -> float:
        """Expected wall seconds of one run of the cell."""
        if cell.key in self._taken:
            return median(self._taken[cell.key])
        rates = self._rates.get(cell.engine)
        rate = median(rates) if rates else _RATE
        return _START + rate * cell.employees * cell.years


def duration(seconds: float) -> str:
    """12 s, 3 min 20 s, 2 h 5 min."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


class Teller:
    """Prints to standard error; the bar is drawn on a terminal only."""

    def __init__(self, progress: Progress, task: TaskID, total: int) -> None:
        self._progress, self._task, self._total, self._done = progress, task, total, 0

    def running(self, cell: Cell, left: float) -> None:
        """Show what runs now, and the seconds that are left."""
        self._progress.update(self._task, what=f"{cell.key}; {duration(left)} left")

    def finished(self, run: Run, left: float, side: str = "") -> None:
        """Print the finished run, of a comparison with its side."""
        self._done += 1
        self._progress.advance(self._task)
        count = f"[{self._done}/{self._total}]"
        name = f"{side} {run.cell.key}".strip() + (" (warm-up)" if run.warm_up else "")
        self._progress.console.print(
            f"{count} {name}: {_result(run)}; {duration(left)} left", markup=False, highlight=False
        )

    def say(self, text: str) -> None:
        """Print one line."""
        self._progress.console.print(text, markup=False, highlight=False)

    def more(self, runs: int) -> None:
        """So many runs were added."""
        self._total += runs
        self._progress.update(self._task, total=self._total)


@contextmanager
def telling(total: int) -> Iterator[Teller]:
    """A teller for so many runs."""
    console = Console(stderr=True, soft_wrap=True)
    columns = (BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[what]}", markup=False))
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        yield Teller(progress, progress.add_task("", total=total, what=""), total)


def left(forecast: Forecast, cells: Sequence[Cell]) -> float:
    """Seconds that runs of these cells will take."""
    return sum(forecast.seconds(cell) for cell in cells)


def _result(run: Run) -> str:
    if run.status != "ok":
        reason = next((line for line in reversed(run.error.strip().splitlines()) if line.strip()), "")
        return f"{run.status}: {reason:.200}"
    peak = f", {run.memory.peak / 1e9:.2f} GB" if run.memory else ""
    return f"{run.seconds:.2f} s{peak}"
