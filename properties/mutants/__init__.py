"""Automatic mutants: the SQL rules and the Polars engine with one operator, constant, join or filter changed.

`properties.mutants:SQL_0123` is the SQL engine with mutant SQL_0123; `python -m properties.mutants` runs a sample of them and says
which survived.
"""

from __future__ import annotations

import re
from contextlib import AbstractContextManager
from typing import Any

from differential.planted.engine import FaultyEngine
from properties.mutants.mutant import Mutant

__all__ = ["Mutant", "planted_there"]


def __getattr__(name: str) -> FaultyEngine:
    """`properties.mutants:SQL_0123` is the engine with that mutant."""
    if re.fullmatch(r"(SQL|POLARS)_\d+", name):
        from properties.mutants.catalogue import find_mutant
        from properties.mutants.planting import planted

        mutant = find_mutant(name)
        if mutant is not None:
            planter = "properties.mutants:planted_there"
            return FaultyEngine(mutant.engine, mutant.id, lambda: planted(mutant), planter, mutant.id)
    raise AttributeError(name)


def planted_there(name: str) -> AbstractContextManager[Any]:
    """The context in which a worker process has a mutant, by id."""
    from properties.mutants.catalogue import find_mutant
    from properties.mutants.planting import planted

    mutant = find_mutant(name)
    assert mutant is not None, name
    return planted(mutant)
