"""The journal of a drill: where it stands, on the disk before anything is done, and the notes by which a later command finds it."""

from __future__ import annotations

import contextlib
import hashlib
from pathlib import Path
from typing import Literal

from scale.records import Record, read_record
from scale.rollback.backup import Backup
from scale.rollback.durable import fsync_folder, make_folder, write_durably
from scale.rollback.git import Repository

State = Literal["under way", "undone", "rolled back", "going forward", "forward again"]


class Journal(Record):
    """journal.json, in the backup folder. Paths are absolute.

    state: `under way` until execute has ended: then `undone` (everything as before) or `rolled back`. `going forward` while
    restore works, `forward again` after it. step: that was begun last. old: SHA-256 of the database as backed up. new: of the
    rebuilt one, which is written down before it takes the old one's place, with `staged`, device and inode of its file: the
    database is the new one exactly when its name leads to that file.
    """

    schema_version: Literal[1] = 1
    kind: Literal["rollback-journal"] = "rollback-journal"
    id: str
    started: str
    repository: str
    head: str | None
    branch: str
    tag: str
    tag_commit: str
    engine: str | None
    database: str
    config: str
    models: list[str]
    state: State = "under way"
    step: str = "begin"
    old: str | None = None
    new: str | None = None
    staged: tuple[int, int] | None = None

    @property
    def staging(self) -> Path:
        """Beside the database: the file that is made to take its place."""
        database = Path(self.database)
        return database.with_name(f".{database.name}.rollback-{self.id}")


def save(backup: Backup, journal: Journal) -> Journal:
    """Write the journal to the disk; returns it."""
    write_durably(backup.journal, (journal.model_dump_json(indent=1) + "\n").encode())
    return journal


def load(backup: Backup) -> Journal | None:
    """The journal of a backup folder; None where none was written. Raises UsageError for one that cannot be read."""
    return read_record(backup.journal, Journal) if backup.journal.exists() else None


class Note(Record):
    """In git's folder: the backup folder of the last drill on a database. It is there before anything is in that folder."""

    backup: str
    database: str
    started: str
    tag: str


def note_path(repository: Repository, database: Path) -> Path:
    """Where the note on a database lies."""
    return repository.notes / f"{hashlib.sha256(str(database).encode()).hexdigest()[:16]}.json"


def leave_note(repository: Repository, note: Note) -> None:
    """Leave it, durably."""
    make_folder(repository.notes)
    write_durably(note_path(repository, Path(note.database)), (note.model_dump_json(indent=1) + "\n").encode())


def read_note(repository: Repository, database: Path) -> Note | None:
    """The note on a database, None if there is none. Raises UsageError for one that cannot be read."""
    path = note_path(repository, database)
    return read_record(path, Note) if path.exists() else None


def drop_note(repository: Repository, database: Path) -> None:
    """Take it away."""
    path = note_path(repository, database)
    with contextlib.suppress(FileNotFoundError):
        path.unlink()
        fsync_folder(path.parent)
