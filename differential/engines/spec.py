"""What a SPEC says: which kind of engine, and for one under another Python which engine and which Python."""

from __future__ import annotations

import os
import re
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

BUILT_IN = ("sql", "polars", "oracle")
COMMAND = "command:"
NAVIGATOR = "navigator:"

Kind = Literal["built_in", "entry_point", "module", "host", "command", "navigator"]


class EngineSpecError(ValueError):
    """An engine that cannot be had; the message says what was tried."""


@dataclass(frozen=True)
class Spec:
    """kind; target: what is loaded (of a host there: a SPEC again; of a command its words); python: of a host, as given."""

    text: str
    kind: Kind
    target: str
    python: str | None = None


def parse_spec(text: str) -> Spec:
    """Take a SPEC apart; nothing is loaded or looked for. Raises EngineSpecError for one that cannot be."""
    if text.startswith(COMMAND):
        words = text.removeprefix(COMMAND).strip()
        if not words:
            raise EngineSpecError(f"engine {text!r}: name a program, such as command:./run_sim.sh")
        return Spec(text, "command", words)
    if text.startswith(NAVIGATOR):
        return Spec(text, "navigator", text.removeprefix(NAVIGATOR))
    target, at, python = text.partition("@")
    if at:
        if not target or not python:
            raise EngineSpecError(f"engine {text!r}: expected ENGINE@PYTHON, such as sql@/path/to/python")
        return Spec(text, "host", target, python)
    if text in BUILT_IN:
        return Spec(text, "built_in", text)
    return Spec(text, "module" if ":" in text else "entry_point", text)


def base_of(spec: str) -> str:
    """The engine without the Python it runs under: `sql` of `sql@/path/to/python`."""
    found = parse_spec(spec)
    return found.target if found.kind == "host" else spec


def label(spec: str) -> str:
    """The SPEC without paths of this machine, for matrices, reports and repro bundles: `sql@.venv-oldest` (the folder of the
    environment), `command:run_sim.sh`."""
    found = parse_spec(spec)
    if found.kind == "host":
        return f"{found.target}@{_environment(str(found.python))}"
    if found.kind == "command":
        from differential.commands.program import script_of

        return f"{COMMAND}{_plain(Path(script_of(found.target)).name)}"
    return spec


def settled(spec: str) -> str:
    """The SPEC with the paths in it made absolute, so that it means the same in a process that starts in another folder."""
    found = parse_spec(spec)
    if found.kind == "host" and (os.sep in str(found.python) or Path(str(found.python)).exists()):
        return f"{found.target}@{_absolute(str(found.python))}"
    if found.kind == "command":
        from differential.commands.program import split

        first, *others = split(found.target)
        first = _absolute(first) if os.sep in first else first
        return COMMAND + shlex.join([first, *(_absolute(word) if Path(word).is_file() else word for word in others)])
    return spec


def _environment(python: str) -> str:
    place = Path(python)
    if place.parent.name in ("bin", "Scripts") and place.parent.parent.name not in ("", "usr", "local"):
        place = place.parent.parent
    return _plain(place.name or python)


def _plain(name: str) -> str:
    """Letters, digits and few signs: the text goes into names of tests and into records that are checked."""
    return re.sub(r"[^\w.+-]", "_", name)[:60]


def _absolute(path: str) -> str:
    return os.path.abspath(os.path.expanduser(path))  # noqa: PTH100, PTH111 - Path.resolve would follow an environment's link
