"""Criterion 3: every comparison at its threshold and every property, judged from the records and not by what they conclude."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import fields

from differential.cases import Case, all_cases, border_case
from differential.engines import EngineSpecError, get_engine, is_built_in
from differential.profiles import PROFILES
from differential.run import Capabilities, capabilities_of
from properties.report import EVERY_ENGINE
from properties.session import catalogue
from properties.wider import ENVIRONMENT, LIFECYCLE
from scale.gate.record import Finding
from scale.gate.reports import Comparison, ParityReport, PropertiesReport, PropertyEntry, Report
from scale.policy import Policy
from scale.status import Verdict

PARITY, PROPERTIES = "parity.json", "properties.json"
AGAIN = {
    PARITY: "pytest differential --parity-report parity.json",
    PROPERTIES: "pytest properties --properties-report properties.json",
}
"""How each file is made; profile ci is the default."""
ACCEPTED_PROFILES = ("ci", "nightly")
_NAMED = 5
"""Missing entries that a sentence names before it counts the rest."""

_Plan = tuple[list[Case], Mapping[str, Capabilities]]


def parity_findings(report: ParityReport, policy: Policy) -> list[Finding]:
    """Everything that parity.json says for or against a release."""
    engines = [entry.spec for entry in report.engines]
    try:
        cases, _ = _plan(engines)
    except EngineSpecError as error:
        return [
            _missing(PARITY, f"an engine of {PARITY} cannot be had: {error}", "Run the gate where it can be imported.")
        ]
    found = [*_whole_file(PARITY, report), *_coverage(report)]
    found += [
        _failed(
            PARITY,
            f"the comparison policy's entry {entry.get('entry', '?')} is stale: {entry.get('why', '?')}",
            "Remove it.",
        )
        for entry in report.stale_policy_entries
    ]
    wanted = {(case.test, case.name): case for case in cases}
    ran = {(test.test, test.name) for test in report.tests}
    found += _absent(PARITY, [f"{test}[{name}]" for test, name in wanted if (test, name) not in ran], len(wanted))
    exact = all(is_built_in(spec) for spec in engines)
    judged = [
        _comparison(test, wanted.get((test.test, test.name)), report.profile, policy, exact=exact)
        for test in report.tests
    ]
    found += [finding for finding in judged if finding is not None]
    found += _own_status(PARITY, report, judged)
    passed = sum(finding is None for finding in judged)
    least = min((test.scores.least for test in report.tests), default=0.0)
    worlds = sum(test.worlds for test in report.tests)
    told = f"{passed} of {len(wanted)} comparisons of {', '.join(engines)} pass over {worlds} worlds; least score {least:.4g}"
    return [Finding(verdict="info" if found else "pass", text=told, source=PARITY), *found]


def property_findings(report: PropertiesReport) -> list[Finding]:
    """Everything that properties.json says for or against a release."""
    if report.results is not None:
        again = AGAIN[PROPERTIES]
        return [
            _missing(
                PROPERTIES,
                f"{PROPERTIES} is of tables that another system left ({report.results}); no engine ran",
                f"Run `{again}`.",
            )
        ]
    try:
        _, can = _plan(report.engines)
    except EngineSpecError as error:
        return [
            _missing(
                PROPERTIES,
                f"an engine of {PROPERTIES} cannot be had: {error}",
                "Run the gate where it can be imported.",
            )
        ]
    found = _whole_file(PROPERTIES, report)
    found += [_failed(PROPERTIES, f"rule past its end date: {rule}", "Mend the engine.") for rule in report.stale_rules]
    wanted = {(check, engine) for engine in report.engines for check in ("run", *catalogue(), ENVIRONMENT.id)}
    wanted.add((LIFECYCLE.id, EVERY_ENGINE))
    ran = {(entry.check, entry.engine) for entry in report.checks}
    found += _absent(PROPERTIES, sorted(f"{check}[{engine}]" for check, engine in wanted - ran), len(wanted))
    judged = [_property(entry, report.profile, can) for entry in report.checks]
    found += [finding for finding in judged if finding is not None]
    found += _own_status(PROPERTIES, report, judged)
    passed = sum(finding is None for finding in judged)
    told = f"{passed} of {len(wanted)} checks of {', '.join(report.engines)} hold"
    return [Finding(verdict="info" if found else "pass", text=told, source=PROPERTIES), *found]


def _plan(engines: Sequence[str]) -> _Plan:
    """All comparisons that profile ci makes of these engines, and what each engine can be asked for."""
    can = {spec: capabilities_of(get_engine(spec)) for spec in engines}
    return ([*all_cases(engines, can), border_case(engines)] if engines else []), can


def _whole_file(source: str, report: Report) -> list[Finding]:
    again = f"Run `{AGAIN[source]}`, whole and without options that leave something out."
    found = []
    if report.profile not in ACCEPTED_PROFILES:
        accepted = " or ".join(ACCEPTED_PROFILES)
        found.append(
            _missing(
                source,
                f"{source} was made with profile {report.profile}, which draws too few worlds; {accepted} is needed",
                again,
            )
        )
    if report.given_census:
        found.append(
            _missing(
                source,
                f"the worlds of {source} are slices of a given census, which need not hold the edges that the generated ones aim at",
                again,
            )
        )
    if report.exit_status not in (0, 1):
        found.append(
            _missing(source, f"the run of {source} ended early, with status {report.exit_status} of pytest", again)
        )
    return found


def _own_status(source: str, report: Report, judged: Sequence[Finding | None]) -> Iterator[Finding]:
    """Where every record passes and the run says otherwise, something failed that leaves no record."""
    if any(finding is not None for finding in judged):
        return
    if report.exit_status == 1:
        yield _failed(
            source,
            f"every record of {source} passes, yet pytest ended with status 1: a test without a record failed, such as a regression bundle",
            f"Read the log of `{AGAIN[source]}`.",
        )
    elif report.exit_status == 0 and report.status != "pass":
        yield _missing(
            source,
            f"every record of {source} passes, yet the report calls itself {report.status}",
            f"Run `{AGAIN[source]}`.",
        )


def _coverage(report: ParityReport) -> list[Finding]:
    again = f"Run `{AGAIN[PARITY]}` without --parity and -k."
    if report.coverage is None:
        return [_missing(PARITY, f"{PARITY} does not say which event types and edges its worlds met", again)]
    never = sorted(label for label, count in report.coverage.labels.items() if not count)
    if never or not report.coverage.labels:
        return [_missing(PARITY, f"the worlds of {PARITY} never met {_some(never) or 'anything'}", again)]
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
        why = f"score {test.scores.least:.4g}, {'exactly 1' if least == 1 else f'{least:g}'} is needed"
        return _failed(PARITY, f"{test.label}: {test.reason or why}", replay)
    if test.status != "pass":
        # an error is no parity, whatever scores stand beside it
        return _missing(PARITY, f"{test.label}: {test.status}: {test.reason or 'no reason given'}", replay)
    if case is None:
        return None if test.worlds else _missing(PARITY, f"{test.label}: no world was compared", replay)
    if test.variants != _variants(case):
        return _missing(
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
        return _missing(
            PARITY, f"{test.label}: only {test.worlds} worlds were compared, profile {profile} draws {drawn}", again
        )
    return None


def _variants(case: Case) -> list[dict[str, object]]:
    """The planned pairs as the report holds them."""
    pairs = [{"left": left.to_json(), "right": right.to_json()} for left, right in case.pairs]
    plain: list[dict[str, object]] = json.loads(json.dumps(pairs, default=str))
    return plain


def _property(entry: PropertyEntry, profile: str, can: Mapping[str, Capabilities]) -> Finding | None:
    """What keeps one check from counting as held; None if nothing does."""
    replay = (
        f"Replay it: `pytest properties --replay {entry.bundle}`."
        if entry.bundle
        else f"Run `pytest properties --check {entry.check}`."
    )
    if entry.status == "fail" or entry.broken or entry.clauses:
        # a rule of --rules may excuse it from failing the suite, never from failing a release
        broken = f"broken on {entry.broken} of {entry.worlds} worlds"
        return _failed(PROPERTIES, f"{entry.label}: {entry.status}: {entry.reason or broken}", replay)
    lacking = sorted({why for why in entry.unchecked.values() if not _excused(why, entry.engine, can)})
    if entry.status == "not checked" and entry.unchecked and not lacking:
        return None
    if entry.status != "pass":
        return _missing(
            PROPERTIES, f"{entry.label}: {entry.status}: {entry.reason or _some(lacking) or 'no reason given'}", replay
        )
    if lacking:
        return _missing(
            PROPERTIES, f"{entry.label}: clauses were not checked: {_some(lacking)}", f"Run `{AGAIN[PROPERTIES]}`."
        )
    drawn = PROFILES[profile].worlds if profile in PROFILES and entry.check.startswith(("I", "run")) else 1
    if entry.worlds < drawn:
        again = f"Run `{AGAIN[PROPERTIES]}` without --minutes."
        return _missing(
            PROPERTIES, f"{entry.label}: only {entry.worlds} worlds were judged, profile {profile} draws {drawn}", again
        )
    return None


def _excused(why: str, engine: str | None, can: Mapping[str, Capabilities]) -> bool:
    """Whether the reason for not checking is that the engine lacks an axis, as it declares itself."""
    allowed = {
        f"{spec} has no {axis.name.replace('_', ' ')}"
        for spec, able in can.items()
        for axis in fields(able)
        if getattr(able, axis.name) is False and engine in (spec, EVERY_ENGINE)
    }
    if engine == EVERY_ENGINE and not any(able.database for able in can.values()):
        return True  # no engine leaves a database that could have a life
    return all(part.rpartition(": ")[2] in allowed for part in why.split("; "))


def _absent(source: str, names: Sequence[str], planned: int) -> list[Finding]:
    if not names:
        return []
    again = f"Run `{AGAIN[source]}` without options that choose among them."
    return [
        _missing(source, f"{len(names)} of {planned} planned entries of {source} are missing: {_some(names)}", again)
    ]


def _some(names: Iterable[str]) -> str:
    every = list(names)
    rest = f" and {len(every) - _NAMED} more" if len(every) > _NAMED else ""
    return ", ".join(every[:_NAMED]) + rest


def _finder(verdict: Verdict) -> Callable[[str, str, str], Finding]:
    def make(source: str, text: str, advice: str) -> Finding:
        return Finding(verdict=verdict, text=text, source=source, advice=advice)

    return make


_failed, _missing = _finder("fail"), _finder("insufficient")
