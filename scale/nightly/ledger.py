"""The ledger of a corpus: which failures are known, and the rules by which results change it.

`merged` is a function of the ledger before the campaign and of all results, in whatever order they came: a campaign that was killed
in the middle of a merge, or slices that ran on many machines, come to the same ledger.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from scale.nightly.records import Found, Known, Ledger, Recheck, UnitResult
from scale.records import read_record, write_record

LEDGER = "ledger.json"


@dataclass(frozen=True)
class Result:
    """A unit's result, and the folder that its bundles lie in."""

    result: UnitResult
    folder: Path


@dataclass(frozen=True)
class Merged:
    """entries: by key, after the campaign. bundles: key to the folder that its repro is to be taken from; keys that keep the one
    they have are not there. new, known, fixed, flaky: keys of each kind that this campaign has met or its rechecks settled."""

    entries: dict[str, Known]
    bundles: dict[str, Path]
    new: tuple[str, ...]
    known: tuple[str, ...]
    fixed: tuple[str, ...]
    flaky: tuple[str, ...]


def read_ledger(corpus: Path) -> Ledger:
    """The ledger of a corpus, empty where there is none. Raises UsageError for a file that cannot be read."""
    path = corpus / LEDGER
    return read_record(path, Ledger) if path.exists() else Ledger()


def write_ledger(corpus: Path, entries: Iterable[Known]) -> None:
    """Replace the ledger as a whole. `tonight` is of one night and is not kept."""
    kept = [one.model_copy(update={"tonight": 0}) for one in sorted(entries, key=lambda each: each.key)]
    write_record(corpus / LEDGER, Ledger(entries=tuple(kept)))


def merged(
    base: Ledger, rechecks: Sequence[Recheck], results: Sequence[Result], when: str, commit: str | None
) -> Merged:
    """The ledger after a campaign.

    - A repro that no longer fails retires its failure, with the commit; one that cannot be tested stays, and says why.
    - A flaky failure that fails when it is run again is a known one from then on, and news.
    - A failure that a unit met is counted; what was not known, or retired, or only flaky until now, is new.
    - What the ledger says nobody has been told of yet is news again, whether or not it was met.
    - Of all repros of a failure the smallest stays: by employees, then years, then the one that was there first. One that no
      longer fails, or that is gone, is none.
    - The chunk that led to it soonest is kept; it is drawn again the next night.

    when, commit: of the campaign, for entries that begin or change with it.
    """
    entries = {one.key: one for one in base.entries}
    before = {key: one.state for key, one in entries.items()}
    repeating = _settle(entries, rechecks, when, commit)
    fixed = tuple(sorted(key for key, one in entries.items() if one.state == "retired" and before[key] != "retired"))
    bundles: dict[str, Path] = {}
    met: set[str] = set()
    for one in sorted(results, key=lambda each: (each.result.started, each.result.unit.number, str(each.folder))):
        if one.result.unit.canary:
            continue
        for found in one.result.found:
            met.add(found.key)
            entries[found.key] = _counted(entries.get(found.key), found, one, when, commit)
            have = found.key in bundles or entries[found.key].bundle is not None
            if found.bundle is not None and _smaller(found, entries[found.key], have=have):
                entries[found.key] = entries[found.key].model_copy(
                    update={"employees": found.employees, "years": found.years, "command": found.command}
                )
                bundles[found.key] = one.folder / found.bundle
    settled = {key for key, one in entries.items() if one.state == "known"}
    untold = {one.key for one in base.entries if one.untold}
    new = (met | repeating | untold) & {key for key in settled if before.get(key) != "known" or key in untold}
    known = {key for key in settled - new if key in met or key in {check.key for check in rechecks}}
    flaky = {key for key in met | untold if entries[key].state == "flaky"}
    ordered = (tuple(sorted(keys)) for keys in (new, known, set(fixed) - met, flaky))
    return Merged(entries, bundles, *ordered)


def _settle(entries: dict[str, Known], rechecks: Sequence[Recheck], when: str, commit: str | None) -> set[str]:
    """Apply what the repros came to; returns the keys of flaky failures that now repeat."""
    repeating = set()
    for check in rechecks:
        entry = entries.get(check.key)
        if entry is None:
            continue
        change: dict[str, object] = {"untested": None}
        if check.status == 125:
            change = {"untested": check.note}
        elif check.status == 1:
            change |= {"last": when}
            # the world of a flaky one may fail of something else, and that one not repeat
            if entry.state == "flaky" and not check.another:
                change |= {"state": "known"}
                repeating.add(check.key)
        elif entry.state == "known":
            change |= {"state": "retired", "retired": when, "retired_commit": commit}
        entries[check.key] = entry.model_copy(update=change)
    return repeating


def _counted(entry: Known | None, found: Found, result: Result, when: str, commit: str | None) -> Known:
    """The entry with one unit's finding counted in."""
    state = "flaky" if found.shown == "flaky" else "known"
    if entry is None:
        entry = Known(
            key=found.key, test=found.test, engines=found.engines, headline=found.headline, state=state, first=when,
            last=when, commit=commit, count=0, bundle=None,
        )  # fmt: skip
    change: dict[str, object] = {
        "count": entry.count + found.worlds,
        "tonight": entry.tonight + found.worlds,
        "last": when,
    }
    if entry.state == "retired":
        # its repro passes, so that any other one is better, whatever its size
        change |= {"state": state, "retired": None, "retired_commit": None, "employees": None, "years": None}
    elif entry.state == "flaky" and state == "known":
        # what did not repeat does now: its repro is one that can be replayed, whatever its size
        change |= {"state": "known", "employees": None, "years": None}
    drawn = found.origin in ("drawn", "seed") and found.chunk_seed is not None
    if drawn and (entry.fastest is None or found.after < entry.fastest):
        change |= {"fastest": found.after, "chunk_seed": found.chunk_seed, "what": result.result.unit.what}
    return entry.model_copy(update=change)


def _smaller(found: Found, entry: Known, *, have: bool) -> bool:
    """Whether a unit's repro is to take the place of the entry's. One of a flaky sighting never takes that of a known failure."""
    if found.shown == "flaky" and entry.state == "known":
        return False
    if not have or entry.employees is None or entry.years is None:
        return True
    size = (found.employees or 0, found.years or 0)
    return found.employees is not None and size < (entry.employees, entry.years)
