"""Figures: one measured value, its bound, and how it is printed; and the few ways of taking time."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """One measured value. bound: the most (or, if `at_least`, the least) it may be; None = for information."""

    name: str
    value: float
    unit: str
    bound: float | None = None
    at_least: bool = False

    @property
    def holds(self) -> bool:
        """Whether the value keeps its bound."""
        if self.bound is None:
            return True
        return self.value >= self.bound if self.at_least else self.value <= self.bound


def table(figures: Sequence[Figure]) -> str:
    """A Markdown table, fit for docs/figures.md."""
    lines = ["| figure | measured | bound | holds |", "|---|---:|---:|---|"]
    for figure in figures:
        sign = "at least" if figure.at_least else "at most"
        bound = "-" if figure.bound is None else f"{sign} {figure.bound:g} {figure.unit}"
        verdict = "" if figure.bound is None else "yes" if figure.holds else "**no**"
        lines.append(f"| {figure.name} | {figure.value:.3g} {figure.unit} | {bound} | {verdict} |")
    return "\n".join(lines) + "\n"


def seconds(action: Callable[[], object]) -> float:
    """Wall seconds of one call."""
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def in_turn(actions: Sequence[Callable[[], object]], rounds: int) -> list[float]:
    """Median wall seconds of each action, after one warm-up, taken in turn so that drift of the machine hits all alike."""
    for action in actions:
        action()
    taken = [[seconds(action) for action in actions] for _ in range(rounds)]
    return [statistics.median(column) for column in zip(*taken, strict=True)]
