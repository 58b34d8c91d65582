"""Folders as lists of entries with checksums: recorded, copied, compared, and put back file by file."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from scale.records import Record
from scale.rollback.durable import Tell, copy_file, fsync_folder, make_folder, sha256_of
from scale.status import UsageError


class Entry(Record):
    """One file, link or folder. path: relative, with `/`. sha256, size: of a file. target: of a link. mode: permission bits."""

    path: str
    kind: Literal["file", "link", "folder"]
    mode: int
    size: int = 0
    sha256: str = ""
    target: str = ""

    @property
    def content(self) -> tuple[str, str, str, int]:
        """Everything that has to come back."""
        return (self.kind, self.sha256, self.target, self.mode if self.kind == "file" else 0)


@dataclass(frozen=True)
class Difference:
    """One path on which a folder is no longer as it was recorded."""

    path: str
    kind: Literal["changed", "missing", "added"]


def listing(folder: Path) -> list[str]:
    """Everything under a folder, folders before what they hold; links are not followed."""
    found: list[str] = []
    for place, folders, files in os.walk(folder):
        folders.sort()
        found += [(Path(place) / name).relative_to(folder).as_posix() for name in [*folders, *files]]
    return sorted(found)


def entry_of(folder: Path, name: str, tell: Tell | None = None) -> Entry:
    """One entry of a folder as it is. Raises UsageError for what cannot be backed up, OSError for what cannot be read."""
    path = folder / name
    status = path.lstat()
    mode = stat.S_IMODE(status.st_mode)
    if stat.S_ISLNK(status.st_mode):
        return Entry(path=name, kind="link", mode=mode, target=os.readlink(path))  # noqa: PTH115 - as text, byte for byte
    if stat.S_ISDIR(status.st_mode):
        return Entry(path=name, kind="folder", mode=mode)
    if not stat.S_ISREG(status.st_mode):
        raise UsageError(f"{path}: neither a file nor a folder nor a link; it cannot be backed up, move it away")
    return Entry(path=name, kind="file", mode=mode, size=status.st_size, sha256=sha256_of(path, tell))


def copy_entries(source: Path, names: Sequence[str], target: Path, tell: Tell | None = None) -> list[Entry]:
    """Copy these paths of a folder into a new one, on the disk when this returns; returns them as they were read."""
    make_folder(target)
    entries = []
    folders = {target}
    for name in names:
        here, there = source / name, target / name
        make_folder(there.parent)
        folders |= {there.parent}
        if here.is_symlink() or not here.is_file():
            entry = entry_of(source, name)
            if entry.kind == "link":
                there.symlink_to(entry.target)
            else:
                there.mkdir(exist_ok=True)
                folders.add(there)
        else:
            digest = copy_file(here, there, tell)
            status = there.stat()
            mode = stat.S_IMODE(status.st_mode)
            entry = Entry(path=name, kind="file", mode=mode, size=status.st_size, sha256=digest)
        entries.append(entry)
    for folder in folders:
        fsync_folder(folder)
    return entries


def differences(
    entries: Iterable[Entry], folder: Path, present: Iterable[str], tell: Tell | None = None
) -> list[Difference]:
    """How a folder differs from what was recorded. present: the paths that count in it now."""
    recorded = {entry.path: entry for entry in entries}
    found = [Difference(name, "added") for name in sorted(set(present) - set(recorded))]
    for name, entry in recorded.items():
        if not os.path.lexists(folder / name):
            found.append(Difference(name, "missing"))
        elif entry_of(folder, name, tell).content != entry.content:
            found.append(Difference(name, "changed"))
    return found


def put_back(entries: Iterable[Entry], backup: Path, folder: Path, changes: Sequence[Difference], aside: Path) -> None:
    """Make a folder as it was recorded. What is there instead is moved under `aside` first; each file is replaced as a whole.

    Can be repeated after a crash at any moment: what is put back already no longer differs.
    """
    recorded = {entry.path: entry for entry in entries}
    for change in changes:
        path = folder / change.path
        if change.kind != "missing" and os.path.lexists(path):
            _keep(path, _free(aside / change.path))
        if change.kind == "added":
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
        else:
            _write(recorded[change.path], backup, folder)


def _write(entry: Entry, backup: Path, folder: Path) -> None:
    path = folder / entry.path
    make_folder(path.parent)
    if path.is_dir() and not path.is_symlink() and entry.kind != "folder":
        shutil.rmtree(path)  # it was kept
    if entry.kind == "folder":
        if os.path.lexists(path) and not path.is_dir():
            path.unlink()
        path.mkdir(exist_ok=True)
        return
    draft = path.with_name(f".{path.name}.rollback")
    draft.unlink(missing_ok=True)
    if entry.kind == "link":
        draft.symlink_to(entry.target)
    else:
        copy_file(backup / entry.path, draft)
    draft.replace(path)
    fsync_folder(path.parent)


def _keep(path: Path, aside: Path) -> None:
    make_folder(aside.parent)
    if path.is_symlink():
        aside.symlink_to(os.readlink(path))  # noqa: PTH115 - as text, byte for byte
    elif path.is_dir():
        shutil.copytree(path, aside, symlinks=True)
    else:
        copy_file(path, aside)
    fsync_folder(aside.parent)


def _free(wanted: Path) -> Path:
    number, found = 1, wanted
    while os.path.lexists(found):
        number += 1
        found = wanted.with_name(f"{wanted.name}.{number}")
    return found
