"""Engines by SPEC: the built-in ones, entry points of other packages, MODULE:ATTRIBUTE from the Python path, each of these under
another Python (SPEC@PYTHON), and programs (command:PROGRAM)."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable
from functools import cache
from importlib.metadata import entry_points
from typing import cast

from differential.engines.spec import BUILT_IN, EngineSpecError, base_of, label, parse_spec, settled
from differential.run import Engine

__all__ = [
    "BUILT_IN",
    "DEFAULT_PAIR",
    "ENTRY_POINT_GROUP",
    "EngineSpecError",
    "base_of",
    "get_engine",
    "is_built_in",
    "is_shipped",
    "label",
    "parse_spec",
    "runs_apart",
    "settled",
]
DEFAULT_PAIR = ("sql", "polars")
ENTRY_POINT_GROUP = "workforce_parity.engines"


@cache
def get_engine(spec: str) -> Engine:
    """The engine that `spec` names: a built-in name, an entry point's name, MODULE:ATTRIBUTE; SPEC@PYTHON; command:PROGRAM.

    The attribute is an instance, a class, or a function that makes one. The same spec gives the same instance.

    Raises:
        EngineSpecError: nothing of that name, or what was found is no engine.
    """
    found = _load(spec)
    if inspect.isclass(found) or (not hasattr(found, "run") and callable(found)):
        try:
            found = found()
        except Exception as error:
            raise EngineSpecError(f"engine {spec!r}: making it failed: {type(error).__name__}: {error}") from error
    if not isinstance(getattr(found, "name", None), str) or not callable(getattr(found, "run", None)):
        raise EngineSpecError(
            f"engine {spec!r}: found {type(found).__name__}; an engine has `name` (text) and `run(worlds, variant) -> Run`"
        )
    return cast(Engine, found)


def is_built_in(spec: str) -> bool:
    """Whether `spec` names an engine that ships with the suite, under this Python."""
    return spec in BUILT_IN


def is_shipped(spec: str) -> bool:
    """Whether the engine ships with the suite, under whatever Python."""
    return base_of(spec) in BUILT_IN


def runs_apart(spec: str) -> bool:
    """Whether the SPEC itself says that the engine runs in a process of its own (`differential.run.OwnProcess`)."""
    return parse_spec(spec).kind in ("host", "command", "navigator")


def _load(spec: str) -> object:
    asked = parse_spec(spec)
    if asked.kind == "host":
        from differential.hosts.engine import host_engine

        return host_engine(asked)
    if asked.kind == "command":
        from differential.commands.engine import command_engine

        return command_engine(asked)
    if asked.kind == "navigator":
        from differential.navigator import navigator_engine

        return navigator_engine(asked.target)
    if asked.kind == "built_in":
        return _BUILT_IN[spec]()
    if asked.kind == "module":
        return _from_path(spec)
    matches = entry_points(group=ENTRY_POINT_GROUP, name=spec)
    if not matches:
        known = ", ".join([*BUILT_IN, *sorted(entry_points(group=ENTRY_POINT_GROUP).names)])
        raise EngineSpecError(
            f"unknown engine {spec!r}: expected one of {known}, MODULE:ATTRIBUTE, ENGINE@PYTHON or command:PROGRAM"
        )
    try:
        return next(iter(matches)).load()
    except Exception as error:
        raise EngineSpecError(f"engine {spec!r}: its entry point cannot be loaded: {error}") from error


def _from_path(spec: str) -> object:
    module_name, _, attribute = spec.partition(":")
    try:
        found: object = importlib.import_module(module_name)
    except Exception as error:
        raise EngineSpecError(
            f"engine {spec!r}: module {module_name!r} cannot be imported: {type(error).__name__}: {error}; "
            "is its folder on PYTHONPATH?"
        ) from error
    for part in attribute.split("."):
        if not hasattr(found, part):
            raise EngineSpecError(f"engine {spec!r}: module {module_name!r} has no {attribute!r}")
        found = getattr(found, part)
    return found


def _sql() -> Engine:
    from differential.engines.sql import SqlEngine

    return SqlEngine()


def _polars() -> Engine:
    from differential.engines.polars import PolarsEngine

    return PolarsEngine()


def _oracle() -> Engine:
    from differential.engines.oracle import OracleEngine

    return OracleEngine()


# Imported on first use: Polars fixes its thread pool on import, and a run with one engine needs no other.
_BUILT_IN: dict[str, Callable[[], Engine]] = {"sql": _sql, "polars": _polars, "oracle": _oracle}
