"""The report of a failure: what a person reads first, in about 60 lines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from differential.comparison.text import capped, columns
from differential.reduction import Reduction
from differential.repro.failure import Failure
from differential.repro.judge import oracle_says
from fixtures.census import Employee
from fixtures.scenario import Scenario

_ROWS = 12
_CHAIN_LINES = 30
_KEYS = 25


def report(
    failure: Failure, reduction: Reduction | None = None, *, command: str | None = None, withheld: bool = False
) -> str:
    """Plain text, in this order: the two sides, the first divergence, what the oracle says, the census, the scenario keys that
    differ from the defaults, the seed, the command that replays it (`command`). The failure is the reduced one if reduced.

    withheld: nothing about people is shown, only where the two sides part.
    """
    parts = [_title(failure, reduction), _divergence(failure, withheld=withheld)]
    if not withheld:
        parts += [_section("oracle", oracle_says(failure)), _census(failure)]
    parts += [_scenario(failure.world.scenario), _seed(failure), _privacy(failure, withheld=withheld)]
    parts.append(_section("replay", [command or failure.command or "run the failing test again"]))
    return "\n\n".join("\n".join(lines) for lines in parts if lines) + "\n"


def _title(failure: Failure, reduction: Reduction | None) -> list[str]:
    left, right = failure.names
    lines = (
        [f"{failure.test}: {left} and {right} differ"] if failure.divergence else [f"{failure.test}: an engine failed"]
    )
    rows = [("left", failure.left.describe()), ("right", failure.right.describe())]
    if failure.scores is not None:
        scores = failure.scores
        needed = "any difference fails" if failure.threshold is None else f"{failure.threshold:g} is needed"
        rows.append(
            ("scores", f"count {scores.count:g}, overlap {scores.overlap:g}, value {scores.value:g} ({needed})")
        )
    rows.append(("size", _size(failure, reduction)))
    return [*lines, *columns(rows)]


def _size(failure: Failure, reduction: Reduction | None) -> str:
    people, years = len(failure.world.census), len(failure.world.scenario.years)
    size = f"{people} employee{'s' * (people != 1)}, {years} year{'s' * (years != 1)}"
    if reduction is None:
        return f"{size}, as found"
    state = "run again and verified" if reduction.verified else "NOT verified by a second run"
    return f"{size}, reduced in {reduction.runs} runs and {reduction.seconds:.1f} s ({reduction.ended}), {state}"


def _divergence(failure: Failure, *, withheld: bool) -> list[str]:
    found = failure.divergence
    if found is None:
        kind, _, message = (failure.error or "unknown error").partition(":")
        # An engine's message may quote the people it was given.
        named = withheld or (failure.given and not failure.anonymous)
        return [f"error: {kind}" if named else f"error: {kind}:{message}"[:2_000]]
    if withheld:
        rows = [("table", found.table), ("year", found.year), ("stage", found.stage), ("event", found.event_type)]
        rows += [("column", found.column), ("kind", found.kind)]
        return ["first divergence:", *columns([(name, str(value)) for name, value in rows if value not in (None, "")])]
    lines = found.describe(*failure.names).splitlines()
    if len(lines) > _CHAIN_LINES:
        # The end of the chain is nearest to the divergence, the head says what it is.
        dropped = len(lines) - _CHAIN_LINES
        lines = [
            *lines[: _CHAIN_LINES // 2],
            f"  ... {dropped} lines left out ...",
            *lines[len(lines) - _CHAIN_LINES // 2 :],
        ]
    return lines


def _census(failure: Failure) -> list[str]:
    people = failure.world.census.employees()
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
    return _section("scenario (what differs from the defaults)", capped(lines, _KEYS, indent="") or ["nothing"])


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


def _seed(failure: Failure) -> list[str]:
    seed = failure.world.scenario.random_seed
    drawn = "" if failure.hypothesis_seed is None else f"; found with seed {failure.hypothesis_seed}"
    default = " (default)" if seed == Scenario().random_seed else ""
    return [f"random_seed: {seed}{default}{drawn}" + (f", profile {failure.profile}" if failure.profile else "")]


def _privacy(failure: Failure, *, withheld: bool) -> list[str]:
    if withheld:
        return [
            "people: withheld, since the census is a user's own and the failure has not been shown without them;",
            "  the given files and the command below show it again, and --keep-identities writes them (never the ssn)",
        ]
    if not failure.given:
        return []
    if failure.stayed:
        return _section("from the given census, since the failure needs it", capped(failure.stayed, _ROWS, indent=""))
    return (
        ["people: ids, ssn, dates and pay have been replaced"]
        if failure.anonymous
        else ["people: only the ssn are masked"]
    )


def _section(title: str, lines: list[str]) -> list[str]:
    return [title, *(f"  {line}" for line in lines)]
