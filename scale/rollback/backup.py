"""The backup folder: database, configuration and models as they were, each with its checksum, and all that the drill leaves."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from scale.records import Record, read_record
from scale.rollback.durable import Tell, copy_file, fsync_folder, make_folder, write_durably
from scale.rollback.git import Repository
from scale.rollback.trees import Difference, Entry, copy_entries, differences, entry_of, listing, put_back

SCHEMA_VERSION = 1


class BackupError(RuntimeError):
    """A backup that is not what was backed up; nothing was changed. The message names the files."""


class Manifest(Record):
    """manifest.json: everything that was backed up. It is written last: where it is, the backup is whole."""

    schema_version: int = SCHEMA_VERSION
    kind: str = "rollback-backup"
    database: Entry
    configuration: list[Entry]
    models: list[Entry]

    @property
    def bytes(self) -> int:
        """Of all files."""
        return sum(entry.size for entry in [self.database, *self.configuration, *self.models])


@dataclass(frozen=True)
class Sources:
    """What is backed up. models: paths in the repository. outside: places in the repository that are no models."""

    database: Path
    config: Path
    repository: Repository
    models: tuple[str, ...]
    outside: tuple[Path, ...]

    def model_files(self) -> list[str]:
        """The models that are there now."""
        top = self.repository.top
        return [name for name in self.repository.files(self.models) if self._is_model(top / name)]

    def _is_model(self, path: Path) -> bool:
        """Neither the database nor what lies beside it under its name, nor in a place that is none; no submodule."""
        if path.parent == self.database.parent and path.name.removeprefix(".").startswith(self.database.name):
            return False
        elsewhere = any(path.is_relative_to(place) for place in self.outside)
        return not elsewhere and (path.is_symlink() or not path.is_dir())


@dataclass(frozen=True)
class Backup:
    """The folder of --backup and where things lie in it."""

    folder: Path

    @property
    def journal(self) -> Path:
        return self.folder / "journal.json"

    @property
    def record(self) -> Path:
        return self.folder / "rollback.json"

    @property
    def manifest(self) -> Path:
        return self.folder / "manifest.json"

    @property
    def worktree(self) -> Path:
        return self.folder / "checkout"

    @property
    def log(self) -> Path:
        return self.folder / "rebuild.log"

    @property
    def differences(self) -> Path:
        return self.folder / "differences.txt"

    @property
    def aside(self) -> Path:
        return self.folder / "set-aside"

    @property
    def databases(self) -> Path:
        return self.folder / "database"

    @property
    def configuration(self) -> Path:
        return self.folder / "configuration"

    @property
    def models(self) -> Path:
        return self.folder / "models"

    def database(self, manifest: Manifest) -> Path:
        """The copy of the database."""
        return self.databases / manifest.database.path

    def take(self, sources: Sources, database: int, tell: Tell | None = None) -> Manifest:
        """Copy everything; afterwards it is on the disk. database: descriptor that holds it against writers."""
        make_folder(self.databases)
        name = sources.database.name
        digest = copy_file(database, self.databases / name, tell)
        fsync_folder(self.databases)
        status = os.fstat(database)
        entry = Entry(path=name, kind="file", mode=status.st_mode & 0o7777, size=status.st_size, sha256=digest)
        manifest = Manifest(
            database=entry,
            configuration=copy_entries(sources.config, listing(sources.config), self.configuration, tell),
            models=copy_entries(sources.repository.top, sources.model_files(), self.models, tell),
        )
        write_durably(self.manifest, json.dumps(manifest.model_dump(), indent=1).encode())
        return manifest

    def read_manifest(self) -> Manifest | None:
        """What was backed up; None where the backup was never finished. Raises UsageError for a file that is not readable."""
        return read_record(self.manifest, Manifest) if self.manifest.exists() else None

    def verify(self, manifest: Manifest, tell: Tell | None = None) -> None:
        """Read every copy again and hold it to its checksum. Raises BackupError."""
        wrong = [
            f"{folder.name}/{found.path} ({found.kind})"
            for folder, entries in self._parts(manifest)
            for found in differences(entries, folder, [], tell)
        ]
        if wrong:
            shown = ", ".join(wrong[:5]) + (f" and {len(wrong) - 5} more" if len(wrong) > 5 else "")
            raise BackupError(f"{self.folder}: the backup is not what was backed up: {shown}")

    def _parts(self, manifest: Manifest) -> Iterator[tuple[Path, list[Entry]]]:
        yield self.databases, [manifest.database]
        yield self.configuration, manifest.configuration
        yield self.models, manifest.models

    def changes(self, manifest: Manifest, sources: Sources) -> dict[str, list[Difference]]:
        """Where configuration and models differ now from what was backed up; empty where they do not."""
        found = {
            "configuration": differences(manifest.configuration, sources.config, listing(sources.config)),
            "models": differences(manifest.models, sources.repository.top, sources.model_files()),
        }
        return {name: changes for name, changes in found.items() if changes}

    def put_back(self, manifest: Manifest, sources: Sources, changes: dict[str, list[Difference]]) -> list[str]:
        """Make configuration and models what was backed up; returns what was done, in sentences."""
        places = {
            "configuration": (manifest.configuration, self.configuration, sources.config),
            "models": (manifest.models, self.models, sources.repository.top),
        }
        told = []
        for name, changed in changes.items():
            entries, backup, folder = places[name]
            put_back(entries, backup, folder, changed, self.aside / name)
            told.append(
                f"{name}: {len(changed)} files were not as backed up and were put back ({shown(changed)}); what was there is in "
                f"{self.aside / name}"
            )
        return told


def shown(changes: list[Difference]) -> str:
    """The first few changes in words."""
    text = ", ".join(f"{change.path} {change.kind}" for change in changes[:3])
    return text + (f" and {len(changes) - 3} more" if len(changes) > 3 else "")


def database_entry(path: Path) -> Entry:
    """The database as it is now."""
    return entry_of(path.parent, path.name)
