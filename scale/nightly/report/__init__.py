"""What a night hands over: summary.md, summary.html, pictures, texts of issues, GitHub's step summary, and lines for a terminal."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from scale.gate.outputs import append_step_summary
from scale.nightly.records import SUMMARY, Night
from scale.nightly.report.issues import write_issues
from scale.nightly.report.pictures import draw
from scale.nightly.report.summary import night_document
from scale.nightly.report.text import summary_text
from scale.records import write_record, write_text
from scale.reports.document import Document, Picture
from scale.reports.markdown import markdown
from scale.reports.page import page

__all__ = ["summary_text", "write_summary"]

MARKDOWN, PAGE = "summary.md", "summary.html"


def write_summary(night: Night, folder: Path, corpus: Path) -> list[Path]:
    """Write the summary into the folder, over what an earlier call left, and add to the step's summary.

    corpus: where the bundles lie that `night` names; only read. Returns the files; summary.json comes last: where it
    is, the others are. Raises OSError naming the file.
    """
    folder.mkdir(parents=True, exist_ok=True)
    pictures = draw(night, folder)
    document = night_document(night, pictures, corpus)
    write_text(folder / MARKDOWN, markdown(document))
    write_text(folder / PAGE, page(document, folder))
    append_step_summary("\n" + markdown(_without_pictures(document)))
    drawn = [folder / picture.file for picture in pictures]
    issues = write_issues(night, folder, corpus)
    write_record(folder / SUMMARY, night)
    return [folder / MARKDOWN, folder / PAGE, *drawn, *issues, folder / SUMMARY]


def _without_pictures(document: Document) -> Document:
    """A step's summary shows no file that lies beside it."""
    return replace(document, blocks=tuple(block for block in document.blocks if not isinstance(block, Picture)))
