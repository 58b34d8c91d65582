"""The corpus of inputs: for each event type, edge label and pair of labels the best world that shows it.

The best is the one of the smallest size class; in it the one that shows most, since it serves most pairs. That order is of worlds
alone, so that whichever results are merged in whatever order, the same worlds stay (test_corpus.py). Only `prune`, which holds the
corpus to its limits, leaves something out that it needs.
"""

from __future__ import annotations

import datetime as dt
import fcntl
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from scale.nightly.inputs.index import Entry, file_of, load, write
from scale.nightly.inputs.labels import flags_from, labels_in, names_of, pairs_in, together
from scale.nightly.inputs.text import InputError, read_input
from scale.nightly.records import INPUTS

MOST_INPUTS = 3_000
"""All of them run through two engines in about 20 s. An hour of two workers comes to about 2 000."""
MOST_BYTES = 20_000_000
"""An input takes 2 to 4 kB. What a CI cache restores and saves in seconds."""
OLDEST_DAYS = 180
"""An input that has shown nothing that no other shows for so long is only weight: engines and labels have moved on."""


@dataclass(frozen=True)
class Covered:
    """What a corpus shows. labels: event types and edge labels. pairs: of two labels that occur together in some input."""

    labels: tuple[str, ...]
    pairs: int
    inputs: int
    bytes: int


@dataclass(frozen=True)
class Offered:
    """added, dropped: fingerprints. told: what was wrong with files, in sentences."""

    added: tuple[str, ...]
    dropped: tuple[str, ...]
    told: tuple[str, ...]


def size_class(employees: int, years: int) -> int:
    """Sizes by factors of four in people times years: 1, up to 4, up to 16, up to 64, up to 256, ..."""
    return (max(1, employees * years) - 1).bit_length() + 1 >> 1


def offer(corpus: Path, folder: Path) -> Offered:
    """Take the inputs of a unit's result folder, or of another corpus, into this one."""
    place, source = corpus / INPUTS, folder / INPUTS
    if not source.is_dir():
        return Offered((), (), ())
    place.mkdir(parents=True, exist_ok=True)
    with _alone(place):
        mine, told = load(place, mend=True)
        theirs, wrong = load(source, mend=False)
        both = {**theirs, **mine}
        for fingerprint in set(mine) & set(theirs):  # the older of the two days, whichever came first
            both[fingerprint] = min(mine[fingerprint], theirs[fingerprint], key=lambda entry: entry.added)
        added: set[str] = set()
        while coming := sorted(kept(both) - set(mine) - added):
            for fingerprint in coming:
                if problem := _copied(file_of(source, fingerprint), place):
                    wrong.append(problem)
                    del both[fingerprint]
                else:
                    added.add(fingerprint)
        wanted = kept(both)
        after = {name: both[name] for name in wanted}
        if after != mine:
            write(place, after)
        dropped = _remove(place, (set(mine) | added) - wanted)
    return Offered(tuple(sorted(added & wanted)), tuple(sorted(set(dropped) & set(mine))), (*told, *wrong))


def covered(corpus: Path) -> Covered:
    """What the corpus shows today."""
    place = corpus / INPUTS
    if not place.is_dir():
        return Covered((), 0, 0, 0)
    with _alone(place):
        entries, _ = load(place, mend=True)
    counts = together(_flags(entries))
    names = names_of(np.diag(counts) > 0)
    assert labels_in(counts) == len(names)
    return Covered(names, pairs_in(counts), len(entries), sum(entry.size for entry in entries.values()))


def kept(entries: Mapping[str, Entry]) -> set[str]:
    """The fingerprints of the inputs that are the best for some label or pair of labels."""
    flags = {name: np.flatnonzero(flags_from(entry.labels)) for name, entry in entries.items()}

    def order(name: str) -> tuple[int, int, int, str]:
        entry = entries[name]
        size = size_class(entry.employees, entry.years)
        return size, -len(flags[name]), entry.employees * entry.years, name

    shown = np.zeros((len(flags_from(())),) * 2, bool)
    best: set[str] = set()
    for name in sorted(entries, key=order):
        here = np.ix_(flags[name], flags[name])
        if not shown[here].all():
            shown[here] = True
            best.add(name)
    return best


def prune(
    corpus: Path,
    now: dt.datetime | None = None,
    *,
    most: int = MOST_INPUTS,
    most_bytes: int = MOST_BYTES,
    oldest_days: int = OLDEST_DAYS,
) -> tuple[str, ...]:
    """Hold the corpus to its limits: those go first that show least that no other shows, the larger before the smaller.

    Returns a sentence for each reason for which inputs were left out.
    """
    place = corpus / INPUTS
    if not place.is_dir():
        return ()
    today = now or dt.datetime.now(dt.UTC)
    with _alone(place):
        entries, _ = load(place, mend=True)
        left = dict(entries)
        old = _drop_old(left, today - dt.timedelta(days=oldest_days))
        many = _drop_least(left, most, most_bytes)
        if left != entries:
            write(place, left)
        _remove(place, set(entries) - set(left))
    told = [f"{old} inputs older than {oldest_days} days show nothing that no other does"] if old else []
    told += [f"{many} inputs were more than {most}, or than {most_bytes / 1e6:g} MB"] if many else []
    return tuple(told)


def _drop_old(left: dict[str, Entry], before: dt.datetime) -> int:
    """One after another, since of two that show the same one has to stay."""
    old = sorted(
        (name for name, entry in left.items() if dt.datetime.fromisoformat(entry.added) < before),
        key=lambda name: (-left[name].employees * left[name].years, name),
    )
    names = list(left)
    flags = _flags(left)
    counts = together(flags)
    dropped = 0
    for name in old:
        here = np.flatnonzero(flags[names.index(name)])
        if (counts[np.ix_(here, here)] > 1).all():
            counts[np.ix_(here, here)] -= 1
            del left[name]
            dropped += 1
    return dropped


def _drop_least(left: dict[str, Entry], most: int, most_bytes: int) -> int:
    names = list(left)
    flags = _flags(left).astype(np.float32)
    counts = together(flags > 0)
    size = sum(entry.size for entry in left.values())
    dropped = 0
    while left and (len(left) > most or size > most_bytes):
        alone = (counts == 1).astype(np.float32)
        unique = np.einsum("ij,ij->i", flags @ alone, flags)
        index = min(
            (place for place, name in enumerate(names) if name in left),
            key=lambda place: (unique[place], -left[names[place]].employees * left[names[place]].years, names[place]),
        )
        here = np.flatnonzero(flags[index])
        counts[np.ix_(here, here)] -= 1
        size -= left.pop(names[index]).size
        dropped += 1
    return dropped


def _flags(entries: Mapping[str, Entry]) -> np.ndarray:
    rows = [flags_from(entry.labels) for entry in entries.values()]
    return np.array(rows) if rows else np.zeros((0, len(flags_from(()))), bool)


def _copied(source: Path, place: Path) -> str:
    """Copy an input, whole or not at all; what is wrong with it, empty where nothing is."""
    try:
        if read_input(source).fingerprint != source.stem:
            return f"{source}: holds another world than its name says; it is left out"
    except InputError as error:
        return f"{error}; it is left out"
    draft = place / f".{source.name}.draft"
    shutil.copyfile(source, draft)
    draft.replace(place / source.name)
    return ""


def _remove(place: Path, names: Iterable[str]) -> tuple[str, ...]:
    """After the index that no longer names them is written: whatever interrupts this, the next `load` sees whole files."""
    gone = tuple(sorted(names))
    for fingerprint in gone:
        file_of(place, fingerprint).unlink(missing_ok=True)
    return gone


@contextmanager
def _alone(place: Path) -> Iterator[None]:
    """One process at a time changes a corpus."""
    handle = os.open(place, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
