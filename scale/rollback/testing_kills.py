"""Kills a drill with SIGKILL again and again, and looks at what is left: `python -m scale.rollback.testing_kills FOLDER`.

Each trial is a child of this process, which has imported everything and holds no thread and no database. Its file operations are
counted by an audit hook, which kills it before the Nth; or a timer does after a random delay. Afterwards the database has to be the
old or the rebuilt one to the byte, the next start has to say which, and restore has to bring the old bytes back.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import random
import shutil
import signal
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scale.rollback import command, drill, execute, options
from scale.rollback.backup import Backup
from scale.rollback.durable import sha256_of
from scale.rollback.git import Repository
from scale.rollback.journal import Journal
from scale.rollback.locks import Held
from scale.rollback.recovery import situation
from scale.rollback.testing import System, nothing_to_say

_CHANGES = (
    "os.rename",
    "os.remove",
    "os.mkdir",
    "os.rmdir",
    "os.link",
    "os.symlink",
    "os.chmod",
    "os.chown",
    "os.utime",
)
_STARTS = ("subprocess.Popen", "fcntl.flock", "fcntl.lockf", "shutil.rmtree", "shutil.copytree")
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT
NEVER = 1 << 30


class Killer:
    """Counts this process's file operations and kills it before the Nth."""

    def __init__(self) -> None:
        self.count, self.at = 0, NEVER

    def hook(self, event: str, arguments: tuple[Any, ...]) -> None:
        changes = event in _CHANGES or event in _STARTS
        if not changes and event == "open" and isinstance(arguments[2], int):
            changes = bool(arguments[2] & _WRITING) and "pycache" not in str(arguments[0])
        if changes:
            self.count += 1
            if self.count == self.at:
                os.kill(os.getpid(), signal.SIGKILL)


@dataclass
class Seen:
    """What became of a child. status: its own, None where it was killed. said: what it printed."""

    status: int | None
    said: str
    count: int = 0


def in_child(work: Callable[[], int], *, kill_before: int = NEVER, kill_after: float | None = None) -> Seen:
    """Run work in a fork, which the Nth file operation or so many seconds end; returns what became of it."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        _be_child(work, writing, kill_before)
    os.close(writing)
    if kill_after is not None:
        time.sleep(kill_after)
        os.kill(child, signal.SIGKILL)
    with os.fdopen(reading, "rb") as pipe:
        said = pipe.read().decode(errors="replace")
    _, status = os.waitpid(child, 0)
    text, _, count = said.rpartition("\0")
    killed = os.WIFSIGNALED(status)
    return Seen(
        None if killed else os.waitstatus_to_exitcode(status),
        said if killed else text,
        int(count or 0) if not killed else 0,
    )


def _be_child(work: Callable[[], int], pipe: int, kill_before: int) -> None:
    status = 70
    try:
        told = io.StringIO()
        os.dup2(pipe, 2)
        killer = Killer()
        killer.at = kill_before
        sys.addaudithook(killer.hook)
        with contextlib.redirect_stdout(told):
            status = work()
        os.write(pipe, f"{told.getvalue()}\0{killer.count}".encode())
    except BaseException:  # noqa: BLE001 - a child must never come back into its parent's code
        traceback.print_exc()
        os.write(pipe, b"\0000")
    finally:
        os._exit(status)


def scale(arguments: list[str]) -> int:
    """`python -m scale` of these arguments, without the imports of its other commands."""
    parser = argparse.ArgumentParser()
    options.add_arguments(parser)
    return int(command.run(parser.parse_args(arguments[1:])))


@dataclass
class Trials:
    """Trials on copies of one small system in `folder`."""

    folder: Path
    original: System
    wrong: list[str]
    kills: int = 0

    @classmethod
    def prepare(cls, folder: Path) -> Trials:
        made = in_child(lambda: bool(not System.make(folder / "original")))
        if made.status != 0:
            raise RuntimeError(made.said)
        return cls(folder, System(folder / "original"), [])

    def fresh(self) -> System:
        """A copy of the system that nothing was done to."""
        shutil.rmtree(self.folder / "trial", ignore_errors=True)
        shutil.copytree(self.original.root, self.folder / "trial", symlinks=True)
        return System(self.folder / "trial")

    def execute(self, system: System, **kill: Any) -> Seen:
        return in_child(lambda: scale(system.arguments("execute")), **kill)

    def restore(self, system: System, **kill: Any) -> Seen:
        return in_child(lambda: scale(system.arguments("restore")), **kill)

    def counts(self) -> tuple[int, int]:
        """File operations of an execute and of a restore that nobody ends."""
        system = self.fresh()
        back = self.execute(system)
        forward = self.restore(system)
        if back.status or forward.status:
            raise RuntimeError(f"{back}\n{forward}")
        return back.count, forward.count

    def kill_execute(self, what: str, **kill: Any) -> None:
        """One trial: execute is killed; the state is the old or the new, the next start says which, restore brings the old back."""
        system = self.fresh()
        old, built, user = system.database_hash(), _built(system), system.user_state()
        seen = self.execute(system, **kill)
        self.kills += seen.status is None
        now = system.database_hash()
        told = self._told(system)
        if now not in (old, built):
            self._fault(what, "the database is neither the old nor the rebuilt one")
        if now == built and "the rebuilt one" not in told:
            self._fault(what, f"the database is the rebuilt one, and the next start says {told!r}")
        if now == old and seen.status is None and "rebuilt" in told:
            self._fault(what, f"the database is the old one, and the next start says {told!r}")
        if now == old and system.backup.exists() and "as before it" not in told and seen.status is None:
            self._fault(what, f"the next start does not say how it stands: {told!r}")
        self._bring_back(what, system, old, user)

    def kill_restore(self, what: str, **kill: Any) -> None:
        """One trial: execute ends well, someone edits the configuration, restore is killed; a second restore ends the matter."""
        system = self.fresh()
        old, built, user = system.database_hash(), _built(system), system.user_state()
        self.execute(system)
        (system.config / "plan.yaml").write_text("growth: 0.99\n")
        (system.config / "added.yaml").write_text("new\n")
        seen = self.restore(system, **kill)
        self.kills += seen.status is None
        if system.database_hash() not in (old, built):
            self._fault(what, "the database is neither the old nor the rebuilt one")
        told = self._told(system)
        if seen.status is None and (system.backup / "rollback.json").exists() and not told and system.worktrees():
            self._fault(what, "the next start says nothing")
        self._bring_back(what, system, old, user)
        kept = [path.read_text() for path in (system.backup / "set-aside").rglob("*") if path.is_file()]
        if "growth: 0.99\n" not in kept or "new\n" not in kept:
            self._fault(what, f"what someone wrote into the configuration is lost: {kept}")

    def _told(self, system: System) -> str:
        def look() -> int:
            repository = Repository.at(system.repo)
            sys.stdout.write(situation(repository, system.database).text)
            return 0

        return in_child(look).said

    def _bring_back(self, what: str, system: System, old: str, user: dict[str, str]) -> None:
        back = self.restore(system) if system.backup.exists() else Seen(0, "")
        if back.status != 0:
            self._fault(what, f"restore ends with {back.status}: {back.said[-600:]}")
        if system.database_hash() != old:
            self._fault(what, "restore does not bring the old bytes back")
        again = self._told(system)
        if system.backup.exists() and (system.backup / "journal.json").exists() and again:
            self._fault(what, f"after restore the next start still says {again!r}")
        if (system.backup / "journal.json").exists() and (left := _differences(user, system.user_state())):
            self._fault(what, f"not as before: {left}")
        if (system.backup / "journal.json").exists() and system.worktrees():
            self._fault(what, "git still knows a worktree")

    def _fault(self, what: str, text: str) -> None:
        self.wrong.append(f"{what}: {text}")


def _differences(one: dict[str, str], other: dict[str, str]) -> str:
    return ", ".join(sorted(name for name in set(one) | set(other) if one.get(name) != other.get(name)))


def _built(system: System) -> str:
    return sha256_of(system.config / "built.duckdb")


def without_validation() -> None:
    """Drills begin at once: most of their operations are validation's, which changes nothing."""
    setattr(execute, "validate", nothing_to_say)  # noqa: B010 - it is another function's place


def _torn(backup: Backup, journal: Journal, _sha256: str, _held: Held) -> Journal:
    """The staged file is copied over the database, which for a moment is neither."""
    with Path(journal.database).open("r+b") as file:
        data = journal.staging.read_bytes()
        file.write(data[: len(data) // 2])
        file.flush()
        (backup.folder / "half").touch()
        file.write(data[len(data) // 2 :])
        file.truncate()
    return journal


def missed_plants(trials: Trials) -> list[str]:
    """Plant each fault in turn and kill before one of the last operations after the other; returns those that were never found."""
    missed = []
    for place, instead in _PLANTS.items():
        sound = getattr(drill, place)
        setattr(drill, place, instead)
        back, _ = trials.counts()
        for number in range(back, back - _LAST, -1):
            trials.kill_execute(place, kill_before=number)
            if trials.wrong:
                break
        else:
            missed.append(f"planted in {place}: not found in the last {_LAST} operations")
        trials.wrong.clear()
        setattr(drill, place, sound)
    return missed


def _no_note(_repository: object, _note: object) -> None:
    """The backup folder is written down nowhere."""


_PLANTS = {"exchange": _torn, "leave_note": _no_note}
_LAST = 16
"""Operations from the end among which each of these shows."""


def spread(count: int, points: int) -> list[int]:
    """So many numbers out of 1..count, evenly; all of them where there are no more."""
    return (
        sorted({1 + index * count // points for index in range(points)})
        if points < count
        else list(range(1, count + 1))
    )


def main(arguments: list[str] | None = None) -> int:
    """Kill at so many operations of execute and restore, and at so many random moments; prints what was wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--points", type=int, default=NEVER, help="operations of execute to kill before (default: all)")
    parser.add_argument("--restore-points", type=int, default=NEVER)
    parser.add_argument("--random", type=int, default=0, help="kills after a random delay")
    parser.add_argument("--whole", action="store_true", help="with the validation that comes before anything is done")
    parser.add_argument("--self-test", action="store_true", help="plant faults too, which have to be found")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args(arguments)
    if not asked.whole:
        without_validation()
    trials = Trials.prepare(asked.folder)
    begin = time.perf_counter()
    back, forward = trials.counts()
    whole = time.perf_counter() - begin
    for number in spread(back, asked.points):
        trials.kill_execute(f"execute, before operation {number} of {back}", kill_before=number)
    for number in spread(forward, asked.restore_points):
        trials.kill_restore(f"restore, before operation {number} of {forward}", kill_before=number)
    chance = random.Random(asked.seed)
    for _ in range(asked.random):
        delay = chance.uniform(0, whole * 0.9)
        trials.kill_execute(f"execute, after {delay:.3f} s", kill_after=delay)
    found, kills = list(trials.wrong), trials.kills
    trials.wrong.clear()
    missed = missed_plants(trials) if asked.self_test else []
    told = f"{kills} kills at {back} and {forward} operations, {len(found)} faults"
    sys.stdout.write("\n".join([*found, *missed, f"{told}\n"]))
    return bool(found or missed)


if __name__ == "__main__":
    sys.exit(main())
