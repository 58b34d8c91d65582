"""What a night says in words: the same sentences in every form of its summary."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from differential.engines import EngineSpecError, runs_apart
from differential.repro.reading import RECORD
from differential.schemas import EVENT_TYPES
from fixtures.edges import EDGE_LABELS
from scale.nightly.records import Known, Night, NightStatus, UnitLine
from scale.reports.document import one_line
from scale.reports.units import NONE, count, number, plural, seconds
from scale.status import Verdict

NAMES = 12
"""Names in one sentence; the tables have them all."""
VERDICTS: dict[NightStatus, Verdict] = {
    "clean": "pass",
    "news": "fail",
    "failed": "fail",
    "interrupted": "insufficient",
}


def headline(night: Night) -> str:
    """How the night went, in one line."""
    part = "" if night.part == (1, 1) else f", slice {night.part[0]} of {night.part[1]}"
    news = _counted(("flaky failure", len(night.flaky)), ("new failure", len(night.new)))
    bird = "the canary was missed" if missed(night) else ""
    went = {
        "clean": "clean",
        "news": news or "news",
        "failed": ", ".join(["failed", *(word for word in (bird, news) if word)]),
        "interrupted": ", ".join(["interrupted", *(word for word in (bird, news) if word)]),
    }[night.status]
    return f"Night of {night.started[:10]}{part}: {went}"


def troubles(night: Night) -> list[str]:
    """What keeps the night from being a whole one, as sentences: these stand above everything else."""
    whole = night.status not in ("failed", "interrupted")
    reasons = [] if whole else [reason for reason in night.reasons if not _of_canary(reason, night)]
    told = [one_line(reason, 300) for reason in reasons[:NAMES]]
    if len(reasons) > NAMES:
        told.append(f"And {len(reasons) - NAMES} more reasons; summary.json has them all.")
    if night.status == "interrupted":
        told.append(f"Used: {number(night.seconds / 60)} of {number(night.minutes)} minutes.")
    without = [unit for unit in without_result(night.units) if not any(unit.name in reason for reason in reasons)]
    if without:
        names = _some([f"{unit.name} {unit.status}" for unit in without])
        told.append(f"{plural(len(without), 'unit')} of {len(night.units)} gave no whole result: {names}.")
    return told


def _of_canary(reason: str, night: Night) -> bool:
    """A missed canary is told above all, by itself."""
    return missed(night) and night.canary is not None and night.canary.fault in reason


def missed(night: Night) -> bool:
    """Whether there was a canary, and nothing found it."""
    return night.canary is not None and not night.canary.caught


def without_result(units: Iterable[UnitLine]) -> list[UnitLine]:
    """The units that did not end by themselves, or refused."""
    return [unit for unit in units if unit.status not in ("pass", "fail")]


def smallest_first(failures: Sequence[Known]) -> list[Known]:
    """By employees and years of the repro; those without one come last, each kind in the order of keys."""
    return sorted(failures, key=lambda one: (one.employees is None, one.employees or 0, one.years or 0, one.key))


def overview(night: Night) -> Iterator[str]:
    """The whole night in a few sentences: work, coverage, canary, known failures."""
    yield work(night)
    yield coverage(night)
    if night.never:
        yield f"Never met, tonight or before: {_some(night.never)}."
    if not missed(night):
        yield canary(night)
    yield known(night)


def work(night: Night) -> str:
    """Worlds, time and rates."""
    told = (
        f"{plural(night.worlds, 'world')} with {plural(night.employees, 'employee')} in {number(night.seconds / 60)} min "
        f"on {plural(night.workers, 'worker')}: {rate(night.worlds, night.seconds)}."
    )
    if night.compared:
        each = rate(night.compared, night.compared_seconds)
        told += f" Of these {count(night.compared)} were compared between engines, {each} a worker."
    return told


def rate(worlds: int, duration: float) -> str:
    """Worlds a second."""
    return f"{number(worlds / duration)} worlds/s" if duration > 0 else NONE


def labels(night: Night) -> tuple[int, int]:
    """Event types and labels that are known by the end of the night, and all there are."""
    every = len({*EVENT_TYPES, *EDGE_LABELS})
    return every - len(night.never), every


def coverage(night: Night) -> str:
    """Labels, pairs and inputs, and what the night added."""
    met, every = labels(night)
    return (
        f"Coverage: labels {met:,} of {every:,}, pairs {night.pairs:,} ({night.pairs - night.pairs_before:+,} tonight), "
        f"inputs kept {night.inputs:,} ({night.inputs - night.inputs_before:+,})."
    )


def canary(night: Night) -> str:
    """Whether the planted fault was found."""
    found = night.canary
    if found is None:
        if night.part[0] > 1:
            return "No canary: another slice has it."
        if night.status == "interrupted":
            return "No canary: none was asked for, or it had not been caught when the night was interrupted."
        return "No canary: nothing shows that a failure would be seen."
    what = f"{one_line(found.fault, 80)}: {one_line(found.sentence, 200)}"
    if found.caught:
        return f"Canary caught after {seconds(found.seconds)}: {what}"
    return f"Canary missed: {what} Why: {one_line(found.reason, 300) or 'unknown'}."


def known(night: Night) -> str:
    """How often known failures were met again, in one sentence."""
    if not night.known:
        return "No known failure was met."
    worlds = sum(one.tonight for one in night.known)
    untested = sum(one.untested is not None for one in night.known)
    told = f"{plural(len(night.known), 'known failure')}, met again in {plural(worlds, 'world')}"
    return f"{told}; {untested} could not be run again." if untested else f"{told}."


def fixed(one: Known) -> str:
    """A failure that is gone, with the commit it passes at."""
    return (
        f"{one_line(one.headline)} ({', '.join(one_line(name, 60) for name in one.engines)}), known since {one.first[:10]}, "
        f"passes at {one.retired_commit or 'a commit that is not known'}"
    )


def replay(one: Known, corpus: Path | None) -> str | None:
    """The command that runs the repro again, where the corpus is.

    What a unit told names the place where it had written the bundle, which has since moved into the corpus. A life of a database or
    another environment is no bundle that can be replayed; its command runs the same again.
    """
    if corpus is None or one.bundle is None:
        return one.command
    bundle = corpus / one.bundle
    if bundle.is_dir() and not (bundle / RECORD).exists():
        return one.command
    apart = [word for spec in dict.fromkeys(one.engines) if _apart(spec) for word in ("--engine", spec)]
    return shlex.join(["pytest", "differential", "--replay", str(bundle), *apart])


def _apart(spec: str) -> bool:
    try:
        return runs_apart(spec)
    except EngineSpecError:  # the ledger is a file, in which anything may stand
        return False


def repro_size(employees: int | None, years: int | None) -> str:
    """`1 employee, 1 year`."""
    return NONE if employees is None or years is None else f"{plural(employees, 'employee')}, {plural(years, 'year')}"


def _counted(*kinds: tuple[str, int]) -> str:
    return " and ".join(plural(found, name) for name, found in kinds if found)


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - NAMES} more" if len(names) > NAMES else ""
    return ", ".join(one_line(name, 80) for name in names[:NAMES]) + more
