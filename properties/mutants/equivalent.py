"""Equivalent mutants: changes that cannot show, each with the reason.

properties/mutants/equivalent.yaml is a list of

    - file: differential/engines/sql/rules/quotas.sql
      line: the text of the source line
      change: "0 -> 1"
      nth: 2                 # only where the same change occurs more than once in that line
      reason: why no world can show it

Entries go by text, not by line number, so that they outlive moves; one that fits no mutant any more is an error.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from fixtures.strict_yaml import load_yaml
from properties.mutants.mutant import Mutant

PATH = Path(__file__).with_name("equivalent.yaml")
_KEYS = {"file", "line", "change", "reason"}

Key = tuple[str, str, str, int]


class EquivalentError(ValueError):
    """A list of equivalent mutants that cannot be used; the message names file and entry."""


def equivalents(mutants: Iterable[Mutant], path: Path = PATH) -> dict[str, str]:
    """Mutant id to reason. Raises EquivalentError for an entry that is malformed, given twice, or fits no mutant."""
    known = list(mutants)
    ids = {key: mutant.id for mutant, key in zip(known, keys(known), strict=True)}
    found: dict[str, str] = {}
    for number, entry in enumerate(_entries(path), 1):
        key, reason = _read(entry, number, path)
        name = ids.get(key)
        if name is None:
            raise EquivalentError(
                f"{path.name}, entry {number}: {key[0]} has no mutant {key[2]!r} (nth {key[3]}) in a line {key[1]!r}; the source "
                "has changed: mend the entry or remove it"
            )
        if name in found:
            raise EquivalentError(f"{path.name}, entry {number}: {name} is listed twice; remove one")
        found[name] = reason
    return found


def keys(mutants: Iterable[Mutant]) -> list[Key]:
    """What each mutant is known by in the list."""
    seen: Counter[tuple[str, str, str]] = Counter()
    found = []
    for mutant in mutants:
        place = (mutant.file, mutant.source, mutant.change)
        seen[place] += 1
        found.append((*place, seen[place]))
    return found


def _entries(path: Path) -> list[Any]:
    listed = load_yaml(path, EquivalentError)
    if listed is not None and not isinstance(listed, list):
        raise EquivalentError(f"{path}: expected a list of entries, got {type(listed).__name__}")
    return listed or []


def _read(entry: object, number: int, path: Path) -> tuple[Key, str]:
    where = f"{path.name}, entry {number}"
    if not isinstance(entry, Mapping):
        raise EquivalentError(f"{where}: expected the keys {', '.join(sorted(_KEYS))}, got {entry!r:.60}")
    missing, unknown = sorted(_KEYS - set(entry)), sorted(set(entry) - _KEYS - {"nth"})
    if missing or unknown:
        what = f"{missing[0]} is missing" if missing else f"{unknown[0]} is not a key"
        raise EquivalentError(f"{where}: {what}; the keys are {', '.join(sorted(_KEYS))} and nth")
    nth, reason = entry.get("nth", 1), str(entry["reason"]).strip()
    if not isinstance(nth, int) or nth < 1 or not reason:
        raise EquivalentError(f"{where}: nth is a number from 1, and reason says why nothing can show it")
    return (str(entry["file"]), str(entry["line"]).strip(), str(entry["change"]), nth), reason
