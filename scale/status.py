"""The statuses that all commands of `python -m scale` end with, and how several become one."""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum
from typing import Literal

Verdict = Literal["pass", "fail", "timeout", "inconclusive", "insufficient", "info"]
"""What a check came to. `inconclusive`: measured as planned, and the data decide neither way. `insufficient`: not measured, or
too little of it. `info`: shown, never judged."""


class Status(IntEnum):
    """Exit statuses; docs/ci.md has the table."""

    PASS = 0
    FAIL = 1
    TIMEOUT = 2
    INSUFFICIENT = 3
    USAGE = 4
    INTERRUPTED = 130


_GRAVITY: tuple[Verdict, ...] = ("fail", "timeout", "insufficient", "inconclusive", "pass", "info")
_STATUS: dict[Verdict, Status] = {
    "pass": Status.PASS,
    "fail": Status.FAIL,
    "timeout": Status.TIMEOUT,
    "inconclusive": Status.INSUFFICIENT,
    "insufficient": Status.INSUFFICIENT,
    "info": Status.INSUFFICIENT,
}


class UsageError(ValueError):
    """Input that cannot be used; the message names the file, key or option and what to do. Ends with status 4."""


def gravest(verdicts: Iterable[Verdict]) -> Verdict:
    """The verdict of several together. Nothing at all, or nothing but `info`, is insufficient, never a pass."""
    found = set(verdicts) - {"info"}
    return next((verdict for verdict in _GRAVITY if verdict in found), "insufficient")


def status_of(verdict: Verdict) -> Status:
    """The exit status that a verdict ends with."""
    return _STATUS[verdict]
