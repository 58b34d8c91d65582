"""The program that a SPEC names, and what the file beside it says it can be asked for."""

from __future__ import annotations

import os
import shlex
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from differential.engines.spec import EngineSpecError, Spec
from differential.run import Capabilities
from differential.variant import LEVELS, SWITCHES
from fixtures.strict_yaml import load_yaml

PLAIN = Capabilities(
    many_worlds=False, levels=("high",), switches=(), threads=False, shards=False, resume=False, batch_size=False,
    database=False, legacy_flag=False,
)  # fmt: skip
"""What a program can be asked for that says nothing: one way to run."""
ENDING = ".capabilities.yaml"
_FLAGS = ("threads", "shards", "resume", "batch_size", "database", "legacy_flag", "costly", "own_rules")
_LISTS = {"levels": tuple(LEVELS), "switches": SWITCHES}


@dataclass(frozen=True)
class Program:
    """command: its words, the first one an absolute path. script: the file that is the program, as people would say."""

    command: tuple[str, ...]
    script: Path

    @property
    def name(self) -> str:
        """The engine's name: `run_sim` of ./run_sim.sh."""
        return self.script.stem

    @property
    def capabilities_file(self) -> Path:
        """Where it may say what it can do: run_sim.capabilities.yaml beside run_sim.sh."""
        return self.script.with_name(self.script.stem + ENDING)


def script_of(words: str) -> str:
    """The file that a person would name: of `python -u my_sim.py` the last."""
    parts = split(words)
    return next((part for part in reversed(parts[1:]) if Path(part).is_file()), parts[0])


def split(words: str) -> list[str]:
    """Words as a shell takes them; there is no shell. Raises EngineSpecError."""
    try:
        return shlex.split(words)
    except ValueError as error:
        raise EngineSpecError(f"engine 'command:{words}': {error}") from None


def program_of(spec: Spec) -> Program:
    """Raises EngineSpecError for a program that is not there or may not be run."""
    parts = split(spec.target)
    found = shutil.which(parts[0])
    if found is None:
        there = Path(parts[0]).is_file()
        hint = f"; make it executable: chmod +x {shlex.quote(parts[0])}" if there else ""
        why = "may not be executed" if there else "is no program here or on PATH"
        raise EngineSpecError(f"engine {spec.text!r}: {parts[0]} {why}{hint}")
    return Program((os.path.abspath(found), *parts[1:]), Path(script_of(spec.target)).absolute())  # noqa: PTH100


def capabilities_of_program(program: Program) -> Capabilities:
    """What the file beside the program says, on top of PLAIN. Raises EngineSpecError naming file and key."""
    path = program.capabilities_file
    if not path.exists():
        return PLAIN
    given = load_yaml(path, EngineSpecError) or {}
    if not isinstance(given, dict):
        raise EngineSpecError(f"{path}: expected keys and values, such as `threads: true`")
    known = (*_FLAGS, *_LISTS)
    values: dict[str, Any] = {"many_worlds": False}
    for key, value in given.items():
        if key not in known:
            raise EngineSpecError(f"{path}: unknown key {key!r:.40}; expected {', '.join(known)}")
        values[key] = _listed(path, key, value) if key in _LISTS else _flag(path, key, value)
    return Capabilities(
        **{field.name: values.get(field.name, getattr(PLAIN, field.name)) for field in fields(Capabilities)}
    )


def _flag(path: Path, key: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise EngineSpecError(f"{path}: key {key}: expected true or false, got {value!r:.40}")
    return value


def _listed(path: Path, key: str, value: object) -> Sequence[str]:
    if not isinstance(value, list) or not all(one in _LISTS[key] for one in value):
        raise EngineSpecError(f"{path}: key {key}: expected a list of {', '.join(_LISTS[key])}; got {value!r:.80}")
    if key == "levels" and "high" not in value:
        raise EngineSpecError(f"{path}: key levels: high must be among them, it is what every run without a level is")
    return tuple(value)
