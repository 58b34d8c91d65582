"""What units read, on its way to a cluster's workers: the corpus's inputs and the given files, to each worker once a version."""

from __future__ import annotations

import hashlib
import time
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from scale.cluster.parcel import ParcelError, pack
from scale.cluster.task import install, remove
from scale.nightly.records import INPUTS, UnitSettings
from scale.nightly.remote import SENT
from scale.reports.units import plural, size
from scale.status import UsageError

REFRESH_SECONDS = 300.0
"""A corpus that has grown is sent again after so long at the soonest: units of three minutes gain little from one sooner."""


class Shipment:
    """Archives on the workers, by a name for each version. Not for several threads at once."""

    def __init__(self, client: Any, campaign: str, say: Callable[[str], None]) -> None:
        self._client, self._campaign, self._say = client, campaign, say
        self._stamp, self._packed_at = "", 0.0
        self.name, self._data = "", b""
        self._there: dict[str, set[str]] = {}
        self._in_use: Counter[str] = Counter()

    def bring(self, settings: UnitSettings, workers: Iterable[str]) -> tuple[str, UnitSettings, dict[str, str]]:
        """Have the present version on these workers: its name, settings with paths in it, and workers that could not take it.

        Raises UsageError for files that are too large to be sent.
        """
        given = {name: Path(path) for name in SENT if (path := getattr(settings, name)) is not None}
        if "corpus" in given and not (given["corpus"] / INPUTS).is_dir():
            del given["corpus"]
        inside = {name: name if name == "corpus" else f"given/{name}{path.suffix}" for name, path in given.items()}
        sources = {
            inside[name] if name != "corpus" else f"corpus/{INPUTS}": path / INPUTS if name == "corpus" else path
            for name, path in given.items()
        }
        self._pack(sources)
        lacking = sorted(set(workers) - self._there.setdefault(self.name, set()))
        refused = self._send(lacking)
        self._in_use[self.name] += 1
        return self.name, settings.model_copy(update={name: inside.get(name) for name in SENT}), refused

    def lost(self, name: str, worker: str) -> None:
        """A worker does not have that version any more: it is sent there again."""
        self._there.get(name, set()).discard(worker)

    def release(self, name: str) -> None:
        """One unit less reads that version; the last reader of an old one has it removed."""
        self._in_use[name] -= 1
        if not self._in_use[name] and name != self.name:
            self._remove(name)

    def withdraw(self) -> None:
        """Remove everything from the workers."""
        for name in list(self._there):
            self._remove(name)

    def _pack(self, sources: dict[str, Path]) -> None:
        stamp = _stamp_of(sources)
        if stamp == self._stamp or (self._stamp and time.monotonic() - self._packed_at < REFRESH_SECONDS):
            return
        try:
            self._data = pack(sources)
        except ParcelError as error:
            raise UsageError(f"--cluster: {error}; make the corpus smaller, or give a smaller census") from None
        before, self._stamp, self._packed_at = self.name, stamp, time.monotonic()
        self.name = f"{self._campaign}-{hashlib.sha256(self._data).hexdigest()[:12]}"
        if before and before != self.name and not self._in_use[before]:
            self._remove(before)

    def _send(self, workers: list[str]) -> dict[str, str]:
        if not workers:
            return {}
        came = self._client.run(install, self.name, self._data, workers=workers, on_error="return")
        failed = {address: f"{type(e).__name__}: {e}" for address, e in came.items() if isinstance(e, BaseException)}
        self._there[self.name] |= set(came) - set(failed)  # one that was lost meanwhile answers nothing
        self._say(f"sent {size(len(self._data))} of inputs to {plural(len(came) - len(failed), 'worker')}")
        return {address: f"it cannot store what units read: {why:.200}" for address, why in failed.items()}

    def _remove(self, name: str) -> None:
        with suppress(Exception):  # a worker that is gone has nothing left to remove
            there = self._there.pop(name, set()) & set(self._client.nthreads())
            self._client.run(remove, name, workers=sorted(there), on_error="ignore")


def _stamp_of(sources: dict[str, Path]) -> str:
    """Changes when a file does; reads none of them."""
    digest = hashlib.sha256()
    for name, source in sorted(sources.items()):
        for path in sorted(source.rglob("*")) if source.is_dir() else [source]:
            with suppress(FileNotFoundError):
                seen = path.stat()
                digest.update(f"{name} {path} {seen.st_size} {seen.st_mtime_ns}\n".encode())
    return digest.hexdigest()
