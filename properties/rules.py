"""Rules policies: checks that an engine is known to break, switched off or to a warning, each with a reason and an end date.

    rules:
      - {rule: I06, verdict: warn, reason: raises go to people who have left; mended in 2.4, until: 2027-01-31}
      - {rule: I07.before_hire, verdict: off, engine: mine:ENGINE, reason: .., until: 2027-01-31}

      - {rule: I19.previous, verdict: warn, at_most: 7, reason: .., until: 2027-01-31}

`at_most` is the number of places that are known: one more is news, and fails. `rule` is a check or one of its clauses; `engine` a
SPEC, left out: any engine, and tables given by --results. A rule that is off never counts as passed, and one that holds all the
same is said. An entry past its end date fails.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NoReturn

from fixtures.strict_yaml import load_yaml
from properties.check import Check, Violation

Verdict = Literal["off", "warn"]
_KEYS = ("rule", "verdict", "at_most", "engine", "reason", "until")
_OPTIONAL = ("engine", "at_most")


class RulesError(ValueError):
    """A rules policy that cannot be used; the message names file and key."""


@dataclass(frozen=True)
class Rule:
    """One entry. clause: None for the whole check. engine: None for all. at_most: places that it excuses; None: however many."""

    check: str
    clause: str | None
    verdict: Verdict
    engine: str | None
    reason: str
    until: dt.date
    at_most: int | None = None

    @property
    def name(self) -> str:
        """Such as `I07.before_hire`."""
        return self.check if self.clause is None else f"{self.check}.{self.clause}"

    def concerns(self, engine: str | None, check: str) -> bool:
        """Whether it speaks of this check on this engine (None: tables of another system)."""
        return self.check == check and self.engine in (None, engine)

    def covers(self, violation: Violation) -> bool:
        """Whether it speaks of this violation, on an engine that it concerns."""
        return violation.check == self.check and self.clause in (None, violation.clause)

    def places(self, totals: Mapping[tuple[str, str], int]) -> int:
        """How many of all the places it speaks of. totals: (check, clause) to the number of its places."""
        return sum(
            count for (check, clause), count in totals.items() if check == self.check and self.clause in (None, clause)
        )

    def exceeded(self, totals: Mapping[tuple[str, str], int]) -> bool:
        """Whether there are more places than are known."""
        return self.at_most is not None and self.places(totals) > self.at_most

    def describe(self) -> str:
        known = "" if self.at_most is None else f" at most {self.at_most}"
        return f"{self.name} {self.verdict}{known} until {self.until}: {self.reason}"


@dataclass(frozen=True)
class RulesPolicy:
    """The entries of a file, in its order; the empty policy excuses nothing."""

    rules: tuple[Rule, ...] = ()
    source: str = "no rules policy"

    def of(self, engine: str | None, check: str) -> tuple[Rule, ...]:
        """The entries for one check on one engine."""
        return tuple(rule for rule in self.rules if rule.concerns(engine, check))

    def stale(self, today: dt.date) -> list[Rule]:
        """Entries past their end date."""
        return [rule for rule in self.rules if rule.until < today]


def split(
    violations: Iterable[Violation], rules: Iterable[Rule]
) -> tuple[list[Violation], dict[Rule, list[Violation]]]:
    """The violations that no rule covers, and those that each rule does."""
    counted: list[Violation] = []
    excused: dict[Rule, list[Violation]] = {rule: [] for rule in rules}
    for violation in violations:
        rule = next((rule for rule in excused if rule.covers(violation)), None)
        (counted if rule is None else excused[rule]).append(violation)
    return counted, excused


def load_rules(path: Path, checks: Mapping[str, Check]) -> RulesPolicy:
    """Read a rules policy. Raises RulesError naming file and key; unknown keys, checks and clauses are errors."""
    data = load_yaml(path, RulesError)
    if not isinstance(data, dict) or set(data) != {"rules"} or not isinstance(data["rules"], list):
        raise RulesError(f"{path}: expected one key `rules` with a list of entries")
    rules = [_rule(path, f"rules[{index}]", entry, checks) for index, entry in enumerate(data["rules"])]
    seen: set[tuple[str, str | None]] = set()
    for index, rule in enumerate(rules):
        if (rule.name, rule.engine) in seen:
            _fail(path, f"rules[{index}]", f"a second entry for {rule.name}")
        seen.add((rule.name, rule.engine))
    return RulesPolicy(tuple(rules), str(path))


def _rule(path: Path, key: str, entry: object, checks: Mapping[str, Check]) -> Rule:
    if not isinstance(entry, dict):
        _fail(path, key, f"expected keys and values, got {entry!r:.60}")
    unknown = [name for name in entry if name not in _KEYS]
    if unknown:
        _fail(path, key, f"unknown key {unknown[0]!r:.60}: expected {', '.join(_KEYS)}")
    missing = [name for name in _KEYS if name not in _OPTIONAL and name not in entry]
    if missing:
        _fail(path, key, f"{', '.join(missing)} is missing")
    check, _, clause = _text(path, f"{key}.rule", entry["rule"]).partition(".")
    if check not in checks:
        _fail(path, f"{key}.rule", f"no check {check!r:.60}; docs/checks.md lists them")
    if clause and clause not in checks[check].clauses:
        _fail(path, f"{key}.rule", f"{check} has no clause {clause!r:.60}: it has {', '.join(checks[check].clauses)}")
    # YAML reads a bare `off` as false
    verdict: Any = "off" if entry["verdict"] is False else entry["verdict"]
    if verdict not in ("off", "warn"):
        _fail(path, f"{key}.verdict", f"expected off or warn, got {entry['verdict']!r:.60}")
    until = entry["until"]
    if not isinstance(until, dt.date) or isinstance(until, dt.datetime):
        _fail(path, f"{key}.until", f"expected a date such as 2027-01-31, got {until!r:.60}")
    engine = None if entry.get("engine") is None else _text(path, f"{key}.engine", entry["engine"])
    at_most = entry.get("at_most")
    if at_most is not None and (isinstance(at_most, bool) or not isinstance(at_most, int) or at_most < 1):
        _fail(path, f"{key}.at_most", f"expected a number of places, at least 1, got {at_most!r:.60}")
    return Rule(check, clause or None, verdict, engine, _text(path, f"{key}.reason", entry["reason"]), until, at_most)


def _text(path: Path, key: str, value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        _fail(path, key, f"expected text, got {value!r:.60}")
    return value


def _fail(path: Path, key: str, problem: str) -> NoReturn:
    raise RulesError(f"{path}: {key}: {problem}")
