"""Archives: what goes in comes out, whole or not at all, and nothing outside its folder."""

from __future__ import annotations

import io
import stat
import zipfile
from pathlib import Path

import pytest

from scale.cluster.parcel import ParcelError, pack, unpack


def archive(*names: str, mode: int = 0) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as made:
        for name in names:
            entry = zipfile.ZipInfo(name)
            entry.external_attr = mode << 16
            made.writestr(entry, "content")
    return buffer.getvalue()


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def target(tmp_path: Path) -> Path:
    folder = tmp_path / "parent" / "target"
    folder.mkdir(parents=True)
    (folder / "old").write_text("old")
    return folder


def test_folders_and_files_come_back_under_their_names_in_place_of_what_was_there(tmp_path: Path, target: Path) -> None:
    source = tmp_path / "source"
    (source / "deep").mkdir(parents=True)
    (source / "deep" / "Zoë.csv").write_bytes(b"\x00\xff" * 100)
    (source / "empty").touch()
    unpack(pack({"corpus": source, "given/census.csv": source / "deep" / "Zoë.csv"}), target)

    bytes_ = b"\x00\xff" * 100
    assert contents(target) == {"corpus/deep/Zoë.csv": bytes_, "corpus/empty": b"", "given/census.csv": bytes_}
    assert [path.name for path in target.parent.iterdir()] == ["target"]


def test_equal_files_make_equal_archives(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text("x")

    assert pack({"": tmp_path / "a"}) == pack({"": tmp_path / "b"})


@pytest.mark.parametrize("name", ["../outside", "/outside", "a/../../outside", "a\\..\\outside", "C:\\x"])
def test_an_archive_that_names_places_outside_is_refused_and_changes_nothing(target: Path, name: str) -> None:
    with pytest.raises(ParcelError, match="not a plain path inside"):
        unpack(archive("inside", name), target)

    assert contents(target.parent) == {"target/old": b"old"}


def test_links_and_names_that_come_twice_are_refused(target: Path) -> None:
    with pytest.raises(ParcelError, match="not a plain path"):
        unpack(archive("link", mode=stat.S_IFLNK | 0o777), target)
    with pytest.raises(ParcelError, match="not a plain path"), pytest.warns(UserWarning, match="Duplicate"):
        unpack(archive("a", "a"), target)


def test_a_damaged_archive_is_refused_and_changes_nothing(tmp_path: Path, target: Path) -> None:
    whole = pack({"": target})
    broken = whole.replace(b"old", b"odd", 1)
    for damaged in (whole[: len(whole) // 2], b"", whole[:40] + b"\x00" * 8 + whole[48:], broken):
        with pytest.raises(ParcelError):
            unpack(damaged, target)
        assert contents(target.parent) == {"target/old": b"old"}


def test_too_large_is_refused_on_either_side(tmp_path: Path, target: Path) -> None:
    (tmp_path / "zeros").write_bytes(b"\x00" * 100_000)

    with pytest.raises(ParcelError, match=r"zeros: more than 0\.05 MB"):
        pack({"zeros": tmp_path / "zeros"}, limit=50_000)
    with pytest.raises(ParcelError, match=r"unpacks to more than 0\.05 MB"):
        unpack(pack({"zeros": tmp_path / "zeros"}), target, limit=50_000)
    assert contents(target) == {"old": b"old"}
