"""What the judgement of parity.json and properties.json has in common: whole files, of a profile that counts, told in sentences."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from differential.cases import Case, all_cases, border_case
from differential.engines import get_engine
from differential.run import Capabilities, capabilities_of
from scale.gate.record import Finding
from scale.gate.reports import Report

PARITY, PROPERTIES = "parity.json", "properties.json"
AGAIN = {
    PARITY: "pytest differential --parity-report parity.json",
    PROPERTIES: "pytest properties --properties-report properties.json",
}
"""How each file is made; profile ci is the default."""
ACCEPTED_PROFILES = ("ci", "nightly")
_NAMED = 5
"""Missing entries that a sentence names before it counts the rest."""


def plan(engines: Sequence[str]) -> tuple[list[Case], Mapping[str, Capabilities]]:
    """All comparisons that profile ci makes of these engines, and what each engine can be asked for."""
    can = {spec: capabilities_of(get_engine(spec)) for spec in engines}
    return ([*all_cases(engines, can), border_case(engines)] if engines else []), can


def whole_file(source: str, report: Report) -> list[Finding]:
    again = f"Run `{AGAIN[source]}`, whole and without options that leave something out."
    found = []
    if report.profile not in ACCEPTED_PROFILES:
        accepted = " or ".join(ACCEPTED_PROFILES)
        found.append(
            missing(
                source,
                f"{source} was made with profile {report.profile}, which draws too few worlds; {accepted} is needed",
                again,
            )
        )
    if report.given_census:
        found.append(
            missing(
                source,
                f"the worlds of {source} are slices of a given census, which need not hold the edges that generated ones do",
                again,
            )
        )
    if report.exit_status not in (0, 1):
        found.append(
            missing(source, f"the run of {source} ended early, with status {report.exit_status} of pytest", again)
        )
    return found


def own_status(source: str, report: Report, judged: Sequence[Finding | None]) -> Iterator[Finding]:
    """Where every record passes and the run says otherwise, something failed that leaves no record."""
    if any(finding is not None for finding in judged):
        return
    if report.exit_status == 1:
        yield failed(
            source,
            f"every record of {source} passes, yet pytest ended with status 1: a test without a record failed, as a regression can",
            f"Read the log of `{AGAIN[source]}`.",
        )
    elif report.exit_status == 0 and report.status != "pass":
        yield missing(
            source,
            f"every record of {source} passes, yet the report calls itself {report.status}",
            f"Run `{AGAIN[source]}`.",
        )


def absent(source: str, names: Sequence[str], planned: int) -> list[Finding]:
    if not names:
        return []
    again = f"Run `{AGAIN[source]}` without options that choose among them."
    return [missing(source, f"{len(names)} of {planned} planned entries of {source} are missing: {some(names)}", again)]


def some(names: Iterable[str]) -> str:
    every = list(names)
    rest = f" and {len(every) - _NAMED} more" if len(every) > _NAMED else ""
    return ", ".join(every[:_NAMED]) + rest


def failed(source: str, text: str, advice: str) -> Finding:
    """Something does not hold."""
    return Finding(verdict="fail", text=text, source=source, advice=advice)


def missing(source: str, text: str, advice: str) -> Finding:
    """Something is not known."""
    return Finding(verdict="insufficient", text=text, source=source, advice=advice)
