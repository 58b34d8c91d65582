"""How a process is set up that does nothing but a unit."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

from hypothesis.internal.cache import LRUCache
from hypothesis.internal.conjecture import providers
from hypothesis.internal.constants_ast import Constants

OBJECTS, ROUNDS = 50_000, (20, 100)
"""New objects before a collection, and collections of each age before one of the next: a unit makes millions of short-lived ones,
and going through those of the libraries and the corpus each time costs 7 % of it."""

_CONSTANTS_OF_SOURCES, _REMEMBERED = "_get_local_constants", 1024
"""Hypothesis's own function, and the size of its cache of the constants that may be drawn."""


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


@contextmanager
def draws_from_seeds_alone() -> Iterator[None]:
    """Let Hypothesis take no constants from the sources of loaded modules, in the whole process.

    Else the same seed draws other worlds after another import, or after a change anywhere in this project: a chunk that failed
    could not be drawn again the next night. Only for processes of units: it changes what the derandomised profiles draw.
    test_source.py notices if Hypothesis goes about it otherwise.
    """
    if not hasattr(providers, _CONSTANTS_OF_SOURCES):
        yield
        return
    usual, remembered = getattr(providers, _CONSTANTS_OF_SOURCES), providers.CONSTANTS_CACHE
    setattr(providers, _CONSTANTS_OF_SOURCES, Constants)  # called without arguments, it gives none
    providers.CONSTANTS_CACHE = LRUCache(_REMEMBERED)
    try:
        yield
    finally:
        setattr(providers, _CONSTANTS_OF_SOURCES, usual)
        providers.CONSTANTS_CACHE = remembered
