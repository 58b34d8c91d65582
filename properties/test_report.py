"""The report of properties: its overall status, which a release is judged by."""

from __future__ import annotations

import datetime as dt
import json

import pytest

from differential.profiles import PROFILES
from differential.session import Session
from fixtures.populations import generate
from fixtures.scenario import Scenario
from fixtures.world import World
from properties.report import PropertyRecord, PropertyReport, property_record, report_json
from properties.rules import Rule, RulesPolicy
from properties.session import PropertySession


def report(*statuses: str, rules: tuple[Rule, ...] = ()) -> PropertyReport:
    world = World(generate(3, seed=1), Scenario(end_year=2025))
    made = PropertyReport(PropertySession(Session(PROFILES["quick"], ("sql",), world), RulesPolicy(rules)))
    for status in statuses:
        made.add(property_record(PropertyRecord("I06", "Title", "sql", status)))
    return made


@pytest.mark.parametrize(
    ("statuses", "overall"),
    [
        ((), "empty"),
        (("pass", "pass"), "pass"),
        (("pass", "not checked"), "not checked"),
        (("pass", "off", "not checked"), "off"),
        (("pass", "warn", "off", "not checked"), "warn"),
        (("pass", "warn", "unfinished"), "unfinished"),
        (("pass", "fail", "warn", "unfinished"), "fail"),
        (("refused", "fail", "pass"), "refused"),
    ],
)
def test_nothing_but_passes_make_a_pass(statuses: tuple[str, ...], overall: str) -> None:
    assert report(*statuses).status == overall


@pytest.mark.parametrize("status", ["pass", "warn", "off", "not checked"])
def test_a_run_that_ended_otherwise_is_unfinished(status: str) -> None:
    ended = report(status)
    ended.exit_status = 2

    assert ended.status == "unfinished"


def test_a_rule_past_its_end_date_fails_the_whole() -> None:
    rule = Rule("I06", None, "off", None, "reason", dt.date(2020, 1, 31))
    stale = report("pass", rules=(rule,))
    stale.finish()

    assert json.loads(report_json(stale))["status"] == "fail"
