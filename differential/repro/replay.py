"""Running a bundle again, with exit statuses fit for `git bisect run`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

PASSES, FAILS, UNTESTABLE = 0, 1, 125


@dataclass(frozen=True)
class ReplayResult:
    """status: 0 no longer fails, 1 still fails (a failure other than the recorded one too; `note` says so), 125 cannot be
    tested: the bundle cannot be read, an engine is missing, the comparison is refused or unproven. report: text for people."""

    status: Literal[0, 1, 125]
    report: str
    note: str = ""
    signature: str | None = None


def replay(path: str | Path, *, timeout: float | None = None) -> ReplayResult:
    """Run a bundle's world through both of its sides and compare. Never raises for what a bundle or an engine does."""
    raise NotImplementedError
