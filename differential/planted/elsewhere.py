"""Faults in other processes: what an engine does in a worker process is done there with the fault planted too."""

from __future__ import annotations

import importlib
import pickle
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any
from unittest import mock

from differential import workers


@contextmanager
def carried_along(planter: str, key: str) -> Iterator[None]:
    """While open, calls that this process makes into worker processes run there under `planter(key)`.

    planter: "package.module:function"; the function takes the key and makes the context in which the engine has the fault.
    """
    call = workers.call

    def faulty(target: str, *args: Any, env: Mapping[str, str] | None = None, **options: Any) -> Any:
        # Pickled here and there, since the arguments may be of classes that only exist while the fault is planted.
        packed = pickle.dumps(args)
        return call("differential.planted.elsewhere:call_planted", planter, key, target, packed, env=env, **options)

    with mock.patch.object(workers, "call", faulty):
        yield


def call_planted(planter: str, key: str, target: str, packed: bytes) -> Any:
    """What the worker process does: plant, then call the target."""
    plant: Any = _named(planter)
    context: AbstractContextManager[Any] = plant(key)
    with context:
        return _named(target)(*pickle.loads(packed))


def _named(path: str) -> Any:
    module, _, name = path.partition(":")
    return getattr(importlib.import_module(module), name)
