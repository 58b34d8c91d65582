"""Bundles read back, with clear errors."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from differential.repro.finding import Finding
from differential.repro.record import RecordError, finding_from, read_record
from differential.repro.spreadsheet import census_from_csv
from fixtures.census import CensusError
from fixtures.scenario import Scenario, ScenarioError
from fixtures.world import World, WorldError

CENSUS, SCENARIO, RECORD = "census.csv", "scenario.yaml", "repro.json"
MOST_BYTES = 256_000_000


class BundleError(ValueError):
    """A bundle that cannot be read; the message names the file and the key."""


@dataclass(frozen=True)
class Bundle:
    """A bundle as read: the finding (without what was seen of it), its recorded signature, and notes for people."""

    path: Path
    finding: Finding
    signature: str
    verified: bool
    notes: tuple[str, ...] = ()


def load_bundle(path: Path) -> Bundle:
    """Read a bundle's folder. Raises BundleError naming file and key."""
    if not path.is_dir():
        raise BundleError(f"{path}: no such folder; a repro is a folder with {RECORD} in it")
    record_file = _inside(path, RECORD)
    try:
        record = read_record(record_file.read_text(encoding="utf-8"))
        if record.get("withheld"):
            raise BundleError(
                f"{path}: holds no people, because the census was a user's own; run it again: {record.get('command')!s:.300}"
            )
        world = World(census_from_csv(_inside(path, CENSUS)), Scenario.load(_inside(path, SCENARIO)))
        finding = finding_from(record, world)
    except RecordError as error:
        raise BundleError(f"{record_file}: {error}") from None
    except (CensusError, ScenarioError, WorldError) as error:
        raise BundleError(str(error) if str(path) in str(error) else f"{path}: {error}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise BundleError(f"{record_file}: cannot be read: {error}") from None
    edited = record.get("world") != world.fingerprint
    notes = (f"{CENSUS} or {SCENARIO} has been edited since the repro was written",) if edited else ()
    return Bundle(path, finding, str(record.get("signature")), bool(record.get("verified")), notes)


def regressions(folder: Path) -> list[Path]:
    """The bundles in a folder, by name; empty if it does not exist."""
    if not folder.is_dir():
        return []
    return sorted(one for one in folder.iterdir() if one.is_dir() and not one.name.startswith((".", "_")))


def _inside(folder: Path, name: str) -> Path:
    """A file of the bundle itself: no link out of it, and not absurdly large."""
    path = folder / name
    if not path.is_file():
        raise BundleError(f"{path}: missing; a repro has {RECORD}, {CENSUS} and {SCENARIO}")
    if not path.resolve().is_relative_to(folder.resolve()):
        raise BundleError(f"{path}: is a link to a file outside the repro")
    if path.stat().st_size > MOST_BYTES:
        raise BundleError(f"{path}: larger than {MOST_BYTES} bytes")
    return path
