"""Mutant: one small change of an engine's source text, by position."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from differential.session import ROOT

Language = Literal["SQL", "POLARS"]
ENGINES: dict[Language, str] = {"SQL": "sql", "POLARS": "polars"}


@dataclass(frozen=True, order=True)
class Site:
    """A change of a text: characters start..end - 1 become `new`. kind: of the operator, such as `comparison`."""

    start: int
    end: int
    new: str
    kind: str


@dataclass(frozen=True)
class Mutant:
    """One change of one file.

    id: such as SQL_0123. file: from the project's root. line: from 1, where the change begins. source: that line's text. old, new:
    the text before and after.
    """

    id: str
    language: Language
    file: str
    line: int
    source: str
    kind: str
    old: str
    new: str
    start: int
    end: int

    @property
    def engine(self) -> str:
        """The engine that has it."""
        return ENGINES[self.language]

    @property
    def spec(self) -> str:
        """The mutant as an engine that the suites can run."""
        return f"properties.mutants:{self.id}"

    @property
    def change(self) -> str:
        """The change in words, short enough for one line."""
        return f"{_short(self.old)} -> {_short(self.new) or '(nothing)'}"

    def describe(self) -> str:
        """One line: id, place, change, source line."""
        return f"{self.id}  {self.file}:{self.line}  [{self.kind}] {self.change}\n    {self.source}"

    def text(self) -> str:
        """The file with the change."""
        original = Path(ROOT / self.file).read_text(encoding="utf-8")
        return original[: self.start] + self.new + original[self.end :]


def _short(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= 90 else f"{flat[:60]} ... {flat[-25:]}"
