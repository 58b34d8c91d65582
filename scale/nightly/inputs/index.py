"""The index of a folder of inputs: what each one shows. It is made anew from the files where it is lost, stale or wrong."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal

from pydantic import Field

from differential.side import Side
from fixtures.world import World
from properties.relations.passes import Raised, run_all
from scale.nightly.inputs.labels import definition, flags_of, names_of
from scale.nightly.inputs.text import InputError, read_input
from scale.records import Record, read_record, write_record
from scale.status import UsageError

INDEX = "index.json"
ASIDE = "unreadable"
"""Files that no version of today can read are moved there, and stay."""
_NAME = re.compile(r"[0-9a-f]{64}\.json")
_TOGETHER = 256


class Entry(Record):
    """One input. labels: event types and edge labels that its world shows. added: point in time. size: of the file, in bytes."""

    labels: tuple[str, ...]
    employees: int
    years: int
    added: str
    size: int


class Index(Record):
    """index.json. definition: of the labels, by which `entries` were made. entries: by fingerprint."""

    schema_version: Literal[1] = 1
    definition: str
    entries: dict[str, Entry] = Field(default_factory=dict)


def file_of(folder: Path, fingerprint: str) -> Path:
    """Where an input is."""
    return folder / f"{fingerprint}.json"


def entry_of(world: World, labels: tuple[str, ...], added: str, size: int) -> Entry:
    """What the index says of a world."""
    return Entry(labels=labels, employees=len(world.census), years=len(world.scenario.years), added=added, size=size)


def load(folder: Path, *, mend: bool) -> tuple[dict[str, Entry], list[str]]:
    """What the files of a folder show, by fingerprint, and sentences about what was wrong.

    mend: of a corpus: files that cannot be read are put aside, those that hold another world than their name says are renamed,
    and the index is written anew where it was not right. A folder of somebody else is only read.
    """
    files = {path.stem: path for path in sorted(folder.glob("*.json")) if _NAME.fullmatch(path.name)}
    known, told = _known(folder) if files else ({}, [])
    entries = {name: entry for name, entry in known.items() if name in files}
    worlds, unreadable = _read([files[name] for name in sorted(set(files) - set(entries))])
    told += unreadable.values()
    made = _made(worlds)
    if mend:
        for path in unreadable:
            (folder / ASIDE).mkdir(exist_ok=True)
            path.replace(folder / ASIDE / path.name)
        for path, world in worlds.items():
            if path.stem != world.fingerprint:
                path.replace(file_of(folder, world.fingerprint))
                told.append(f"{path}: held another world than its name says; it is {world.fingerprint}.json now")
        if made or unreadable or set(entries) != set(known):
            write(folder, {**entries, **made})
    else:
        made = {name: entry for name, entry in made.items() if name in files}
    return {**entries, **made}, told


def write(folder: Path, entries: dict[str, Entry]) -> None:
    """Write the index, in the order of fingerprints."""
    write_record(folder / INDEX, Index(definition=definition(), entries=dict(sorted(entries.items()))))


def labels_of(worlds: Sequence[World]) -> list[tuple[str, ...]]:
    """What worlds show, by the Polars engine's results; nothing for one that it has no result for."""
    found: dict[str, tuple[str, ...]] = {}
    for start in range(0, len(worlds), _TOGETHER):
        for done in run_all(Side("polars").run, worlds[start : start + _TOGETHER]):
            if not isinstance(done, Raised):
                some, run = done
                rows = zip(some, flags_of(some, run), strict=True)
                found |= {world.fingerprint: names_of(row) for world, row in rows}
    return [found.get(world.fingerprint, ()) for world in worlds]


def _known(folder: Path) -> tuple[dict[str, Entry], list[str]]:
    """The entries of the index, as far as they can be used; none where labels meant something else then."""
    if not (folder / INDEX).exists():
        return {}, [f"{folder / INDEX}: is missing; it is made anew from the files"]
    try:
        index = read_record(folder / INDEX, Index)
    except UsageError as error:
        return {}, [f"{error}; it is made anew from the files"]
    if index.definition != definition():
        return {}, [f"{folder / INDEX}: the labels have changed since; it is made anew from the files"]
    return index.entries, []


def _read(files: Iterable[Path]) -> tuple[dict[Path, World], dict[Path, str]]:
    worlds: dict[Path, World] = {}
    unreadable: dict[Path, str] = {}
    for path in files:
        try:
            worlds[path] = read_input(path)
        except InputError as error:
            unreadable[path] = f"{error}; it is set aside"
    return worlds, unreadable


def _made(worlds: dict[Path, World]) -> dict[str, Entry]:
    """Entries for worlds that have none; the day is that of the file."""
    found = labels_of(list(worlds.values()))
    return {
        world.fingerprint: entry_of(world, labels, _added(path), path.stat().st_size)
        for (path, world), labels in zip(worlds.items(), found, strict=True)
    }


def _added(path: Path) -> str:
    return dt.datetime.fromtimestamp(path.stat().st_mtime, dt.UTC).isoformat(timespec="seconds")
