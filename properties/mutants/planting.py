"""Putting a mutant in the place of what it changes, in this process, and taking it out again."""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.util
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest import mock

from differential.planted.patches import forget_connections
from differential.session import ROOT
from properties.mutants.catalogue import POLARS_PACKAGE, SQL_RULES
from properties.mutants.mutant import Mutant

PACKAGE = POLARS_PACKAGE.as_posix().replace("/", ".")


@contextmanager
def planted(mutant: Mutant) -> Iterator[Any]:
    """While open, the mutant's engine has the change; gives the engine to run where that is another object."""
    with _sql(mutant) if mutant.language == "SQL" else _polars(mutant) as engine:
        yield engine


@contextmanager
def _sql(mutant: Mutant) -> Iterator[None]:
    """The engine reads its rules from a copy of the folder with the one file changed."""
    from differential.engines.sql import session

    with tempfile.TemporaryDirectory(prefix="mutant-") as folder:
        rules = Path(folder) / "rules"
        shutil.copytree(ROOT / SQL_RULES, rules)
        (rules / Path(mutant.file).relative_to(SQL_RULES)).write_text(mutant.text(), encoding="utf-8")
        with mock.patch.object(session, "RULES", rules):
            _forget(session)
            try:
                yield
            finally:
                _forget(session)


def _forget(session: Any) -> None:
    session.rule.cache_clear()
    forget_connections(session)


@contextmanager
def _polars(mutant: Mutant) -> Iterator[Any]:
    """The engine's package is imported once more with the one module changed, and the old modules are put back after it.

    Modules import each other's names, so a change of one is only seen by the others when all are made anew.
    """
    module = mutant.file.removesuffix(".py").replace("/", ".").removesuffix(".__init__")
    finder = _Finder(module, mutant.text())
    importlib.import_module(PACKAGE)
    before = _taken_out()
    parent, _, name = PACKAGE.rpartition(".")
    sys.meta_path.insert(0, finder)
    try:
        fresh: Any = importlib.import_module(PACKAGE)
        yield fresh.PolarsEngine()
    finally:
        sys.meta_path.remove(finder)
        _taken_out()
        sys.modules.update(before)
        setattr(sys.modules[parent], name, before[PACKAGE])


def _taken_out() -> dict[str, ModuleType]:
    """The package's modules, which are no longer imported."""
    names = [name for name in sys.modules if name == PACKAGE or name.startswith(f"{PACKAGE}.")]
    return {name: sys.modules.pop(name) for name in names}


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports one module from a text; leaves all others to Python."""

    def __init__(self, module: str, text: str) -> None:
        self.module, self.text = module, text

    def find_spec(self, name: str, *_arguments: object) -> ModuleSpec | None:
        return importlib.util.spec_from_loader(name, self) if name == self.module else None

    def exec_module(self, module: ModuleType) -> None:
        exec(compile(self.text, f"<mutant of {self.module}>", "exec"), vars(module))
