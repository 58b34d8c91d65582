"""Which code is measured, and on what machine."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from scale.measuring import commit_of, engine_code, host, load, machine
from scale.measuring.run import ROOT, default_memory_limit
from scale.status import UsageError


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    for package in ("differential", "fixtures"):
        shutil.copytree(ROOT / package, tmp_path / "other" / package, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path / "other"


def test_equal_code_under_two_names_is_seen(checkout: Path) -> None:
    here, there = engine_code("sql", ROOT), engine_code("sql", checkout)
    assert here.fingerprint == there.fingerprint
    assert here.commit is not None and there.commit is None
    assert engine_code("polars", ROOT).fingerprint != here.fingerprint


@pytest.mark.parametrize(
    ("file", "seen_by"),
    [
        ("differential/engines/sql/rules/quotas.sql", {"sql"}),
        ("differential/engines/polars/state.py", {"polars"}),
        ("differential/variant.py", {"sql", "polars"}),
        ("fixtures/populations.py", {"sql", "polars"}),
        ("differential/test_variant.py", set()),
        ("differential/engines/polars/notes.md", set()),
    ],
)
def test_a_change_is_seen_where_it_matters(file: str, seen_by: set[str], checkout: Path) -> None:
    before = {spec: engine_code(spec, checkout).fingerprint for spec in ("sql", "polars")}
    path = checkout / file
    path.write_text((path.read_text() if path.exists() else "") + "\n")
    after = {spec: engine_code(spec, checkout).fingerprint for spec in ("sql", "polars")}
    assert {spec for spec in before if before[spec] != after[spec]} == seen_by


def test_attached_engines_are_their_package_or_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "acme_engines"
    (package / "deep").mkdir(parents=True)
    for file in ("__init__.py", "deep/__init__.py", "deep/fast.py", "rules.sql"):
        (package / file).write_text("")
    (tmp_path / "acme_single.py").write_text("")
    monkeypatch.syspath_prepend(str(tmp_path))
    fast, single = "acme_engines.deep.fast:Fast", "acme_single:Fast"
    before = {spec: engine_code(spec, ROOT).fingerprint for spec in (fast, single, "acme_single:Slow")}
    assert len(set(before.values())) == 3
    (package / "rules.sql").write_text("SELECT 1")
    assert engine_code(fast, ROOT).fingerprint != before[fast]
    assert engine_code(single, ROOT).fingerprint == before[single]


@pytest.mark.parametrize(
    ("spec", "said"), [("no_such_module:x", "is its folder on PYTHONPATH"), ("duck", "unknown engine 'duck'")]
)
def test_what_is_not_there_is_told(spec: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=said):
        engine_code(spec, ROOT)
    with pytest.raises(UsageError, match="is it a checkout of this project"):
        engine_code("sql", tmp_path)


def test_a_commit_with_changes_has_a_plus(tmp_path: Path) -> None:
    def git(*arguments: str) -> None:
        identity = ("-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false")
        subprocess.run(["git", "-C", str(tmp_path), *identity, *arguments], check=True, capture_output=True)

    assert commit_of(tmp_path) is None
    (tmp_path / "file").write_text("1")
    git("init")
    git("add", "file")
    git("commit", "-m", "first")
    clean = commit_of(tmp_path)
    (tmp_path / "file").write_text("2")
    assert clean is not None and commit_of(tmp_path) == clean + "+"


def test_the_machine_is_described_and_has_one_fingerprint(monkeypatch: pytest.MonkeyPatch) -> None:
    here = machine()
    assert here == machine() and load() >= 0
    assert here.cores >= 1 and here.memory > 2**28 and "duckdb" in here.libraries and here.processor
    assert default_memory_limit() == int(0.85 * here.memory)
    monkeypatch.setattr(host, "usable_cores", lambda: here.cores + 1)
    assert machine().fingerprint != here.fingerprint


def test_limits_of_the_control_group_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "cpu.max").write_text("150000 100000\n")
    (tmp_path / "memory.max").write_text("1073741824\n")
    monkeypatch.setattr(host, "_own_groups", lambda controller: [] if controller else [tmp_path])
    assert (host.usable_cores(), host.total_memory()) == (1, 2**30)
    (tmp_path / "cpu.max").write_text("max 100000\n")
    (tmp_path / "memory.max").write_text("max\n")
    assert host.usable_cores() >= 1 and host.total_memory() > 2**30
