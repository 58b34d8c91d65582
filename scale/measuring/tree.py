"""A process and its descendants: who they are, what memory they hold, what they read and wrote, and how to end them.

On Linux from /proc, through files that stay open, since it is read many times a second; elsewhere through psutil.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import psutil

LINUX = sys.platform == "linux"
_MOST_NEW = 32
_KIB = 1024


class Resident(NamedTuple):
    """Bytes: resident now, and the highest since the mark was last reset (None where the system keeps none)."""

    now: int
    mark: int | None


class Used(NamedTuple):
    """Bytes read from and written to storage, and CPU seconds, of living processes and the children that they waited for."""

    read: int | None
    written: int | None
    cpu: float


class _Member:
    """One process of the tree. Its files are opened once; they fail for good when it ends, whoever has its id then."""

    def __init__(self, pid: int) -> None:
        self.process = psutil.Process(pid)
        self._status = os.open(f"/proc/{pid}/status", os.O_RDONLY) if LINUX else -1
        self._clear = -1
        if LINUX:
            with suppress(OSError):
                self._clear = os.open(f"/proc/{pid}/clear_refs", os.O_WRONLY)

    def resident(self) -> Resident | None:
        """None when it has ended."""
        try:
            if not LINUX:
                return Resident(int(self.process.memory_info().rss), None)
            text = os.pread(self._status, 16384, 0)
        except (OSError, psutil.Error):
            return None
        now = _field(text, b"VmRSS:")
        return None if now is None else Resident(now, _field(text, b"VmHWM:"))

    def reset_mark(self) -> None:
        with suppress(OSError):
            if self._clear >= 0:
                os.pwrite(self._clear, b"5", 0)

    def proportional(self) -> int | None:
        """PSS in bytes, or None where the system does not tell."""
        try:
            if LINUX:
                return _field(Path(f"/proc/{self.process.pid}/smaps_rollup").read_bytes(), b"\nPss:")
            reader = getattr(self.process, "memory_footprint", None) or self.process.memory_full_info
            return getattr(reader(), "pss", None)
        except (OSError, psutil.Error):
            return None

    def close(self) -> None:
        for descriptor in (self._status, self._clear):
            if descriptor >= 0:
                os.close(descriptor)
        self._status = self._clear = -1


class Tree:
    """The process `pid` and all its descendants, as last found. Not for use by two threads at once."""

    def __init__(self, pid: int) -> None:
        self.root = pid
        self._members: dict[int, _Member] = {}
        self._load: int | None = None
        with suppress(OSError):
            self._load = os.open("/proc/loadavg", os.O_RDONLY)
        self._looked = self._last_pid()
        self._looked_before = self._looked
        self._add(pid)
        self.find()

    def __len__(self) -> int:
        return len(self._members)

    def find(self) -> None:
        """Look for descendants among all processes of the system; costs a millisecond or more."""
        self._looked_before, self._looked = self._looked, self._last_pid()
        with suppress(psutil.Error):
            for process in psutil.Process(self.root).children(recursive=True):
                self._add(process.pid)

    def find_new(self) -> bool:
        """Look among the processes started since the last look only; False when that cannot be told, so that `find` is needed."""
        # from the look before the last on: an id is given out a moment before its process can be seen
        newest, before = self._last_pid(), self._looked_before
        if newest is None or before is None or not 0 <= newest - before <= _MOST_NEW:
            return False
        self._looked_before, self._looked = self._looked, newest
        for pid in range(before + 1, newest + 1):
            if pid not in self._members and _parent_of(pid) in self._members:
                self._add(pid)
        return True

    def resident(self) -> list[Resident]:
        """Of each living member; who has ended is forgotten."""
        found = []
        for pid, member in list(self._members.items()):
            resident = member.resident()
            if resident is None:
                member.close()
                del self._members[pid]
            else:
                found.append(resident)
        return found

    def reset_marks(self) -> None:
        """Start the high-water mark of every member afresh."""
        for member in self._members.values():
            member.reset_mark()

    def proportional(self) -> int | None:
        """PSS of the tree; None where the system does not tell it of each member that lives."""
        values = [member.proportional() for member in self._members.values() if member.resident() is not None]
        return sum(value for value in values if value is not None) if values and None not in values else None

    def used(self) -> dict[int, Used]:
        """I/O and CPU of each living member."""
        found = {}
        for pid, member in self._members.items():
            with suppress(psutil.Error):
                times = member.process.cpu_times()
                cpu = (
                    times.user
                    + times.system
                    + getattr(times, "children_user", 0)
                    + getattr(times, "children_system", 0)
                )
                try:
                    counters = member.process.io_counters()
                    found[pid] = Used(counters.read_bytes, counters.write_bytes, cpu)
                except (psutil.Error, AttributeError, OSError):
                    found[pid] = Used(None, None, cpu)
        return found

    def kill(self) -> None:
        """End all members, and descendants not found until now."""
        with suppress(Exception):
            self.find()
        for member in self._members.values():
            with suppress(psutil.Error):
                member.process.kill()

    def close(self) -> None:
        for member in self._members.values():
            member.close()
        self._members.clear()
        if self._load is not None:
            os.close(self._load)
            self._load = None

    def _last_pid(self) -> int | None:
        """The id that was given out last. Linux counts them up, for processes and threads, and starts again at the end."""
        try:
            return None if self._load is None else int(os.pread(self._load, 200, 0).split()[-1])
        except (OSError, ValueError, IndexError):
            return None

    def _add(self, pid: int) -> None:
        if pid not in self._members:
            with suppress(OSError, psutil.Error):
                self._members[pid] = _Member(pid)


def _field(text: bytes, name: bytes) -> int | None:
    """A field of /proc/PID/status or smaps_rollup in bytes."""
    start = text.find(name)
    return None if start < 0 else int(text[start + len(name) : text.index(b"kB", start)]) * _KIB


def _parent_of(pid: int) -> int | None:
    """The parent of a process; None for a thread and for what has ended."""
    try:
        text = Path(f"/proc/{pid}/status").read_bytes()
    except OSError:
        return None
    fields = dict(line.split(b":\t", 1) for line in text.splitlines() if b":\t" in line)
    return int(fields[b"PPid"]) if fields.get(b"Tgid") == str(pid).encode() else None
