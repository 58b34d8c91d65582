"""A document as Markdown that GitHub renders; whatever a name or an error holds stays text."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

from scale.reports.document import (
    Block,
    Code,
    Document,
    Folded,
    Heading,
    Items,
    Mark,
    Picture,
    Table,
    Text,
    Value,
    printable,
)

_ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
_SIGNS = re.compile(r"([\\`*\[\]|~$]|(?<![0-9A-Za-z])_|_(?![0-9A-Za-z]))")
_OPENINGS = re.compile(r"(?m)^(\s*)([#+=-]|\d+(?=[.)]))")


def markdown(document: Document) -> str:
    """The whole document; it ends with a line end."""
    parts = [f"# {escape(document.title)}", *("\n".join(_lines(block)) for block in document.blocks)]
    return "\n\n".join(parts) + "\n"


def escape(text: str) -> str:
    r"""Text that Markdown shows as it is, on one line.

    `_` inside a word needs no escape and has none, so that names of columns stay readable in the file too.
    """
    flat = " ".join(printable(text).split())
    return _SIGNS.sub(r"\\\1", flat.translate(_ENTITIES))


def fenced(text: str) -> str:
    """A code block whose fence is longer than any that the text holds."""
    inner = printable(text).rstrip("\n")
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall(r"`+", inner)), default=0))
    return f"{fence}text\n{inner}\n{fence}"


def _lines(block: Block) -> Iterator[str]:
    match block:
        case Heading(text, level):
            yield f"{'#' * level} {escape(text)}"
        case Text(text):
            yield _opening(escape(text))
        case Items(texts):
            yield from (f"- {_opening(escape(text))}" for text in texts)
        case Code(text):
            yield fenced(text)
        case Picture(file, text):
            yield f"![{escape(text)}]({file})"
        case Table():
            yield from _table(block)
        case Folded(title, blocks):
            # the blank lines make GitHub read what is inside as Markdown
            yield f"<details><summary>{html.escape(' '.join(printable(title).split()))}</summary>\n"
            yield "\n\n".join("\n".join(_lines(inner)) for inner in blocks)
            yield "\n</details>"


def _opening(text: str) -> str:
    """A sentence that begins as a heading or a list would is still a sentence."""
    return _OPENINGS.sub(lambda found: f"{found[1]}{_stopped(found[2])}", text, count=1)


def _stopped(opening: str) -> str:
    return f"{opening}\N{ZERO WIDTH NON-JOINER}" if opening.isdigit() else f"\\{opening}"


def _table(block: Table) -> Iterator[str]:
    yield _row(block.head)
    yield "|" + "|".join("---:" if at in block.numbers else "---" for at in range(len(block.head))) + "|"
    yield from (_row(row) for row in block.rows)


def _row(values: tuple[Value, ...]) -> str:
    return "| " + " | ".join(_value(value) for value in values) + " |"


def _value(value: Value) -> str:
    text = escape(str(value))
    return f"**{text}**" if isinstance(value, Mark) and value.loud and text else text
