"""Going forward again: database, configuration and models byte for byte as they were backed up."""

from __future__ import annotations

import os
import shlex
from contextlib import ExitStack
from pathlib import Path

from scale.records import write_record
from scale.rollback.backup import Backup, BackupError, Manifest
from scale.rollback.drill import ENV_FILE, in_words
from scale.rollback.durable import make_folder, sha256_of
from scale.rollback.exchange import bring_back
from scale.rollback.execute import RefusedError
from scale.rollback.git import GitError, Repository
from scale.rollback.journal import Journal, drop_note, load, read_note, save
from scale.rollback.locks import BusyError, Held, HeldError, no_writer, sole_drill
from scale.rollback.process import OutOfTimeError
from scale.rollback.record import Result, Rollback
from scale.rollback.recovery import (
    clean_up,
    note_interruption,
    read_rollback,
    remove_leftovers,
    remove_scratch,
    situation,
    situation_of,
    sources_of,
)
from scale.rollback.steps import Steps, interruptible, uninterrupted
from scale.rollback.tables import TablesError, fold_in_log, write_ahead_log
from scale.status import UsageError

_FAILURES = (BackupError, GitError, HeldError, OSError, TablesError, UsageError)


def restore(backup: Backup, steps: Steps) -> Rollback | None:
    """Put everything back; returns the drill's record with this action, None where the drill never came to a journal.

    Raises:
        UsageError: no backup of a drill. RefusedError: another drill is at work, or a later one stands.
    """
    journal = load(backup)
    if journal is None:
        if not backup.folder.is_dir() or {path.name for path in backup.folder.iterdir()} - {
            f".{backup.journal.name}.draft"
        }:
            raise UsageError(
                f"--backup {backup.folder}: not the backup folder of a drill: there is no {backup.journal.name}"
            )
        steps.say(f"{backup.folder}: the drill was interrupted before it began; there is nothing to restore")
        return None
    repository = _repository(journal, backup)
    make_folder(repository.notes)
    try:
        with interruptible(), sole_drill(repository.notes, Path(journal.database)) as held:
            return _Restore(backup, journal, repository, steps, held).run()
    except BusyError as error:
        raise RefusedError(str(error)) from None


def _repository(journal: Journal, backup: Backup) -> Repository:
    try:
        return Repository.at(Path(journal.repository))
    except UsageError as error:
        raise UsageError(
            f"the repository of the drill cannot be used ({error}); what was backed up lies in {backup.databases} and "
            f"{backup.configuration}, to be copied to {journal.database} and {journal.config}"
        ) from None


class _Restore:
    def __init__(self, backup: Backup, journal: Journal, repository: Repository, steps: Steps, held: Held) -> None:
        self._backup, self._journal, self._repository, self._steps, self._held = (
            backup,
            journal,
            repository,
            steps,
            held,
        )
        self._database = Path(journal.database)
        self._sources = sources_of(journal, repository, backup)
        self._told: list[str] = []

    def run(self) -> Rollback:
        """All of it, and its record. A failure leaves the database as the old or the rebuilt one; restore can be run again."""
        found = situation_of(self._backup, self._journal)
        if found.text:
            self._steps.say(found.text)
        self._refuse_a_later_drill()
        over = self._journal.state in ("undone", "forward again")
        result: Result = "pass"
        message = ""
        try:
            clean_up(self._repository, self._database, found)
            self._journal = load(self._backup) or self._journal
            self._go(over=over)
        except KeyboardInterrupt:
            result, message = "interrupted", "interrupted; run it again"
        except OutOfTimeError:
            result, message = "timeout", "no time was left; run it again"
        except _FAILURES as error:
            result, message = "fail", in_words(error)
        with uninterrupted():
            return self._record(result, message or "; ".join(self._told))

    def _refuse_a_later_drill(self) -> None:
        note = read_note(self._repository, self._database)
        if note is None or note.backup == str(self._backup.folder):
            return
        later = situation(self._repository, self._database)
        if later.kind in ("rebuilt", "going forward", "as before"):
            raise RefusedError(f"that is not the last drill on this database: {later.text}")

    def _go(self, *, over: bool) -> None:
        backup, steps = self._backup, self._steps
        manifest = backup.read_manifest()
        if manifest is None:
            self._tell(
                "the drill ended before its backup was whole, and had changed nothing: there is nothing to restore"
            )
            self._finish()
            return
        with steps("verify backup", "backup held to its checksums") as tell:
            backup.verify(manifest, tell)
        if write_ahead_log(self._database) is not None and not over:
            with steps("checkpoint", "write-ahead log of the database folded in"):
                fold_in_log(self._database)
        with ExitStack() as stack:
            descriptor = stack.enter_context(no_writer(self._database)) if self._database.exists() else None
            with steps("look", "what is there now") as tell:
                current = None if descriptor is None else sha256_of(descriptor, tell)
                same = current == manifest.database.sha256
                changes = backup.changes(manifest, self._sources)
            if over:
                self._over(same=same and not changes, manifest=manifest)
                return
            self._journal = save(backup, self._journal.model_copy(update={"state": "going forward", "step": "restore"}))
            if self._repository.head() != self._journal.head and changes.pop("models", []):
                self._tell(
                    f"models: left to git, as {self._repository.top} is on another commit than it was "
                    f"({(self._journal.head or '')[:12]}); check that out to have them back; copies are in {backup.models}"
                )
            with steps("configuration", "configuration and models"):
                for line in backup.put_back(manifest, self._sources, changes):
                    self._tell(line)
            if same:
                self._tell("database: as backed up already")
            else:
                with steps("database", f"database {self._database}") as tell:
                    self._tell(bring_back(backup, manifest, self._journal, self._held, current, tell))
            with steps("tidy up", "checkout and scratch files removed"):
                self._tidy_up()
        self._finish()

    def _over(self, *, same: bool, manifest: Manifest) -> None:
        """The drill had ended with everything as before. Work that was done since is not taken back unasked."""
        if same:
            self._tell("everything is as backed up already")
            return
        raise BackupError(
            f"this drill is over and has left everything as before; what is there now was written since, and was left alone. To "
            f"have the backup all the same, copy {shlex.quote(str(self._backup.database(manifest)))} yourself"
        )

    def _tidy_up(self) -> None:
        """The checkout goes, unless someone has worked in it."""
        remove_scratch(self._database)
        worktree = self._backup.worktree
        if worktree.is_dir() and (worktree / ".git").exists():
            there = Repository.at(worktree)
            changed = [name for name in there.uncommitted() if name != ENV_FILE]
            if changed or there.head() != self._journal.tag_commit:
                what = f"changes that are not committed ({changed[0]})" if changed else "commits of its own"
                self._tell(f"{worktree}: kept, as there are {what}; remove it with: git worktree remove --force")
                return
        remove_leftovers(self._repository, self._backup)

    def _finish(self) -> None:
        journal = self._journal
        if journal.state == "going forward":
            self._journal = save(self._backup, journal.model_copy(update={"state": "forward again"}))
        drop_note(self._repository, self._database)

    def _tell(self, line: str) -> None:
        self._told.append(line)
        self._steps.say(line)

    def _record(self, result: Result, message: str) -> Rollback:
        before = read_rollback(self._backup)
        if before is None:
            note_interruption(self._backup, self._journal)
            before = read_rollback(self._backup)
        assert before is not None
        record = before.after(self._steps.finished(result, message))
        try:
            write_record(self._backup.record, record)
        except OSError as error:
            self._steps.say(f"{self._backup.record}: cannot be written: {os.strerror(error.errno or 0)}")
        return record
