"""Criterion 3, its second half: every check of the catalogue holds on every engine, judged from the records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields

from differential.engines import EngineSpecError
from differential.profiles import PROFILES
from differential.run import Capabilities
from properties.report import EVERY_ENGINE
from properties.session import catalogue
from properties.wider import ENVIRONMENT, LIFECYCLE
from scale.gate.record import Finding
from scale.gate.reports import PropertiesReport, PropertyEntry
from scale.gate.suites import AGAIN, PROPERTIES, absent, failed, missing, own_status, plan, some, whole_file


def property_findings(report: PropertiesReport) -> list[Finding]:
    """Everything that properties.json says for or against a release."""
    if report.results is not None:
        again = AGAIN[PROPERTIES]
        return [
            missing(
                PROPERTIES,
                f"{PROPERTIES} is of tables that another system left ({report.results}); no engine ran",
                f"Run `{again}`.",
            )
        ]
    try:
        _, can = plan(report.engines)
    except EngineSpecError as error:
        return [
            missing(
                PROPERTIES,
                f"an engine of {PROPERTIES} cannot be had: {error}",
                "Run the gate where it can be imported.",
            )
        ]
    found = whole_file(PROPERTIES, report)
    found += [failed(PROPERTIES, f"rule past its end date: {rule}", "Mend the engine.") for rule in report.stale_rules]
    wanted = {(check, engine) for engine in report.engines for check in ("run", *catalogue(), ENVIRONMENT.id)}
    wanted.add((LIFECYCLE.id, EVERY_ENGINE))
    ran = {(entry.check, entry.engine) for entry in report.checks}
    found += absent(PROPERTIES, sorted(f"{check}[{engine}]" for check, engine in wanted - ran), len(wanted))
    judged = [_property(entry, report.profile, can) for entry in report.checks]
    found += [finding for finding in judged if finding is not None]
    found += own_status(PROPERTIES, report, judged)
    passed = sum(finding is None for finding in judged)
    told = f"{passed} of {len(wanted)} checks of {', '.join(report.engines)} hold"
    return [Finding(verdict="info" if found else "pass", text=told, source=PROPERTIES), *found]


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
        return failed(PROPERTIES, f"{entry.label}: {entry.status}: {entry.reason or broken}", replay)
    lacking = sorted({why for why in entry.unchecked.values() if not _excused(why, entry.engine, can)})
    if entry.status == "not checked" and entry.unchecked and not lacking:
        return None
    if entry.status != "pass":
        return missing(
            PROPERTIES, f"{entry.label}: {entry.status}: {entry.reason or some(lacking) or 'no reason given'}", replay
        )
    if lacking:
        return missing(
            PROPERTIES, f"{entry.label}: clauses were not checked: {some(lacking)}", f"Run `{AGAIN[PROPERTIES]}`."
        )
    drawn = PROFILES[profile].worlds if profile in PROFILES and entry.check.startswith(("I", "run")) else 1
    if entry.worlds < drawn:
        again = f"Run `{AGAIN[PROPERTIES]}` without --minutes."
        return missing(
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
