"""Known repros are run again, in processes that may crash or hang."""

from __future__ import annotations

import json
import shutil
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest

from differential.session import REGRESSIONS
from scale.nightly import recheck as module
from scale.nightly.corpus import entry_of
from scale.nightly.recheck import REPEATS, recheck
from scale.nightly.records import Known, Recheck
from scale.nightly.testing import WHEN, interrupted_after

BUNDLE = next(iter(sorted(REGRESSIONS.iterdir())))
STILL_FAILS = "differential.planted:S42"
"""Gives eligibilities another level: what the regression's bundle once failed on."""
ATTACHED = """
import os
import time
from differential.engines import get_engine
from differential.run import Capabilities


class Engine:
    capabilities = Capabilities()

    def __init__(self, name, act):
        self.name, self.act = name, act

    def run(self, worlds, variant):
        self.act()
        return get_engine("sql").run(worlds, variant)


crashing = Engine("crashing", lambda: os._exit(7))
hanging = Engine("hanging", lambda: time.sleep(600))
"""


def bundle_of(corpus: Path, name: str, engine: str) -> Known:
    """The regression's bundle with another engine on its left side, and its entry in the ledger."""
    place = corpus / "repros" / name
    shutil.copytree(BUNDLE, place)
    record = place / "repro.json"
    record.write_text(record.read_text().replace('"engine": "sql"', f'"engine": "{engine}"'))
    found = entry_of(place, WHEN, None)
    assert found is not None
    return found.model_copy(update={"key": name, "bundle": f"repros/{name}"})


def _silent(line: str) -> None:
    """Says nothing."""


def test_what_passes_fails_and_cannot_be_run(tmp_path: Path) -> None:
    entries = [
        bundle_of(tmp_path, "mended", "sql"),
        bundle_of(tmp_path, "open", STILL_FAILS),
        bundle_of(tmp_path, "gone", "nobody_has:this"),
        bundle_of(tmp_path, "another", "differential.planted:S44"),
    ]
    said: list[str] = []

    found = recheck(tmp_path, entries, 2, said.append)

    assert [(one.key, one.status) for one in found] == [("mended", 0), ("open", 1), ("gone", 125), ("another", 1)]
    assert "nobody_has" in found[2].note
    assert [one.another for one in found] == [False, False, False, True]
    assert len(said) == 4 and any("no longer fails: mended" in line for line in said)


def test_a_bundle_that_ends_or_stops_its_process_costs_itself_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "acting.py").write_text(ATTACHED)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(module, "SECONDS_EACH", 6.0)
    entries = [
        bundle_of(tmp_path, "crashing", "acting:crashing"),
        bundle_of(tmp_path, "hanging", "acting:hanging"),
        bundle_of(tmp_path, "open", STILL_FAILS),
    ]

    found = {one.key: one for one in recheck(tmp_path, entries, 1, _silent)}

    assert {key: one.status for key, one in found.items()} == {"crashing": 1, "hanging": 1, "open": 1}


def test_an_engine_under_another_python_is_the_campaigns(tmp_path: Path) -> None:
    """A bundle names it by a label: which one it is, the night was told."""
    entries = [bundle_of(tmp_path, "apart", "sql@other")]

    (found,) = recheck(tmp_path, entries, 1, _silent, ("polars", f"sql@{sys.executable}"))
    assert (found.status, found.note) == (0, "")
    (found,) = recheck(tmp_path, entries, 1, _silent, ("polars",))
    assert found.status == 125 and "give the one to run with --engine" in found.note


def test_an_interruption_ends_the_bundles_that_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "acting.py").write_text(ATTACHED)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.syspath_prepend(str(tmp_path))
    entries = [bundle_of(tmp_path, name, "acting:hanging") for name in ("first", "second", "third")]
    said: list[str] = []
    before = set(psutil.Process().children(recursive=True))
    begun = time.monotonic()

    with pytest.raises(KeyboardInterrupt), interrupted_after(4.0):
        recheck(tmp_path, entries, 2, said.append)

    assert time.monotonic() - begun < 10 and said == []
    assert set(psutil.Process().children(recursive=True)) <= before


def test_a_known_failure_has_to_pass_more_than_once() -> None:
    assert REPEATS["known"] >= 2 and REPEATS["flaky"] > REPEATS["known"]


def test_a_bundle_put_there_by_hand_becomes_an_entry(tmp_path: Path) -> None:
    entry = bundle_of(tmp_path, "mine", "sql")
    assert (entry.test, entry.engines, entry.employees, entry.years) == ("sql_vs_polars", ("sql", "polars"), 1, 1)

    (tmp_path / "empty").mkdir()
    assert entry_of(tmp_path / "empty", WHEN, None) is None


def test_a_process_that_dies_is_told_and_the_rest_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    entries = [bundle_of(tmp_path, name, "sql") for name in ("first", "deadly", "last")]
    calls = []

    def dying(asked: Path, results: Path, _: threading.Event) -> str:
        keys = [key for key, _, _ in json.loads(asked.read_text())["bundles"]]
        calls.append(keys)
        done = keys[: keys.index("deadly")] if "deadly" in keys else keys
        results.write_text("".join(Recheck(key=key, status=1).model_dump_json() + "\n" for key in done))
        return "it ended with signal 11" if "deadly" in keys else ""

    monkeypatch.setattr(module, "_run", dying)

    found = recheck(tmp_path, entries, 1, _silent)

    assert calls == [["first", "deadly", "last"], ["last"]]
    assert [(one.key, one.status, one.note) for one in found] == [
        ("first", 1, ""), ("deadly", 125, "it ended with signal 11"), ("last", 1, ""),
    ]  # fmt: skip
