"""What is sent of a base's checkout: all of its code, and nothing that lies beside it."""

from __future__ import annotations

import io
import shutil
import zipfile
from pathlib import Path

import pytest

from differential.session import ROOT
from scale.cluster.parcel import unpack
from scale.compare.base import packed_base
from scale.compare.request import Side
from scale.status import UsageError

SPEC = "mine_base.engines:fast"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout with an engine of its own, and with what lies in one beside the code."""
    root = tmp_path / "base"
    for package in ("differential", "fixtures"):
        shutil.copytree(ROOT / package, root / package, ignore=shutil.ignore_patterns("__pycache__", "test_*"))
    for name in (
        "pyproject.toml", "mine_base/__init__.py", "mine_base/engines.py", "mine_base/rules.sql",
        ".git/config", ".venv/lib/x.py", "scale-results/results.json", "notes.txt", "census.csv",
        "mine_base/__pycache__/x.pyc", "mine_base/.env", "differential/run-0.duckdb",
    ):  # fmt: skip
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name)
    return root


def test_all_of_the_code_is_sent_and_nothing_else(checkout: Path, tmp_path: Path) -> None:
    side = Side(checkout, {"sql": "sql", SPEC: SPEC})
    archive = packed_base(side)
    unpack(archive, tmp_path / "there")
    names = zipfile.ZipFile(io.BytesIO(archive)).namelist()

    assert Side(tmp_path / "there", side.specs).code().fingerprint == side.code().fingerprint
    assert {name for name in names if not name.startswith(("differential/", "fixtures/"))} == {
        "pyproject.toml", "mine_base/__init__.py", "mine_base/engines.py", "mine_base/rules.sql",
    }  # fmt: skip
    assert not [name for name in names if name.endswith((".duckdb", ".pyc", ".env"))]
    assert "fixtures/data/census_cps1976.csv" in names, "data that the code reads"


def test_an_engine_outside_the_checkout_is_left_where_it_is(
    checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (checkout / "mine_base").rename(tmp_path / "mine_base")
    monkeypatch.syspath_prepend(str(tmp_path))
    archive = packed_base(Side(checkout, {SPEC: SPEC}))

    assert not [name for name in zipfile.ZipFile(io.BytesIO(archive)).namelist() if "mine_base" in name]


def test_a_base_that_is_too_large_is_refused_with_its_largest_file(checkout: Path) -> None:
    (checkout / "fixtures" / "huge.csv").write_bytes(b"0" * 3_000_000)

    with pytest.raises(UsageError, match=r"too much to send .* the largest is fixtures/huge.csv with 3"):
        packed_base(Side(checkout, {"sql": "sql"}), limit=4_000_000)


def test_code_that_is_not_in_the_checkout_itself_is_refused(checkout: Path, tmp_path: Path) -> None:
    (checkout / "mine_base").rename(tmp_path / "elsewhere")
    (checkout / "mine_base").symlink_to(tmp_path / "elsewhere")

    with pytest.raises(UsageError, match="not all of its code; give a plain checkout, without links"):
        packed_base(Side(checkout, {SPEC: SPEC}))


def test_a_folder_that_is_no_checkout_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no folder differential/ there"):
        packed_base(Side(tmp_path, {"sql": "sql"}))
