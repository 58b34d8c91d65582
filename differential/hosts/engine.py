"""HostEngine: an engine that runs under another Python, and looks like any other engine here."""

from __future__ import annotations

import builtins
import json
import os
import shutil
import site
import subprocess
import sys
import sysconfig
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from differential import workers
from differential.engines.spec import EngineSpecError, Spec
from differential.hosts.wire import capabilities_in, json_out, run_in, variant_out, worlds_out
from differential.pipe import Part
from differential.run import Capabilities, Run
from differential.variant import Variant, VariantError
from differential.workers import WorkerError
from fixtures.world import World

OLDEST_PYTHON = (3, 11)
_ANSWERER = "differential.hosts.child:answer"
_LOOK = "import sys; print('python %d.%d' % sys.version_info[:2])"
_SECONDS_TO_START = 120.0
_NEEDS = {
    "sql": ("duckdb", "numpy", "psutil", "pyarrow", "pydantic", "pyyaml"),
    "polars": ("duckdb", "numpy", "polars", "pyarrow", "pydantic", "pyyaml"),
    "oracle": ("numpy", "pyarrow", "pydantic", "pyyaml"),
}
"""What the built-in engines import, as distributions; other engines at least what `oracle` does."""


class HostError(RuntimeError):
    """What an engine raised under another Python, of a type that is not Python's own."""


@dataclass(frozen=True)
class HostEngine:
    """An engine under another Python.

    name, capabilities: as the engine there says, but that no database file is left: this Python's libraries would have to read what
    others wrote. python: its executable. versions: of that Python and what is installed there.
    """

    spec: str
    target: str
    python: str
    name: str
    capabilities: Capabilities
    versions: Mapping[str, str]

    def run(self, worlds: Sequence[World], variant: Variant) -> Run:
        """Simulate the worlds there; raises what the engine raised, or WorkerError."""
        return self.run_within(worlds, variant, None)

    def run_within(self, worlds: Sequence[World], variant: Variant, timeout: float | None) -> Run:
        """As `run`, in at most `timeout` seconds (default 600)."""
        if variant.database is not None:
            raise VariantError(f"{self.spec}: leaves no database file; run the engine under this Python for that")
        head, censuses = worlds_out(worlds)
        asked = {"call": "run", "engine": self.target, "worlds": head, "variant": variant_out(variant), "years": None}
        answer = _ask(self.python, self.spec, [json_out(asked), censuses], timeout)
        found = json.loads(answer[0])
        if found["outcome"] != "returned":
            raise _raised(self.spec, found)
        return run_in(found, answer[1], answer[2])


def host_engine(spec: Spec) -> HostEngine:
    """The engine `spec.target` under `spec.python`. Raises EngineSpecError: no such Python, too old, or it lacks what is needed."""
    assert spec.python is not None
    python = _executable(spec)
    request = json_out({"call": "describe", "engine": spec.target})
    try:
        (answer,) = _ask(python, spec.text, [request], _SECONDS_TO_START)
    except WorkerError as error:
        raise EngineSpecError(f"engine {spec.text!r}: {python} cannot run it: {error}") from None
    found = json.loads(answer)
    if found["outcome"] != "returned":
        raise EngineSpecError(_refusal(spec, python, found))
    can = replace(capabilities_in(found["capabilities"]), database=False)
    return HostEngine(spec.text, spec.target, python, found["name"], can, found["versions"])


def _ask(python: str, spec: str, request: Sequence[Part], timeout: float | None) -> list[bytearray]:
    return workers.exchange(python, _ANSWERER, request, timeout=timeout, called=spec, path=users_path())


def _executable(spec: Spec) -> str:
    """The Python that was named: a file, a name on PATH, or the folder of an environment; not where a link of it leads, since an
    environment's Python is a link and its place says which libraries it has."""
    given = Path(str(spec.python)).expanduser()
    named = next((one for one in (given / "bin" / "python", given / "Scripts" / "python.exe") if one.is_file()), given)
    found = shutil.which(str(named))
    if found is None:
        raise EngineSpecError(f"engine {spec.text!r}: {named} is no program that can be run")
    python = os.path.abspath(found)  # noqa: PTH100 - Path.resolve would follow the link
    try:
        said = subprocess.run(
            [python, "-c", _LOOK], capture_output=True, text=True, timeout=_SECONDS_TO_START, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise EngineSpecError(f"engine {spec.text!r}: {python} cannot be started: {error}") from None
    word, _, number = said.stdout.strip().partition(" ")
    if said.returncode or word != "python":
        last = (said.stderr or said.stdout).strip().splitlines()[-1:] or [f"it ended with status {said.returncode}"]
        raise EngineSpecError(f"engine {spec.text!r}: {python} is no Python: {last[0][:200]}")
    if tuple(map(int, number.split("."))) < OLDEST_PYTHON:
        oldest = ".".join(map(str, OLDEST_PYTHON))
        raise EngineSpecError(f"engine {spec.text!r}: {python} is Python {number}; the engines need {oldest} or newer")
    return python


def _refusal(spec: Spec, python: str, found: Mapping[str, Any]) -> str:
    if found["outcome"] != "missing":
        return f"engine {spec.text!r}: under {python}: {found.get('message') or found['outcome']}"
    module = found["module"].partition(".")[0]
    needs = _NEEDS.get(spec.target, _NEEDS["oracle"])
    distribution = {"yaml": "pyyaml"}.get(module, module)
    if distribution in needs:
        return (
            f"engine {spec.text!r}: {python} (Python {found['python']}) has no {distribution}; what {spec.target} needs there: "
            f"{python} -m pip install {' '.join(needs)}"
        )
    return (
        f"engine {spec.text!r}: {python} (Python {found['python']}) has no module {module!r}; install it there, or put its folder "
        "on PYTHONPATH"
    )


def _raised(spec: str, found: Mapping[str, Any]) -> Exception:
    """What was raised there, as the same exception where both Pythons have it."""
    if found["outcome"] == "memory":
        return WorkerError("memory", f"{spec} ran out of memory")
    name, message = found.get("type", "ModuleNotFoundError"), found["message"]
    kind = VariantError if name == "VariantError" else getattr(builtins, name, None)
    error: Exception
    if isinstance(kind, type) and issubclass(kind, Exception) and not issubclass(kind, UnicodeError):
        error = kind(message)
    else:
        error = HostError(f"{name}: {message}")
    error.add_note(f"under another Python ({spec}):\n{found.get('trace', '')}")
    return error


def users_path() -> list[str]:
    """The folders that modules are imported from here and that are the user's own: what belongs to this Python, its standard
    library and its installed packages, is no good to another."""
    own = {*sysconfig.get_paths().values(), *site.getsitepackages(), site.getusersitepackages()}
    own |= {str(Path(sys.base_prefix)), str(Path(sys.prefix))}
    belongs = {os.path.realpath(folder) for folder in own}
    stdlib = os.path.realpath(sysconfig.get_path("stdlib"))
    kept = []
    for entry in sys.path:
        folder = os.path.realpath(entry or Path.cwd())
        packages = Path(folder).name in (
            "site-packages",
            "dist-packages",
        )  # of another environment that a .pth file adds
        if packages or folder in belongs or folder.startswith(stdlib + os.sep) or folder.endswith(".zip"):
            continue
        kept.append(entry or str(Path.cwd()))
    return kept
