"""The one moment that counts: a whole new database file takes the name of the old one, or does not."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from scale.rollback.backup import Backup, Manifest
from scale.rollback.durable import Tell, copy_file, fsync_folder
from scale.rollback.journal import Journal, save
from scale.rollback.locks import Held
from scale.rollback.steps import uninterrupted


def exchange(backup: Backup, journal: Journal, sha256: str, held: Held) -> Journal:
    """Let the staged file take the database's name, by one rename on one file system; returns the journal that says so.

    Before it, the staged file is on the disk and the journal knows it by inode and checksum; a drill elsewhere finds it locked.
    """
    staging, database = journal.staging, Path(journal.database)
    with suppress(FileNotFoundError, PermissionError):
        status = database.stat()
        staging.chmod(status.st_mode & 0o7777)
        os.chown(staging, status.st_uid, status.st_gid)
    descriptor = held.stage(staging)
    os.fsync(descriptor)
    made = os.fstat(descriptor)
    journal = save(backup, journal.model_copy(update={"new": sha256, "staged": (made.st_dev, made.st_ino)}))
    with uninterrupted():
        staging.replace(database)
        fsync_folder(database.parent)
    return journal


def bring_back(
    backup: Backup, manifest: Manifest, journal: Journal, held: Held, current: str | None, tell: Tell | None = None
) -> str:
    """Put the database of the backup in place again; what is there instead is set aside where the drill did not make it.

    current: SHA-256 of what is there, None for nothing; taken by the caller, who may hold it against writers. Returns what was
    done, in a sentence. Raises OSError; the database is then what it was.
    """
    database, staging = Path(journal.database), journal.staging
    told = "database: put back"
    if current not in (None, journal.old, journal.new):
        aside = set_aside(database, journal)
        told += f"; it had been written to since, what was there is now {aside}"
    staging.unlink(missing_ok=True)
    digest = copy_file(backup.database(manifest), staging, tell)
    if digest != manifest.database.sha256:
        staging.unlink()
        raise OSError(None, "the copy is not the backup", str(staging))
    descriptor = held.stage(staging)
    os.fsync(descriptor)
    with uninterrupted():
        staging.replace(database)
        fsync_folder(database.parent)
    return told


def set_aside(database: Path, journal: Journal) -> Path:
    """Give the file a second name beside it, under which it stays."""
    number, aside = 1, database.with_name(f"{database.name}.set-aside-{journal.id}")
    while aside.exists():
        if os.path.samestat(aside.stat(), database.stat()):
            return aside  # by a run that was interrupted
        number += 1
        aside = database.with_name(f"{database.name}.set-aside-{journal.id}-{number}")
    try:
        os.link(database, aside)
    except OSError:  # a file system without hard links
        copy_file(database, aside)
    fsync_folder(database.parent)
    return aside
