"""Many nights: the trend of each cell, and the nights at which its level changed."""

from __future__ import annotations

import argparse
import os
import sys
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from scale.options import usable
from scale.policy import Policy
from scale.records import Sweep, read_record
from scale.statistics import ChangePoints, Trend, find_changes, fit_trend, issue_text
from scale.status import Status, UsageError, gravest, status_of
from scale.sweep.measured import counted, seconds


@dataclass(frozen=True)
class Line:
    """One cell on one machine. nights: names of the nights, oldest first; values: median seconds of each."""

    name: str
    nights: tuple[str, ...]
    values: tuple[float, ...]


def history_command(arguments: argparse.Namespace) -> Status:
    """Print trend and change points of each cell; a slower level of late ends with 1, an annotation and an issue text."""
    policy = Policy.load(arguments.policy)
    found = lines_of(read_nights(arguments.history))
    judged = [(line, fit_trend(line.values, policy), find_changes(line.values, policy)) for line in found]
    output = usable(arguments.output) if arguments.output else None
    sys.stdout.write("\n".join(_text(judged)) + "\n")
    slower = [(line, changes) for line, _, changes in judged if changes.verdict == "fail"]
    for line, changes in slower:
        _tell(line, changes, output)
    return status_of(gravest(changes.verdict for _, _, changes in judged))


def read_nights(paths: Iterable[Path]) -> list[Sweep]:
    """The sweeps of files, or of folders with results.json below them, oldest first. Raises UsageError where there are none."""
    files = [file for path in paths for file in (sorted(path.rglob("results.json")) if path.is_dir() else [path])]
    if not files:
        raise UsageError("--history: no results.json there")
    return sorted((read_record(file, Sweep) for file in files), key=lambda sweep: sweep.started)


def lines_of(nights: Sequence[Sweep]) -> list[Line]:
    """A line for each cell and machine: times of two machines are never one line."""
    machines = list(dict.fromkeys(sweep.machine.fingerprint for sweep in nights))
    found: dict[tuple[str, str], list[tuple[str, float]]] = defaultdict(list)
    for sweep in nights:
        for cell, runs in counted(sweep).items():
            night = f"{sweep.started[:10]} ({sweep.commit or 'no commit'})"
            found[cell.key, sweep.machine.fingerprint].append((night, median(seconds(runs))))
    return [
        Line(
            key if len(machines) == 1 else f"{key} on machine {machine[:8]}",
            tuple(night for night, _ in values),
            tuple(value for _, value in values),
        )
        for (key, machine), values in found.items()
    ]


def _text(judged: Sequence[tuple[Line, Trend, ChangePoints]]) -> list[str]:
    lines = []
    for line, trend, changes in judged:
        lines.append(f"{line.name}: {trend.reason}")
        lines += [
            f"  {point.change:+.1%} from {line.nights[point.index]} on: {point.before:.3g} s, then {point.after:.3g} s"
            for point in changes.points
        ]
    return lines


def _tell(line: Line, changes: ChangePoints, output: Path | None) -> None:
    if os.environ.get("GITHUB_ACTIONS") == "true":
        sys.stdout.write(f"::warning title=Scale::{line.name}: {changes.reason}\n")
    text = issue_text(line.name, changes, line.nights)
    if output is None:
        sys.stdout.write(f"\n{text}")
        return
    name = "".join(sign if sign.isalnum() else "-" for sign in line.name)
    (output / f"issue-{name}.md").write_text(text, encoding="utf-8")
    sys.stdout.write(f"issue text: {output / f'issue-{name}.md'}\n")
