"""Running a bundle again, with exit statuses fit for `git bisect run`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from differential.engines import EngineSpecError, get_engine, settled
from differential.repro.finding import Finding
from differential.repro.reading import Bundle, BundleError, load_bundle
from differential.repro.report import replay_command, report
from differential.repro.sides import engines_for

PASSES: Literal[0] = 0
FAILS: Literal[1] = 1
UNTESTABLE: Literal[125] = 125
ANOTHER = "another failure than the recorded one"
"""How the note of a replay begins that fails in another way."""


@dataclass(frozen=True)
class ReplayResult:
    """status: 0 no longer fails, 1 still fails (a failure other than the recorded one too; `note` says so), 125 cannot be
    tested: the bundle cannot be read, an engine is missing, the run is refused or unproven. report: text for people."""

    status: Literal[0, 1, 125]
    report: str
    note: str = ""
    signature: str | None = None


def replay(path: str | Path, *, timeout: float | None = None, engines: Sequence[str] = ()) -> ReplayResult:
    """Run a bundle's world again, whatever kind of finding it holds. Never raises for what a bundle or an engine does.

    engines: the Pythons and programs that may be started for it, as SPECs; without one for a side that needs it: 125.
    """
    try:
        bundle = load_bundle(Path(path))
        chosen = engines_for(bundle.finding.sides, [settled(spec) for spec in engines])
        bundle = replace(bundle, finding=bundle.finding.with_engines(chosen))
        for side in bundle.finding.sides:
            get_engine(side.engine)
    except (BundleError, EngineSpecError) as error:
        return ReplayResult(UNTESTABLE, f"cannot be tested: {error}")
    result = _run(bundle, timeout)
    return replace(result, note="; ".join(note for note in (result.note, *bundle.notes) if note))


def _run(bundle: Bundle, timeout: float | None) -> ReplayResult:
    seen = replace(bundle.finding, timeout=timeout).rerun()
    if seen.refused is not None:
        return ReplayResult(UNTESTABLE, f"cannot be tested: {seen.refused}")
    if seen.found is None:
        return ReplayResult(PASSES, f"{bundle.path}: no longer fails: {seen.passed}")
    return _failed(bundle, seen.found)


def _failed(bundle: Bundle, found: Finding) -> ReplayResult:
    same = found.signature == bundle.signature
    note = "" if same else f"{ANOTHER}: {found.signature}, not {bundle.signature}"
    return ReplayResult(FAILS, report(found, command=replay_command(found, bundle.path)), note, found.signature)
