"""The modes of `python -m scale ci`, as data, and the steps that each consists of."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

ModeName = Literal["quick", "standard", "comprehensive"]
StepName = Literal["parity", "properties", "sweep", "compare", "gate"]
PYTEST_STEPS: tuple[StepName, ...] = ("parity", "properties")


@dataclass(frozen=True)
class Mode:
    """profile: of the worlds that parity and properties draw. sweep: options of the sweep. timeout: minutes, where --timeout is not
    given. can_go: whether its evidence can be enough for a go. purpose: for the help."""

    profile: str
    sweep: tuple[str, ...]
    timeout: float
    can_go: bool
    purpose: str


MODES: dict[ModeName, Mode] = {
    "quick": Mode(
        "quick",
        ("--quick", "--runs", "1", "--no-leak-check"),
        10,
        False,
        "a pull request: is anything broken? Never a go",
    ),
    "standard": Mode("ci", ("--runs", "3"), 30, True, "a release: all evidence, 3 runs of each cell"),
    "comprehensive": Mode("ci", ("--runs", "5"), 60, True, "a release on a machine of its own: 5 runs of each cell"),
}


@dataclass(frozen=True)
class Given:
    """What the options settle. base: checkout to compare with. first_release: there is none. full: every scenario is swept."""

    mode: ModeName
    output: Path
    engines: tuple[str, ...] = ()
    base: Path | None = None
    first_release: bool = False
    policy: Path | None = None
    full: bool = False


@dataclass(frozen=True)
class Step:
    """One command, run by this Python. log: takes what it prints."""

    name: StepName
    arguments: tuple[str, ...]
    log: Path

    @property
    def command(self) -> list[str]:
        """The whole command."""
        return [sys.executable, *self.arguments]


WRITTEN = (
    "parity.json", "parity.md", "properties.json", "properties.md", "junit", "logs", "repros",
    "sweep", "compare", "ci.json", "ci.md",
)  # fmt: skip
"""What the steps leave in the output folder, beside the gate's files."""


def steps_of(given: Given) -> list[Step]:
    """The steps of a mode in their order; the gate comes last and takes what the others left."""
    mode, out = MODES[given.mode], given.output
    engines = [part for spec in given.engines for part in ("--engine", spec)]
    policy = [] if given.policy is None else ["--policy", str(given.policy)]
    steps = [
        _suite("parity", "differential", "--parity-report", out, mode.profile, engines),
        _suite("properties", "properties", "--properties-report", out, mode.profile, engines),
        _scale(
            "sweep",
            out,
            [*(["--full"] if given.full else []), *mode.sweep, "--output", str(out / "sweep"), *engines, *policy],
        ),
    ]
    if given.base is not None:
        compared = ["--base-checkout", str(given.base), "--output", str(out / "compare"), *engines, *policy]
        steps.append(_scale("compare", out, compared))
    return [*steps, _scale("gate", out, [*_evidence(given), *policy, "--output", str(out)])]


def _evidence(given: Given) -> list[str]:
    out = given.output
    parts = ["--parity", str(out / "parity.json"), "--properties", str(out / "properties.json")]
    parts += ["--sweep", str(out / "sweep" / "results.json")]
    if given.base is not None:
        parts += ["--compare", str(out / "compare" / "compare.json")]
    return [*parts, "--first-release"] if given.first_release else parts


def _suite(name: StepName, folder: str, report: str, out: Path, profile: str, engines: Sequence[str]) -> Step:
    """pytest over one of the two suites."""
    reports = [part for suffix in ("json", "md") for part in (report, str(out / f"{name}.{suffix}"))]
    kept = ["--junitxml", str(out / "junit" / f"{name}.xml"), "--repro-dir", str(out / "repros")]
    return Step(
        name, ("-m", "pytest", folder, "--hypothesis-profile", profile, *reports, *kept, *engines), _log(out, name)
    )


def _scale(name: StepName, out: Path, arguments: Sequence[str]) -> Step:
    return Step(name, ("-m", "scale", name, *arguments), _log(out, name))


def _log(out: Path, name: str) -> Path:
    return out / "logs" / f"{name}.log"
