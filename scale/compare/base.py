"""The base's checkout on its way to a worker: what an engine needs of it, and nothing else that lies there."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from differential.engines import EngineSpecError
from differential.identity import package_of
from scale.cluster.fitness import PACKAGES
from scale.cluster.parcel import ParcelError, pack, unpack
from scale.compare.request import Side
from scale.reports.units import size
from scale.status import UsageError

MOST_BYTES = 50_000_000
"""Of the files that are sent. The project's packages have 6 MB; more than this is data that lies among them."""
_PROJECT = "pyproject.toml"
_RESULTS = (".pyc", ".pyo", ".duckdb", ".wal", ".log")


def packed_base(side: Side, limit: int = MOST_BYTES) -> bytes:
    """The side's checkout as an archive: the project's packages, those of attached engines that lie in it, and pyproject.toml.

    Files count as they lie there, tracked or not; caches, databases and hidden files stay behind.

    Raises:
        UsageError: it is larger than `limit` bytes, or the archive has not the code that the checkout has.
    """
    theirs = ""
    names = dict.fromkeys([*PACKAGES, *_attached(side), _PROJECT])
    files = {path.relative_to(side.root).as_posix(): path for name in names for path in _files(side.root / name)}
    option, ours = f"--base-checkout {side.root}", side.code().fingerprint
    try:
        sizes = {name: path.stat().st_size for name, path in files.items()}
        if sum(sizes.values()) > limit:
            largest = max(sizes, key=sizes.__getitem__)
            raise UsageError(
                f"{option}: {size(sum(sizes.values()))} of files in {', '.join(names)} are too much to send to a cluster (at most "
                f"{size(limit)}); the largest is {largest} with {size(sizes[largest])}. Move what is no code out of them"
            )
        archive = pack(files)
        with TemporaryDirectory() as folder, suppress(UsageError):
            unpack(archive, Path(folder) / "base")
            theirs = Side(Path(folder) / "base", side.specs).code().fingerprint
    except (ParcelError, OSError) as error:
        raise UsageError(f"{option}: cannot be packed for the cluster: {error}") from None
    if theirs != ours:
        raise UsageError(
            f"{option}: what can be sent of it is not all of its code; give a plain checkout, without links to elsewhere, that "
            "nobody edits meanwhile"
        )
    return archive


def _attached(side: Side) -> Iterator[str]:
    """Names of the packages or modules in the checkout that its attached engines are loaded from."""
    for spec in side.specs.values():
        try:
            place = package_of(spec, side.root)
        except EngineSpecError as error:
            raise UsageError(f"--base-checkout {side.root}: {error}") from None
        if place is not None and place.is_relative_to(side.root):
            yield place.relative_to(side.root).parts[0]


def _files(place: Path) -> Iterator[Path]:
    if place.is_file():
        yield place
        return
    for folder, folders, names in os.walk(place):
        folders[:] = sorted(name for name in folders if name != "__pycache__" and not name.startswith("."))
        for name in sorted(names):
            path = Path(folder, name)
            if not name.startswith(".") and path.suffix not in _RESULTS and path.is_file():
                yield path
