"""The gate: go on clean evidence, and no-go on each defect of it, with the sentence and the status that belong to it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from scale.gate.candidate import Candidate
from scale.gate.decide import decide
from scale.gate.evidence import read_evidence
from scale.gate.measured import analysis
from scale.gate.record import CRITERIA, CriterionId, Decision
from scale.gate.testing import (
    ATTACHED,
    CANDIDATE,
    COMMIT,
    ENGINES,
    action,
    check,
    clean_evidence,
    drill,
    passing,
    written,
)
from scale.policy import Policy
from scale.records import Check, Criterion, Series, Sweep
from scale.status import Status, Verdict

POLICY = Policy.load()


def decided(
    evidence: dict[str, Any],
    folder: Path,
    candidate: Candidate = CANDIDATE,
    *,
    first_release: bool = False,
    analyse: Any = passing,
) -> Decision:
    return decide(
        read_evidence(written(evidence, folder)), candidate, POLICY, first_release=first_release, analyse=analyse
    )


def said(decision: Decision, criterion: str) -> str:
    one = next(one for one in decision.criteria if one.id == criterion)
    return "\n".join(f"{found.text} > {found.advice}" for found in one.objections)


def test_clean_evidence_is_a_go_with_its_numbers(tmp_path: Path) -> None:
    decision = decided(clean_evidence(), tmp_path)

    assert [(one.id, one.verdict) for one in decision.criteria] == [(name, "pass") for name in CRITERIA]
    assert (decision.decision, decision.status) == ("go", Status.PASS)
    assert all(one.evidence and one.seconds >= 0 and not one.recommendations for one in decision.criteria)
    assert all(source.sha256 for source in decision.sources if source.name != "rollback")
    parity = next(one for one in decision.criteria if one.id == "parity")
    assert any(
        "comparisons of sql, polars pass" in found.text and "least score 1" in found.text for found in parity.evidence
    )


def test_a_first_release_needs_no_base_and_is_recorded_as_such(tmp_path: Path) -> None:
    decision = decided(clean_evidence() | {"compare": None}, tmp_path, first_release=True)

    assert decision.decision == "go" and decision.first_release
    assert any("--first-release" in found.source for one in decision.criteria for found in one.evidence)


Spoil = Callable[[dict[str, Any]], Any]
FAIL, LACKING, USAGE = Status.FAIL, Status.INSUFFICIENT, Status.USAGE


def _put(name: str, **changes: Any) -> Spoil:
    return lambda evidence: evidence[name].update(changes)


def _test(**changes: Any) -> Spoil:
    return lambda evidence: evidence["parity"]["tests"][0].update(changes)


def _check(**changes: Any) -> Spoil:
    return lambda evidence: next(one for one in evidence["properties"]["checks"] if one["check"] == "I19").update(
        changes
    )


_LOW = {"count": 1.0, "overlap": 0.0, "value": 0.0}
DEFECTS: dict[str, tuple[Spoil, CriterionId, Status, str]] = {
    # what failed
    "a comparison fails": (_test(status="fail", reason="3 worlds differ"), "parity", FAIL, "3 worlds differ"),
    "counts are equal and people are not": (_test(scores=_LOW), "parity", FAIL, "score 0, exactly 1 is needed"),
    "worlds that differ under a pass": (_test(failed=1), "parity", FAIL, r"sql_vs_polars\[sql-polars\]"),
    "a property fails": (
        _check(status="fail", reason="a on 2 worlds", broken=2), "parity", FAIL, r"I19\[sql\]: fail",
    ),
    "a broken property is excused": (_check(status="warn", broken=2), "parity", FAIL, "warn: broken on 2"),
    "broken worlds under a pass": (_check(broken=1), "parity", FAIL, "broken on 1"),
    "a broken property is off": (_check(status="off", broken=1), "parity", FAIL, "off: broken on 1"),
    "a test without a record fails": (_put("parity", exit_status=1), "parity", FAIL, "as a regression can"),
    "a comparison policy is stale": (
        lambda e: e["parity"]["stale_policy_entries"].append({"entry": "ignore.created_at", "why": "past its end date"}),
        "parity", FAIL, "ignore.created_at is stale",
    ),
    "a rule is past its date": (
        lambda e: e["properties"]["stale_rules"].append("I06 warn"), "parity", FAIL, "past its end date",
    ),
    "the comparison found a regression": (_put("compare", verdict="fail"), "regression", FAIL, "geometric mean"),
    "pairs are slower than the verdict says": (
        lambda e: [cell["initial"].update(candidate=[1.2] * 10) for cell in e["compare"]["cells"]], "regression", FAIL, "1.200",
    ),
    "a compared cell failed": (
        lambda e: e["compare"]["cells"][0].update(verdict="failed"), "regression", FAIL, "1 cells failed",
    ),
    # what is missing
    "no parity": (lambda e: e.update(parity=None), "parity", LACKING, "`parity` is missing: not given"),
    "no properties": (lambda e: e.update(properties=None), "parity", LACKING, "`properties` is missing"),
    "no sweep": (lambda e: e.update(sweep=None), "linear", LACKING, "`sweep` is missing"),
    "no comparison": (
        lambda e: e.update(compare=None), "regression", LACKING, "for a first release give `--first-release`",
    ),
    # a status that is no pass, whatever stands beside it
    "an error with score 1": (_test(status="error", reason="ValueError"), "parity", LACKING, "error: ValueError"),
    "refused": (_test(status="refused", reason="one path"), "parity", LACKING, "refused: one path"),
    "unproven": (_test(status="unproven"), "parity", LACKING, "unproven"),
    "unfinished": (_test(status="unfinished"), "parity", LACKING, "unfinished"),
    "a refused property": (_check(status="refused"), "parity", LACKING, "refused"),
    "off": (_check(status="off"), "parity", LACKING, "off"),
    "not checked": (_check(status="not checked"), "parity", LACKING, "not checked"),
    "an unchecked clause": (_check(unchecked={"a": "nothing was held"}), "parity", LACKING, "nothing was held"),
    "an axis that the engine has": (_check(unchecked={"a": "sql has no shards"}), "parity", LACKING, "no shards"),
    # too little of it
    "profile quick": (_put("parity", profile="quick"), "parity", LACKING, "profile quick, which draws too few"),
    "profile quick of properties": (_put("properties", profile="quick"), "parity", LACKING, "profile quick"),
    "an unknown profile": (_put("parity", profile="mine"), "parity", LACKING, "profile mine"),
    "only some parity tests": (
        lambda e: e["parity"]["tests"].pop(5), "parity", LACKING, "1 of 35 planned entries of parity.json are missing",
    ),
    "only some variants": (
        lambda e: next(t for t in e["parity"]["tests"] if len(t["variants"]) > 1)["variants"].pop(),
        "parity", LACKING, "other variants were compared",
    ),
    "only some checks": (
        lambda e: e["properties"]["checks"].pop(9), "parity", LACKING, "planned entries of properties.json are missing: I",
    ),
    "no life of a database": (lambda e: e["properties"]["checks"].pop(), "parity", LACKING, r"lifecycle\[\*\]"),
    "one engine's properties": (
        _put("properties", engines=["sql"]), "sufficiency", LACKING, "properties.json is of sql, the sweep of polars, sql",
    ),
    "few worlds": (_test(worlds=40), "parity", LACKING, "only 40 worlds were compared, profile ci draws 3100"),
    "few worlds judged": (_check(worlds=40), "parity", LACKING, "only 40 worlds were judged"),
    "no world": (lambda e: e["parity"]["tests"][-1].update(worlds=0), "parity", LACKING, "only 0 worlds"),
    "an edge never met": (
        lambda e: e["parity"]["coverage"]["labels"].update({"leap day": 0}), "parity", LACKING, "never met leap day",
    ),
    "no coverage": (_put("parity", coverage=None), "parity", LACKING, "which event types"),
    "a given census": (_put("parity", given_census=True), "parity", LACKING, "slices of a given census"),
    "interrupted": (_put("properties", exit_status=2), "parity", LACKING, "ended early, with status 2"),
    "tables of another system": (_put("properties", results="run.duckdb"), "parity", LACKING, "no engine ran"),
    "a report that calls itself unfinished": (_put("parity", status="unfinished"), "parity", LACKING, "calls itself"),
    "a sweep that stopped": (_put("sweep", complete=False), "sufficiency", LACKING, "did not run to its end"),
    "a sweep of some scenarios": (
        lambda e: e["sweep"].update(planned=[cell for cell in e["sweep"]["planned"] if cell[0]["employees"] < 50_000]),
        "sufficiency", LACKING, "scenarios threading, series, levels",
    ),
    "a comparison with few pairs": (
        lambda e: e["compare"]["cells"][0].update(initial={"base": [1.0], "candidate": [1.0]}),
        "regression", LACKING, "too few pairs",
    ),
    "a comparison of nothing": (_put("compare", cells=[]), "regression", LACKING, "nothing was compared"),
    "a comparison without an engine": (
        lambda e: e["compare"]["cells"].pop(), "regression", LACKING, "did not compare polars",
    ),
    # of something else
    "parity of another commit": (
        _put("parity", commit="ffffffffffff"), "parity", LACKING, "is of commit ffffffffffff",
    ),
    "parity with uncommitted changes": (
        _put("parity", commit="0123456789ab+"), "parity", LACKING, "uncommitted changes",
    ),
    "parity of other sources": (
        lambda e: e["parity"]["sources"].update(sql="else"), "parity", LACKING, "parity.json is of other code of engine sql",
    ),
    "properties of unknown sources": (
        lambda e: e["properties"]["sources"].pop("sql"), "parity", LACKING, "does not say which code of engine sql",
    ),
    "parity of no commit": (_put("parity", commit=None), "parity", LACKING, "names no commit"),
    "properties of another commit": (
        _put("properties", commit="ffffffffffff"), "parity", LACKING, "of commit ffffff",
    ),
    "a sweep of another commit": (_put("sweep", commit="ffffffffffff"), "sufficiency", LACKING, "results.json is of"),
    "a sweep of other sources": (
        lambda e: e["sweep"]["code"]["sql"].update(fingerprint="else"), "sufficiency", LACKING, "other code of engine sql",
    ),
    "a comparison of another commit": (
        _put("compare", commit="ffffffffffff"), "regression", LACKING, "of commit fff",
    ),
    "a comparison of other code": (
        lambda e: e["compare"]["candidate"].update(fingerprint="else"), "regression", LACKING, "other code than the sweep",
    ),
    "a comparison with itself": (
        lambda e: e["compare"]["base"].update(commit="0123456789ab"), "regression", LACKING, "both sql, polars at",
    ),
    "parity of other engines": (
        lambda e: e["parity"]["engines"].append({"spec": "oracle"}), "sufficiency", LACKING, "parity.json is of oracle, pol",
    ),
    "another policy in the sweep": (_put("sweep", policy="else"), "sufficiency", LACKING, "another policy"),
    "another policy in the comparison": (_put("compare", policy="else"), "regression", LACKING, "another policy"),
    "stored files compared": (_put("compare", advisory=True), "regression", LACKING, "advisory"),
    "a comparison that stopped": (_put("compare", finished=None), "regression", LACKING, "did not end"),
    # not to be read
    "parity is cut": (lambda e: e.update(parity='{"schema'), "sufficiency", USAGE, r"parity\.json: Invalid JSON"),
    "parity of another version": (_put("parity", schema_version=9), "sufficiency", USAGE, "schema_version"),
    "a score above 1": (_test(scores=_LOW | {"value": 2}), "sufficiency", USAGE, r"tests\.0\.scores\.value"),
    "the sweep is no sweep": (lambda e: e.update(sweep="[]"), "sufficiency", USAGE, "is it a file that"),
}  # fmt: skip


@pytest.mark.parametrize("name", DEFECTS)
def test_a_defect_of_the_evidence_is_a_no_go_that_says_why(name: str, tmp_path: Path) -> None:
    spoil, criterion, status, sentence = DEFECTS[name]
    evidence = clean_evidence()
    spoil(evidence)

    decision = decided(evidence, tmp_path)

    assert (decision.decision, decision.status) == ("no-go", status), said(decision, criterion)
    assert re.search(sentence, said(decision, criterion)), said(decision, criterion)
    assert all(found.advice for one in decision.criteria for found in one.objections), "an objection without advice"


@pytest.mark.parametrize(("score", "go"), [(1.0, True), (0.9999, True), (0.99989, False)])
def test_an_attached_engine_is_held_to_the_policys_threshold_and_not_to_the_files(
    score: float, go: bool, tmp_path: Path
) -> None:
    evidence = clean_evidence(("sql", ATTACHED))
    evidence["parity"]["tests"][0].update(
        failed=0, threshold=0.5, scores={"count": 1.0, "overlap": 1.0, "value": score}
    )

    decision = decided(evidence, tmp_path)

    assert decision.decision == ("go" if go else "no-go"), said(decision, "parity")
    assert go or "score 0.99989, 0.9999 is needed" in said(decision, "parity")


@pytest.mark.parametrize(
    ("candidate", "sentence"),
    [
        (Candidate(None), "does not run in a git checkout"),
        (replace(CANDIDATE, commit="0123456789ab+"), "has uncommitted changes"),
        (replace(CANDIDATE, commit="abcdef012345"), "the candidate is abcdef012345"),
        (replace(CANDIDATE, codes={}, problems={"sql": "gone"}), "cannot be told: gone"),
    ],
)
def test_evidence_counts_for_its_own_commit_and_sources_only(
    candidate: Candidate, sentence: str, tmp_path: Path
) -> None:
    decision = decided(clean_evidence(), tmp_path, candidate)

    assert (decision.decision, decision.status) == ("no-go", Status.INSUFFICIENT)
    assert sentence in said(decision, "sufficiency")


@pytest.mark.parametrize(("verdict", "status"), [
    ("fail", FAIL), ("timeout", FAIL), ("inconclusive", LACKING), ("insufficient", LACKING),
])  # fmt: skip
@pytest.mark.parametrize("criterion", ["linear", "memory", "parity", "threads", "regression", "sufficiency"])
def test_each_criterion_decides_by_the_checks_made_anew(
    criterion: Criterion, verdict: Verdict, status: Status, tmp_path: Path
) -> None:
    evidence = clean_evidence()
    evidence["sweep"]["verdict"] = "pass"
    evidence["sweep"]["checks"] = [check(criterion, "sql").model_dump()]  # what the file claims

    def analyse(sweep: Sweep, policy: Policy) -> tuple[list[Series], list[Check]]:
        series, checks = passing(sweep, policy)
        return series, [*checks, check(criterion, "sql", verdict)]

    decision = decided(evidence, tmp_path, analyse=analyse)

    assert (decision.decision, decision.status) == ("no-go", status)
    assert [one.id for one in decision.criteria if one.verdict != "pass"] == [criterion]


@pytest.mark.parametrize("missing", ["memory", "threads", "regression", "sufficiency"])
def test_an_engine_of_which_nothing_was_judged_is_insufficient(missing: str, tmp_path: Path) -> None:
    def analyse(sweep: Sweep, policy: Policy) -> tuple[list[Series], list[Check]]:
        series, checks = passing(sweep, policy)
        shown = [
            one.model_copy(update={"verdict": "info"}) if (one.criterion, one.engine) == (missing, "polars") else one
            for one in checks
        ]
        return series, shown

    decision = decided(clean_evidence(), tmp_path, analyse=analyse)

    assert decision.status == Status.INSUFFICIENT
    assert "nothing was judged of engine polars" in said(decision, missing)


@pytest.mark.parametrize("fit", ["linear", "power"])
def test_linear_scaling_needs_both_the_line_and_the_exponent(fit: str, tmp_path: Path) -> None:
    def analyse(sweep: Sweep, policy: Policy) -> tuple[list[Series], list[Check]]:
        series, checks = passing(sweep, policy)
        return [series[0].model_copy(update={fit: None}), *series[1:]], checks

    decision = decided(clean_evidence(), tmp_path, analyse=analyse)

    assert decision.status == Status.INSUFFICIENT
    assert f"engine {ENGINES[0]} has no" in said(decision, "linear")


def test_a_sweep_that_claims_to_pass_and_has_no_runs_is_judged_anew(tmp_path: Path) -> None:
    evidence = clean_evidence()
    evidence["sweep"].update(verdict="pass", checks=[check(name, "all").model_dump() for name in CRITERIA])

    decision = decided(evidence, tmp_path, analyse=analysis)

    assert decision.status == Status.INSUFFICIENT
    assert {one.id for one in decision.criteria if one.verdict == "pass"} == set()


def test_runs_that_cannot_be_judged_are_no_go_and_no_traceback(tmp_path: Path) -> None:
    def analyse(sweep: Sweep, policy: Policy) -> tuple[list[Series], list[Check]]:
        raise KeyError("state")

    decision = decided(clean_evidence(), tmp_path, analyse=analyse)

    assert (decision.decision, decision.status) == ("no-go", Status.INSUFFICIENT)
    assert "cannot be judged: KeyError: 'state'" in said(decision, "sufficiency")


def test_a_failure_wins_over_missing_evidence(tmp_path: Path) -> None:
    evidence = clean_evidence() | {"properties": None}
    _test(status="fail")(evidence)

    assert decided(evidence, tmp_path).status == Status.FAIL


def test_what_is_shown_beside_never_decides(tmp_path: Path) -> None:
    def analyse(sweep: Sweep, policy: Policy) -> tuple[list[Series], list[Check]]:
        series, checks = passing(sweep, policy)
        return series, [*checks, check("beside", "sql", "fail")]

    decision = decided(clean_evidence() | {"rollback": drill(result="fail")}, tmp_path, analyse=analyse)

    assert decision.decision == "go"
    assert any("FAILED on 2026-01-02: to v1 in 61 s" in found.text for found in decision.beside)
    assert any("none on record" in found.text for found in decided(clean_evidence(), tmp_path).beside)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({}, "passed on 2026-01-02: to v1 in 61 s; state abababababab"),
        ({"seconds": 700.0}, "OVER its target of 600 s"),
        ({"agreement": "differs"}, "tables differs"),
        ({"result": "interrupted"}, "was INTERRUPTED"),
        ({"actions": [action("validate")]}, "nothing was rehearsed"),
        ({"commit": "ba9876543210"}, "at commit ba9876543210, which is not the candidate"),
        ({"commit": f"{COMMIT}+"}, "which is not the candidate"),
    ],
)
def test_a_drill_is_told_as_what_it_was(tmp_path: Path, changes: dict[str, Any], told: str) -> None:
    decision = decided(clean_evidence() | {"rollback": drill(**changes)}, tmp_path)

    (text,) = [found.text for found in decision.beside if found.source == "rollback.json"]
    assert told in text


def test_a_drill_written_by_hand_is_not_one(tmp_path: Path) -> None:
    decision = decided(
        clean_evidence() | {"rollback": {"finished": "2026-01-02", "tag": "v1", "result": "pass"}}, tmp_path
    )

    assert any("none on record" in found.text for found in decision.beside)
