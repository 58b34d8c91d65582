"""Reading the files of evidence. A file that is not there is evidence that is missing; one that cannot be read is wrong usage."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from scale.gate.record import Source
from scale.gate.reports import ParityReport, PropertiesReport
from scale.records import Comparison, Record, Sweep, read_record
from scale.rollback.record import Rollback
from scale.status import UsageError


@dataclass(frozen=True)
class Paths:
    """Where the evidence lies; None where none was given."""

    parity: Path | None = None
    properties: Path | None = None
    sweep: Path | None = None
    compare: Path | None = None
    rollback: Path | None = None


@dataclass
class Evidence:
    """What could be read, and of every file where it lay and what became of it. unreadable: name to message, of
    files that are there and cannot be used."""

    parity: ParityReport | None = None
    properties: PropertiesReport | None = None
    sweep: Sweep | None = None
    compare: Comparison | None = None
    rollback: Rollback | None = None
    sources: dict[str, Source] = field(default_factory=dict)
    unreadable: dict[str, str] = field(default_factory=dict)

    @property
    def engines(self) -> list[str]:
        """Every engine that some file is about, each once."""
        named = [
            *(self.sweep.code if self.sweep else ()),
            *((entry.spec for entry in self.parity.engines) if self.parity else ()),
            *(self.properties.engines if self.properties else ()),
        ]
        return list(dict.fromkeys(named))


def read_evidence(paths: Paths) -> Evidence:
    """Read every file that was given."""
    found = Evidence()
    found.parity = _read("parity", paths.parity, ParityReport, found)
    found.properties = _read("properties", paths.properties, PropertiesReport, found)
    found.sweep = _read("sweep", paths.sweep, Sweep, found)
    found.compare = _read("compare", paths.compare, Comparison, found)
    found.rollback = _read("rollback", paths.rollback, Rollback, found)
    return found


_R = TypeVar("_R", bound=Record)


def _read(name: str, path: Path | None, kind: type[_R], found: Evidence) -> _R | None:
    if path is None:
        found.sources[name] = Source(name=name, path=None, problem="not given")
        return None
    if not path.exists():
        found.sources[name] = Source(name=name, path=str(path), problem="there is no such file")
        return None
    try:
        record = read_record(path, kind)
    except UsageError as error:
        found.unreadable[name] = str(error)
        found.sources[name] = Source(name=name, path=str(path), sha256=_hash(path), problem=str(error))
        return None
    found.sources[name] = Source(
        name=name,
        path=str(path),
        sha256=_hash(path),
        commit=getattr(record, "commit", None),
        finished=getattr(record, "finished", None),
    )
    return record


def _hash(path: Path) -> str | None:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return None
