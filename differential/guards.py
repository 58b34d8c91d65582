"""A pytest plugin of what holds before anything is chosen: markers, known profiles, and parameters in one order everywhere."""

from __future__ import annotations

import os
from collections.abc import Set as AbstractSet

import pytest

# One thread for the comparing process: Polars fixes its pool on import, and runs with other counts get a process of their own.
os.environ.setdefault("POLARS_MAX_THREADS", "1")

MARKERS = (
    "parity(name): a comparison of engines or variants; name is what --parity selects",
    "property(id, group): a check of docs/checks.md on one engine; id is what --check selects",
    "suite: tests the suite itself; left out of `pytest differential` and of --engine runs",
)


@pytest.hookimpl(tryfirst=True)  # before Hypothesis, which ends in a traceback on a name it does not know
def pytest_configure(config: pytest.Config) -> None:
    from differential.profiles import PROFILES

    for marker in MARKERS:
        config.addinivalue_line("markers", marker)
    asked = config.getoption("hypothesis_profile", None)
    if asked is not None and asked not in PROFILES:
        raise pytest.UsageError(f"--hypothesis-profile {asked}: expected one of {', '.join(PROFILES)}")


def pytest_itemcollected(item: pytest.Item) -> None:
    """Parameters drawn from a set come in another order in each process, and pytest-xdist then refuses to run anything."""
    for mark in item.iter_markers("parametrize"):
        if len(mark.args) > 1 and isinstance(mark.args[1], AbstractSet):
            raise pytest.UsageError(
                f"{item.nodeid}: parametrize({mark.args[0]!r}) takes its values from a set; sort them"
            )
