"""The suite where it is installed: `pytest differential` and `pytest properties` in any folder.

An entry point of pytest, and therefore part of every test run in that environment: it does nothing at all, and adds no option,
unless one of the two words is asked for and is no file or folder there. In a checkout they are folders, and conftest.py loads
the same plugins. It is a module of its own and imports nothing of the suite by then: were the suite installed into the environment
of a checkout too, that copy would be imported in place of the checkout.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType

import pytest

PACKAGES = ("fixtures", "differential", "properties", "scale")
SUITES = ("differential", "properties")
PLUGINS = ("differential.guards", "differential.plugin", "properties.replay", "properties.plugin")
ROOT = Path(__file__).resolve().parent
_VALUE_FOLLOWS = ("-k", "-m", "-p", "-c", "-o")


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config, args: list[str]) -> None:
    """Put the installed folders in the place of the words, and load what adds the options."""
    positional = early_config.known_args_namespace.file_or_dir
    wanted = [name for name in SUITES if name in positional and not Path(name).exists()]
    if not wanted:
        return
    sys.meta_path.insert(0, _AsTheyAre())
    _refuse_other_packages()
    for place, word in enumerate(args):
        if word in wanted and (place == 0 or args[place - 1] not in _VALUE_FOLLOWS):
            args[place] = str(ROOT / word)
    if (
        str(Path.cwd()) not in sys.path
    ):  # as in a checkout: engines of the folder that pytest is started in can be named
        sys.path.insert(0, str(Path.cwd()))
    for plugin in PLUGINS:
        early_config.pluginmanager.import_plugin(plugin)
    defaults = ["--import-mode=importlib"]
    if early_config.pluginmanager.hasplugin("xdist"):
        defaults.append(
            "--dist=loadgroup"
        )  # comparisons of the same worlds belong into one process, where each engine runs once
    args[:0] = [word for word in defaults if not any(given.startswith(word.partition("=")[0]) for given in args)]


class _AsTheyAre:
    """Finds the suite's modules before pytest does, which rewrites the assertions of all that an installed plugin brings along: the
    engines, too, would not run as they are."""

    @staticmethod
    def find_spec(name: str, path: Sequence[str] | None = None, target: ModuleType | None = None) -> ModuleSpec | None:
        """As the standard library's finder; tests are left to pytest."""
        ours = name.partition(".")[0] in PACKAGES and not name.rpartition(".")[2].startswith("test_")
        return PathFinder.find_spec(name, path, target) if ours else None


def _refuse_other_packages() -> None:
    """The suite's packages have plain names; another of the same name that comes first would be imported in its place."""
    import differential
    import fixtures
    import properties

    for package in (fixtures, differential, properties):
        found = Path(str(package.__file__)).resolve().parent
        if found != ROOT / package.__name__:
            raise pytest.UsageError(
                f"{found} hides the suite's own package {package.__name__}; run pytest from a folder without one, or rename it"
            )
