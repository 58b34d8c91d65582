"""The same facts for a terminal, in aligned lines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import median

from scale.records import Cell, ComparedCell, Comparison, Sweep
from scale.reports import comparison_report, sweep_report
from scale.reports.cells import CellView, cell_views
from scale.reports.document import one_line
from scale.reports.units import count, number, percent, seconds, size

_CELL = ("engine", "level", "employees", "years", "shards", "threads")
_ENGINE_WIDTH = 32


def sweep_text(sweep: Sweep) -> list[str]:
    """The verdict, a row for each cell, and what does not pass with what to do."""
    rows = [_sweep_row(view) for view in cell_views(sweep)]
    head = (*_CELL, "runs", "median", "cv", "peak", "events/s", "status")
    return [
        one_line(sweep_report.headline(sweep)),
        *sweep_report.summary(sweep),
        *_table(head, rows, right=range(2, 11)),
        *_spaced(sweep_report.open_lines(sweep.checks)),
    ]


def comparison_text(comparison: Comparison) -> list[str]:
    """The verdict, a row for each cell, and what does not pass with what to do."""
    rows = [_compared_row(one) for one in comparison.cells]
    head = (*_CELL, "pairs", "base", "candidate", "ratio", "p", "verdict")
    return [
        one_line(comparison_report.headline(comparison)),
        *comparison_report.summary(comparison),
        *_table(head, rows, right=range(2, 11)),
        *_spaced(sweep_report.open_lines(comparison.checks)),
    ]


def _cell(cell: Cell) -> tuple[str, ...]:
    return (
        one_line(cell.engine, _ENGINE_WIDTH),
        one_line(cell.level, 16),
        *(count(cell.employees), str(cell.years), str(cell.shards), str(cell.threads)),
    )


def _sweep_row(view: CellView) -> tuple[str, ...]:
    cell, found = view.cell, view.seconds
    return (
        *_cell(cell),
        str(len(view.counted)),
        seconds(found.median if found else None),
        percent(found.cv if found else None, 1),
        size(view.peak.max if view.peak else None),
        count(view.events_per_second),
        view.status_text,
    )


def _compared_row(one: ComparedCell) -> tuple[str, ...]:
    cell, pairs = one.cell, one.confirmation or one.initial
    return (
        *_cell(cell),
        str(len(pairs.base)),
        seconds(median(pairs.base) if pairs.base else None),
        seconds(median(pairs.candidate) if pairs.candidate else None),
        "-" if one.ratio is None else f"{one.ratio:.3f}",
        number(one.p_value, 2),
        one_line(one.note, 100) if one.note.startswith(one.verdict) else one_line(f"{one.verdict} {one.note}", 100),
    )


def _table(head: Sequence[str], rows: Sequence[Sequence[str]], right: range) -> Iterator[str]:
    if not rows:
        return
    widths = [max(len(row[at]) for row in (head, *rows)) for at in range(len(head))]
    yield ""
    for row in (head, *rows):
        sides = (str.rjust if at in right else str.ljust for at in range(len(head)))
        yield "  ".join(side(text, width) for side, text, width in zip(sides, row, widths, strict=True)).rstrip()


def _spaced(lines: Sequence[str]) -> list[str]:
    return ["", *lines] if lines else []
