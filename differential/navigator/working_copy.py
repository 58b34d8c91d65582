"""A private copy of the checkout for one run: dbt's target, logs, reports and checkpoints lie relative to it."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from differential.navigator.settings import Layout

_LEFT_OUT = frozenset(
    {".git", "node_modules", "venv", ".venv", "__pycache__", ".mypy_cache", ".pytest_cache", ".ruff_cache"}
)
"""Folders of any depth that a run does not need."""
_MADE_BY_RUNS = frozenset(
    {
        "logs",
        "reports",
        "artifacts",
        "outputs",
        ".planalign_checkpoints",
        ".navigator_checkpoints",
        "checkpoints",
        "backups",
    }
)
"""Folders at the top that earlier runs of the checkout left."""
_LEFT_INSIDE = ("dbt/target", "dbt/logs", "data/parquet")
"""Further down: above all the events of an earlier Polars run, which dbt would read for a year that this run leaves out."""
_NO_CODE = _LEFT_OUT | {"target", "logs"}
_NOT_CODE = frozenset({"docs", "tests", "specs"})
_SUFFIXES = frozenset({".py", ".sql", ".csv", ".yml", ".yaml"})
_CODE = ("dbt", "config")


@contextmanager
def working_copy(home: Path) -> Iterator[Path]:
    """A copy that ends with the block; the checkout itself is never written to."""
    with TemporaryDirectory(prefix="parity-navigator-") as folder:
        copy = Path(folder) / "copy"
        shutil.copytree(home, copy, ignore=_ignored(home), symlinks=True)
        for left in _LEFT_INSIDE:
            shutil.rmtree(copy / left, ignore_errors=True)
        yield copy


def code_of(home: Path, layout: Layout) -> str:
    """SHA-256 over what decides its results: Python of its orchestrator and command line, and dbt's models, macros, seeds and
    packages."""
    digest = hashlib.sha256()
    for top in dict.fromkeys((layout.package, layout.module.partition(".")[0], *_CODE)):
        for file in sorted((home / top).rglob("*")):
            inside = file.relative_to(home)
            if file.suffix in _SUFFIXES and file.is_file() and not _NO_CODE.intersection(inside.parts):
                content = file.read_bytes()
                digest.update(f"\n{inside.as_posix()} {len(content)}\n".encode())
                digest.update(content)
    return digest.hexdigest()


def _ignored(home: Path) -> Callable[[str, list[str]], set[str]]:
    def ignore(folder: str, names: list[str]) -> set[str]:
        at_top = Path(folder) == home
        found = {name for name in names if name in _LEFT_OUT or name.endswith((".duckdb", ".duckdb.wal"))}
        if at_top:
            found |= set(names) & (_MADE_BY_RUNS | _NOT_CODE)
            found |= {name for name in names if (home / name / "pyvenv.cfg").is_file()}
        return found

    return ignore
