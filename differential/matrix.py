"""The parity matrix: every comparison of a session with scores, threshold and status, as text, Markdown and JSON."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass, field
from typing import Any

from differential.comparison import PolicyUse, StaleEntry, stale_entries
from differential.comparison.text import columns
from differential.session import Session

REPORT_SCHEMA_VERSION = 1
_MARKS = {"pass": "32", "fail": "31;1", "refused": "35;1", "unproven": "33;1", "unfinished": "33;1", "not run": "33;1"}


@dataclass
class Matrix:
    """The records of a session, in the order they came. `stale`: policy entries that have to go."""

    session: Session
    records: list[dict[str, Any]] = field(default_factory=list)
    coverage: dict[str, Any] | None = None
    stale: list[StaleEntry] = field(default_factory=list)
    exit_status: int = 0

    def add(self, record: dict[str, Any]) -> None:
        """Take a test's record, or the coverage of generated worlds."""
        if "coverage" in record:
            self.coverage = record["coverage"]
        else:
            self.records.append(record)

    def finish(self, *, complete: bool) -> None:
        """Hold the policy to what the session needed; only a complete session can say that an entry was not needed."""
        use = PolicyUse()
        for record in self.records:
            use.merge(record["policy_use"])
        today = dt.datetime.now(dt.UTC).date()
        found = stale_entries(self.session.policy, use, today)
        self.stale = [entry for entry in found if complete or entry.entry.until < today]

    @property
    def status(self) -> str:
        """The worst of all: refused, unproven, fail, unfinished (an interrupted session too), not run (beyond the budget),
        pass; `empty` without any."""
        found = {record["status"] for record in self.records}
        order = ("refused", "unproven", "fail", "unfinished", "not run", "pass")
        worst = next((status for status in order if status in found), "empty")
        return "unfinished" if worst == "pass" and self.exit_status else worst


def matrix_text(matrix: Matrix, color: bool = False) -> list[str]:
    """Aligned lines for a terminal."""
    rows = [_row(record) for record in matrix.records]
    head = ("test", "left", "right", "worlds", "count", "overlap", "value", "threshold", "status")
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(head, widths, strict=True)).rstrip()]
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        if color:
            cells[-1] = f"\x1b[{_MARKS[row[-1]]}m{row[-1]}\x1b[0m"
        lines.append("  ".join(cells).rstrip())
    lines += ["", *_notes(matrix), *type_lines(matrix)]
    return lines


def type_lines(matrix: Matrix) -> list[str]:
    """By event type what differs, of each comparison that differs and was not of built-in engines alone."""
    lines = []
    for record in matrix.records:
        if record["by_type"]:
            rows = [_TYPE_HEAD, *(_type_row(found) for found in record["by_type"])]
            lines += ["", f"{record['test']}[{record['name']}] by event type ({record['left']} | {record['right']}):"]
            lines += columns(rows)
    return lines


_TYPE_HEAD = ("event type", "left", "right", "both", "equal", "columns that differ where both have the row")


def _type_row(found: dict[str, Any]) -> tuple[str, ...]:
    counts = (str(found[name]) for name in ("left", "right", "both", "equal"))
    return (
        str(found["what"]),
        *counts,
        ", ".join(f"{name} {count}" for name, count in found["columns"].items()) or "-",
    )


def _row(record: dict[str, Any]) -> tuple[str, ...]:
    scores = record["scores"]
    return (
        f"{record['test']}[{record['name']}]",
        record["left"],
        record["right"],
        str(record["worlds"]),
        *(_score(scores[name]) if record["worlds"] else "-" for name in ("count", "overlap", "value")),
        "exact" if record["exact"] else f"{record['threshold']:g}",
        record["status"],
    )


def _score(value: float) -> str:
    """Four decimals, rounded down: 0.99999 must not look like a pass."""
    return "1" if value == 1 else f"{int(value * 10_000) / 10_000:.4f}"


def _notes(matrix: Matrix) -> list[str]:
    notes: list[str] = []
    told: set[str] = set()
    for record in matrix.records:
        name = f"{record['test']}[{record['name']}]"
        if record["status"] != "pass":
            notes.append(f"{name}: {record['reason'] or str(record['failed']) + ' worlds differ'}")
        if record["bundle"]:
            notes.append(f"{name}: replay with `{matrix.session.replay('differential', record['bundle'])}`")
        for note in filter(None, record["note"].split("; ")):
            if note not in told:  # an engine says the same of itself in each of its comparisons
                told.add(note)
                notes.append(f"{name}: {note}")
        if record["skipped"]:
            notes.append(f"{name}: {record['skipped']} worlds could not be run that way and were left out")
    if matrix.coverage:
        notes += coverage_lines(matrix.coverage)
    notes += [
        f"policy {matrix.session.policy.source}: {entry.entry.name}: {entry.why}; remove it" for entry in matrix.stale
    ]
    not_run = [record for record in matrix.records if record["status"] == "not run"]
    if not_run:
        notes.append(f"{len(not_run)} of {len(matrix.records)} comparisons were not run; none of them counts as passed")
    total = sum(record["worlds"] for record in matrix.records)
    notes.append(f"{len(matrix.records)} comparisons of {total} worlds: {matrix.status}")
    return notes


def coverage_lines(coverage: dict[str, Any]) -> list[str]:
    """What the generated worlds exercised, rarest first."""
    seen = {name: count for name, count in coverage["labels"].items() if count}
    missing = [name for name, count in coverage["labels"].items() if not count]
    rarest = sorted(seen.items(), key=lambda item: (item[1], item[0]))[:6]
    lines = [
        f"coverage: {len(seen)} of {len(coverage['labels'])} event types and edge labels in {coverage['worlds']} generated "
        f"worlds; rarest: {', '.join(f'{name} {count}' for name, count in rarest)}"
    ]
    if missing:
        lines.append(f"coverage: never generated: {', '.join(missing)}")
    return lines


def matrix_json(matrix: Matrix) -> str:
    """The report for machines; `schema_version` changes when a key changes its meaning."""
    session = matrix.session
    report = {
        "schema_version": REPORT_SCHEMA_VERSION,
        "status": matrix.status,
        "exit_status": matrix.exit_status,
        "commit": session.commit,
        "engines": [{"spec": spec, "versions": _versions_of(matrix, spec)} for spec in session.engines],
        "sources": session.sources,
        "libraries": session.versions,
        "profile": session.profile.name,
        "seed": session.seed,
        "slice": "{}/{}".format(*session.part),
        "minutes": session.minutes,
        "given_census": session.given,
        "worlds": sum(record["worlds"] for record in matrix.records),
        "tests": matrix.records,
        "coverage": matrix.coverage,
        "stale_policy_entries": [{"entry": entry.entry.name, "why": entry.why} for entry in matrix.stale],
    }
    return json.dumps(report, indent=2, sort_keys=True, default=str) + "\n"


def _versions_of(matrix: Matrix, spec: str) -> dict[str, str]:
    known: dict[str, str] = {}
    for record in matrix.records:
        known.update(record["versions"])
    prefix = f"{spec}: "
    return {name.removeprefix(prefix): value for name, value in sorted(known.items()) if name.startswith(prefix)}


def matrix_markdown(matrix: Matrix) -> str:
    """The same facts for people: the matrix, what failed, the numeric columns that differ, the coverage."""
    session = matrix.session
    lines = [
        f"# Parity: {matrix.status}",
        "",
        f"Engines {', '.join(session.engines)} at commit {session.commit or 'unknown'}; profile {session.profile.name}, seed "
        f"{session.seed}; {', '.join(f'{name} {number}' for name, number in session.versions.items())}.",
        "",
        "| test | left | right | worlds | count | overlap | value | threshold | status |",
        "|---|---|---|---:|---:|---:|---:|---:|---|",
        *("| " + " | ".join(_row(record)) + " |" for record in matrix.records),
        "",
        *(f"- {note}" for note in _notes(matrix)),
    ]
    differing = [
        f"| {record['test']}[{record['name']}] | {column} | {n['count']} | {n['differing']} | {n['largest']:g} | {n['mean']:g} | "
        f"{'-' if n['correlation'] is None else format(n['correlation'], '.6f')} |"
        for record in matrix.records
        for column, n in record["numeric"].items()
        if n["differing"]
    ]
    for record in matrix.records:
        if record["by_type"]:
            lines += ["", f"{record['test']}[{record['name']}], left {record['left']}, right {record['right']}:", ""]
            lines += ["| " + " | ".join(_TYPE_HEAD) + " |", "|---|---:|---:|---:|---:|---|"]
            lines += ["| " + " | ".join(_type_row(found)) + " |" for found in record["by_type"]]
    if differing:
        lines += [
            "",
            "| test | column | rows | differing | largest | mean | correlation |",
            "|---|---|---:|---:|---:|---:|---:|",
        ]
        lines += differing
    return "\n".join(lines) + "\n"
