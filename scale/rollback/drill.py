"""One drill under way: each step written down before it begins, and all of it undone where one fails."""

from __future__ import annotations

import secrets
import shlex
import shutil
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from differential.variant import LEGACY_FLAG
from scale.log import now
from scale.records import write_record
from scale.rollback.backup import Backup, BackupError, Manifest
from scale.rollback.compare import Agreement
from scale.rollback.durable import copy_file, make_folder, sha256_of, write_durably
from scale.rollback.exchange import bring_back, exchange
from scale.rollback.git import GitError, plain_environment
from scale.rollback.journal import Journal, Note, drop_note, leave_note, load, save
from scale.rollback.locks import Held, HeldError, no_writer
from scale.rollback.process import CommandError, OutOfTimeError, run_command
from scale.rollback.rebuild import Job, RebuildError
from scale.rollback.record import Check, Result, Rollback, verdict_of
from scale.rollback.recovery import is_staged, remove_leftovers, remove_scratch, scratch_of
from scale.rollback.request import Request
from scale.rollback.steps import Steps, uninterrupted
from scale.rollback.tables import TablesError, empty, fold_in_log, write_ahead_log
from scale.rollback.trial import config_copy
from scale.rollback.verify import agree, untouched, verify
from scale.status import UsageError

ENV_FILE = ".env.rollback"
_FAILURES = (BackupError, CommandError, GitError, HeldError, OSError, RebuildError, TablesError, UsageError)


class _CheckError(Exception):
    """A check of the rebuilt database that did not pass."""

    def __init__(self, result: Result, message: str) -> None:
        super().__init__(message)
        self.result: Result = result


@dataclass
class Drill:
    """One execute under way. manifest: of the backup, once it is whole."""

    request: Request
    steps: Steps
    backup: Backup
    held: Held
    manifest: Manifest | None = None
    agreement: Agreement | None = None
    versions: dict[str, str] = field(default_factory=dict)

    def run(self) -> Rollback:
        """All of it; what fails is undone. The record is written either way."""
        request, repository = self.request, self.request.repository
        commit = repository.commit_of_tag(request.tag)
        assert commit is not None
        self.journal = Journal(
            id=secrets.token_hex(4),
            started=now(),
            repository=str(repository.top),
            head=repository.head(),
            branch=repository.branch(),
            tag=request.tag,
            tag_commit=commit,
            engine=request.engine,
            database=str(request.database),
            config=str(request.config),
            models=list(request.models),
        )
        try:
            self._begin()
            self._go()
        except BaseException as error:  # noqa: BLE001 - undone whatever it is; what is not known is raised again
            with uninterrupted():
                return self._failed(error)
        with uninterrupted():
            return self._done()

    def _begin(self) -> None:
        """From here on a later command finds the drill: first the note, then the journal."""
        journal, repository = self.journal, self.request.repository
        note = Note(backup=str(self.backup.folder), database=journal.database, started=journal.started, tag=journal.tag)
        leave_note(repository, note)
        make_folder(self.backup.folder)
        save(self.backup, journal)
        self.steps.entered = self._enter

    def _enter(self, step: str) -> None:
        self.journal = save(self.backup, self.journal.model_copy(update={"step": step}))

    def _go(self) -> None:
        request, steps, backup = self.request, self.steps, self.backup
        if write_ahead_log(request.database):
            with steps("checkpoint", "write-ahead log of the database folded in"):
                fold_in_log(request.database)
        with no_writer(request.database) as descriptor:
            with steps("backup", f"backup to {backup.folder}") as tell:
                manifest = backup.take(request.sources, descriptor, tell)
            with steps("verify backup", "backup read again and held to its checksums") as tell:
                backup.verify(manifest, tell)
            self.manifest = manifest
            self.journal = self.journal.model_copy(update={"old": manifest.database.sha256})
            with steps("checkout", f"checkout of {request.tag} in {backup.worktree}"):
                self._check_out()
            with steps("rebuild", f"rebuild with {request.rebuilder.name} of {request.tag} and {LEGACY_FLAG}"):
                staging = self._rebuild(manifest)
            with steps("verify", "verification of the rebuilt database"):
                self._hold(list(verify(request, staging)))
                self._hold(untouched(request, backup, manifest, sha256_of(descriptor)))
            with steps("compare", "comparison with the backup"):
                self.agreement, checks = agree(request, backup.database(manifest), staging)
                if self.agreement.report:
                    write_durably(backup.differences, "\n".join(self.agreement.report).encode())
                self._hold(checks)
            with steps("switch", f"switch of {request.database}"):
                self.journal = exchange(backup, self.journal, sha256_of(staging), self.held)

    def _check_out(self) -> None:
        request, backup = self.request, self.backup
        run_command(
            request.repository.worktree_command(self.journal.tag_commit, backup.worktree),
            folder=request.repository.top,
            environment=plain_environment(),
            log=backup.log,
            deadline=self.steps.deadline,
            locks=self.held.descriptors,
        )
        values = {
            LEGACY_FLAG: "true",
            "ROLLBACK_TIME": self.journal.started,
            "ROLLBACK_TAG": request.tag,
            "ROLLBACK_COMMIT": self.journal.tag_commit,
        }
        text = "".join(f"{name}={shlex.quote(value)}\n" for name, value in values.items())
        write_durably(backup.worktree / ENV_FILE, text.encode())

    def _rebuild(self, manifest: Manifest) -> Path:
        """Into a copy of the database without the rows that are rebuilt: what is there afterwards was made by the rebuild."""
        request, backup, staging = self.request, self.backup, self.journal.staging
        copy_file(backup.database(manifest), staging)
        empty(staging, request.names)
        scratch = scratch_of(backup)
        scratch.mkdir()
        with config_copy(request.config, scratch) as config:
            job = Job(
                checkout=backup.worktree,
                database=staging,
                config=config,
                legacy=True,
                people=None,
                scratch=scratch,
                log=backup.log,
                tag=request.tag,
                deadline=self.steps.deadline,
                locks=self.held.descriptors,
                backup=backup.folder,
            )
            self.versions = request.rebuilder.rebuild(job)
        shutil.rmtree(scratch, ignore_errors=True)
        return staging

    def _hold(self, checks: list[Check]) -> None:
        self.steps.checks += checks
        result = verdict_of(checks)
        if result != "pass":
            raise _CheckError(result, next(c.text for c in checks if c.verdict not in ("pass", "info")))

    def _done(self) -> Rollback:
        """The database is the rebuilt one. Nothing that fails from here on changes that."""
        remaining = ""
        try:
            self.journal = save(self.backup, self.journal.model_copy(update={"state": "rolled back"}))
        except OSError as error:
            remaining = f"; the journal could not be written ({error.strerror}), the next command does it"
        return self._record("pass", remaining)

    def _failed(self, error: BaseException) -> Rollback:
        """Undo, or, where the rename was made already, end as done."""
        with suppress(OSError, UsageError):
            self.journal = load(self.backup) or self.journal  # an interruption may have come between it and here
        if is_staged(self.journal):
            self._done()
            return self._record(
                "interrupted", "interrupted after the database was put in place: it is the rebuilt one, whole"
            )
        told = self._undo()
        for line in told:
            self.steps.say(line)
        if isinstance(error, _CheckError):
            return self._record(error.result, str(error))
        if isinstance(error, OutOfTimeError):
            return self._record("timeout", f"no time was left at step {self.journal.step}")
        if isinstance(error, KeyboardInterrupt):
            return self._record("interrupted", f"interrupted at step {self.journal.step}")
        if isinstance(error, _FAILURES):
            return self._record("fail", f"step {self.journal.step}: {in_words(error)}")
        self._record("fail", f"step {self.journal.step}: {type(error).__name__}: {error}")
        raise error

    def _undo(self) -> list[str]:
        """Everything as it was. What cannot be undone now, such as a journal on a full disk, is left for the next command."""
        request, backup, told = self.request, self.backup, []
        with suppress(OSError):
            remove_scratch(request.database)  # first: it may be what fills the disk
        try:
            if self.manifest is not None:
                current = sha256_of(request.database) if request.database.is_file() else None
                if current != self.manifest.database.sha256:
                    told.append(bring_back(backup, self.manifest, self.journal, self.held, current))
                told += backup.put_back(self.manifest, request.sources, backup.changes(self.manifest, request.sources))
            remove_leftovers(request.repository, backup)
            if backup.folder.exists():
                self.journal = save(backup, self.journal.model_copy(update={"state": "undone"}))
            drop_note(request.repository, request.database)
        except (OSError, GitError, UsageError) as error:
            again = f"python -m scale rollback restore --backup {shlex.quote(str(backup.folder))}"
            told.append(f"not all could be tidied up: {in_words(error)}; when that is mended, run: {again}")
        else:
            told.append("everything is as it was before")
        return told

    def _record(self, result: Result, message: str) -> Rollback:
        manifest, agreement = self.manifest, self.agreement
        database = {"before": manifest.database.sha256} if manifest else {}
        facts: dict[str, object] = {"versions": self.versions, "database": database}
        if agreement is not None:
            facts["agreement"] = (
                "equal" if agreement.equal else "within the policy" if agreement.accepted else "differs"
            )
            facts |= {"rows": agreement.rows, "hashes": agreement.hashes}
        if is_staged(self.journal) and self.journal.new:
            database["after"] = self.journal.new
        record = self.request.record(self.steps.finished(result, message), **facts)
        try:
            if self.backup.folder.exists():
                write_record(self.backup.record, record)
        except OSError as error:
            self.steps.say(f"{self.backup.record}: cannot be written: {error.strerror}")
        return record


def in_words(error: BaseException) -> str:
    """An error as people read it: of the system's, what is wrong and with which file."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return str(error)
