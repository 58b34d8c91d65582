"""What a comparison with the base says for or against a release."""

from __future__ import annotations

import math
from collections.abc import Iterator
from statistics import median

from scale.gate.candidate import Candidate, commit_findings, same_commit
from scale.gate.record import Finding
from scale.policy import Policy
from scale.records import ComparedCell, Comparison, Sweep
from scale.status import Verdict

COMPARE = "compare.json"
AGAIN = "python -m scale compare --base-checkout DIR"


def regression_findings(
    comparison: Comparison, sweep: Sweep | None, candidate: Candidate, policy: Policy
) -> list[Finding]:
    """Everything that compare.json says; never better than its own verdict, nor than its pairs."""
    told = [
        f"{comparison.candidate.spec} against {comparison.base.spec} at {comparison.base.commit or 'no commit'}",
        f"{len(comparison.cells)} cells",
        "no geometric mean"
        if comparison.geometric_mean is None
        else f"geometric mean of the ratios {comparison.geometric_mean:.3f}",
    ]
    found = [_finding(comparison.verdict, ", ".join(told), f"See compare.md; then `{AGAIN}` on a quiet machine.")]
    found += [
        _finding(check.verdict, f"{check.title}: {check.evidence}", check.advice)
        for check in comparison.checks
        if check.verdict not in ("pass", "info")
    ]
    found += _pairs(comparison, policy)
    found += _fit_for_release(comparison, policy)
    found += commit_findings(COMPARE, comparison.commit, candidate.commit, AGAIN)
    if sweep is not None:
        found += _same_code(comparison, sweep)
    return found


def _pairs(comparison: Comparison, policy: Policy) -> Iterator[Finding]:
    """The ratios once more, from the pairs."""
    lost = [cell.cell.key for cell in comparison.cells if cell.verdict == "failed"]
    if lost:
        yield _finding("fail", f"{len(lost)} cells failed, such as {lost[0]}", "Their errors are in compare.md.")
    few = [cell.cell.key for cell in comparison.cells if _few(cell, policy)]
    if few or not comparison.cells:
        text = f"{len(few)} cells have too few pairs, such as {few[0]}" if few else "nothing was compared"
        yield _finding("insufficient", text, f"Run `{AGAIN}` without options that shorten it.")
    ratios = [ratio for cell in comparison.cells if (ratio := _ratio(cell))]
    if ratios:
        mean = math.exp(sum(map(math.log, ratios)) / len(ratios))
        limit = 1 + policy.regression.geometric_mean_above
        if mean > limit:
            yield _finding(
                "fail",
                f"the pairs of {COMPARE} give a geometric mean of {mean:.3f}, above {limit:g}",
                "Profile the slower cells, named in compare.md.",
            )


def _few(cell: ComparedCell, policy: Policy) -> bool:
    rounds = [(cell.initial, policy.regression.pairs_initial)]
    if cell.confirmation is not None:
        rounds.append((cell.confirmation, policy.regression.pairs_confirmation))
    return cell.verdict != "failed" and any(
        min(len(pairs.base), len(pairs.candidate)) < needed for pairs, needed in rounds
    )


def _ratio(cell: ComparedCell) -> float | None:
    pairs = cell.confirmation or cell.initial
    if not pairs.base or not pairs.candidate or median(pairs.base) <= 0 or median(pairs.candidate) <= 0:
        return None
    return median(pairs.candidate) / median(pairs.base)


def _fit_for_release(comparison: Comparison, policy: Policy) -> Iterator[Finding]:
    if comparison.advisory:
        yield _finding(
            "insufficient",
            f"{COMPARE} was made of stored files, which is advisory: no statistic repairs a comparison of two occasions",
            f"Run `{AGAIN}`, which interleaves both on one machine.",
        )
    base, candidate = comparison.base, comparison.candidate
    at_one = base.commit == candidate.commit or same_commit(base.commit or "", candidate.commit or "")
    if at_one and (base.spec == candidate.spec or base.fingerprint == candidate.fingerprint):
        text = f"base and candidate are both {base.spec} at {base.commit or 'no commit'}: nothing was compared"
        yield _finding("insufficient", text, "Check the base out at the last release's tag.")
    if comparison.finished is None:
        yield _finding("insufficient", "the comparison did not end", f"Run `{AGAIN}` again.")
    if comparison.policy != policy.fingerprint:
        yield _finding(
            "insufficient", "the comparison ran under another policy than the gate's", "Give both the same --policy."
        )


def _same_code(comparison: Comparison, sweep: Sweep) -> Iterator[Finding]:
    compared = comparison.candidate.fingerprint.split()  # of several engines, one after the other
    others = [spec for spec, code in sweep.code.items() if code.fingerprint not in compared]
    if others:
        text = f"the candidate of {COMPARE} is other code than the sweep measured: {', '.join(others)}"
        yield _finding(
            "insufficient", text, f"Run `{AGAIN}` and `python -m scale sweep` at one commit, with the same engines."
        )
    missing = [engine for engine in sweep.code if engine not in {cell.cell.engine for cell in comparison.cells}]
    if missing and comparison.cells:
        yield _finding(
            "insufficient",
            f"{COMPARE} did not compare {', '.join(missing)}, which the sweep measured",
            f"Run `{AGAIN}` with the sweep's engines.",
        )


def _finding(verdict: Verdict, text: str, advice: str) -> Finding:
    return Finding(verdict=verdict, text=text, source=COMPARE, advice="" if verdict in ("pass", "info") else advice)
