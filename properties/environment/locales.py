"""A locale unlike the usual one: installed, or compiled from the system's sources, or the plain C of before UTF-8."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

WANTED = ("tr_TR", "de_DE", "fr_FR")
"""Turkish first: its upper case of i is not I, and it writes decimals with a comma, as the others do."""
BASE = "C.UTF-8"


@dataclass(frozen=True)
class Locale:
    """name: as setlocale has it. variables: what a process needs for it. origin: `installed`, `compiled` or `built in`."""

    name: str
    variables: Mapping[str, str]
    origin: str


PLAIN_C = Locale(
    "C", {"LC_ALL": "C", "LANG": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}, "built in"
)  # without the last two Python would turn it into UTF-8

_kept: list[tempfile.TemporaryDirectory[str]] = []  # removed when this process ends


@cache
def locales() -> tuple[Locale, ...]:
    """What this machine has beside the base: a foreign language if there is one, and plain C with ASCII."""
    foreign = _installed() or _compiled()
    return (foreign, PLAIN_C) if foreign else (PLAIN_C,)


def _installed() -> Locale | None:
    if shutil.which("locale") is None:
        return None
    listed = subprocess.run(["locale", "-a"], capture_output=True, text=True, check=False).stdout.split()
    for wanted in WANTED:
        for name in listed:
            if name.startswith(wanted) and "utf" in name.lower():
                return Locale(name, {"LC_ALL": name}, "installed")
    return None


def _compiled() -> Locale | None:
    if shutil.which("localedef") is None:
        return None
    _kept.append(tempfile.TemporaryDirectory(prefix="parity-locales-"))
    folder = Path(_kept[-1].name)
    for wanted in WANTED:
        name = f"{wanted}.UTF-8"
        command = ["localedef", "--no-archive", "-i", wanted, "-f", "UTF-8", str(folder / name)]
        made = subprocess.run(command, capture_output=True, check=False)
        if made.returncode == 0:
            return Locale(name, {"LC_ALL": name, "LOCPATH": str(folder)}, "compiled")
    return None
