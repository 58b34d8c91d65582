"""Texts of issues: one for each new or flaky failure, and one for a missed canary.

The first line is the title, plain; the second a marker that tells the failure by its key, by which a bot finds the issue that is
there already; the rest is the body, in Markdown. `order.txt` names the files, the most interesting first. What comes from an engine
or a report stands in code blocks, where GitHub reads neither markup nor names of people nor numbers of issues.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

from differential.comparison.text import columns
from differential.repro.bundle import REPORT, report_text
from scale.gate.summary import COMMENT_LIMIT
from scale.nightly.records import Canary, Known, Night
from scale.nightly.report import facts
from scale.records import write_text
from scale.reports.document import Block, Code, Document, Text, folded, one_line, printable
from scale.reports.markdown import markdown
from scale.reports.sweep_report import commit
from scale.reports.units import count, plural, seconds

FOLDER, ORDER = "issues", "order.txt"
_TITLE = 200
_NAME = re.compile(r"[0-9a-f]{12}\.md")


def digest_of(key: str) -> str:
    """A key as 12 hexadecimal digits: names of files and markers."""
    return hashlib.sha256(key.encode()).hexdigest()[:12]


def issue_file(key: str) -> str:
    """Where the text for a failure lies, relative to the summary."""
    return f"{FOLDER}/{digest_of(key)}.md"


def marker(key: str) -> str:
    """The line that tells issues of one failure; not shown on GitHub."""
    return f"<!-- workforce-parity nightly {digest_of(key)} -->"


def write_issues(night: Night, folder: Path, corpus: Path) -> list[Path]:
    """Write `issues/`; texts of an earlier call that this night does not have any more are removed. Returns the files."""
    found = dict(_texts(night, corpus))
    place = folder / FOLDER
    for old in place.glob("*.md") if place.is_dir() else ():
        if _NAME.fullmatch(old.name) and f"{FOLDER}/{old.name}" not in found:
            old.unlink()
    (place / ORDER).unlink(missing_ok=True)
    for name, text in found.items():
        write_text(folder / name, text)
    if not found:
        return []
    write_text(place / ORDER, "".join(f"{Path(name).name}\n" for name in found))
    return [*(folder / name for name in found), place / ORDER]


def _texts(night: Night, corpus: Path) -> Iterator[tuple[str, str]]:
    """Files and their texts, the most interesting first."""
    if night.canary is not None and facts.missed(night):
        key = f"canary {night.canary.fault}"
        yield (
            issue_file(key),
            _issue(key, f"Canary missed: {night.canary.fault}", _canary_blocks(night, night.canary), ""),
        )
    for one in facts.smallest_first(night.flaky):
        yield issue_file(one.key), _failure(night, one, corpus, "Flaky: ")
    for one in facts.smallest_first(night.new):
        yield issue_file(one.key), _failure(night, one, corpus, "")


def _failure(night: Night, one: Known, corpus: Path, kind: str) -> str:
    title = f"{kind}{one_line(one.headline)} ({', '.join(one_line(spec, 40) for spec in one.engines)})"
    return _issue(one.key, title, _failure_blocks(night, one, corpus, flaky=bool(kind)), _report(one, corpus), night)


def _issue(key: str, title: str, blocks: list[Block], report: str, night: Night | None = None) -> str:
    """The whole text, its report cut where GitHub would refuse the whole."""
    versions = list(folded("Versions", Code("\n".join(columns(_versions(night)))))) if night and night.versions else []
    head = f"{one_line(title, _TITLE)}\n{marker(key)}\n"

    def body(*middle: Block) -> str:
        document = Document("", "fail", (*blocks, *middle, *versions))
        return head + markdown(document).partition("\n")[2]

    if not report:
        return body()
    plain, room = printable(report), COMMENT_LIMIT - len(body(Code("")).encode())
    text = body(Code(_cut(plain, room)))
    while len(text.encode()) > COMMENT_LIMIT and room > 0:  # fences grow with the longest one in the report
        room //= 2
        text = body(Code(_cut(plain, room)))
    return text


def _cut(text: str, limit: int) -> str:
    """The text, or its first lines with a note, in at most `limit` bytes."""
    if len(text.encode()) <= limit:
        return text
    note = "... cut here; the bundle's report.md has all of it"
    kept = text.encode()[: max(0, limit - len(note) - 1)].decode(errors="ignore")
    return f"{kept.rpartition(chr(10))[0] or kept}\n{note}"


def _failure_blocks(night: Night, one: Known, corpus: Path, *, flaky: bool) -> list[Block]:
    intro = (
        "It failed, and passed when the same world was run again. The bundle holds both outputs."
        if flaky
        else "It fails each time its repro is run."
    )
    how_often = f"{count(one.tonight)} of {plural(night.worlds, 'world')}"
    if one.tonight:
        how_often += f", one in {count(max(1.0, night.worlds / one.tonight))}"
    rows = [
        ("what differs", one_line(one.headline, 300)),
        ("test", one_line(one.test)),
        ("engines", ", ".join(one_line(spec) for spec in one.engines)),
        ("smallest repro", facts.repro_size(one.employees, one.years)),
        ("how often", how_often),
        ("first met", one_line(one.first)),
        ("commit", commit(one.commit or night.commit)),
        ("bundle", one_line(one.bundle) if one.bundle else "none is left"),
        ("key", one_line(one.key, 500)),
    ]
    if one.fastest is not None and one.chunk_seed is not None:
        rows.insert(5, ("soonest", f"after {seconds(one.fastest)} of a unit; chunk seed {one.chunk_seed}"))
    blocks: list[Block] = [Text(f"Met by the night of {night.started[:10]}. {intro}"), Code("\n".join(columns(rows)))]
    command = facts.replay(one, corpus)
    if command:
        blocks += [Text("To run it again, where the corpus of that night is:"), Code(command)]
    return blocks


def _canary_blocks(night: Night, found: Canary) -> list[Block]:
    rows = [
        ("fault", one_line(found.fault)),
        ("what it does", one_line(found.sentence, 300)),
        ("why missed", one_line(found.reason, 300) or "unknown"),
        ("commit", commit(night.commit)),
        ("night", f"{night.started}, {plural(night.worlds, 'world')} in {seconds(night.seconds)}"),
    ]
    return [
        Text(
            "A fault that was planted on purpose went unseen. Until it is found, nights that look clean prove nothing."
        ),
        Code("\n".join(columns(rows))),
        Text("To run the same night again:"),
        Code(night.command or "unknown"),
    ]


def _versions(night: Night) -> list[tuple[str, str]]:
    return [
        *((one_line(f"sources of {spec}", 80), digest[:12]) for spec, digest in sorted(night.sources.items())),
        *((one_line(name, 80), one_line(version, 80)) for name, version in sorted(night.versions.items())),
    ]


def _report(one: Known, corpus: Path) -> str:
    """The bundle's report; a sentence where there is none to be read."""
    if one.bundle is None:
        return ""
    bundle = (corpus / one.bundle).resolve()
    if not bundle.is_relative_to(corpus.resolve()):
        return f"{one_line(one.bundle)}: not in the corpus; its report is left out"
    try:
        return report_text(bundle) or (bundle / REPORT).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        return f"{one_line(one.bundle)}/{REPORT} cannot be read: {type(error).__name__}"
