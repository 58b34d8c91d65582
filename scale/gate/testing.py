"""Evidence of a clean release, made up: every planned entry there and passing. Tests spoil one thing at a time."""

from __future__ import annotations

import copy
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from differential.cases import Case, all_cases, border_case
from differential.profiles import PROFILES
from properties.report import EVERY_ENGINE
from properties.session import catalogue
from scale.gate.candidate import Candidate
from scale.gate.evidence import Paths
from scale.gate.measured import REQUIRED
from scale.policy import Policy
from scale.records import Cell, Check, Code, Criterion, Machine, Series, Sweep
from scale.scenarios import product_of, scenario

COMMIT = "0123456789ab"
ENGINES = ("sql", "polars")
ATTACHED = "scale.gate.testing:Attached"
CODES = {
    engine: Code(spec=engine, commit=COMMIT, fingerprint=f"sources-of-{engine}") for engine in (*ENGINES, ATTACHED)
}
CANDIDATE = Candidate(COMMIT, CODES)
JUDGED: tuple[Criterion, ...] = ("linear", "memory", "threads", "regression", "sufficiency")


class Attached:
    """An engine that comes from elsewhere; nothing runs it here."""

    name = "attached"

    def run(self, worlds: object, variant: object) -> NoReturn:
        raise NotImplementedError


def clean_evidence(engines: Sequence[str] = ENGINES) -> dict[str, Any]:
    """The four files as plain data, by name."""
    made = {
        "parity": _parity(engines), "properties": _properties(engines), "sweep": _sweep(engines), "compare": _compare(engines),
    }  # fmt: skip
    return copy.deepcopy(made)


def action(name: str) -> dict[str, Any]:
    """One command of a drill, as rollback.json has it."""
    return {"action": name, "started": "2026-01-01", "finished": "2026-01-02", "seconds": 61.0, "result": "pass"}


def drill(**changes: Any) -> dict[str, Any]:
    """rollback.json of a drill that went back and passed."""
    return {
        "tag": "v1", "tag_commit": "cd" * 20, "commit": COMMIT, "engine": "sql", "finished": "2026-01-02", "seconds": 61.0,
        "result": "pass", "agreement": "equal", "hashes": {"state": "ab" * 32}, "actions": [action("execute")], **changes,
    }  # fmt: skip


def written(evidence: dict[str, Any], folder: Path) -> Paths:
    """The files on disk; one that is None is not given, text is written as it is."""
    paths: dict[str, Path | None] = {}
    for name, data in evidence.items():
        path = folder / f"{name}.json"
        if data is not None:
            path.write_text(data if isinstance(data, str) else json.dumps(data))
        paths[name] = None if data is None else path
    return Paths(**paths)


def passing(sweep: Sweep, _policy: Policy) -> tuple[list[Series], list[Check]]:
    """What scale.sweep.analysis says of a clean sweep, in form."""
    checks = [check(name, engine) for engine in sweep.code for name in JUDGED]
    fit: dict[str, float | str] = {"verdict": "pass"}
    series = [
        Series(
            engine=engine, level="high", axis="employees", quantity="seconds", rest="5 years", points=[], linear=fit, power=fit
        )
        for engine in sweep.code
    ]  # fmt: skip
    return series, [*checks, check("parity", "all")]


def check(criterion: Criterion, engine: str, verdict: Any = "pass") -> Check:
    """A check of one criterion."""
    return Check(
        id=criterion,
        title=criterion,
        criterion=criterion,
        engine=engine,
        verdict=verdict,
        evidence="measured",
        advice="",
    )


def _parity(engines: Sequence[str]) -> dict[str, Any]:
    cases = [*all_cases(engines), border_case(engines)]
    return {
        "schema_version": 1, "status": "pass", "exit_status": 0, "commit": COMMIT, "profile": "ci", "minutes": None,
        "given_census": False, "engines": [{"spec": engine, "versions": {}} for engine in engines],
        "tests": [_comparison(case) for case in cases], "coverage": {"worlds": 3_100, "labels": {"hire": 9, "leap day": 1}},
        "stale_policy_entries": [], "libraries": {}, "seed": 0, "sources": _sources(engines),
    }  # fmt: skip


def _comparison(case: Case) -> dict[str, Any]:
    profile = PROFILES["ci"]
    worlds = 6 if case.inputs == "borders" else profile.worlds if case.size == "worlds" else profile.axis_worlds
    variants = [{"left": left.to_json(), "right": right.to_json()} for left, right in case.pairs]
    return {
        "test": case.test, "name": case.name, "status": "pass", "reason": "", "worlds": worlds + 1, "skipped": 0, "failed": 0,
        "scores": {"count": 1.0, "overlap": 1.0, "value": 1.0}, "variants": variants, "bundle": None, "seconds": 1.5,
    }  # fmt: skip


def _properties(engines: Sequence[str]) -> dict[str, Any]:
    pairs = [(engine, name) for engine in engines for name in ("run", *catalogue(), "M22")]
    entries: list[dict[str, Any]] = [
        {
            "check": name, "engine": engine, "status": "pass", "reason": "", "broken": 0, "clauses": {}, "unchecked": {},
            "worlds": PROFILES["ci"].worlds, "bundle": None, "seconds": 0.5, "title": name,
        }
        for engine, name in [*pairs, (EVERY_ENGINE, "lifecycle")]
    ]  # fmt: skip
    return {
        "schema_version": 1, "status": "pass", "exit_status": 0, "commit": COMMIT, "profile": "ci", "minutes": None,
        "given_census": False, "engines": list(engines), "results": None, "checks": entries, "stale_rules": [],
        "sources": _sources(engines),
    }  # fmt: skip


def _machine() -> Machine:
    return Machine(
        fingerprint="m",
        processor="a processor",
        cores=2,
        memory=24 * 10**9,
        system="Linux",
        python="3.11",
        libraries={},
    )


def _sweep(engines: Sequence[str]) -> dict[str, Any]:
    planned = product_of([scenario(name) for name in REQUIRED], engines)
    sweep = Sweep(
        run_id="r", started="2026-01-31T10:00:00+00:00", finished="2026-01-31T10:20:00+00:00", complete=True,
        command="python -m scale sweep", commit=COMMIT, code={engine: CODES[engine] for engine in engines},
        machine=_machine(), policy=Policy.load().fingerprint, repetitions=3, planned=planned, runs=[],
    )  # fmt: skip
    plain: dict[str, Any] = sweep.model_dump(mode="json")
    return plain


def _compare(engines: Sequence[str]) -> dict[str, Any]:
    pairs = {"base": [1.0] * 10, "candidate": [1.01] * 10}
    cells = [
        {
            "cell": Cell(engine=engine, employees=5_000, years=5).model_dump(), "initial": pairs, "ratio": 1.01, "p_value": 0.4,
            "verdict": "unchanged", "same_results": True,
        }
        for engine in engines
    ]  # fmt: skip
    return {
        "run_id": "c", "started": "2026-01-31T10:30:00+00:00", "finished": "2026-01-31T10:40:00+00:00", "command": "compare",
        "commit": COMMIT, "base": {"spec": "sql, polars", "commit": "fedcba987654", "fingerprint": "before before"},
        "candidate": _all_code(engines), "machine": _machine().model_dump(), "policy": Policy.load().fingerprint,
        "advisory": False, "cells": cells, "geometric_mean": 1.01, "checks": [], "verdict": "pass",
    }  # fmt: skip


def _all_code(engines: Sequence[str]) -> dict[str, Any]:
    """The candidate's side as `python -m scale compare` names it: all engines together."""
    return {"spec": ", ".join(engines), "commit": COMMIT, "fingerprint": " ".join(_sources(engines).values())}


def _sources(engines: Sequence[str]) -> dict[str, str]:
    return {engine: CODES[engine].fingerprint for engine in engines}
