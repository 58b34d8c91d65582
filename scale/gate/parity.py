"""Criterion 3, its first half: every comparison at its threshold, judged from the records and not by what they conclude."""

from __future__ import annotations

import json
import math

from differential.cases import Case
from differential.engines import EngineSpecError, is_shipped
from differential.profiles import PROFILES
from scale.gate.record import Finding
from scale.gate.reports import Comparison, ParityReport
from scale.gate.suites import AGAIN, PARITY, absent, failed, missing, own_status, plan, some, whole_file
from scale.policy import Policy


def parity_findings(report: ParityReport, policy: Policy) -> list[Finding]:
    """Everything that parity.json says for or against a release."""
    engines = [entry.spec for entry in report.engines]
    try:
        cases, _ = plan(engines)
    except EngineSpecError as error:
        return [
            missing(PARITY, f"an engine of {PARITY} cannot be had: {error}", "Run the gate where it can be imported.")
        ]
    found = [*whole_file(PARITY, report), *_coverage(report)]
    found += [
        failed(
            PARITY,
            f"the comparison policy's entry {entry.get('entry', '?')} is stale: {entry.get('why', '?')}",
            "Remove it.",
        )
        for entry in report.stale_policy_entries
    ]
    wanted = {(case.test, case.name): case for case in cases}
    ran = {(test.test, test.name) for test in report.tests}
    found += absent(PARITY, [f"{test}[{name}]" for test, name in wanted if (test, name) not in ran], len(wanted))
    exact = all(is_shipped(spec) for spec in engines)
    judged = [
        _comparison(test, wanted.get((test.test, test.name)), report.profile, policy, exact=exact)
        for test in report.tests
    ]
    found += [finding for finding in judged if finding is not None]
    found += own_status(PARITY, report, judged)
    passed = sum(finding is None for finding in judged)
    least = min((test.scores.least for test in report.tests), default=0.0)
    worlds = sum(test.worlds for test in report.tests)
    told = f"{passed} of {len(wanted)} comparisons of {', '.join(engines)} pass over {worlds} worlds; least score {_shown(least)}"
    return [Finding(verdict="info" if found else "pass", text=told, source=PARITY), *found]


def _coverage(report: ParityReport) -> list[Finding]:
    again = f"Run `{AGAIN[PARITY]}` without --parity and -k."
    if report.coverage is None:
        return [missing(PARITY, f"{PARITY} does not say which event types and edges its worlds met", again)]
    never = sorted(label for label, count in report.coverage.labels.items() if not count)
    if never or not report.coverage.labels:
        return [missing(PARITY, f"the worlds of {PARITY} never met {some(never) or 'anything'}", again)]
    return []


def _comparison(test: Comparison, case: Case | None, profile: str, policy: Policy, *, exact: bool) -> Finding | None:
    """What keeps one comparison from passing; None if nothing does."""
    replay = (
        f"Replay it: `pytest differential --replay {test.bundle}`."
        if test.bundle
        else f"Run `pytest differential --parity {test.test}`."
    )
    least = 1.0 if exact else float(getattr(policy.parity, test.test, 1.0))
    if test.status == "fail" or test.scores.least < least or (exact and test.failed):
        why = f"score {_shown(test.scores.least)}, {'exactly 1' if least == 1 else f'{least:g}'} is needed"
        return failed(PARITY, f"{test.label}: {test.reason or why}", replay)
    if test.status != "pass":
        # an error is no parity, whatever scores stand beside it
        return missing(PARITY, f"{test.label}: {test.status}: {test.reason or 'no reason given'}", replay)
    if case is None:
        return None if test.worlds else missing(PARITY, f"{test.label}: no world was compared", replay)
    if test.variants != _variants(case):
        return missing(
            PARITY,
            f"{test.label}: other variants were compared than are planned",
            f"Run `{AGAIN[PARITY]}` at this commit.",
        )
    drawn = (
        0
        if case.inputs == "borders" or profile not in PROFILES
        else getattr(PROFILES[profile], f"{'' if case.size == 'worlds' else 'axis_'}worlds")
    )
    if test.worlds + test.skipped < max(1, drawn) or not test.worlds:
        again = f"Run `{AGAIN[PARITY]}` without --minutes."
        return missing(
            PARITY, f"{test.label}: only {test.worlds} worlds were compared, profile {profile} draws {drawn}", again
        )
    return None


def _shown(score: float) -> str:
    """Six decimals, rounded down: a score just below its threshold must not look like it."""
    return f"{math.floor(score * 1e6) / 1e6:g}"


def _variants(case: Case) -> list[dict[str, object]]:
    """The planned pairs as the report holds them."""
    pairs = [{"left": left.to_json(), "right": right.to_json()} for left, right in case.pairs]
    plain: list[dict[str, object]] = json.loads(json.dumps(pairs, default=str))
    return plain
