"""The night as a document: news first, then the whole in a few sentences; everything else is folded away."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from scale.nightly.records import Known, Night
from scale.nightly.report import facts, tables
from scale.reports.document import Block, Code, Document, Heading, Items, Picture, Text, folded, one_line, section
from scale.reports.sweep_report import commit, machine_rows
from scale.reports.units import number, plural

REPLAYED = 10
"""Commands shown for the failures of one kind; the texts of issues have one each."""
FLAKY = (
    "Each of these failed once and passed when the same world was run again. Its folder holds both outputs: look for what "
    "differs between two runs of one engine."
)
FILES = (
    "summary.json: all of it for machines",
    "summary.html, summary.md, coverage.png, trend.png: this summary",
    "issues/: a text for each new or flaky failure, and for a missed canary",
)


def night_document(night: Night, pictures: Sequence[Picture], corpus: Path) -> Document:
    """The summary. pictures: already drawn, in the order they are to be shown. corpus: as commands are to name it."""
    told = facts.troubles(night)
    blocks: list[Block] = []
    flaky, new = facts.smallest_first(night.flaky), facts.smallest_first(night.new)
    for part in (
        _missed(night),
        section("What went wrong", Items(tuple(told)) if told else None),
        section("Flaky failures", *_failures(flaky, corpus, FLAKY)),
        section("New failures", *_failures(new, corpus)),
        _whole(night, told),
        section("Fixed", *_fixed(night.fixed)),
        pictures,
        folded(f"Known failures ({len(night.known)})", *tables.known_blocks(night)),
        folded(f"Slowest worlds ({len(night.slowest)})", tables.slowest_table(night.slowest)),
        folded(f"Event types and labels, rarest first ({len(night.labels)})", *tables.label_blocks(night)),
        folded(f"Units ({len(night.units)})", *tables.unit_blocks(night.units)),
        folded("Engines, versions, machine", *_about(night)),
        folded(f"Earlier nights ({len(night.earlier)})", *tables.earlier_blocks(night.earlier)),
        folded("Files, and the command", Items(FILES), *([Code(night.command)] if night.command else [])),
    ):
        blocks += part
    return Document(facts.headline(night), facts.VERDICTS[night.status], tuple(blocks))


def _missed(night: Night) -> Iterator[Block]:
    """A canary that was not caught stands above all failures: they may be few because nothing sees them."""
    if not facts.missed(night):
        return
    yield Heading("The canary was missed")
    yield Text(
        f"{facts.canary(night)} A fault planted on purpose went unseen, so that this night proves nothing: units draw or compare "
        "too little, or results were lost on the way."
    )


def _whole(night: Night, told: Sequence[str]) -> Iterator[Block]:
    if told or night.new or night.flaky:
        yield Heading("The whole night")
    yield Items(tuple(facts.overview(night)))


def _failures(failures: Sequence[Known], corpus: Path, advice: str = "") -> Iterator[Block]:
    if not failures:
        return
    if advice:
        yield Text(advice)
    yield tables.failure_table(failures)
    yield from tables.left_out(len(failures))
    commands = [command for one in failures[:REPLAYED] if (command := facts.replay(one, corpus))]
    if commands:
        yield Code("\n".join(commands))


def _fixed(fixed: Sequence[Known]) -> Iterator[Block]:
    if fixed:
        shown = [facts.fixed(one) for one in fixed[: facts.NAMES]]
        more = [f"and {len(fixed) - len(shown)} more; summary.json has them all"] if len(fixed) > len(shown) else []
        yield Items((*shown, *more))


def _about(night: Night) -> Iterator[Block]:
    rows = [
        ("time", f"{night.started} to {night.ended}, {number(night.minutes)} min asked for"),
        ("commit", commit(night.commit)),
        ("seed", str(night.seed)),
        ("slice", f"{night.part[0]} of {night.part[1]}"),
        ("workers", plural(night.workers, "worker")),
        *(
            (f"engine {one_line(spec, 60)}", f"sources {night.sources.get(spec, 'unknown')[:12]}")
            for spec in night.engines
        ),
        *sorted(night.versions.items()),
    ]
    if night.machine is not None:
        rows += [row for row in machine_rows(night.machine, ()) if row[0] not in ("load", "versions")]
    yield tables.pairs_table(rows)
