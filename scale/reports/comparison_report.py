"""What a comparison of base and candidate found, as a document."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import median

from scale.policy import Policy
from scale.records import ComparedCell, Comparison
from scale.reports import document as doc
from scale.reports import tables
from scale.reports.document import Block, Document, Items, Mark, Picture, Table, Text, Value, section, table
from scale.reports.sweep_report import code_text, commit, machine_rows, policy_rows
from scale.reports.terms import COMPARISON_TERMS
from scale.reports.units import NONE, count, number, plural, seconds

FILES = (
    "compare.json: every pair with its times, and the checks",
    "plots/: the picture of this report",
    "report.html, report.md: this report",
)


def comparison_document(comparison: Comparison, policy: Policy, pictures: Sequence[Picture]) -> Document:
    """The report. pictures: already drawn."""
    blocks: list[Block] = [Text(sentence) for sentence in summary(comparison)]
    for part in (
        section("What does not pass", tables.open_checks(comparison.checks)),
        section("What passes, and what is shown beside", tables.other_checks(comparison.checks)),
        section("By cell", compared_table(comparison.cells)),
        section("Pictures", *pictures),
        _about(comparison, policy),
        section("Terms", Items(COMPARISON_TERMS)),
        section("Files", Items(FILES)),
    ):
        blocks += part
    return Document(headline(comparison), comparison.verdict, tuple(blocks))


def headline(comparison: Comparison) -> str:
    """The verdict, in one line."""
    advisory = " (advisory: made of stored files, never decides)" if comparison.advisory else ""
    return f"Comparison: {comparison.verdict}{advisory}"


def summary(comparison: Comparison) -> Iterator[str]:
    """All cells together in a sentence or two."""
    counts: dict[str, int] = {}
    for cell in comparison.cells:
        counts[cell.verdict] = counts.get(cell.verdict, 0) + 1
    told = ", ".join(f"{number} {verdict}" for verdict, number in counts.items())
    yield f"{plural(len(comparison.cells), 'cell')}: {told}." if told else "No cell was compared."
    mean = comparison.geometric_mean
    if mean is not None:
        yield f"The candidate takes {mean:.3f} times the base's time (geometric mean over cells)."
    if comparison.host is not None:
        yield f"All pairs were taken on {comparison.host}, a host of a cluster."
    if comparison.lost:
        yield f"It was begun again whole, since {', '.join(comparison.lost)} was lost while it measured."
    if any(cell.same_results is False for cell in comparison.cells):
        yield "Base and candidate left other tables in some cells: their times do not compare the same work."


def compared_table(cells: Sequence[ComparedCell]) -> Table:
    """Every cell with the medians that count, and its verdict."""
    rows: list[tuple[Value, ...]] = []
    for one in cells:
        cell, pairs = one.cell, one.confirmation or one.initial
        again = f"{len(one.initial.base)} + {len(pairs.base)}" if one.confirmation else str(len(pairs.base))
        rows.append(
            (
                cell.engine,
                cell.level,
                count(cell.employees),
                str(cell.years),
                str(cell.shards),
                str(cell.threads),
                again,
                seconds(median(pairs.base) if pairs.base else None),
                seconds(median(pairs.candidate) if pairs.candidate else None),
                NONE if one.ratio is None else f"{one.ratio:.3f}",
                number(one.p_value, 2),
                Mark(one.verdict),
                _same(one.same_results),
                one.note or NONE,
            )
        )
    return table(
        "engine|level|>employees|>years|>shards|>threads|>pairs|>base|>candidate|>ratio|>p-value|verdict|same results|note",
        rows,
    )


def _same(found: bool | None) -> Mark | str:
    if found is None:
        return "not known"
    return "yes" if found else Mark("fail", "no")


def _about(comparison: Comparison, policy: Policy) -> Iterator[Block]:
    yield doc.Heading("What was compared, and where")
    rows = [
        ("run", comparison.run_id),
        ("time", f"{comparison.started} to {comparison.finished or 'not finished'}"),
        ("commit", commit(comparison.commit)),
        ("base", code_text(comparison.base)),
        ("candidate", code_text(comparison.candidate)),
        ("host", comparison.host or "the machine that was asked"),
        *machine_rows(comparison.machine, ()),
        *policy_rows(comparison.policy, policy),
    ]
    yield table("|", [row for row in rows if row[0] != "load"])
    yield Text("To repeat it:")
    yield doc.Code(comparison.command)
