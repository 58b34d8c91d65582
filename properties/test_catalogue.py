"""docs/checks.md and what is checked are the same list."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from differential.session import ROOT
from properties.invariants import all_checks
from properties.invariants.catalogue import CatalogueError, read
from properties.options import OTHER_CHECKS
from properties.session import catalogue


def test_every_entry_of_the_catalogue_is_checked_and_no_other() -> None:
    text = (ROOT / "docs" / "checks.md").read_text(encoding="utf-8")
    written = set(re.findall(r"^\| ([IM]\d\d) \|", text, re.MULTILINE))

    checked = {*catalogue(), *(id_ for id_ in OTHER_CHECKS if id_[0] in "IM")}

    assert written == checked
    assert len([id_ for id_ in written if id_[0] == "I"]) == len(all_checks()) == 40


def test_every_check_says_what_must_hold() -> None:
    for check in catalogue().values():
        assert check.sentence.endswith("."), check.id
        assert check.clauses, check.id


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("-- I98 Title\n-- Sentence.\n-- clause a: x = y\nSELECT 1", "line 1: expected `-- I99 Title`"),
        ("-- I99 Title\n-- Sentence.\nSELECT 1", "at least one clause"),
        ("-- I99 Title\n-- Sentence.\n-- clause a\nSELECT 1", "line 3: expected `clause name"),
    ],
)
def test_a_head_that_cannot_be_read_says_where(text: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "I99.sql"
    path.write_text(text)

    with pytest.raises(CatalogueError, match=said):
        read(path)
