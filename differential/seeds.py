"""What is drawn follows from the seed and the strategy alone.

Hypothesis also draws numbers that it finds in the source of whatever local modules are loaded: with another import, or after a
change anywhere in this project, the same seed drew other worlds, in about one world of five. A seed that found a failure has to
find it again, in another process and another night, and a change and its parent have to see the same worlds.
"""

from __future__ import annotations

from hypothesis.internal.cache import LRUCache
from hypothesis.internal.conjecture import providers
from hypothesis.internal.constants_ast import Constants

_HOOK = "_get_local_constants"
_REMEMBERED = 1024
"""As Hypothesis's own cache of the constants that may be drawn."""


def leave_sources_out() -> None:
    """Let Hypothesis take no constants from sources, in the whole process. test_pool.py notices if it goes about that otherwise."""
    if hasattr(providers, _HOOK):
        setattr(providers, _HOOK, Constants)  # called without arguments, it gives none
        providers.CONSTANTS_CACHE = LRUCache(_REMEMBERED)
