"""Workflows as data, and whether a command that one gives would be taken by the program that it names; nothing of it is run."""

from __future__ import annotations

import argparse
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NoReturn

from differential.profiles import PROFILES
from differential.session import ROOT
from fixtures.strict_yaml import load_yaml

WORKFLOW_FOLDER = ROOT / ".github" / "workflows"
PROGRAMS = ("python", "python3", "python3.11", ".venv/bin/python", sys.executable)
"""Names under which commands call this Python."""


def loaded(path: Path) -> dict[Any, Any]:
    """A workflow; YAML reads its `on` as true."""
    data = load_yaml(path, ValueError)
    assert isinstance(data, dict)
    return data


def steps_of(workflow: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every step with the name of its job."""
    for name, job in workflow["jobs"].items():
        for step in job.get("steps", []):
            yield name, step


def check_command(words: Sequence[str]) -> bool:
    """Whether it is one that can be checked: `python -m scale`, `python -m pytest`, `pytest` or `make`.

    Raises AssertionError where the program would not take it.
    """
    if words[0] == "make":
        _check_make(words[1:])
    elif words[0] == "pytest":
        _check_pytest(words[1:])
    elif words[0] in PROGRAMS and words[1:3] == ["-m", "pytest"]:
        _check_pytest(words[3:])
    elif words[0] in PROGRAMS and words[1:3] == ["-m", "scale"]:
        _check_scale(words[3:])
    else:
        return False
    return True


class _Strict(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise AssertionError(f"{self.prog}: {message}")


def _check_scale(words: Sequence[str]) -> None:
    from scale.commands import COMMANDS

    assert words and words[0] in COMMANDS, f"python -m scale has no command {words[:1]}"
    parser = _Strict(prog=f"python -m scale {words[0]}")
    COMMANDS[words[0]].add_arguments(parser)
    parser.parse_args(list(words[1:]))


def _check_pytest(words: Sequence[str]) -> None:
    """Folders exist, options are pytest's or this project's, profiles are known."""
    for word, after in zip(words, [*words[1:], ""], strict=True):
        name, _, value = word.partition("=")
        if word.startswith("-"):
            assert name in _pytest_options(), f"pytest has no option {name}"
        elif re.fullmatch("[a-z]+", word) and not _takes_value(words, word):
            assert (ROOT / word).is_dir(), f"pytest: there is no folder {word}"
        if name == "--hypothesis-profile":
            assert (value or after) in PROFILES, f"--hypothesis-profile: there is no {value or after}"


def _takes_value(words: Sequence[str], word: str) -> bool:
    at = list(words).index(word)
    return at > 0 and words[at - 1].startswith("--")


@cache
def _pytest_options() -> frozenset[str]:
    """Every option that `pytest --help` names here."""
    command = [sys.executable, "-m", "pytest", "--help", "-p", "no:cacheprovider"]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return frozenset(re.findall(r"(?<![\w-])--?[a-zA-Z][\w-]*", told)) | {
        "--junitxml"
    }  # its help names --junit-xml only


def _check_make(words: Sequence[str]) -> None:
    """Targets are there; ARGS are options of pytest or of scale, as the target hands them on."""
    makefile = (ROOT / "Makefile").read_text()
    for word in words:
        if word.startswith("ARGS="):
            continue
        if re.fullmatch("[A-Z]+=.*", word):
            continue
        rule = re.search(rf"^{re.escape(word)}:.*\n((?:\t.*\n)*)", makefile, re.MULTILINE)
        assert rule, f"make has no target {word}"
        given = next((one.removeprefix("ARGS=") for one in words if one.startswith("ARGS=")), None)
        if given is not None:
            assert "$(ARGS)" in rule[1], f"make {word} takes no ARGS"
            last = next(line for line in rule[1].splitlines() if "$(ARGS)" in line)
            command = re.sub(r"^\t(?:\$\(RUN\)|\S*python -m) ", "python -m ", last).replace("$(ARGS)", given)
            check_command(shlex.split(command))
