"""The properties: every invariant, relation, the life of a database, on every engine; or tables of another system (--results)."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from differential.plugin import RefusedError
from differential.session import Session
from differential.side import Side
from properties.check import Check, Violation
from properties.evidence import evidence_lines, evidence_of
from properties.finding import explain, finding_of
from properties.invariants import all_checks
from properties.plugin import keep_record, property_session
from properties.relations.catalogue import RELATIONS
from properties.report import EVERY_ENGINE, PropertyRecord
from properties.session import PropertySession
from properties.verdicts import invariant_verdict, relation_verdict, results_verdict
from properties.wider import ENVIRONMENT, LIFECYCLE, environment_verdict, lifecycle_verdict

SHOWN = 3
"""Violations of one check that are shown of another system's tables."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    session = property_session(metafunc.config)
    outside = session is not None and session.outside is not None
    engines = [] if session is None or outside else session.session.engines
    if "invariant" in metafunc.fixturenames:
        metafunc.parametrize("engine, invariant", _items(engines, list(all_checks().values()), "invariants"))
    elif "relation" in metafunc.fixturenames:
        metafunc.parametrize("engine, relation", _items(engines, [one.check for one in RELATIONS], "relations"))
    elif "rule" in metafunc.fixturenames:
        checks = [check for check in all_checks().values() if check.id != "I36"] if outside else []
        marks = [[pytest.mark.property(check.id, group="results")] for check in checks]
        metafunc.parametrize(
            "rule", [pytest.param(check, id=check.id, marks=mark) for check, mark in zip(checks, marks, strict=True)]
        )
    elif "engine" in metafunc.fixturenames:
        marked = [pytest.param(engine, id=engine, marks=_marks("run", engine, "invariants")) for engine in engines]
        metafunc.parametrize("engine", marked)
    elif "environment" in metafunc.fixturenames:
        marked = [
            pytest.param(engine, id=engine, marks=_marks(ENVIRONMENT.id, engine, "environment")) for engine in engines
        ]
        metafunc.parametrize("environment", marked)
    elif metafunc.function is test_lifecycle:
        one = (
            [pytest.param(EVERY_ENGINE, id="-".join(engines), marks=_marks(LIFECYCLE.id, "all", "lifecycle"))]
            if engines
            else []
        )
        metafunc.parametrize("every", one)


def _items(engines: Sequence[str], checks: Sequence[Check], group: str) -> list[object]:
    return [
        pytest.param(engine, check, id=f"{engine}-{check.id}", marks=_marks(check.id, engine, group))
        for engine in engines
        for check in checks
    ]


def _marks(check: str, engine: str, group: str) -> list[pytest.MarkDecorator]:
    """Under pytest-xdist, the checks of one engine stay in one process, which runs it once for all of them."""
    name = f"{group}[{engine}]"
    return [pytest.mark.property(check, group=name), pytest.mark.xdist_group(name)]


def test_run(engine: str, properties: PropertySession, request: pytest.FixtureRequest) -> None:
    """Every run of the engine ends in a result."""
    found = properties.invariants(engine)
    record = PropertyRecord("run", "Every run ends in a result", engine, worlds=found.worlds, seconds=found.seconds)
    try:
        if found.raised:
            _tell_raised(engine, record, properties)
        assert found.worlds > 0, "no world was run"
        record.status = "pass"
    finally:
        keep_record(request.node, record)


def test_invariant(engine: str, invariant: Check, properties: PropertySession, request: pytest.FixtureRequest) -> None:
    """One invariant holds in every run of the engine."""
    found = properties.invariants(engine)
    if not found.worlds:
        pytest.skip("the engine has no result for any world")
    record = PropertyRecord(invariant.id, invariant.title, engine)
    try:
        record, text = invariant_verdict(found, invariant, engine, properties)
        _conclude(record, text)
    finally:
        keep_record(request.node, record)


def test_relation(engine: str, relation: Check, properties: PropertySession, request: pytest.FixtureRequest) -> None:
    """One relation holds between runs of the engine, whose proofs bear it."""
    record = PropertyRecord(relation.id, relation.title, engine)
    try:
        _skip_costly(record, properties)
        outcome = properties.relations(engine)[relation.id]
        record, text = relation_verdict(outcome, relation, engine, properties)
        _conclude(record, text)
    finally:
        keep_record(request.node, record)


def test_lifecycle(every: str, properties: PropertySession, request: pytest.FixtureRequest) -> None:
    """A database file holds the rows of clean runs whatever its life was."""
    record = PropertyRecord(LIFECYCLE.id, LIFECYCLE.title, every)
    try:
        _skip_costly(record, properties)
        record, text = lifecycle_verdict(properties)
        _conclude(record, text)
    finally:
        keep_record(request.node, record)


def test_environment(environment: str, properties: PropertySession, request: pytest.FixtureRequest) -> None:
    """The environment of the process changes no row of an engine."""
    record = PropertyRecord(ENVIRONMENT.id, ENVIRONMENT.title, environment)
    try:
        _skip_costly(record, properties)
        record, text = environment_verdict(environment, properties)
        _conclude(record, text)
    finally:
        keep_record(request.node, record)


def test_results(rule: Check, properties: PropertySession, request: pytest.FixtureRequest) -> None:
    """One invariant holds in the tables of --results."""
    record, counted = results_verdict(properties.outside_found, rule, properties)
    try:
        _conclude(record, _results_text(rule, record, counted, properties) if counted else "")
    finally:
        keep_record(request.node, record)


def _skip_costly(record: PropertyRecord, properties: PropertySession) -> None:
    """What takes many runs is left out where each takes minutes, and said: `pytest differential` compares such runs."""
    if properties.session.costly:
        record.status, record.reason = "not checked", "it takes many runs, and a run of an engine here takes minutes"
        pytest.skip(f"not checked: {record.reason}")


def _conclude(record: PropertyRecord, text: str) -> None:
    """What is off or was not checked is no pass, and what is only warned of no failure."""
    if record.status == "refused":
        raise RefusedError(text)
    if record.status == "fail":
        pytest.fail(text, pytrace=False)
    if record.status == "off":
        pytest.skip(f"off: {'; '.join(record.rules)}")
    if record.status == "not checked":
        pytest.skip(
            f"not checked without {', '.join(sorted(set(record.unchecked.values()))) or 'anything to hold it to'}"
        )
    if record.status == "warn":
        pytest.xfail(f"{record.reason}; {'; '.join(record.rules)}")


def _tell_raised(engine: str, record: PropertyRecord, properties: PropertySession) -> None:
    session: Session = properties.session
    failed = min(properties.invariants(engine).raised, key=lambda one: one.size)
    record.status, record.broken = "fail", len(properties.invariants(engine).raised)
    record.reason = (failed.error or "").splitlines()[0].partition(":")[0]
    finding = finding_of(session, Side(engine), failed.world, error=failed.error)
    text, path = explain(finding, session)
    record.bundle, record.signature = str(path), finding.signature
    pytest.fail(text, pytrace=False)


def _results_text(
    check: Check, record: PropertyRecord, counted: Sequence[Violation], properties: PropertySession
) -> str:
    assert properties.outside is not None
    results = properties.outside.results()
    lines = [f"{check.id} {check.title}: {check.sentence}"]
    for clause in dict.fromkeys(violation.clause for violation in counted):
        mine = [violation for violation in counted if violation.clause == clause]
        lines += ["", f"clause {clause}: {check.clauses.get(clause, 'the rows cannot be judged')}"]
        lines.append(f"  does not hold in {record.clauses.get(clause, len(mine))} places, such as")
        for one in mine[:SHOWN]:
            where = " ".join(str(part) for part in (one.employee_id, one.year, one.event_type) if part is not None)
            lines.append(f"  {where}: found {one.found}, expected {one.expected}")
        for paragraph in evidence_lines(evidence_of(results[mine[0].world], mine[0]), mine[0], check):
            lines += ["", *(f"  {line}" for line in paragraph)]
    return "\n".join(lines) + "\n"
