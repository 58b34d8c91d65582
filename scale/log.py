"""Structured log of a command: one JSON object a line, each with the run id, beside its results."""

from __future__ import annotations

import datetime as dt
import json
import secrets
from pathlib import Path
from typing import Any


def now() -> str:
    """This moment in UTC, ISO 8601, to the second."""
    return dt.datetime.now(dt.UTC).isoformat(timespec="seconds")


def new_run_id() -> str:
    """A name for one sweep or comparison, in order of time and unique: 20260131-142500-3f9a."""
    return f"{dt.datetime.now(dt.UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"


class Log:
    """Appends events to a file. Every line is written at once, so that what led to a crash is there."""

    def __init__(self, path: Path, run_id: str) -> None:
        self.path, self.run_id = path, run_id

    def write(self, event: str, **facts: Any) -> None:
        """Add one event. Facts are plain values or records."""
        line = {"time": now(), "run_id": self.run_id, "event": event, **facts}
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line, default=_plain) + "\n")


def _plain(value: Any) -> Any:
    return value.model_dump() if hasattr(value, "model_dump") else str(value)
