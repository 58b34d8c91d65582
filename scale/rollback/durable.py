"""Files that are whole or not there, also after a crash: durable writes, and copies with their checksum."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

_CHUNK = 4 << 20
Tell = Callable[[int], None]
"""Takes the bytes that were done since the last call."""


def write_durably(path: Path, data: bytes) -> None:
    """Put data in place of what is at `path`: afterwards, and after a crash at any moment, it is the old or the new, whole."""
    draft = path.with_name(f".{path.name}.draft")
    with draft.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    fsync_folder(path.parent)


def fsync_folder(folder: Path) -> None:
    """Make names in a folder last: a rename is only on the disk when its folder is."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_folder(folder: Path) -> None:
    """Make the folder and those above it, durably; nothing where it is there."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    fsync_folder(folder.parent)


Source = Path | int
"""A path, or an open descriptor that stays open: closing one would give up this process's locks on the file."""


@contextmanager
def _reading(source: Source) -> Iterator[BinaryIO]:
    with open(source, "rb", closefd=not isinstance(source, int)) as file:
        file.seek(0)
        yield file


def sha256_of(source: Source, tell: Tell | None = None) -> str:
    """SHA-256, hexadecimal, of a file's bytes."""
    digest = hashlib.sha256()
    with _reading(source) as file:
        while part := file.read(_CHUNK):
            digest.update(part)
            if tell is not None:
                tell(len(part))
    return digest.hexdigest()


def copy_file(source: Source, target: Path, tell: Tell | None = None) -> str:
    """Copy a file's bytes, mode and times to a new file, on the disk when this returns; returns the SHA-256 of what was read.

    Raises:
        FileExistsError: there is something at `target`; it stays as it is.
        OSError: the file is not whole; it is removed again.
    """
    digest = hashlib.sha256()
    with target.open("xb") as sink:
        try:
            with _reading(source) as file:
                while part := file.read(_CHUNK):
                    digest.update(part)
                    sink.write(part)
                    if tell is not None:
                        tell(len(part))
                status = os.fstat(file.fileno())
            sink.flush()
            os.fchmod(sink.fileno(), status.st_mode & 0o7777)
            os.utime(sink.fileno(), ns=(status.st_atime_ns, status.st_mtime_ns))
            os.fsync(sink.fileno())
        except BaseException:
            target.unlink(missing_ok=True)
            raise
    return digest.hexdigest()


def free_bytes(folder: Path) -> int:
    """Bytes that are free where `folder` is or will be."""
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free


def size_text(size: float) -> str:
    """12 B, 3.4 MB, 1.2 GB."""
    for unit in ("B", "kB", "MB"):
        if size < 1000:
            return f"{size:.0f} B" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} GB"
