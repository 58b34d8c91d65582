"""How a process is set up that does nothing but a unit."""

from __future__ import annotations

import gc

OBJECTS, ROUNDS = 50_000, (20, 100)
"""New objects before a collection, and collections of each age before one of the next: a unit makes millions of short-lived ones,
and going through those of the libraries and the corpus each time costs 7 % of it."""


def collect_seldom() -> None:
    """Leave what is loaded by now out of garbage collection, and look for garbage less often."""
    gc.freeze()
    gc.set_threshold(OBJECTS, *ROUNDS)
