"""The same facts for a terminal, in lines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from scale.nightly.records import Known, Night
from scale.nightly.report import facts
from scale.reports.document import one_line
from scale.reports.units import plural

MOST = 10
"""Failures of one kind that are named; the summary has them all."""


def summary_text(night: Night, corpus: Path | None = None) -> list[str]:
    """How the night went, news first. corpus: where the repros are, for the commands."""
    lines = [one_line(facts.headline(night))]
    lines += [f"  {told}" for told in ([facts.canary(night)] if facts.missed(night) else []) + facts.troubles(night)]
    for title, found in (("flaky", night.flaky), ("new", night.new)):
        lines += _failures(title, facts.smallest_first(found), corpus)
    lines += [f"  {told}" for told in facts.overview(night)]
    lines += [f"  fixed: {facts.fixed(one)}" for one in night.fixed[:MOST]]
    return [*lines, *_more("fixed", len(night.fixed))]


def _failures(title: str, found: Sequence[Known], corpus: Path | None) -> Iterator[str]:
    for one in found[:MOST]:
        engines = ", ".join(one_line(spec, 60) for spec in one.engines)
        size = facts.repro_size(one.employees, one.years)
        yield f"  {title}: {one_line(one.headline)} ({engines}); {size}, {plural(one.tonight, 'world')}"
        command = facts.replay(one, corpus)
        if command:
            yield f"    {one_line(command, 400)}"
    yield from _more(title, len(found))


def _more(title: str, number: int) -> list[str]:
    return [f"  {title}: and {number - MOST:,} more"] if number > MOST else []
