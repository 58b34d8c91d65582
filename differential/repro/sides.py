"""Sides in a record: without paths of one machine, and run again only as the command line says."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, get_args

from differential.engines import EngineSpecError, base_of, label, runs_apart
from differential.side import History, Side

_SPEC = re.compile(r"[\w.-]{1,200}(:[\w.]{1,200})?(@[\w.+-]{1,100})?|command:[\w.+-]{1,100}")
_HISTORIES = get_args(History)


def side_from(found: Mapping[str, Any]) -> Side:
    """A side that a replay may run: an engine by name or MODULE:ATTRIBUTE, and no file. A Python or a program that it names is
    a label: which one that is, the command line of the replay has to say."""
    side = Side.from_json(found)
    if not _SPEC.fullmatch(side.engine):
        raise ValueError(
            f"engine {side.engine!r:.60} is neither a name, MODULE:ATTRIBUTE, ENGINE@LABEL nor command:LABEL"
        )
    if side.history not in _HISTORIES:
        raise ValueError(f"history {side.history!r:.60} is unknown")
    if side.variant.database is not None:
        raise ValueError("variant.database must be null: a repro writes to no file")
    return side


def side_record(side: Side, versions: Mapping[str, str] | None = None) -> dict[str, Any]:
    """A side as it stands in the record: `text` and `versions` for people, the rest for `side_from`.

    versions: of the whole finding, of which those of an engine under another Python are kept here too: the Python's own path says
    nothing on another machine.
    """
    found = versions_of(side, versions or {})
    return {"text": side.describe(), **({"versions": found} if found else {}), **side_identity(side)}


def side_identity(side: Side) -> dict[str, Any]:
    """What tells sides apart: plain values, no path of this machine among them."""
    return {**side.to_json(), "engine": label(side.engine)}


def versions_of(side: Side, versions: Mapping[str, str]) -> dict[str, str]:
    """The library versions that were seen under another Python; none for an engine under this one."""
    if not runs_apart(side.engine):
        return {}
    prefixes = {f"{side.engine}: ", f"{label(side.engine)}: "}
    return {
        name.removeprefix(prefix): found
        for name, found in versions.items()
        for prefix in prefixes
        if name.startswith(prefix)
    }


def engines_for(sides: Sequence[Side], given: Sequence[str]) -> dict[str, str]:
    """Which of the `given` SPECs stands for each label that the sides of a bundle have, by label.

    A record comes from anywhere, so that no Python and no program is started because a record names it. The same label is taken
    first, then whatever runs the same engine.

    Raises:
        EngineSpecError: none was given for a side.
    """
    wanted = list(dict.fromkeys(side.engine for side in sides if runs_apart(side.engine)))
    usable = [spec for spec in given if runs_apart(spec)]
    chosen = {one: spec for one in wanted for spec in usable if label(spec) == one}
    for one in wanted:
        free = [spec for spec in usable if spec not in chosen.values() and _kin(spec, one)]
        if one not in chosen and not free:
            form = "command:PROGRAM" if one.startswith("command:") else f"{base_of(one)}@PYTHON"
            raise EngineSpecError(
                f"{one} is a label, since a path of another machine says nothing on this one: "
                f"give the one to run with --engine {form}"
            )
        chosen.setdefault(one, next(iter(free), ""))
    return chosen


def _kin(spec: str, wanted: str) -> bool:
    if wanted.startswith("command:") or spec.startswith("command:"):
        return wanted.startswith("command:") and spec.startswith("command:")
    return base_of(spec) == base_of(wanted)
