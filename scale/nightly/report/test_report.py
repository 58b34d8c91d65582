"""The summary of a night: news first, short when there is none, whatever it holds; and texts that a bot can post."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from scale.gate.summary import LIMIT
from scale.nightly.records import SUMMARY, Night
from scale.nightly.report import facts, summary_text, write_summary
from scale.nightly.report.issues import ORDER, digest_of, issue_file, marker
from scale.nightly.report.made_up import (
    bad_night,
    clean_night,
    empty_night,
    failure,
    hostile_night,
    interrupted_night,
    write_corpus,
)
from scale.records import read_record
from scale.reports.testing import HOSTILE, Page

ISSUE_LIMIT = 65_536
"""Characters that GitHub takes."""
A_MINUTE = 230
"""Words that people read in it."""


@pytest.fixture(autouse=True)
def no_step_summary(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)


def hostile() -> Night:
    return hostile_night(HOSTILE)


def written(night: Night, folder: Path, report: str = "a report\n") -> str:
    """summary.md, after everything was written."""
    write_corpus(folder / "corpus", night, report)
    write_summary(night, folder, folder / "corpus")
    return (folder / "summary.md").read_text(encoding="utf-8")


def shown(text: str) -> list[str]:
    """The lines that are to be seen before anything is opened."""
    return [line for line in re.sub(r"<details>.*?</details>", "", text, flags=re.DOTALL).splitlines() if line.strip()]


def html_of(text: str) -> set[str]:
    """Raw HTML in a Markdown text, without what stands between `summary` tags."""
    tokens = MarkdownIt("commonmark").enable("table").parse(text)
    every = [inner for token in tokens for inner in (token, *(token.children or ()))]
    return {
        re.sub("<summary>.*</summary>", "", token.content).strip() for token in every if token.type.startswith("html")
    }


@pytest.mark.parametrize("make", [clean_night, bad_night, interrupted_night, empty_night, hostile])
def test_any_night_can_be_told(make: Callable[[], Night], tmp_path: Path) -> None:
    night = make()
    text = written(night, tmp_path)

    page = Page((tmp_path / "summary.html").read_text(encoding="utf-8"))
    assert {tag for tag, _ in page.tags} & {"script", "link", "iframe", "object", "form"} == set()
    assert all((values["src"] or "").startswith("data:image/png;base64,") for tag, values in page.tags if tag == "img")
    assert html_of(text) <= {"<details>", "</details>"}
    assert len(text.encode()) < LIMIT
    assert summary_text(night)[0] in page.text
    assert read_record(tmp_path / SUMMARY, Night) == night
    assert (tmp_path / "coverage.png").exists() == bool(night.coverage)
    assert (tmp_path / "trend.png").exists() == bool(night.earlier)


def test_a_clean_night_is_read_in_a_minute(tmp_path: Path) -> None:
    lines = shown(written(clean_night(), tmp_path))

    assert lines[0] == "# Night of 2026-01-08: clean"
    assert len(lines) <= 12
    assert sum(len(line.split()) for line in lines) < A_MINUTE
    assert "- Coverage: labels 156 of 156, pairs 7,341 (+12 tonight), inputs kept 231 (+4)." in lines
    assert any("115 worlds/s" in line for line in lines)
    assert any(line.startswith("- pay of raise (sql, polars)") and "passes at 0123456789ab" in line for line in lines)
    assert not (tmp_path / "issues").exists()


def test_the_canarys_unit_is_not_among_those_that_failed(tmp_path: Path) -> None:
    rows = [line for line in written(clean_night(), tmp_path).splitlines() if " fail | " in line]

    assert rows == ["| canary | 1 | 1 fail | 700 | 12.9 s | 54.3 worlds/s |"]


def test_a_bad_night_tells_the_most_interesting_first(tmp_path: Path) -> None:
    lines = shown(written(bad_night(), tmp_path))

    headings = [line.removeprefix("## ") for line in lines if line.startswith("## ")]
    assert headings == ["The canary was missed", "What went wrong", "Flaky failures", "New failures", "The whole night"]
    rows = [line.split(" | ")[0].strip("| ") for line in lines if " | issues/" in line]
    assert rows == [  # the smallest repro first, none at all last
        "rows of exit on 4 threads",
        "level_id of eligibility",
        "level_id of the state table",
        "M05: the order of rows changes the result",
    ]
    assert any("0040-oracle: hung" in line for line in lines)
    assert "- 2 units of 43 gave no whole result: 0041-levels refused, 0042-sql_vs_polars lost." in lines
    assert any(line.startswith("- Never met, tonight or before:") for line in lines)
    assert f"pytest differential --replay {tmp_path}/corpus/repros/sql_vs_polars-eligibility-level_id-cfe535" in lines


def test_the_terminal_is_told_the_same_in_the_same_order() -> None:
    lines = summary_text(bad_night(), Path("corpus"))

    starts = [line.strip().partition(":")[0] for line in lines]
    assert starts[:2] == ["Night of 2026-01-08", "Canary missed"]
    assert [start for start in starts if start in ("flaky", "new")] == ["flaky", "new", "new", "new"]
    assert "    pytest differential --replay corpus/repros/x-00000000" in lines
    assert "  flaky: and 190 more" in summary_text(hostile())


def test_an_interrupted_night_says_so_and_how_far_it_came() -> None:
    lines = summary_text(interrupted_night())

    assert lines[0] == "Night of 2026-01-08, slice 2 of 4: interrupted"
    assert "  Used: 23.4 of 60 minutes." in lines
    assert any("0014-invariants running" in line for line in lines)
    assert "  No canary: another slice has it." in lines
    alone = interrupted_night().model_copy(update={"part": (1, 1)})
    assert any(
        line.startswith("  No canary: none was asked for, or it had not been caught") for line in summary_text(alone)
    )
    whole = alone.model_copy(update={"status": "clean"})
    assert "  No canary: nothing shows that a failure would be seen." in summary_text(whole)


def test_the_command_that_runs_a_failure_again(tmp_path: Path) -> None:
    one = bad_night().new[0].model_copy(update={"bundle": "repros/x", "command": "as the unit said"})
    apart = one.model_copy(update={"engines": ("sql", "sql@/opt/new/bin/python")})

    assert facts.replay(one, tmp_path) == f"pytest differential --replay {tmp_path}/repros/x"
    assert (
        facts.replay(apart, tmp_path)
        == f"pytest differential --replay {tmp_path}/repros/x --engine sql@/opt/new/bin/python"
    )
    (tmp_path / "repros" / "x").mkdir(parents=True)
    assert facts.replay(one, tmp_path) == "as the unit said", "a life of a database has a report alone"


def test_there_is_a_text_for_each_failure_that_is_news_and_for_a_missed_canary(tmp_path: Path) -> None:
    night = bad_night()
    written(night, tmp_path, "the report\nof it\n")

    names = (tmp_path / "issues" / ORDER).read_text().splitlines()
    failures = names[1:]  # the canary's comes first
    assert failures[0] == f"{digest_of(night.flaky[0].key)}.md"
    assert sorted(failures[1:]) == sorted(f"{digest_of(one.key)}.md" for one in night.new)
    assert {path.name for path in (tmp_path / "issues").glob("*.md")} == set(names)
    titles = [(tmp_path / "issues" / name).read_text().splitlines()[0] for name in names]
    assert titles[:3] == [
        "Canary missed: S03 in sql",
        "Flaky: rows of exit on 4 threads (polars)",
        "level_id of eligibility (sql, polars)",
    ]
    text = (tmp_path / issue_file(night.new[1].key)).read_text()
    assert text.splitlines()[1] == marker(night.new[1].key)
    for part in (
        "31 of 412,345 worlds",
        "1 employee, 1 year",
        "--replay",
        "the report\nof it",
        "duckdb",
        night.new[1].key,
    ):
        assert part in text
    assert "none is left" in (tmp_path / issue_file(night.new[2].key)).read_text()


def test_texts_of_an_earlier_summary_of_the_same_night_are_removed_and_others_stay(tmp_path: Path) -> None:
    written(bad_night(), tmp_path)
    (tmp_path / "issues" / "mine.md").write_text("mine")
    written(clean_night(0), tmp_path)

    assert [path.name for path in (tmp_path / "issues").iterdir()] == ["mine.md"]
    assert not (tmp_path / "trend.png").exists()


@pytest.mark.parametrize(
    "report", ["x" * 200_000, "\N{SNOWMAN} line\n" * 20_000, "`" * 30_000, "\x1b[31m" * 30_000, "@team fixes #1 <b>\n"]
)
def test_a_text_is_what_github_takes_and_a_strangers_report_stays_a_block_of_code(report: str, tmp_path: Path) -> None:
    one = failure(HOSTILE, f"@team {HOSTILE}").model_copy(update={"engines": ("@org/team", "b")})
    written(clean_night().model_copy(update={"new": (one,)}), tmp_path, report)

    title, mark, body = (tmp_path / issue_file(one.key)).read_text(encoding="utf-8").split("\n", 2)
    assert len(title) <= 256 and len(title) + len(mark) + len(body) < ISSUE_LIMIT
    assert mark == marker(one.key)
    tokens = MarkdownIt("commonmark").parse(body)
    outside = " ".join(token.content for token in tokens if token.type == "inline")
    assert not re.search("[@#<|]", outside)
    assert any(token.type == "fence" and report.strip()[:8].replace("\x1b", "�") in token.content for token in tokens)
    assert html_of(body) <= {"<details>", "</details>"}


def test_a_bundle_outside_the_corpus_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "report.md").write_text("# x\n\n```text\nsecret\n```\n")
    one = failure("k", "h").model_copy(update={"bundle": "../"})
    written(clean_night(), tmp_path)
    write_summary(clean_night().model_copy(update={"new": (one,)}), tmp_path, tmp_path / "corpus")

    assert "secret" not in (tmp_path / issue_file("k")).read_text()


def test_the_steps_summary_has_no_pictures_and_stays_within_its_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    step = tmp_path / "step.md"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(step))
    written(clean_night(), tmp_path / "clean")

    text = step.read_text(encoding="utf-8")
    assert text.startswith("\n# Night of 2026-01-08: clean") and "![" not in text
