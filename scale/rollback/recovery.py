"""What an earlier drill left: found and told at the start of every command, and tidied up by the next that may change things."""

from __future__ import annotations

import contextlib
import shlex
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from scale.log import now
from scale.records import read_record, write_record
from scale.rollback.backup import Backup, Sources
from scale.rollback.durable import sha256_of
from scale.rollback.git import Repository
from scale.rollback.journal import Journal, drop_note, load, read_note, save
from scale.rollback.record import Action, Rollback

Kind = Literal["none", "as before", "rebuilt", "going forward", "lost"]


@dataclass(frozen=True)
class Situation:
    """What is known of the last drill on a database.

    kind: `none` (there was none, or all is over), `as before` (it was interrupted and changed nothing), `rebuilt` (the database
    is the rebuilt one; finished: execute ended as it should), `going forward` (restore was interrupted), `lost` (its backup folder
    is gone). text: for people, with what to do.
    """

    kind: Kind
    text: str = ""
    backup: Backup | None = None
    journal: Journal | None = None
    finished: bool = True


def situation(repository: Repository, database: Path, backup: Backup | None = None) -> Situation:
    """Look for the last drill on the database, by the repository's note or in a backup folder. Changes nothing."""
    note = read_note(repository, database)
    if backup is None:
        if note is None:
            return Situation("none")
        backup = Backup(Path(note.backup))
        if not backup.folder.exists():
            told = f"an earlier drill ({note.started}, tag {note.tag}) had its backup in {backup.folder}, which is gone"
            return Situation("lost", f"{told}; the database is taken as it is", backup)
    journal = load(backup)
    if journal is None:
        if note is None or note.backup != str(backup.folder):
            return Situation("none", backup=backup)
        told = (
            f"an earlier drill ({note.started}, tag {note.tag}, backup {backup.folder}) was interrupted before it began"
        )
        return Situation("as before", f"{told}: {_OLD}", backup, finished=False)
    return situation_of(backup, journal)


_OLD = "database and configuration are as before it"


def situation_of(backup: Backup, journal: Journal) -> Situation:
    """What a journal says, held to what is on the disk."""
    database = Path(journal.database)
    named = f"an earlier drill ({journal.started}, tag {journal.tag}, backup {backup.folder})"
    forward = f"go forward again with: python -m scale rollback restore --backup {_shell(backup.folder)}"
    if journal.state in ("undone", "forward again"):
        return Situation("none", backup=backup, journal=journal)
    if journal.state == "rolled back":
        changed = (
            "" if _is(database, journal.new) else "; it has been written to since, and restore will set that aside"
        )
        return Situation(
            "rebuilt", f"{named} went back: the database is the rebuilt one{changed}; {forward}", backup, journal
        )
    if journal.state == "going forward":
        told = "as before the drill again" if _is(database, journal.old) else "still the rebuilt one"
        told = (
            f"{named}: its restore was interrupted, the database is {told}; run it again: {forward.partition(': ')[2]}"
        )
        return Situation("going forward", told, backup, journal, finished=False)
    if is_staged(journal):
        told = f"{named} was interrupted at step {journal.step}: the database is the rebuilt one, whole; {forward}"
        return Situation("rebuilt", told, backup, journal, finished=False)
    state = _OLD
    if journal.old is not None and not _is(database, journal.old):
        state = "the database is not as it was backed up, another program has written to it; restore would put it back"
    return Situation(
        "as before", f"{named} was interrupted at step {journal.step}: {state}", backup, journal, finished=False
    )


def is_staged(journal: Journal) -> bool:
    """Whether the database's name leads to the file that was made to take its place."""
    try:
        status = Path(journal.database).stat()
    except FileNotFoundError:
        return False
    return journal.staged == (status.st_dev, status.st_ino)


def clean_up(repository: Repository, database: Path, found: Situation) -> None:
    """Finish what an interrupted drill left, under its locks: remove its scratch files, and write down how it ended.

    The database itself is never touched: it is the old one or the new one already.
    """
    journal, backup = found.journal, found.backup
    if found.finished or backup is None:
        remove_scratch(database)
        if found.kind in ("none", "lost"):
            drop_note(repository, database)
        if found.kind == "lost":
            repository.forget_lost_worktrees()
        return
    if found.kind == "as before":
        remove_scratch(database)
        if journal is not None:
            remove_leftovers(repository, backup)
            save(backup, journal.model_copy(update={"state": "undone"}))
        drop_note(repository, database)
    elif found.kind == "rebuilt" and journal is not None:
        remove_scratch(database)
        shutil.rmtree(scratch_of(backup), ignore_errors=True)
        save(backup, journal.model_copy(update={"state": "rolled back"}))
    if journal is not None and found.kind != "going forward":
        note_interruption(backup, journal)


def note_interruption(backup: Backup, journal: Journal) -> None:
    """rollback.json of an execute that was killed: it never counts as a pass."""
    if backup.record.exists():
        return
    killed = Action(
        action="execute",
        started=journal.started,
        finished=now(),
        seconds=0.0,
        result="interrupted",
        message=f"interrupted at step {journal.step}",
    )
    write_record(
        backup.record,
        Rollback(
            tag=journal.tag,
            tag_commit=journal.tag_commit,
            commit=journal.head,
            engine=journal.engine,
            finished=killed.finished,
            seconds=0.0,
            result="interrupted",
            actions=[killed],
        ),
    )


def remove_leftovers(repository: Repository, backup: Backup) -> None:
    """What execute makes for itself: the checkout and its scratch folder."""
    repository.remove_worktree(backup.worktree)
    shutil.rmtree(scratch_of(backup), ignore_errors=True)


def remove_scratch(database: Path) -> None:
    """Files beside the database that a drill was making to take its place. Only under the drill's locks."""
    for path in scratch_beside(database):
        with contextlib.suppress(FileNotFoundError):
            path.unlink()


def scratch_beside(database: Path) -> list[Path]:
    """What a drill that was killed left beside the database."""
    prefix = f".{database.name}.rollback-"
    if not database.parent.is_dir():
        return []
    return sorted(path for path in database.parent.iterdir() if path.name.startswith(prefix))


def scratch_of(backup: Backup) -> Path:
    """Folder for files that only the rebuild needs."""
    return backup.folder / "scratch"


def sources_of(journal: Journal, repository: Repository, backup: Backup) -> Sources:
    """What was backed up, as the journal names it."""
    config = Path(journal.config)
    return Sources(Path(journal.database), config, repository, tuple(journal.models), (config, backup.folder))


def read_rollback(backup: Backup) -> Rollback | None:
    """The drill's record; None where there is none yet."""
    return read_record(backup.record, Rollback) if backup.record.exists() else None


def _is(database: Path, sha256: str | None) -> bool:
    return sha256 is not None and database.is_file() and sha256_of(database) == sha256


def _shell(path: Path) -> str:
    return shlex.quote(str(path))
