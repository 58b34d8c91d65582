"""Going back: what was left before is tidied up, everything is looked at, it is confirmed, and then the drill runs."""

from __future__ import annotations

from collections.abc import Callable

from scale.rollback.backup import Backup
from scale.rollback.drill import Drill
from scale.rollback.durable import make_folder
from scale.rollback.locks import BusyError, sole_drill
from scale.rollback.process import OutOfTimeError
from scale.rollback.record import Rollback, verdict_of
from scale.rollback.recovery import clean_up, situation
from scale.rollback.request import Request
from scale.rollback.steps import Steps, interruptible
from scale.rollback.validate import validate
from scale.status import UsageError


class RefusedError(RuntimeError):
    """A drill that was not begun; nothing was changed. The message says why and what to do."""


def execute(request: Request, steps: Steps, backup: Backup, confirm: Callable[[], None]) -> Rollback:
    """Go back; returns how that went, which rollback.json says too. confirm: raises what keeps it from being begun.

    Raises:
        RefusedError: an earlier drill stands or was not finished, or another one is at work. UsageError: the backup exists already.
    """
    repository, database = request.repository, request.database
    make_folder(repository.notes)
    try:
        with interruptible(), sole_drill(repository.notes, database) as held:
            found = situation(repository, database)
            if found.text:
                steps.say(found.text)
            clean_up(repository, database, found)
            if found.kind in ("rebuilt", "going forward"):
                raise RefusedError(
                    f"restore that first, or remove {found.backup and found.backup.folder} to keep the database as it is now"
                )
            refuse_existing(backup)
            try:
                checks = validate(request, steps, held.descriptors)
            except OutOfTimeError:
                return request.record(steps.finished("timeout", "no time was left; nothing was changed"))
            except KeyboardInterrupt:
                return request.record(steps.finished("interrupted", "interrupted before anything was changed"))
            if verdict_of(checks) != "pass":
                return request.record(
                    steps.finished(verdict_of(checks), "not begun: nothing was changed, no backup was made")
                )
            confirm()
            return Drill(request, steps, backup, held).run()
    except BusyError as error:
        raise RefusedError(str(error)) from None


def refuse_existing(backup: Backup) -> None:
    """A backup is never written over. Raises UsageError."""
    folder = backup.folder
    if folder.exists() and (
        not folder.is_dir() or {path.name for path in folder.iterdir()} - {f".{backup.journal.name}.draft"}
    ):
        raise UsageError(f"--backup {folder}: exists already and was left as it is; give a new folder")
