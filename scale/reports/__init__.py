"""What a sweep or a comparison found, for people: report.md, report.html, plots/*.png, and lines for the terminal."""

from __future__ import annotations

from pathlib import Path

from scale.policy import Policy
from scale.records import Comparison, Sweep, write_text
from scale.reports.comparison_report import comparison_document
from scale.reports.document import Document
from scale.reports.markdown import markdown
from scale.reports.page import page
from scale.reports.plots import draw_comparison, draw_sweep
from scale.reports.sweep_report import sweep_document
from scale.reports.text import comparison_text, sweep_text

__all__ = ["comparison_text", "sweep_text", "write_comparison_report", "write_sweep_report"]


def write_sweep_report(sweep: Sweep, folder: Path, policy: Policy | None = None) -> None:
    """Write report.md, report.html and plots/ into the folder, over earlier ones. policy: None = the default."""
    limits = policy or Policy.load()
    _write(sweep_document(sweep, limits, draw_sweep(sweep, folder, limits)), folder)


def write_comparison_report(comparison: Comparison, folder: Path, policy: Policy | None = None) -> None:
    """Write report.md, report.html and plots/ into the folder, over earlier ones. policy: None = the default."""
    limits = policy or Policy.load()
    _write(comparison_document(comparison, limits, draw_comparison(comparison, folder, limits)), folder)


def _write(document: Document, folder: Path) -> None:
    for name, text in (("report.md", markdown(document)), ("report.html", page(document, folder))):
        write_text(folder / name, text)
