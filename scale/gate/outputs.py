"""What a decision leaves: deployment_decision.json, deployment.env, junit.xml and summary.md; an earlier decision is kept."""

from __future__ import annotations

import datetime as dt
import json
import os
import re
import shlex
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from scale.gate.junit import junit_xml
from scale.gate.record import CRITERIA, Decision
from scale.gate.summary import clipped, summary_markdown
from scale.records import write_record
from scale.status import Status, UsageError

DECISION, ENV, JUNIT, SUMMARY = "deployment_decision.json", "deployment.env", "junit.xml", "summary.md"
FILES = (DECISION, ENV, JUNIT, SUMMARY)
STEP_SUMMARY_LIMIT = 1024 * 1024
"""Bytes of a step's summary; GitHub drops all of one that is larger."""
_PREFIX = "WORKFORCE_PARITY_"


def set_aside(folder: Path) -> Path | None:
    """Move the files of an earlier decision away, so that no old go stands where a new one is expected; as `move_aside`."""
    return move_aside(folder, FILES)


def move_aside(folder: Path, names: Sequence[str]) -> Path | None:
    """Move what an earlier run left under these names to `folder/earlier/TIME/`; makes the folder if need be.

    Returns where they went, None if there were none. Raises UsageError for a folder that cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        present = [folder / name for name in names if (folder / name).exists()]
        if not present:
            return None
        place = _free(folder / "earlier" / _time_of(folder / DECISION, present))
        place.mkdir(parents=True)
        for path in present:
            path.replace(place / path.name)
    except OSError as error:
        raise UsageError(f"--output {folder}: cannot be written: {error.strerror}; give another folder") from None
    return place


def write_decision(decision: Decision, folder: Path) -> None:
    """Write the four files, each whole or not at all, and the step's summary where GitHub asks for one.

    The decision comes last: where it is, the others are.
    """
    summary = summary_markdown(decision)
    _write(folder / JUNIT, junit_xml(decision))
    _write(folder / SUMMARY, summary)
    _write(folder / ENV, env_text(decision))
    write_record(folder / DECISION, decision)
    append_step_summary(summary)


def env_text(decision: Decision) -> str:
    """NAME=VALUE lines, safe to be sourced by a shell; docs/ci.md lists the names."""
    failing = [one.id for one in decision.criteria if one.verdict != "pass"]
    values = {
        "DECISION": decision.decision,
        "STATUS": str(decision.status),
        "COMMIT": decision.commit or "",
        "ENGINES": " ".join(decision.engines),
        "FIRST_RELEASE": "yes" if decision.first_release else "no",
        "TIME": decision.time,
        **{one.id.upper(): one.verdict for one in decision.criteria},
        "NOT_PASSED": " ".join(name for name in CRITERIA if name in failing),
    }
    return "".join(f"{_PREFIX}{name}={shlex.quote(_one_line(value))}\n" for name, value in values.items())


def append_step_summary(text: str) -> None:
    """Add to the file that GITHUB_STEP_SUMMARY names, cut so that it stays within GitHub's limit; nothing without it."""
    named = os.environ.get("GITHUB_STEP_SUMMARY")
    if not named:
        return
    path = Path(named)
    with suppress(OSError):  # the summary is shown, the decision must not hang on it
        used = path.stat().st_size if path.exists() else 0
        part = clipped(text, STEP_SUMMARY_LIMIT - used - 1)
        with path.open("a", encoding="utf-8") as file:
            file.write(part)


def _one_line(value: str) -> str:
    """Neither a newline nor another control character: readers of .env files take line by line."""
    return re.sub(r"[\x00-\x1f\x7f]+", " ", value).strip()


def _time_of(decision: Path, present: list[Path]) -> str:
    """When the earlier decision was made, as a folder's name."""
    with suppress(OSError, ValueError, KeyError, TypeError):
        made = json.loads(decision.read_bytes())["time"]
        return dt.datetime.fromisoformat(made).strftime("%Y%m%d-%H%M%S")
    return time.strftime("%Y%m%d-%H%M%S", time.gmtime(min(path.stat().st_mtime for path in present)))


def _free(wanted: Path) -> Path:
    number, found = 1, wanted
    while found.exists():
        number += 1
        found = wanted.with_name(f"{wanted.name}-{number}")
    return found


def _write(path: Path, text: str) -> None:
    draft = path.with_name(f".{path.name}.draft")
    draft.write_text(text, encoding="utf-8")
    draft.replace(path)


def exit_status(decision: Decision) -> Status:
    """The exit status of `python -m scale gate`."""
    return Status(decision.status)
