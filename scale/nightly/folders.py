"""The corpus's folders of failures: repros, flaky ones and retired ones; each bundle is there whole or not at all."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
import shutil
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

from scale.nightly.records import FLAKY, REPROS, Known

RETIRED = "retired"
_FOLDER = {"known": REPROS, "flaky": FLAKY, "retired": RETIRED}
MOST_BUNDLES = 300
"""A team that has more open failures than this does not read them; each is run again each night, about a second apiece."""
MOST_BYTES = 200_000_000
"""What a CI cache restores and saves in seconds. A reduced bundle takes about 10 kB, a flaky one with its tables up to 1 MB."""
RETIRED_DAYS, FLAKY_DAYS, UNTESTED_DAYS = 90, 180, 90
"""After so many days a mended failure is forgotten, one that was never seen again too, and one that nothing can run any more, or
that has no bundle to be run."""


def name_of(key: str, bundle: Path) -> str:
    """Folder of a failure's bundle in the corpus: readable, and unique to the key."""
    plain = re.sub(r"-[0-9a-f]{6}(-\d+)?$", "", bundle.name)
    return f"{plain}-{_digest(key)}"


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()[:8]


def take_in(corpus: Path, entry: Known, source: Path | None) -> Known:
    """The entry with its bundle where it belongs: taken from `source`, or moved along when its state has changed.

    The bundle that it had is removed only when the new one is there.
    """
    old = corpus / entry.bundle if entry.bundle is not None else None
    if source is None or not source.is_dir():
        return entry if old is None else entry.model_copy(update={"bundle": _moved(corpus, entry, old)})
    place = corpus / _FOLDER[entry.state] / name_of(entry.key, source)
    _copy(source, place)
    # also one of an earlier merge of this night, when the failure had not repeated yet
    same = [path for folder in _FOLDER.values() for path in (corpus / folder).glob(f"*-{_digest(entry.key)}")]
    for other in {*same, *([old] if old is not None else [])} - {place}:
        shutil.rmtree(other, ignore_errors=True)
    return entry.model_copy(update={"bundle": str(place.relative_to(corpus))})


def _moved(corpus: Path, entry: Known, old: Path) -> str | None:
    """Where the bundle is now: in the folder of the entry's state. A merge that was killed may have moved it before."""
    place = corpus / _FOLDER[entry.state] / old.name
    if place != old and old.is_dir():
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(place, ignore_errors=True)
        old.rename(place)
    return str(place.relative_to(corpus)) if place.is_dir() else None


def _copy(source: Path, place: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    part = Path(tempfile.mkdtemp(prefix=".part-", dir=place.parent))
    try:
        shutil.copytree(source, part, dirs_exist_ok=True)
        part.chmod(0o755)
        shutil.rmtree(place, ignore_errors=True)
        part.rename(place)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def prune(corpus: Path, entries: Iterable[Known], today: dt.datetime) -> tuple[list[Known], list[str]]:
    """Hold the folders to their limits: the entries that stay, and a sentence for each that lost its bundle or its entry.

    Old retired and flaky ones go first. A failure that still fails keeps its entry whatever the limits; only its bundle may go, the
    largest first, since a large repro tells least.
    """
    kept: list[Known] = []
    told: list[str] = []
    for entry in entries:
        why = _expired(entry, today)
        if why is None:
            kept.append(entry)
            continue
        _remove(corpus, entry)
        told.append(f"{entry.key}: forgotten, {why}")
    for entry in sorted(kept, key=_dearest_first):
        with_bundle = [one for one in kept if one.bundle is not None]
        over_number = len(with_bundle) > MOST_BUNDLES
        if not over_number and sum(size_of(corpus / str(one.bundle)) for one in with_bundle) <= MOST_BYTES:
            break
        if entry.bundle is None:
            continue
        _remove(corpus, entry)
        limit = f"{MOST_BUNDLES} bundles" if over_number else f"{MOST_BYTES / 1e6:.0f} MB"
        told.append(f"{entry.key}: its bundle was removed, there were more than {limit}")
        kept[kept.index(entry)] = entry.model_copy(update={"bundle": None})
    return kept, told


def size_of(folder: Path) -> int:
    """Bytes of the files in a folder."""
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def _expired(entry: Known, today: dt.datetime) -> str | None:
    rules: tuple[tuple[bool, str | None, int, str], ...] = (
        (entry.state == "retired", entry.retired, RETIRED_DAYS, "mended"),
        (entry.state == "flaky", entry.last, FLAKY_DAYS, "last seen"),
        (entry.untested is not None, entry.last, UNTESTED_DAYS, "last tested or seen"),
        (entry.state == "known" and entry.bundle is None, entry.last, UNTESTED_DAYS, "without a bundle and last seen"),
    )
    for applies, since, days, said in rules:
        if applies and since is not None:
            age = (today - dt.datetime.fromisoformat(since)).days
            if age > days:
                return f"{said} {age} days ago"
    return None


def _dearest_first(entry: Known) -> tuple[int, int, str]:
    order = {"retired": 0, "flaky": 1, "known": 2}
    rows = (entry.employees or 0) * (entry.years or 1)
    return order[entry.state], -rows, entry.last


def _remove(corpus: Path, entry: Known) -> None:
    if entry.bundle is not None:
        shutil.rmtree(corpus / entry.bundle, ignore_errors=True)


_OF_BUNDLE = ("state", "bundle", "employees", "years", "command", "retired", "retired_commit", "untold")
"""What an entry has from its bundle."""


def has_room(entries: Iterable[Known]) -> bool:
    """Whether there may be more bundles: where not, making one again that the limits removed only takes time."""
    return sum(one.bundle is not None and one.state == "known" for one in entries) < MOST_BUNDLES


def adopted(corpus: Path, entries: Iterable[Known], read: Callable[[Path], Known | None]) -> list[Known]:
    """The entries as the folders are: without a bundle that is gone, and with those that somebody put into `repros/` by hand.

    read: makes an entry of a bundle.
    """
    kept = [_found_again(corpus, one) for one in entries]
    named = {one.bundle for one in kept}
    places = {one.key: place for place, one in enumerate(kept)}
    folder = corpus / REPROS
    for path in sorted(folder.iterdir()) if folder.is_dir() else []:
        relative = str(path.relative_to(corpus))
        if not path.is_dir() or path.name.startswith(".") or relative in named:
            continue
        entry = read(path)
        if entry is None:
            continue
        # under this name a merge had put it there, and was killed before it said so: nobody was told
        entry = entry.model_copy(update={"bundle": relative, "untold": path.name.endswith(f"-{_digest(entry.key)}")})
        place = places.setdefault(entry.key, len(kept))
        if place == len(kept):
            kept.append(entry)
        elif kept[place].bundle is None or kept[place].state != "known":
            kept[place] = kept[place].model_copy(update={name: getattr(entry, name) for name in _OF_BUNDLE})
    return kept


def _found_again(corpus: Path, entry: Known) -> Known:
    """The entry with its bundle where that is now; a process that was killed may have moved it and not said so."""
    if entry.bundle is None or (corpus / entry.bundle).is_dir():
        return entry
    name = Path(entry.bundle).name
    moved = [f"{folder}/{name}" for folder in _FOLDER.values() if (corpus / folder / name).is_dir()]
    if moved:
        return entry.model_copy(update={"bundle": moved[0]})
    return entry.model_copy(update={"bundle": None, "employees": None, "years": None})
