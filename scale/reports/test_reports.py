"""The written reports: complete, whatever the sweep holds, with nothing dropped and nothing loaded from elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from scale.policy import Policy
from scale.records import Check, Sweep
from scale.reports import comparison_text, sweep_text, write_comparison_report, write_sweep_report
from scale.reports.made_up import comparison, sweep
from scale.reports.markdown import markdown
from scale.reports.sweep_report import sweep_document
from scale.reports.testing import (
    HOSTILE,
    Page,
    interrupted,
    one_size,
    only_failures,
    several_engines,
    without_runs,
)


@pytest.mark.parametrize("make", [sweep, several_engines, without_runs, one_size, only_failures, interrupted])
def test_any_sweep_can_be_reported(make: Callable[[], Sweep], tmp_path: Path) -> None:
    found = make()
    write_sweep_report(found, tmp_path)

    text = (tmp_path / "report.md").read_text(encoding="utf-8")
    page = Page((tmp_path / "report.html").read_text(encoding="utf-8"))
    assert text.startswith(f"# Sweep: {found.verdict}")
    assert sweep_text(found)[0].startswith(f"Sweep: {found.verdict}")
    for run in found.runs:
        if run.error:
            assert " ".join(run.error.split()) in page.text
    rows = [line for line in section(text, "Time by cell") if line.startswith("| ")][1:]
    assert len(rows) == len(found.planned)
    assert_alone(page)
    pictures = [values["src"] or "" for tag, values in page.tags if tag == "img"]
    assert len(pictures) == text.count("](plots/")
    assert all(source.startswith("data:image/png;base64,") for source in pictures)
    assert any(cell.engine == HOSTILE for cell, _ in found.planned) == (HOSTILE in page.text)
    assert sorted(path.name for path in tmp_path.iterdir()) in (
        ["plots", "report.html", "report.md"],
        ["report.html", "report.md"],
    )


def test_an_interrupted_sweep_says_how_far_it_came() -> None:
    lines = sweep_text(interrupted())

    assert lines[0] == "Sweep: insufficient, incomplete: 12 of 40 runs"
    assert sum(line.endswith("not run") for line in lines) == 8
    assert sum(line.endswith("ok (1 of 2 runs)") for line in lines) == 12


def test_repeats_beyond_the_plan_do_not_make_up_for_others() -> None:
    found = interrupted()
    more = [found.runs[-1].model_copy(update={"round": at}) for at in range(10, 30)]

    assert "13 of 40 runs" in sweep_text(found.model_copy(update={"runs": [*found.runs, *more]}))[0]


def test_what_does_not_pass_comes_first_with_what_to_do() -> None:
    order = ["info", "pass", "inconclusive", "insufficient", "timeout", "fail"]
    checks = [
        Check.model_validate(
            {
                "id": f"C{at}",
                "title": "t",
                "criterion": "linear",
                "engine": "sql",
                "verdict": v,
                "evidence": "e",
                "advice": f"do {v}",
            }
        )
        for at, v in enumerate(order)
    ]
    found = sweep().model_copy(update={"checks": checks})
    text = written(found)

    bad = [line for line in section(text, "What does not pass") if line.startswith("| **")]
    assert [line.split("|")[2].strip() for line in bad] == ["C5", "C4", "C3", "C2"]
    assert all(f"do {verdict} |" in line for verdict, line in zip(order[:1:-1], bad, strict=True))
    lines = sweep_text(found)
    assert [line for line in lines if line.startswith("    do ")] == [f"    do {verdict}" for verdict in order[:1:-1]]


def test_a_cell_without_a_result_is_shown_with_its_error() -> None:
    text = written(sweep())

    (row,) = [line for line in section(text, "Time by cell") if "polars | high | 50,000 | 5 | 8 |" in line]
    assert "failed (5 of 5 runs): RuntimeError: 3 rows" in row
    assert any("timeout (5 of 5 runs): last line of its log" in line for line in sweep_text(sweep()))
    assert "raise RuntimeError(rows)" in "\n".join(section(text, "Runs without a result"))


def test_one_failed_run_of_five_is_told() -> None:
    whole = sweep()
    at = next(i for i, run in enumerate(whole.runs) if run.counted)
    runs = list(whole.runs)
    runs[at] = runs[at].model_copy(update={"status": "refused", "error": "threads 4 were not in force"})

    assert any(
        "refused (1 of 5 runs): threads 4 were not in force" in line
        for line in sweep_text(whole.model_copy(update={"runs": runs}))
    )


def test_a_warm_up_is_not_counted() -> None:
    whole = one_size()
    warm = whole.runs[0].model_copy(update={"warm_up": True, "round": -1, "seconds": 999.0})
    told = sweep_text(whole.model_copy(update={"runs": [warm, *whole.runs]}))

    assert not any("999" in line for line in told)


@pytest.mark.parametrize(
    ("title", "rows"),
    [
        ("Memory by cell", 42),  # of 44 cells, two have no result
        ("Output by cell", 42),
        ("Scenarios and their targets", 14),
        ("Fits", 6),
        ("Growth laws", 16),
        ("Threads", 14),
        ("Repeated runs in one process", 2),
        ("Cost of watching", 2),
    ],
)
def test_every_part_is_there(title: str, rows: int) -> None:
    assert sum(line.startswith("| ") for line in section(written(sweep()), title)) == rows + 1


def test_a_policy_that_it_was_not_judged_by_is_named() -> None:
    assert "nothing changed" in written(sweep().model_copy(update={"policy": Policy.load().fingerprint}))
    assert "not the one at hand" in written(sweep())


def test_comparison(tmp_path: Path) -> None:
    found = comparison()
    write_comparison_report(found, tmp_path)
    text = (tmp_path / "report.md").read_text(encoding="utf-8")

    assert text.startswith("# Comparison: pass\n")
    assert "| 10 + 20 |" in text and "| **slower** |" in text
    assert any(line.startswith("sql") and line.endswith("slower") for line in comparison_text(found))
    Page((tmp_path / "report.html").read_text(encoding="utf-8"))


def test_a_comparison_of_stored_files_or_of_nothing_says_so(tmp_path: Path) -> None:
    found = comparison().model_copy(
        update={"advisory": True, "cells": [], "geometric_mean": None, "verdict": "insufficient"}
    )
    write_comparison_report(found, tmp_path)

    assert comparison_text(found)[:2] == [
        "Comparison: insufficient (advisory: made of stored files, never decides)",
        "No cell was compared.",
    ]


def test_other_results_are_told() -> None:
    found = comparison()
    cells = [found.cells[0].model_copy(update={"same_results": False}), *found.cells[1:]]

    assert any("left other tables" in line for line in comparison_text(found.model_copy(update={"cells": cells})))


def assert_alone(page: Page) -> None:
    """The page loads and runs nothing."""
    assert {tag for tag, _ in page.tags} & {"script", "link", "iframe", "object", "form"} == set()
    assert all(not name.startswith("on") for _, values in page.tags for name in values)
    assert "url(" not in page.styles and "@import" not in page.styles


def written(found: Sweep) -> str:
    """report.md without pictures."""
    return markdown(sweep_document(found, Policy.load(), []))


def section(text: str, title: str) -> list[str]:
    """The lines under a heading of report.md."""
    return text.split(f"\n## {title}\n")[1].split("\n## ", maxsplit=1)[0].splitlines()
