"""The report of properties: what held on which engine, as text, Markdown and JSON."""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from properties.rules import Rule
from properties.session import PropertySession

REPORT_SCHEMA_VERSION = 1
EVERY_ENGINE = "*"
"""The engine of a check that takes all of them together."""
ORDER = ("refused", "fail", "unfinished", "warn", "off", "not checked", "pass")
"""Statuses from the gravest on; `warn`, `off` and `not checked` are never a pass, of a check or of the whole."""
_MARKS = {
    "pass": "32",
    "fail": "31;1",
    "refused": "35;1",
    "warn": "33;1",
    "off": "33",
    "not checked": "2",
    "unfinished": "33;1",
}


@dataclass
class PropertyRecord:
    """What one check did on one engine (None: on tables of --results), as plain values.

    worlds: judged. broken: worlds on which it does not hold. clauses: those that do not hold, and where that is known, in how many
    places. unchecked: clause to what it lacks. rules: entries of the policy that concern it, each with what came of it.
    exceeded: entries that knew of fewer places than there are.
    """

    check: str
    title: str
    engine: str | None
    status: str = "unfinished"
    worlds: int = 0
    broken: int = 0
    clauses: dict[str, int] = field(default_factory=dict)
    unchecked: dict[str, str] = field(default_factory=dict)
    rules: list[str] = field(default_factory=list)
    exceeded: list[str] = field(default_factory=list)
    reason: str = ""
    bundle: str | None = None
    signature: str | None = None
    seconds: float = 0.0


@dataclass
class PropertyReport:
    """The records of a session, in the order they came."""

    session: PropertySession
    records: list[dict[str, Any]] = field(default_factory=list)
    stale: list[Rule] = field(default_factory=list)
    exit_status: int = 0

    def add(self, record: dict[str, Any]) -> None:
        self.records.append(record)

    def finish(self) -> None:
        """Hold the policy to its end dates."""
        self.stale = self.session.rules.stale(dt.datetime.now(dt.UTC).date())

    @property
    def status(self) -> str:
        """The gravest of all; `empty` without any. `pass` only where every check passed and pytest has nothing else to say."""
        found = {record["status"] for record in self.records}
        if not found:
            return "empty"
        if self.stale:
            found.add("fail")
        if self.exit_status:
            found.add("unfinished")
        return next(status for status in ORDER if status in found)


def property_record(record: PropertyRecord) -> dict[str, Any]:
    """The record as plain data, fit to be sent between processes."""
    return asdict(record)


def report_text(report: PropertyReport, color: bool = False) -> list[str]:
    """Aligned lines for a terminal: one row a check, one column an engine, then what is worth a line of its own."""
    engines = _engines(report)
    rows = [[check, title, *(_cell(report, check, engine) for engine in engines)] for check, title in _checks(report)]
    head = ["check", "what", *(_engine_name(engine) for engine in engines)]
    widths = [max(len(row[column]) for row in [head, *rows]) for column in range(len(head))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(head, widths, strict=True)).rstrip()]
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        if color:
            cells[2:] = [f"\x1b[{_MARKS.get(cell.split(' (')[0].strip(), '0')}m{cell}\x1b[0m" for cell in cells[2:]]
        lines.append("  ".join(cells).rstrip())
    return [*lines, "", *notes(report)]


def notes(report: PropertyReport) -> list[str]:
    """What a reader must know beyond the table."""
    found: list[str] = []
    for record in report.records:
        name = f"{record['check']}[{_engine_name(record['engine'])}]"
        if record["status"] in ("fail", "refused", "warn"):
            found.append(f"{name}: {record['status']}: {record['reason']}")
        if record["bundle"]:
            found.append(f"{name}: replay with `{report.session.session.replay('properties', record['bundle'])}`")
        found += [f"{name}: rule {rule}" for rule in record["rules"]]
    found += _unchecked(report)
    source = report.session.rules.source
    found += [
        f"rules {source}: {rule.name} is past its end date {rule.until}; mend it or set a new date"
        for rule in report.stale
    ]
    counts = Counter(record["status"] for record in report.records)
    told = ", ".join(f"{counts[status]} {status}" for status in reversed(ORDER) if counts[status])
    return [*found, f"{len(report.records)} checks: {told}: {report.status}"]


def _unchecked(report: PropertyReport) -> list[str]:
    """Clauses that lacked something, by what they lacked."""
    lacking: dict[tuple[str, str], list[str]] = {}
    for record in report.records:
        for clause, missing in record["unchecked"].items():
            lacking.setdefault((_engine_name(record["engine"]), missing), []).append(f"{record['check']}.{clause}")
    return [
        f"not checked on {engine} without {missing}: {', '.join(names)}" for (engine, missing), names in lacking.items()
    ]


def report_json(report: PropertyReport) -> str:
    """The report for machines; `schema_version` changes when a key changes its meaning."""
    session = report.session.session
    outside = report.session.outside
    data = {
        "schema_version": REPORT_SCHEMA_VERSION,
        "status": report.status,
        "exit_status": report.exit_status,
        "commit": session.commit,
        "engines": [] if outside else list(session.engines),
        "sources": {} if outside else session.sources,
        "results": None if outside is None else str(outside.path),
        "libraries": session.versions,
        "profile": session.profile.name,
        "seed": session.seed,
        "minutes": session.minutes,
        "given_census": session.given,
        "rules": report.session.rules.source,
        "checks": report.records,
        "stale_rules": [rule.describe() for rule in report.stale],
    }
    return json.dumps(data, indent=2, sort_keys=True, default=str) + "\n"


def report_markdown(report: PropertyReport) -> str:
    """The same for people: the table and the notes."""
    session, engines = report.session.session, _engines(report)
    lines = [
        f"# Properties: {report.status}",
        "",
        f"At commit {session.commit or 'unknown'}; profile {session.profile.name}, seed {session.seed}; "
        f"{', '.join(f'{name} {number}' for name, number in session.versions.items())}.",
        "",
        f"| check | what | {' | '.join(_engine_name(engine) for engine in engines)} |",
        f"|---|---|{'---|' * len(engines)}",
        *(
            f"| {check} | {title} | {' | '.join(_cell(report, check, engine) for engine in engines)} |"
            for check, title in _checks(report)
        ),
        "",
        *(f"- {note}" for note in notes(report)),
    ]
    return "\n".join(lines) + "\n"


def _checks(report: PropertyReport) -> list[tuple[str, str]]:
    """Every check with its title, in the order they came."""
    return list({record["check"]: (record["check"], _capital(record["title"])) for record in report.records}.values())


def _capital(title: str) -> str:
    return title[:1].upper() + title[1:]


def _engines(report: PropertyReport) -> Sequence[str | None]:
    found = list(dict.fromkeys(record["engine"] for record in report.records))
    return [engine for engine in found if engine != EVERY_ENGINE] or found


def _engine_name(engine: str | None) -> str:
    return "results" if engine is None else "all" if engine == EVERY_ENGINE else engine


def _cell(report: PropertyReport, check: str, engine: str | None) -> str:
    record = next(
        (one for one in report.records if one["check"] == check and one["engine"] in (engine, EVERY_ENGINE)), None
    )
    if record is None:
        return "-"
    if record["status"] in ("fail", "warn") and record["broken"]:
        return f"{record['status']} ({record['broken']} of {record['worlds']})"
    if record["status"] == "pass" and record["unchecked"]:
        return f"pass ({len(record['unchecked'])} clauses not checked)"
    return str(record["status"])
