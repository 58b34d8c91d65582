"""The machine that it is measured on: what makes times comparable, what this process may use of it, and how busy it is."""

from __future__ import annotations

import hashlib
import os
import platform
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import psutil

from scale.records import Machine

_LIBRARIES = ("duckdb", "polars", "pyarrow", "numpy", "pandas", "scipy")
_GROUPS = Path("/sys/fs/cgroup")


def machine() -> Machine:
    """Description and fingerprint of this machine, as far as this process may use it."""
    processor, cores, memory = _processor(), usable_cores(), total_memory()
    system = f"{platform.system()} {platform.release()} {platform.machine()}"
    comparable = f"{processor}|{cores} cores|{round(memory / 2**30)} GiB|{system}"
    return Machine(
        fingerprint=hashlib.sha256(comparable.encode()).hexdigest()[:16],
        processor=processor,
        cores=cores,
        memory=memory,
        system=system,
        python=platform.python_version(),
        libraries={name: found for name in _LIBRARIES if (found := _version(name))},
    )


def load() -> float:
    """Processes that ran or waited to, averaged over the last minute."""
    return os.getloadavg()[0]


def usable_cores() -> int:
    """Cores that this process may run on: by its affinity and its control group's quota, at least 1."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min([cores, *_quotas()]))


def total_memory() -> int:
    """Bytes of memory that this process may use: the machine's, or its control group's limit where that is less."""
    return min([psutil.virtual_memory().total, *_limits()])


def _quotas() -> list[int]:
    found: list[int] = []
    for folder in _own_groups(""):
        with suppress(OSError, ValueError):
            quota, period = (folder / "cpu.max").read_text().split()
            found.append(int(quota) // int(period))  # "max" is no number: no quota
    for folder in _own_groups("cpu"):
        with suppress(OSError, ValueError):
            quota_v1 = int((folder / "cpu.cfs_quota_us").read_text())
            if quota_v1 > 0:
                found.append(quota_v1 // int((folder / "cpu.cfs_period_us").read_text()))
    return found


def _limits() -> list[int]:
    found: list[int] = []
    for controller, name in (("", "memory.max"), ("memory", "memory.limit_in_bytes")):
        for folder in _own_groups(controller):
            with suppress(OSError, ValueError):
                found.append(int((folder / name).read_text()))
    return found


def _own_groups(controller: str) -> list[Path]:
    """The folders of this process's control group and those above it: version 2 for "", else version 1's of a controller."""
    with suppress(OSError, ValueError):
        for line in Path("/proc/self/cgroup").read_text().splitlines():
            _, controllers, path = line.split(":", 2)
            if controller in controllers.split(",") and (controller or not controllers):
                base = _GROUPS / controller if controller else _GROUPS
                own = base / path.lstrip("/")
                return [own, *(folder for folder in own.parents if folder.is_relative_to(base))]
    return []


def _processor() -> str:
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith(("model name", "Model", "Hardware")):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine() or "unknown"


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
