"""Go or no-go: the six criteria over all evidence."""

from __future__ import annotations

from collections.abc import Sequence

from scale.gate.candidate import Candidate, code_findings, commit_findings, same_commit
from scale.gate.evidence import Evidence
from scale.gate.measured import AGAIN as SWEEP_AGAIN
from scale.gate.measured import Analyse, ByCriterion, analysis, sweep_findings
from scale.gate.parity import parity_findings
from scale.gate.properties import property_findings
from scale.gate.record import CRITERIA, CriterionId, Decision, Finding, PolicyUsed, Source, criterion
from scale.gate.regression import AGAIN as COMPARE_AGAIN
from scale.gate.regression import regression_findings
from scale.gate.reports import Report
from scale.gate.suites import AGAIN, PARITY, PROPERTIES
from scale.log import now
from scale.policy import Policy
from scale.rollback.record import Rollback
from scale.status import Status, gravest

_FROM_SWEEP: tuple[CriterionId, ...] = ("linear", "memory", "threads", "regression", "sufficiency")


def decide(
    evidence: Evidence, candidate: Candidate, policy: Policy, *, first_release: bool, analyse: Analyse = analysis
) -> Decision:
    """The decision with everything it rests on. first_release: there is no base; stands in for compare.json.

    analyse: how the sweep's checks follow from its runs.
    """
    found: ByCriterion = {name: [] for name in CRITERIA}
    beside: list[Finding] = []
    _suites(evidence, candidate, policy, found)
    if evidence.sweep is None:
        for name in _FROM_SWEEP:
            found[name].append(_absent(evidence.sources["sweep"], SWEEP_AGAIN))
    else:
        from_sweep, beside = sweep_findings(evidence.sweep, candidate, policy, analyse)
        for name, findings in from_sweep.items():
            found[name] += findings
    _regression(evidence, candidate, policy, found, first_release=first_release)
    found["sufficiency"] += _same_engines(evidence)
    found["sufficiency"] += [
        Finding(verdict="insufficient", text=problem, source=name, advice="Make the file anew.")
        for name, problem in evidence.unreadable.items()
    ]
    seconds = _seconds(evidence)
    criteria = [criterion(name, found[name], seconds[name]) for name in CRITERIA]
    verdict = gravest(one.verdict for one in criteria)
    go = all(one.verdict == "pass" for one in criteria)
    return Decision(
        decision="go" if go else "no-go",
        status=_status(verdict, unreadable=bool(evidence.unreadable), go=go),
        time=now(),
        commit=candidate.commit,
        engines=evidence.engines,
        first_release=first_release,
        criteria=criteria,
        beside=[*beside, _rollback(evidence.rollback, evidence.sources["rollback"], candidate.commit)],
        sources=list(evidence.sources.values()),
        machine=evidence.sweep.machine if evidence.sweep else None,
        policy=PolicyUsed(
            source=policy.source,
            fingerprint=policy.fingerprint,
            changed={key: (policy.value(key), policy.reason(key)) for key in policy.changed},
        ),
    )


def _status(verdict: str, *, unreadable: bool, go: bool) -> Status:
    if unreadable:
        return Status.USAGE
    if go:
        return Status.PASS
    return Status.FAIL if verdict in ("fail", "timeout") else Status.INSUFFICIENT


def _suites(evidence: Evidence, candidate: Candidate, policy: Policy, found: ByCriterion) -> None:
    """Criterion 3, from its two files."""
    parity, properties = evidence.parity, evidence.properties
    if parity is None:
        found["parity"].append(_absent(evidence.sources["parity"], AGAIN[PARITY]))
    else:
        engines = [entry.spec for entry in parity.engines]
        found["parity"] += [*parity_findings(parity, policy), *_origin(PARITY, parity, engines, candidate)]
    if properties is None:
        found["parity"].append(_absent(evidence.sources["properties"], AGAIN[PROPERTIES]))
    else:
        found["parity"] += property_findings(properties)
        found["parity"] += _origin(PROPERTIES, properties, properties.engines, candidate)


def _origin(source: str, report: Report, engines: Sequence[str], candidate: Candidate) -> list[Finding]:
    """Whether a report of the suites is about the candidate."""
    again = AGAIN[source]
    return [
        *commit_findings(source, report.commit, candidate.commit, again),
        *code_findings(source, engines, report.sources, candidate, again),
    ]


def _regression(
    evidence: Evidence, candidate: Candidate, policy: Policy, found: ByCriterion, *, first_release: bool
) -> None:
    if first_release:
        text = "first release: there is no base to compare with (--first-release)"
        found["regression"].append(Finding(verdict="pass", text=text, source="--first-release"))
    elif evidence.compare is None:
        advice = f"{COMPARE_AGAIN}`, or for a first release give `--first-release"
        found["regression"].append(_absent(evidence.sources["compare"], advice))
    else:
        found["regression"] += regression_findings(evidence.compare, evidence.sweep, candidate, policy)


def _same_engines(evidence: Evidence) -> list[Finding]:
    """Parity, properties and sweep have to be of the same engines."""
    named = {
        "parity.json": None if evidence.parity is None else {entry.spec for entry in evidence.parity.engines},
        "properties.json": None if evidence.properties is None else set(evidence.properties.engines),
    }
    if evidence.sweep is None:
        return []
    swept = set(evidence.sweep.code)
    return [
        Finding(
            verdict="insufficient",
            text=f"{name} is of {', '.join(sorted(engines)) or 'no engine'}, the sweep of {', '.join(sorted(swept))}",
            source=name,
            advice="Give pytest differential, pytest properties and python -m scale sweep the same --engine options.",
        )
        for name, engines in named.items()
        if engines is not None and engines != swept
    ]


def _seconds(evidence: Evidence) -> dict[CriterionId, float]:
    """What the evidence of each criterion took to measure; a sweep's runs serve several."""
    swept = sum(run.process_seconds or 0.0 for run in evidence.sweep.runs) if evidence.sweep else 0.0
    held = sum(test.seconds for test in evidence.parity.tests) if evidence.parity else 0.0
    held += sum(entry.seconds for entry in evidence.properties.checks) if evidence.properties else 0.0
    pairs = [
        pair for cell in evidence.compare.cells for pair in (cell.initial, cell.confirmation) if pair is not None
    ] if evidence.compare else []  # fmt: skip
    compared = sum(sum(pair.base) + sum(pair.candidate) for pair in pairs)
    return {**dict.fromkeys(_FROM_SWEEP, swept), "parity": held, "regression": swept + compared}


def _absent(source: Source, command: str) -> Finding:
    where = f" ({source.path})" if source.path else ""
    problem = source.problem if len(source.problem) < 80 else "cannot be read"
    text = f"the evidence `{source.name}` is missing{where}: {problem}"
    return Finding(verdict="insufficient", text=text, source=source.name, advice=f"Run `{command}`.")


def _rollback(drill: Rollback | None, source: Source, candidate: str | None) -> Finding:
    if drill is None:
        problem = "" if source.path is None else f" ({source.path}: {source.problem})"
        return Finding(verdict="info", text=f"Rollback drill: none on record{problem}", source="rollback.json")
    other = (
        ""
        if _same_code(drill.commit, candidate)
        else f", at commit {drill.commit or 'unknown'}, which is not the candidate"
    )
    return Finding(verdict="info", text=f"Rollback drill: {drill.told}{other}", source="rollback.json")


def _same_code(commit: str | None, candidate: str | None) -> bool:
    """A drill with uncommitted changes is of no commit."""
    return commit is not None and candidate is not None and "+" not in commit and same_commit(commit, candidate)
