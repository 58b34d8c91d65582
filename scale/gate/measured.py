"""What a sweep says for or against a release. Its checks are computed again from its runs; those that it holds are not trusted."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator

from scale.gate.candidate import Candidate, code_findings, commit_findings
from scale.gate.record import CriterionId, Finding
from scale.policy import Policy
from scale.records import Check, Series, Sweep
from scale.scenarios import PRESETS, product_of, scenario

SWEEP = "results.json"
AGAIN = "python -m scale sweep"
REQUIRED = PRESETS["standard"]
"""Scenarios whose every cell a release needs; more may be measured."""
PER_ENGINE: tuple[CriterionId, ...] = ("memory", "threads", "regression", "sufficiency")
"""Criteria of which each engine needs a check of its own that was judged; `linear` has its own rule."""

ByCriterion = dict[CriterionId, list[Finding]]
Analyse = Callable[[Sweep, Policy], tuple[list[Series], list[Check]]]


def analysis(sweep: Sweep, policy: Policy) -> tuple[list[Series], list[Check]]:
    """The sweep's own judgement, made now."""
    from scale.sweep.analysis import analyse

    return analyse(sweep, policy)


def sweep_findings(
    sweep: Sweep, candidate: Candidate, policy: Policy, analyse: Analyse = analysis
) -> tuple[ByCriterion, list[Finding]]:
    """Findings by criterion, and what is shown beside. analyse: how checks follow from runs."""
    found: dict[CriterionId, list[Finding]] = defaultdict(list)
    try:
        series, checks = analyse(sweep, policy)
    except Exception as error:  # noqa: BLE001 - a file may hold any runs; without a decision an earlier step's go would stand
        text = f"the runs of {SWEEP} cannot be judged: {type(error).__name__}: {error}"
        found["sufficiency"].append(_missing(text, f"Run `{AGAIN}` again at this commit."))
        series, checks = [], []
    beside = [_of_check(check) for check in checks if check.criterion == "beside"]
    for check in checks:
        if check.criterion != "beside":
            found[check.criterion].append(_of_check(check))
    for engine in sweep.code:
        found["linear"] += _both_fits(engine, series)
        for name in PER_ENGINE:
            if not any(
                check.criterion == name and check.verdict != "info" and check.engine in (engine, "all")
                for check in checks
            ):
                found[name].append(
                    _missing(f"nothing was judged of engine {engine}", f"Run `{AGAIN}` with all its scenarios.")
                )
    found["sufficiency"] += [*_whole(sweep, policy), *commit_findings(SWEEP, sweep.commit, candidate.commit, AGAIN)]
    fingerprints = {spec: code.fingerprint for spec, code in sweep.code.items()}
    found["sufficiency"] += code_findings(SWEEP, list(sweep.code), fingerprints, candidate, AGAIN)
    return dict(found), beside


def _of_check(check: Check) -> Finding:
    whose = "" if check.engine == "all" else f", {check.engine}"
    return Finding(
        verdict=check.verdict, text=f"{check.title}{whose}: {check.evidence}", source=SWEEP, advice=check.advice
    )


def _both_fits(engine: str, series: list[Series]) -> Iterator[Finding]:
    """Time over employees needs the line and the exponent: either alone passes engines that it should not."""
    mine = [one for one in series if (one.engine, one.axis, one.quantity) == (engine, "employees", "seconds")]
    for name, fits in (("straight line", [one.linear for one in mine]), ("exponent", [one.power for one in mine])):
        if not any(fit is not None and fit.get("verdict") == "pass" for fit in fits):
            text = f"engine {engine} has no {name} of time over employees that passes"
            yield _missing(text, f"Run `{AGAIN}` with the scenario `series`.")


def _whole(sweep: Sweep, policy: Policy) -> Iterator[Finding]:
    """Whether this is a whole sweep, of what a release needs, under the policy of the gate."""
    if not sweep.complete or sweep.finished is None:
        yield _missing("the sweep did not run to its end", f"Run `{sweep.command}` again: it goes on where it stopped.")
    planned = {cell for cell, _ in sweep.planned}
    lacking = [
        name
        for name in REQUIRED
        if any(cell not in planned for cell, _ in product_of([scenario(name)], list(sweep.code)))
    ]
    if lacking or not sweep.code:
        yield _missing(
            f"the sweep lacks all or part of the scenarios {', '.join(lacking) or '(no engine at all)'}",
            f"Run `{AGAIN}` without --quick and --scenario.",
        )
    if sweep.policy != policy.fingerprint:
        yield _missing(
            "the sweep ran under another policy than the gate's, so that rounds may be missing that this one asks for",
            f"Give both the same --policy: run `{AGAIN}` again, or the gate with the sweep's file.",
        )


def _missing(text: str, advice: str) -> Finding:
    return Finding(verdict="insufficient", text=text, source=SWEEP, advice=advice)
