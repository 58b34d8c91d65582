"""Folders as one compressed archive between this machine and a worker. Unpacked whole or not at all, and never outside."""

from __future__ import annotations

import io
import os
import shutil
import stat
import tempfile
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

MOST_BYTES = 500_000_000
"""Of an archive, and of what it unpacks to. A corpus or a unit's result is a hundredth of it; more would fill the workers."""


class ParcelError(ValueError):
    """An archive that is too large, damaged, or names places outside its folder."""


def pack(sources: Mapping[str, Path], limit: int = MOST_BYTES) -> bytes:
    """Files and folders under the names that they have in the archive. Links are followed; a file that goes meanwhile is left out.

    Raises:
        ParcelError: it is more than `limit` bytes, packed or not.
    """
    buffer, total = io.BytesIO(), 0
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for name, source in sources.items():
            for path in _files(source):
                inside = PurePosixPath(name, *path.relative_to(source).parts)
                try:
                    content = path.read_bytes()
                except FileNotFoundError:
                    continue
                total += len(content)
                if total > limit or buffer.tell() > limit:
                    raise ParcelError(f"{source}: more than {limit / 1e6:g} MB cannot be sent over a cluster")
                # no times: equal files make equal archives
                archive.writestr(zipfile.ZipInfo(str(inside)), content, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def unpack(data: bytes, folder: Path, limit: int = MOST_BYTES) -> None:
    """The archive's files as the whole content of `folder`, in place of what it held; on an error the folder is as it was.

    Raises:
        ParcelError: it is damaged or too large, or names a file outside the folder.
        OSError: it cannot be written, such as on a full disk.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        fresh = draft / "new"
        fresh.mkdir()
        try:
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                for entry in _checked(archive, limit):
                    target = fresh / entry.filename
                    target.parent.mkdir(parents=True, exist_ok=True)
                    target.write_bytes(archive.read(entry))
        except (
            zipfile.BadZipFile,
            zipfile.LargeZipFile,
            zlib.error,
            EOFError,
            NotImplementedError,
            RuntimeError,
        ) as error:
            raise ParcelError(f"{folder.name}: the archive that came back is damaged: {error}") from None
        if folder.exists():
            folder.rename(draft / "old")
        fresh.rename(folder)
    finally:
        if (draft / "old").exists() and not folder.exists():
            (draft / "old").rename(folder)
        shutil.rmtree(draft, ignore_errors=True)


def _checked(archive: zipfile.ZipFile, limit: int) -> list[zipfile.ZipInfo]:
    entries = [entry for entry in archive.infolist() if not entry.is_dir()]
    if sum(entry.file_size for entry in entries) > limit:
        raise ParcelError(f"an archive that unpacks to more than {limit / 1e6:g} MB was refused")
    seen: set[str] = set()
    for entry in entries:
        path = PurePosixPath(entry.filename)
        plain = not path.is_absolute() and ".." not in path.parts and "\\" not in entry.filename
        linked = stat.S_ISLNK(entry.external_attr >> 16)
        if not plain or linked or not path.parts or str(path) in seen:
            raise ParcelError(f"an archive with the file {entry.filename!r} was refused: it is not a plain path inside")
        seen.add(str(path))
    return entries


def _files(source: Path) -> list[Path]:
    if source.is_file():
        return [source]
    found = [Path(folder, name) for folder, _, names in os.walk(source, followlinks=False) for name in names]
    return sorted(path for path in found if path.is_file())
