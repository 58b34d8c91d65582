"""What the gate decides and on what: deployment_decision.json."""

from __future__ import annotations

from typing import Literal

from scale.records import Machine, Record
from scale.status import Verdict, gravest

SCHEMA_VERSION = 1
CriterionId = Literal["linear", "memory", "parity", "threads", "regression", "sufficiency"]
CRITERIA: dict[CriterionId, str] = {
    "linear": "Linear scaling",
    "memory": "Memory",
    "parity": "Parity and properties",
    "threads": "Thread efficiency",
    "regression": "No regression, and within the targets",
    "sufficiency": "Sufficient evidence",
}
"""The six criteria, in the order in which they are shown. All have to pass."""


class Finding(Record):
    """One sentence of evidence for or against a criterion. source: the file it comes from. advice: what to do; empty for a pass."""

    verdict: Verdict
    text: str
    source: str
    advice: str = ""


class Criterion(Record):
    """One of the six, with everything that decided it. seconds: that its evidence took to measure."""

    id: CriterionId
    title: str
    verdict: Verdict
    evidence: list[Finding]
    seconds: float

    @property
    def objections(self) -> list[Finding]:
        """What keeps it from passing, gravest first."""
        against = [found for found in self.evidence if found.verdict not in ("pass", "info")]
        return sorted(against, key=lambda found: found.verdict != "fail")

    @property
    def recommendations(self) -> list[str]:
        """What to do about the objections, each once."""
        return list(dict.fromkeys(found.advice for found in self.objections if found.advice))


class Source(Record):
    """A file of evidence. path: None where none was given. sha256: of its bytes, None if unread. problem: why."""

    name: str
    path: str | None
    sha256: str | None = None
    commit: str | None = None
    finished: str | None = None
    problem: str = ""


class PolicyUsed(Record):
    """changed: keys whose value is not the default, with that value and its reason."""

    source: str
    fingerprint: str
    changed: dict[str, tuple[float, str]]


class Decision(Record):
    """deployment_decision.json. status: the exit status. commit: of the candidate. beside: shown, never decides."""

    schema_version: int = SCHEMA_VERSION
    kind: Literal["decision"] = "decision"
    decision: Literal["go", "no-go"]
    status: int
    time: str
    commit: str | None
    engines: list[str]
    first_release: bool
    criteria: list[Criterion]
    beside: list[Finding]
    sources: list[Source]
    machine: Machine | None
    policy: PolicyUsed


def criterion(id_: CriterionId, evidence: list[Finding], seconds: float) -> Criterion:
    """The criterion with the gravest verdict of its evidence; none at all is insufficient."""
    return Criterion(
        id=id_,
        title=CRITERIA[id_],
        verdict=gravest(found.verdict for found in evidence),
        evidence=evidence,
        seconds=seconds,
    )
