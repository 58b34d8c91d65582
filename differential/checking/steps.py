"""Step: one thing that was looked at, and what came of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Status = Literal["ok", "missing", "failed", "left out"]


@dataclass(frozen=True)
class Step:
    """title: what was looked at. status: `missing` keeps the suite from ever passing the engine, as `failed` does; `left out`: it
    does not apply, and `lines` say why. lines: what was found, for people."""

    title: str
    status: Status
    lines: tuple[str, ...] = ()


def passed(steps: Iterable[Step]) -> bool:
    """Whether there were steps, and none failed or found something missing."""
    found = [step.status for step in steps]
    return "ok" in found and not {"failed", "missing"} & set(found)


def step(title: str, faults: Iterable[str], *told: str, status: Status = "failed") -> Step:
    """`ok` with what is told, or `status` with the faults first."""
    wrong = tuple(faults)
    return Step(title, status if wrong else "ok", (*wrong, *told))
