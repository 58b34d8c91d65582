"""The report of a finding: what a person reads first, in about 60 lines."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from differential.comparison.text import capped, columns
from differential.engines import runs_apart
from differential.reduction import Reduction
from differential.repro.finding import Finding
from fixtures.census import Employee
from fixtures.scenario import Scenario

_ROWS = 12
_KEYS = 25


def report(
    finding: Finding, reduction: Reduction | None = None, *, command: str | None = None, withheld: bool = False
) -> str:
    """Plain text, in this order: what failed and where it was run, what the finding tells (`Finding.told`), the census, the
    scenario keys that differ from the defaults, the seed, the command that replays it (`command`). The finding is the reduced
    one if reduced.

    withheld: nothing about people is shown, only where the failure lies.
    """
    headline, rows = finding.title()
    parts = [[headline, *columns([*rows, ("size", _size(finding, reduction))])], *finding.told(withheld=withheld)]
    if not withheld:
        parts.append(_census(finding))
    parts += [_scenario(finding.world.scenario), _seed(finding), _privacy(finding, withheld=withheld)]
    parts.append(section("replay", [command or finding.command or "run the failing test again"]))
    return "\n\n".join("\n".join(lines) for lines in parts if lines) + "\n"


def _size(finding: Finding, reduction: Reduction | None) -> str:
    people, years = len(finding.world.census), len(finding.world.scenario.years)
    size = f"{people} employee{'s' * (people != 1)}, {years} year{'s' * (years != 1)}"
    if reduction is None:
        return f"{size}, as found"
    state = "run again and verified" if reduction.verified else "NOT verified by a second run"
    return f"{size}, reduced in {reduction.runs} runs and {reduction.seconds:.1f} s ({reduction.ended}), {state}"


def _census(finding: Finding) -> list[str]:
    people = finding.world.census.employees()
    head = ("employee_id", "birth", "hire", "termination", "pay", "deferral rate")
    rows = [head, *(_cells(one) for one in people[:_ROWS])]
    more = [f"  ... and {len(people) - _ROWS} more, in census.csv"] if len(people) > _ROWS else []
    return [f"census ({len(people)} employee{'s' * (len(people) != 1)})", *_table(rows), *more]


def _cells(one: Employee) -> tuple[str, ...]:
    end = "-" if one.termination_date is None else str(one.termination_date)
    pay, rate = f"{one.pay_cents / 100:,.2f}", f"{one.deferral_bp / 100:g} %"
    return (one.employee_id, str(one.birth_date), str(one.hire_date), end, pay, rate)


def _table(rows: list[tuple[str, ...]]) -> list[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return [
        "  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]


def _scenario(scenario: Scenario) -> list[str]:
    changed = scenario.to_dict(only_changed=True)
    changed.pop("random_seed", None)
    if "limits" in changed:
        changed["limits"] = {year: changed["limits"][year] for year in scenario.years}
    lines = [f"{key}: {value}" for key, value in _flat(changed, Scenario().to_dict(), "")]
    return section("scenario (what differs from the defaults)", capped(lines, _KEYS, indent="") or ["nothing"])


def _flat(changed: Mapping[Any, Any], defaults: Mapping[Any, Any], prefix: str) -> list[tuple[str, str]]:
    rows: list[tuple[str, str]] = []
    for key, value in changed.items():
        default = defaults.get(key)
        if value == default:
            continue
        if isinstance(value, Mapping):
            rows += _flat(value, default if isinstance(default, Mapping) else {}, f"{prefix}{key}.")
        else:
            shown = "" if default is None or isinstance(default, Mapping) else f"  (default {_show(default)})"
            rows.append((f"{prefix}{key}", _show(value) + shown))
    return rows


def _show(value: Any) -> str:
    if isinstance(value, Mapping):
        return " ".join(f"{key} {_show(item)}" for key, item in value.items())
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_show(item) for item in value) + "]"
    return "none" if value is None else str(value)


def _seed(finding: Finding) -> list[str]:
    seed = finding.world.scenario.random_seed
    drawn = "" if finding.hypothesis_seed is None else f"; found with seed {finding.hypothesis_seed}"
    default = " (default)" if seed == Scenario().random_seed else ""
    return [f"random_seed: {seed}{default}{drawn}" + (f", profile {finding.profile}" if finding.profile else "")]


def _privacy(finding: Finding, *, withheld: bool) -> list[str]:
    if withheld:
        return [
            "people: withheld, since the census is a user's own and the failure has not been shown without them;",
            "  the given files and the command below show it again, and --keep-identities writes them (never the ssn)",
        ]
    if not finding.given:
        return []
    if finding.stayed:
        return section("from the given census, since the failure needs it", capped(finding.stayed, _ROWS, indent=""))
    return (
        ["people: ids, ssn, dates and pay have been replaced"]
        if finding.anonymous
        else ["people: only the ssn are masked"]
    )


def replay_command(finding: Finding, path: Path) -> str:
    """What replays a bundle: with the Pythons and programs that it takes, which the bundle itself names by label only."""
    apart = dict.fromkeys(side.engine for side in finding.sides if runs_apart(side.engine))
    return shlex.join(
        ["pytest", finding.suite, "--replay", str(path), *(word for spec in apart for word in ("--engine", spec))]
    )


def section(title: str, lines: list[str]) -> list[str]:
    """A paragraph with a heading."""
    return [title, *(f"  {line}" for line in lines)]
