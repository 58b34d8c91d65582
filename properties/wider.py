"""Checks that take more than a run or two: the life of a database, and other environments. Sizes, verdicts, and what is printed."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from differential.engines import get_engine
from differential.run import capabilities_of
from properties.check import Check
from properties.environment import run_environment
from properties.lifecycle import LifecycleOutcome, run_lifecycle
from properties.report import EVERY_ENGINE, PropertyRecord
from properties.session import PropertySession

LIFECYCLE = Check(
    "lifecycle",
    "The life of a database",
    "However a database file came to its rows, they are those of clean runs: years run, run again, resumed, under other rules, "
    "by other engines and levels, killed in the middle, restored from a backup.",
    {},
)
ENVIRONMENT = Check(
    "M22",
    "Environment",
    "Time zone, locale, clock, hash seed, threads, row order, start method and folder of the process change no row.",
    {},
)
_WORLDS = {"quick": 12, "ci": 60, "nightly": 256}


def lifecycle_verdict(session: PropertySession) -> tuple[PropertyRecord, str]:
    """The life of a database, through all engines that leave one; under a time budget, more lives until it is over."""
    settled = session.session
    record = PropertyRecord(LIFECYCLE.id, LIFECYCLE.title, EVERY_ENGINE)
    started = time.monotonic()
    how = session.lives()
    found = session.ahead.result("lifecycle[all]", lambda: run_lives(settled.engines, how, settled.progress))
    record.worlds = found.examples
    while found.passed and session.share is not None and time.monotonic() - started < session.share:
        how["seed"] += 1
        found = run_lives(settled.engines, how, settled.progress)
        record.worlds += found.examples
    record.seconds = time.monotonic() - started
    if found.refused:
        none = not any(capabilities_of(get_engine(spec)).database for spec in settled.engines)
        record.status, record.reason = "not checked" if none else "refused", found.refused
        record.unchecked = {"lives": found.refused} if none else {}
        return record, f"REFUSED: {found.refused}"
    if found.failure is not None:
        record.status, record.broken, record.reason = "fail", 1, found.failure.splitlines()[0]
        record.signature = found.signature
        again = settled.command("properties", "--check", LIFECYCLE.id)
        lines = [
            f"{LIFECYCLE.title}: {LIFECYCLE.sentence}",
            "",
            found.failure,
            "",
            f"found with seed {how['seed']} by",
            f"  {again}",
        ]
        return record, "\n".join(lines) + "\n"
    if found.unused and settled.profile.name != "quick":
        record.status, record.reason = "fail", f"never done in {found.examples} lives: {', '.join(found.unused)}"
        return record, record.reason
    record.status = "pass"
    return record, ""


def run_lives(
    engines: Sequence[str], how: Mapping[str, Any], progress: Callable[[str], None] | None = None
) -> LifecycleOutcome:
    """run_lifecycle as PropertySession.lives() says."""
    return run_lifecycle(engines, **how, progress=progress)


def environment_verdict(engine: str, session: PropertySession) -> tuple[PropertyRecord, str]:
    """One engine in other environments, each in processes of its own."""
    settled = session.session
    wanted = _WORLDS[settled.profile.name]
    worlds = next(settled.groups(f"environment[{engine}]", wanted))
    record = PropertyRecord(ENVIRONMENT.id, ENVIRONMENT.title, engine, worlds=len(worlds))
    started = time.monotonic()
    pairwise = settled.profile.name == "nightly"
    outcomes = run_environment(engine, worlds, pairwise=pairwise, timeout=settled.timeout)
    record.seconds = time.monotonic() - started
    record.unchecked = {one.name: one.reason for one in outcomes if one.status == "skipped"}
    for status in ("fail", "refused"):
        found = [one for one in outcomes if one.status == status]
        if found:
            record.status, record.broken = status, len(found) if status == "fail" else 0
            record.reason = "; ".join(f"{one.name}: {one.reason}" for one in found)
            return record, _text(status, engine, [f"{one.name}: {one.reason}\n{one.text}".rstrip() for one in found])
    record.status = "pass" if any(one.status == "pass" for one in outcomes) else "not checked"
    return record, ""


def _text(status: str, engine: str, found: list[str]) -> str:
    lines = [f"{ENVIRONMENT.id} {ENVIRONMENT.title}: {ENVIRONMENT.sentence}", f"  engine  {engine}", "", *found]
    return ("REFUSED: " if status == "refused" else "") + "\n".join(lines) + "\n"
