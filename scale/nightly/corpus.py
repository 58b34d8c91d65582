"""What results change in a corpus: the ledger and its bundles, the inputs, and the history of nights."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

import properties.replay  # noqa: F401 - makes bundles of properties readable
from differential.repro import BundleError, load_bundle
from scale.nightly import folders
from scale.nightly.keys import key_of
from scale.nightly.ledger import Merged, Result, merged, read_ledger, write_ledger
from scale.nightly.records import EarlierNight, Known, Ledger, Recheck

HISTORY = "history.jsonl"
MOST_NIGHTS = 400
"""A year and a bit: enough for a trend, a few ten kB."""


@dataclass(frozen=True)
class Before:
    """What everything is worked out from. ledger: before the campaign. when, commit: of the campaign."""

    ledger: Ledger
    rechecks: tuple[Recheck, ...]
    when: str
    commit: str | None


def merge_failures(corpus: Path, before: Before, results: Sequence[Result]) -> tuple[Merged, list[str]]:
    """Bring ledger and bundles of the corpus to what these results make of it; also what the limits removed, in sentences.

    What is news is marked as untold until `all_told`: after a crash the next night tells it, whatever folder it writes to.
    """
    came = merged(before.ledger, before.rechecks, results, before.when, before.commit)
    entries = [folders.take_in(corpus, entry, came.bundles.get(key)) for key, entry in sorted(came.entries.items())]
    kept, told = folders.prune(corpus, entries, dt.datetime.fromisoformat(before.when))
    news = {*came.new, *came.flaky}
    write_ledger(corpus, [one.model_copy(update={"untold": one.key in news}) for one in kept])
    return Merged({one.key: one for one in entries}, came.bundles, came.new, came.known, came.fixed, came.flaky), told


def all_told(corpus: Path) -> None:
    """The summary is written: nothing in the ledger is untold any more."""
    entries = read_ledger(corpus).entries
    if any(one.untold for one in entries):
        write_ledger(corpus, [one.model_copy(update={"untold": False}) for one in entries])


def entry_of(path: Path, when: str, commit: str | None) -> Known | None:
    """The entry of a bundle that somebody put into the corpus by hand; None for a folder that is no bundle."""
    try:
        bundle = load_bundle(path)
    except BundleError:
        return None
    finding = bundle.finding
    engines = tuple(dict.fromkeys(side.engine for side in finding.sides))
    world = finding.world
    return Known(
        key=key_of(engines, bundle.signature or finding.test), test=finding.test, engines=engines,
        headline=f"{finding.test}: put into the corpus by hand", state="known", first=when, last=when, commit=commit, count=0,
        bundle=None, employees=len(world.census), years=len(world.scenario.years), command=finding.command,
    )  # fmt: skip


def read_history(corpus: Path) -> list[EarlierNight]:
    """Earlier nights, oldest first; a line that cannot be read, such as one cut off by a full disk, is passed over."""
    path = corpus / HISTORY
    nights = []
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else []:
        try:
            nights.append(EarlierNight.model_validate_json(line))
        except ValidationError:
            continue
    return sorted(nights, key=lambda night: night.started)


def number_of_next(nights: Sequence[EarlierNight]) -> int:
    """How many nights there were, those that were dropped since included."""
    return max([len(nights), *(one.number + 1 for one in nights)])


def add_to_history(corpus: Path, night: EarlierNight) -> None:
    """Add one night, in place of an earlier account of the same one."""
    nights = [one for one in read_history(corpus) if one.started != night.started]
    numbered = night.model_copy(update={"number": number_of_next(nights)})
    kept = sorted([*nights, numbered], key=lambda one: one.started)[-MOST_NIGHTS:]
    draft = corpus / f".{HISTORY}.draft"
    draft.write_text("".join(one.model_dump_json() + os.linesep for one in kept), encoding="utf-8")
    draft.replace(corpus / HISTORY)
