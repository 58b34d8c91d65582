"""The streaming engine's batch size: how to ask for it, and what a process really uses."""

from __future__ import annotations

import os

import polars as pl

_NAMES = ("POLARS_IDEAL_MORSEL_SIZE", "POLARS_STREAMING_CHUNK_SIZE")
"""Both are needed: Polars 1.33 reads the first alone, and in 1.44 the older second one, when unset, resets it (pola-rs#29021)."""


def environment(size: int) -> dict[str, str]:
    """What must be set before Polars is first imported."""
    return dict.fromkeys(_NAMES, str(size))


def asked_for_here(size: int) -> bool:
    """Whether this process has that environment."""
    return all(os.environ.get(name) == str(size) for name in _NAMES)


def measured(size: int) -> int:
    """The largest batch that the streaming engine hands out in this process where it should be `size` rows."""
    seen: list[int] = []

    def note(batch: pl.Series) -> pl.Series:
        seen.append(len(batch))
        return batch

    # An even split over the pool's threads must not come out below the size asked for.
    rows = pl.select(pl.int_range(2 * size * pl.thread_pool_size(), dtype=pl.Int64).alias("row"))
    noted = pl.col("row").map_batches(note, return_dtype=pl.Int64, is_elementwise=True)
    rows.lazy().select(noted).collect(engine="streaming")
    return max(seen)
