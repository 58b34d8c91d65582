"""How a process is set up that does nothing but a unit."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

OBJECTS, ROUNDS = 50_000, (20, 100)
"""New objects before a collection, and collections of each age before one of the next: a unit makes millions of short-lived ones,
and going through those of the libraries and the corpus each time costs 7 % of it."""


@contextmanager
def rare_collections() -> Iterator[None]:
    """Leave what is loaded by now out of garbage collection, and look for garbage less often; as usual again afterwards."""
    usual = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(OBJECTS, *ROUNDS)
    try:
        yield
    finally:
        gc.set_threshold(*usual)
        gc.unfreeze()  # else DuckDB's bindings take everything for leaked when the process ends
