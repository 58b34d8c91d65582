"""KillMatrix: which fault was noticed by which checks, as text and as JSON."""

from __future__ import annotations

import json
import statistics
import textwrap
from collections import Counter
from dataclasses import dataclass
from typing import Any

from properties.faults.kill import Kill

_WIDTH = 132
MEDIAN_SECONDS, WORST_SECONDS, SMALL, SMALL_SHARE = 20.0, 90.0, 3, 0.9
"""Bounds of the repro: seconds to it, median and worst; at most so many employees and years for that share of the faults."""


@dataclass(frozen=True)
class KillMatrix:
    """What became of each fault. seconds: wall time of the whole run; workers: processes. controls: the clean engines."""

    kills: tuple[Kill, ...]
    seconds: float
    workers: int
    controls: tuple[Kill, ...] = ()

    @property
    def problems(self) -> list[Kill]:
        """Faults that were not found as they should be, and clean engines on which some check fired."""
        return [kill for kill in (*self.controls, *self.kills) if kill.problem]

    @property
    def passed(self) -> bool:
        return bool(self.kills) and not self.problems

    def text(self) -> str:
        """The matrix for a terminal: what survived first, then every fault with the checks that noticed it."""
        ordered = [*self.problems, *(kill for kill in self.kills if not kill.problem)]
        rows = [("fault", "in", "first", "after", "repro", "noticed by"), *(_row(kill) for kill in ordered)]
        widths = [max(len(row[column]) for row in rows) for column in range(5)]
        indent = sum(widths) + 2 * len(widths)
        lines = []
        for row in rows:
            head = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=False))
            first, *rest = _wrapped(row[5], _WIDTH - indent)
            lines += [f"{head}  {first}".rstrip(), *(" " * indent + more for more in rest)]
        return "\n".join([*lines, "", *self._problem_lines(), *self._checks(), "", *self.summary()]) + "\n"

    def summary(self) -> list[str]:
        """Figures: found, time to detection, size of the repro."""
        found = [kill for kill in self.kills if not kill.problem]
        first = [next(iter(kill.found.values())).seconds for kill in found if kill.found]
        lines = [f"{len(found)} of {len(self.kills)} faults found in {self.seconds:.0f} s on {self.workers} processes"]
        if first:
            lines.append(f"time to detection: median {statistics.median(first):.1f} s, worst {max(first):.1f} s")
        reduced = [(kill, kill.repro) for kill in found if kill.repro is not None and kill.repro.error is None]
        if reduced:
            times = [_to_repro(kill) for kill, _ in reduced]
            small = sum(repro.employees <= SMALL and repro.years <= SMALL for _, repro in reduced) / len(reduced)
            lines += [
                f"time to the reduced repro: median {statistics.median(times):.1f} s (bound {MEDIAN_SECONDS:.0f}), "
                f"worst {max(times):.1f} s (bound {WORST_SECONDS:.0f})",
                f"repro of at most {SMALL} employees and {SMALL} years: {small:.0%} of {len(reduced)} "
                f"(bound {SMALL_SHARE:.0%})",
            ]
        return lines

    def to_json(self) -> dict[str, Any]:
        """Plain values: the kills, and the matrix proper (fault to detector to seconds)."""
        matrix = {kill.id: {name: found.seconds for name, found in kill.found.items()} for kill in self.kills}
        return {
            "passed": self.passed,
            "seconds": self.seconds,
            "workers": self.workers,
            "summary": self.summary(),
            "matrix": matrix,
            "controls": [clean.to_json() for clean in self.controls],
            "faults": [kill.to_json() for kill in self.kills],
        }

    def dumps(self) -> str:
        return json.dumps(self.to_json(), indent=1) + "\n"

    def _problem_lines(self) -> list[str]:
        lines = []
        for kill in self.problems:
            lines += [f"{kill.id}: {kill.problem}", f"    {kill.sentence}"]
            lines += [f"    {name} ({found.status}): {found.text}" for name, found in list(kill.found.items())[:4]]
        return [*lines, ""] if lines else []

    def _checks(self) -> list[str]:
        """How many faults each check noticed, and which faults it alone did."""
        counts = Counter(name for kill in self.kills for name in kill.found)
        alone: dict[str, list[str]] = {}
        for kill in self.kills:
            if len(kill.found) == 1:
                alone.setdefault(next(iter(kill.found)), []).append(kill.id)
        counted = ", ".join(
            f"{name} {count}" for name, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        )
        lines = _wrapped(f"faults noticed by each check: {counted}", _WIDTH)
        for name, ids in sorted(alone.items()):
            lines += _wrapped(f"only {name} noticed: {', '.join(ids)}", _WIDTH)
        return lines


def _to_repro(kill: Kill) -> float:
    """Seconds to the first failure plus those of its reduction."""
    assert kill.repro is not None
    return next(found.seconds for found in kill.found.values() if found.status == "fail") + kill.repro.seconds


def _row(kill: Kill) -> tuple[str, str, str, str, str, str]:
    first = next(iter(kill.found.values()), None)
    where = "all" if kill.blind else kill.engine
    return (
        f"{'!' if kill.problem else ' '} {kill.id}",
        where,
        kill.first or "-",
        f"{first.seconds:.1f} s" if first else "-",
        _size(kill),
        _noticed(kill),
    )


def _size(kill: Kill) -> str:
    repro = kill.repro
    if repro is None:
        return "-"
    return "lost" if repro.error else f"{repro.employees} x {repro.years} y, {repro.runs} runs, {repro.seconds:.1f} s"


def _noticed(kill: Kill) -> str:
    names = [f"{name}{'' if found.status == 'fail' else ' refused'}" for name, found in sorted(kill.found.items())]
    silent = f" (silent: {', '.join(kill.silent)})" if kill.silent else ""
    return (", ".join(names) or "nothing") + silent


def _wrapped(text: str, width: int) -> list[str]:
    return textwrap.wrap(text, max(30, width), subsequent_indent="  ") or [""]
