"""Where intermediates live: in memory (tuned_io), or as Parquet files in a temporary folder, written and read back."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Self

import polars as pl


class Scratch:
    """A run's intermediates by name. In memory or on disk by choice; a folder is made only when needed, and removed."""

    def __init__(self, *, in_memory: bool) -> None:
        self.in_memory = in_memory
        self._frames: dict[str, pl.DataFrame] = {}
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    def __enter__(self) -> Self:
        if not self.in_memory:
            self._folder = tempfile.TemporaryDirectory(prefix="polars-engine-")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._folder is not None:
            self._folder.cleanup()

    def keep(self, name: str, frame: pl.DataFrame) -> pl.DataFrame:
        """Store a frame and return it as it is stored: the same object, or what its file says."""
        self.put(name, frame)
        return self.get(name)

    def put(self, name: str, frame: pl.DataFrame) -> None:
        """Store a frame."""
        if self.in_memory:
            self._frames[name] = frame
        else:
            frame.write_parquet(self._path(name))

    def get(self, name: str) -> pl.DataFrame:
        """The frame stored under that name."""
        return self._frames[name] if self.in_memory else pl.read_parquet(self._path(name))

    def scan(self, names: Iterable[str]) -> pl.LazyFrame:
        """The frames of these names under each other."""
        if self.in_memory:
            return pl.concat([self._frames[name].lazy() for name in names])
        return pl.scan_parquet([self._path(name) for name in names])

    def has(self, name: str) -> bool:
        """Whether a frame is stored under that name."""
        return name in self._frames if self.in_memory else self._path(name).exists()

    def drop(self, name: str) -> None:
        """Forget a frame in memory; files stay until the run ends."""
        self._frames.pop(name, None)

    def _path(self, name: str) -> Path:
        assert self._folder is not None
        return Path(self._folder.name) / f"{name}.parquet"
