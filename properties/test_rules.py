"""Rules policies: what they excuse, what is said of them, and files that cannot be used."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from properties.check import Violation
from properties.rules import Rule, RulesError, load_rules, split
from properties.session import catalogue

UNTIL = dt.date(2099, 1, 1)


def violation(check: str, clause: str) -> Violation:
    return Violation(check, clause, 0, "1", "2")


def rule(check: str, clause: str | None = None, engine: str | None = None) -> Rule:
    return Rule(check, clause, "off", engine, "known", UNTIL)


def test_a_rule_covers_its_check_or_only_its_clause() -> None:
    found = [violation("I07", "in_year"), violation("I07", "before_hire")]

    counted, excused = split(found, [rule("I07", "before_hire")])

    assert counted == found[:1]
    assert list(excused.values()) == [found[1:]]
    assert split(found, [rule("I07")])[0] == []


def test_a_rule_with_a_number_of_places_knows_when_there_are_more() -> None:
    known = Rule("I07", "before_hire", "warn", None, "known", UNTIL, at_most=7)
    whole = Rule("I07", None, "warn", None, "known", UNTIL, at_most=7)
    totals = {("I07", "before_hire"): 7, ("I07", "in_year"): 1, ("I06", "after_exit"): 99}

    assert not known.exceeded(totals)
    assert whole.exceeded(totals)
    assert known.exceeded({("I07", "before_hire"): 8})
    assert not rule("I07").exceeded({("I07", "before_hire"): 8})
    assert known.describe() == "I07.before_hire warn at most 7 until 2099-01-01: known"


def test_a_rule_for_one_engine_concerns_no_other() -> None:
    assert rule("I07", engine="mine:ENGINE").concerns("mine:ENGINE", "I07")
    assert not rule("I07", engine="mine:ENGINE").concerns("sql", "I07")
    assert not rule("I07", engine="mine:ENGINE").concerns(None, "I07")
    assert rule("I07").concerns(None, "I07")
    assert not rule("I07").concerns("sql", "I06")


def test_a_file_is_read_and_a_bare_off_is_off(tmp_path: Path) -> None:
    path = tmp_path / "rules.yaml"
    path.write_text("rules:\n  - {rule: I07.before_hire, verdict: off, engine: mine, reason: r, until: 2020-01-31}\n")

    policy = load_rules(path, catalogue())

    assert policy.rules == (Rule("I07", "before_hire", "off", "mine", "r", dt.date(2020, 1, 31)),)
    assert policy.of("mine", "I07") == policy.rules
    assert policy.of("sql", "I07") == ()
    assert policy.stale(dt.date(2020, 1, 31)) == []
    assert policy.stale(dt.date(2020, 2, 1)) == list(policy.rules)


ENTRY = "rule: I06, verdict: warn, reason: r, until: 2099-01-31"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("rule: I06", "expected one key `rules`"),
        ("rules: [1]", r"rules\[0\]: expected keys and values, got 1"),
        ("rules: [{rule: I06, verdict: warn, until: 2099-01-31}]", r"rules\[0\]: reason is missing"),
        (f"rules: [{{{ENTRY}, note: x}}]", r"unknown key 'note': expected rule, verdict"),
        (f"rules: [{{{ENTRY.replace('I06', 'I99')}}}]", r"rules\[0\].rule: no check 'I99'"),
        (f"rules: [{{{ENTRY.replace('I06', 'I06.x')}}}]", "I06 has no clause 'x': it has after_exit"),
        (f"rules: [{{{ENTRY.replace('warn', 'maybe')}}}]", r"rules\[0\].verdict: expected off or warn, got 'maybe'"),
        (f"rules: [{{{ENTRY.replace('2099-01-31', 'soon')}}}]", r"rules\[0\].until: expected a date"),
        (f"rules: [{{{ENTRY}, at_most: 0}}]", r"rules\[0\].at_most: expected a number of places, at least 1, got 0"),
        (f"rules: [{{{ENTRY}}}, {{{ENTRY}}}]", r"rules\[1\]: a second entry for I06"),
        ("rules: [", "not valid YAML"),
    ],
)
def test_a_file_that_cannot_be_used_says_where(text: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "rules.yaml"
    path.write_text(text)

    with pytest.raises(RulesError, match=said) as error:
        load_rules(path, catalogue())

    assert str(error.value).startswith(f"{path}: ")
