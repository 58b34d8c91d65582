"""The invariants as they are written: one file of checks/ each, with its sentence, clauses and needs in the head."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from properties.check import Check

_CHECKS = Path(__file__).with_name("checks")
_PREPARE = Path(__file__).with_name("prepare")
_TABLE = re.compile(r"\b(?:FROM|JOIN)\s+(\w+)")
_CLAUSE = re.compile(r"clause (?P<name>\w+)(?: \[(?P<needs>[^\]]*)\])?: (?P<formula>.+)")


class CatalogueError(ValueError):
    """A file of checks/ whose head cannot be read; the message names file and line."""


@dataclass(frozen=True)
class Invariant:
    """One invariant as a query.

    uses: tables of prepare/ that the query reads, each after those that it is made of. needs: clause name to what must be at hand
    for it: `scenario`, `census`, `proof`, `events.COLUMN` or `state.COLUMN`. sql: gives rows (world, clause, employee_id, year,
    event_type, found, expected), one for each place where the invariant does not hold.
    """

    check: Check
    uses: tuple[str, ...]
    needs: dict[str, frozenset[str]]
    sql: str

    @property
    def whole_run(self) -> bool:
        """Whether a clause looks at the run as a whole, over all its worlds."""
        return any("proof" in needs for needs in self.needs.values())


@cache
def invariants() -> tuple[Invariant, ...]:
    """All invariants that are queries, by id. I36 is about types, not rows: properties/invariants/schema.py."""
    return tuple(sorted((read(path) for path in _CHECKS.glob("I*.sql")), key=lambda one: one.check.key))


@cache
def prepare(name: str) -> str:
    """The text of prepare/NAME.sql."""
    return (_PREPARE / f"{name}.sql").read_text(encoding="utf-8")


def tables_of(sql: str) -> tuple[str, ...]:
    """The tables of prepare/ that a query reads, directly or through others, in the order they have to be made."""
    found: dict[str, None] = {}
    for name in _TABLE.findall(sql):
        if name not in found and (_PREPARE / f"{name}.sql").exists():
            found |= dict.fromkeys([*tables_of(prepare(name)), name])
    return tuple(found)


def read(path: Path) -> Invariant:
    """One file of checks/. Raises CatalogueError."""
    lines = path.read_text(encoding="utf-8").splitlines()
    head = [
        line.removeprefix("-- ")
        for line in lines[: next(i for i, line in enumerate(lines) if not line.startswith("--"))]
    ]
    id_, _, title = head[0].partition(" ")
    if id_ != path.stem or not title:
        raise CatalogueError(f"{path}, line 1: expected `-- {path.stem} Title`")
    common: frozenset[str] = frozenset()
    sentence: list[str] = []
    clauses: dict[str, str] = {}
    needs: dict[str, frozenset[str]] = {}
    for number, line in enumerate(head[1:], 2):
        if line.startswith("needs: "):
            common = _names(line.removeprefix("needs: "))
        elif line.startswith("clause "):
            found = _CLAUSE.fullmatch(line)
            if found is None:
                raise CatalogueError(f"{path}, line {number}: expected `clause name [needs]: formula`")
            clauses[found["name"]] = found["formula"]
            needs[found["name"]] = common | _names(found["needs"] or "")
        else:
            sentence.append(line)
    if not (clauses and sentence):
        raise CatalogueError(f"{path}: the head needs a sentence and at least one clause")
    sql = "\n".join(lines[len(head) :])
    return Invariant(Check(id_, title, " ".join(sentence), clauses), tables_of(sql), needs, sql)


def _names(text: str) -> frozenset[str]:
    return frozenset(name.strip() for name in text.split(",") if name.strip())
