"""Which workers may take work: those that would compute exactly what this machine computes."""

from __future__ import annotations

import functools
import platform
import socket
import sys
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from differential.engines import BUILT_IN, EngineSpecError
from differential.identity import commit_of, digest_of, sources_of
from scale.measuring.host import machine
from scale.measuring.run import ROOT
from scale.records import Machine

PACKAGES = ("fixtures", "differential", "properties", "scale")
LIBRARIES = ("duckdb", "polars", "pyarrow", "numpy", "pandas", "datacompy", "hypothesis", "pydantic", "scipy")
"""What draws, computes, compares or judges: another version may draw other worlds from a seed or round otherwise."""
PROTOCOL = ("dask", "distributed")
"""Dask asks for the same version everywhere. What it builds on (tornado, msgpack, ...) may differ: Dask itself warns of that."""


@dataclass(frozen=True)
class Facts:
    """What a process of Dask runs on. python: `3.11`; its micro version and the system may differ, they change no result.
    sources: digest of the project's code, by package. engines: SPEC to the digest of its code, or to why it has none. host:
    the same for all workers of one machine, containers too. name: of the machine, for people."""

    python: str
    libraries: dict[str, str]
    sources: dict[str, str]
    engines: dict[str, str]
    commit: str | None
    host: str
    name: str
    machine: Machine


def facts(engines: Iterable[str] = ()) -> Facts:
    """Of this process, and of the code as it is on disk now: units start in processes of their own."""
    return Facts(
        python="{}.{}".format(*sys.version_info[:2]),
        libraries={name: _version(name) for name in (*LIBRARIES, *PROTOCOL)},
        sources={package: digest_of(ROOT, package) for package in PACKAGES},
        engines={spec: _code(spec) for spec in engines},
        commit=commit_of(ROOT),
        host=host(),
        name=socket.gethostname(),
        machine=machine(),
    )


def differences(here: Facts, there: Facts) -> list[str]:
    """What keeps that worker from computing as this machine does, each in words; nothing: it may take work."""
    found = [f"Python {there.python}, here {here.python}"] if here.python != there.python else []
    for name, own in here.libraries.items():
        other = there.libraries.get(name, "none")
        if own != other:
            found.append(f"{name} {other}, here {own}")
    other_code = [package for package in PACKAGES if here.sources[package] != there.sources.get(package)]
    if other_code:
        found.append(
            f"other code of the project in {', '.join(f'{name}/' for name in other_code)} "
            f"(commit {there.commit or 'unknown'}, here {here.commit or 'unknown'})"
        )
    for spec, own in here.engines.items():
        if own != there.engines.get(spec) and not (spec in BUILT_IN and other_code):
            found.append(f"engine {spec}: {_said(there.engines.get(spec))}")
    return found


@functools.cache
def host() -> str:
    """The machine under this process: containers and virtual environments on one kernel share its boot id, and its processors."""
    with suppress(OSError):
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    return platform.node() or socket.gethostname()


def _code(spec: str) -> str:
    try:
        return sources_of(spec, ROOT)
    except EngineSpecError as error:
        return f"not there: {error}"


def _said(code: str | None) -> str:
    return code if code is not None and code.startswith("not there") else "other code than here"


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "none"
