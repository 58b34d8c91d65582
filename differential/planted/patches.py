"""Patches of an engine's SQL text and Python code, applied from outside while it runs and taken back after it."""

from __future__ import annotations
import __future__

import importlib
import inspect
import sys
import textwrap
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from types import ModuleType
from typing import Any
from unittest import mock

from differential.planted.fault import PatchError, Planting

_ENGINES = "differential.engines."


def sql_patch(rule: str, edits: Mapping[str, str]) -> Planting:
    """Replace text in the SQL engine's rules/RULE.sql, as it is without comments."""
    return sql_rewrite(lambda name, text: edited(text, edits, f"rules/{name}.sql") if name == rule else text)


def sql_rewrite(rewrite: Callable[[str, str], str]) -> Planting:
    """Give every rule of the SQL engine the text that `rewrite(name, text)` makes of it."""

    @contextmanager
    def plant() -> Iterator[None]:
        from differential.engines.sql import session, simulate, year

        original = session.rule
        known: dict[str, str] = {}

        def rule(name: str) -> str:
            if name not in known:
                known[name] = rewrite(name, original(name))
            return known[name]

        with ExitStack() as patches:
            for module in (session, simulate, year):
                patches.enter_context(mock.patch.object(module, "rule", rule))
            forget_connections(session)
            try:
                yield
            finally:
                forget_connections(session)

    return plant


def python_patch(module: str, name: str, make: Callable[[Any], Any]) -> Planting:
    """Replace a function, method (`Class.method`) or constant by `make` of it.

    Where the module defines it, also in the modules of its package that imported it by name.
    """

    @contextmanager
    def plant() -> Iterator[None]:
        owner, attribute = _find(module, name)
        original = getattr(owner, attribute)
        faulty = make(original)
        with ExitStack() as patches:
            patches.enter_context(mock.patch.object(owner, attribute, faulty))
            if isinstance(owner, ModuleType) and getattr(original, "__module__", module) == module:
                for other in _importers(module, attribute, original):
                    patches.enter_context(mock.patch.object(other, attribute, faulty))
            _forget_caches(module)
            try:
                yield
            finally:
                _forget_caches(module)

    return plant


def text_patch(module: str, name: str, edits: Mapping[str, str]) -> Planting:
    """Replace text in the source of a function or method (`Class.method`) of a module."""

    def make(original: Any) -> Any:
        source = textwrap.dedent(inspect.getsource(original))
        source = edited(source, edits, f"{module}.{name}")
        flags = __future__.annotations.compiler_flag
        code = compile(source, f"<{module}.{name} with a fault>", "exec", flags=flags, dont_inherit=True)
        made: dict[str, Any] = {}
        exec(code, vars(sys.modules[module]), made)
        return made[name.rpartition(".")[2]]

    return python_patch(module, name, make)


def together(*plantings: Planting) -> Planting:
    """Several patches as one."""

    @contextmanager
    def plant() -> Iterator[None]:
        with ExitStack() as patches:
            for planting in plantings:
                patches.enter_context(planting())
            yield

    return plant


def edited(text: str, edits: Mapping[str, str], where: str) -> str:
    """The text with every edit made; raises PatchError for one whose place is gone."""
    for old, new in edits.items():
        if old not in text:
            raise PatchError(f"{where} no longer holds {old!r}")
        text = text.replace(old, new)
    return text


def _find(module: str, name: str) -> tuple[Any, str]:
    owner: Any = importlib.import_module(module)
    *classes, attribute = name.split(".")
    for part in classes:
        owner = getattr(owner, part, None)
    if not hasattr(owner, attribute):
        raise PatchError(f"{module} no longer has {name}")
    return owner, attribute


def _package(module: str) -> str:
    """The engine's package that a module belongs to, else the module itself."""
    if not module.startswith(_ENGINES):
        return module
    return _ENGINES + module.removeprefix(_ENGINES).partition(".")[0]


def _modules(module: str) -> list[ModuleType]:
    package = _package(module)
    importlib.import_module(package)
    return [found for name, found in list(sys.modules.items()) if name == package or name.startswith(f"{package}.")]


def _importers(module: str, attribute: str, original: Any) -> list[ModuleType]:
    return [other for other in _modules(module) if other.__name__ != module and vars(other).get(attribute) is original]


def _forget_caches(module: str) -> None:
    """What functions have kept was made by the code as it was before, or as it was with the fault."""
    for found in _modules(module):
        for value in list(vars(found).values()):
            if hasattr(value, "cache_clear"):
                value.cache_clear()
        for kept in ("_keys_of_year",):
            vars(found).get(kept, {}).clear()


def forget_connections(session: Any) -> None:
    """Macros live in the connection that is kept between runs."""
    session._statements.cache_clear()
    for kept in session._kept.values():
        kept.close()
    session._kept.clear()
