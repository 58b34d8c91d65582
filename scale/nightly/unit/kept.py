"""The worlds that a unit hands over for the corpus, as files, with an index of their own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from fixtures.edge_facts import Flags
from fixtures.world import World
from scale.log import now
from scale.nightly.inputs.index import Entry, entry_of, file_of, write
from scale.nightly.inputs.labels import names_of
from scale.nightly.inputs.text import input_text
from scale.nightly.records import INPUTS


class Inputs:
    """The folder `inputs/` of a unit. on: off for a given census: social security numbers are in no file."""

    def __init__(self, folder: Path, *, on: bool) -> None:
        self._folder, self._on, self._added = folder / INPUTS, on, now()
        self._entries: dict[str, Entry] = {}

    def add(self, worlds: Sequence[World], flags: Sequence[Flags]) -> list[str]:
        """Write these worlds and the index; their fingerprints."""
        if not self._on or not worlds:
            return []
        self._folder.mkdir(parents=True, exist_ok=True)
        for world, row in zip(worlds, flags, strict=True):
            text = input_text(world)
            file_of(self._folder, world.fingerprint).write_text(text, encoding="utf-8")
            size = len(text.encode())
            self._entries[world.fingerprint] = entry_of(world, names_of(row), self._added, size)
        write(self._folder, self._entries)
        return [world.fingerprint for world in worlds]
