"""What is drawn follows from the seed and the strategy alone.

Hypothesis also draws numbers that it finds in the sources of whatever local modules are loaded: with another import, or after a
change anywhere in this project, the same seed drew other worlds. A seed that found a failure has to find it again, in another
process and another night; a change and its parent have to see the same worlds; and a test must not depend on those before it.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from hypothesis.internal.cache import LRUCache
from hypothesis.internal.conjecture import providers
from hypothesis.internal.constants_ast import Constants

_HOOK, _CACHE = "_get_local_constants", "CONSTANTS_CACHE"
"""Of Hypothesis: what takes the constants from sources, and what remembers which of all constants may be drawn where."""
_without_sources: LRUCache[Any, Any] = LRUCache(1024)
"""In place of the latter, of the same size: the two ways of drawing do not share it."""
_lock = threading.Lock()
_usual: dict[str, object] = {}
_within = 0


@contextmanager
def draws_from_seeds_alone() -> Iterator[None]:
    """Let Hypothesis take no constants from sources, in all threads, until the last one that asked for it is done.

    Tests of others in the same process draw as usual before and after. test_pool.py notices if Hypothesis goes about it otherwise.
    """
    _enter()
    try:
        yield
    finally:
        _leave()


def _enter() -> None:
    global _within
    with _lock:
        _within += 1
        if _within == 1:
            # called without arguments, Constants gives none
            for name, ours in ((_HOOK, Constants), (_CACHE, _without_sources)):
                if hasattr(providers, name):
                    _usual[name] = getattr(providers, name)
                    setattr(providers, name, ours)


def _leave() -> None:
    global _within
    with _lock:
        _within -= 1
        if not _within:
            for name, usual in _usual.items():
                setattr(providers, name, usual)
            _usual.clear()
