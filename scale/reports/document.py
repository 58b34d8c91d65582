"""A report as blocks of plain text. markdown.py and page.py print it, and escape it: no caller can forget to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath


@dataclass(frozen=True)
class Mark:
    """A verdict or a status in a table; what is neither a pass nor mere information stands out."""

    verdict: str
    text: str = ""

    def __str__(self) -> str:
        return self.text or self.verdict

    @property
    def loud(self) -> bool:
        return self.verdict not in ("pass", "info", "ok", "unchanged", "faster")


Value = str | Mark


@dataclass(frozen=True)
class Heading:
    text: str
    level: int = 2


@dataclass(frozen=True)
class Text:
    text: str


@dataclass(frozen=True)
class Items:
    """A list of short sentences."""

    texts: tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """Rows under a head. numbers: columns that hold numbers and are aligned right. Raises ValueError for a row of another width."""

    head: tuple[str, ...]
    rows: tuple[tuple[Value, ...], ...]
    numbers: frozenset[int] = frozenset()

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row) != len(self.head):
                raise ValueError(f"a row of {len(row)} values under a head of {len(self.head)}: {row}")


@dataclass(frozen=True)
class Code:
    """Text to be shown as it is: commands, errors."""

    text: str


@dataclass(frozen=True)
class Picture:
    """An image beside the report. file: relative to the report's folder. text: what it shows, in one sentence."""

    file: PurePosixPath
    text: str


@dataclass(frozen=True)
class Folded:
    """Blocks that are shown once a reader opens them. title: what they hold, in a few words."""

    title: str
    blocks: tuple[Block, ...]


Block = Heading | Text | Items | Table | Code | Picture | Folded


@dataclass(frozen=True)
class Document:
    """A title and what stands under it. verdict: of the whole, which gives the title its colour."""

    title: str
    verdict: str
    blocks: tuple[Block, ...]


def table(head: str, rows: Iterable[Sequence[Value]]) -> Table:
    """A table whose head is written `name|name|>number`: `>` marks a column of numbers."""
    names = head.split("|")
    return Table(
        tuple(name.lstrip(">") for name in names),
        tuple(tuple(row) for row in rows),
        frozenset(at for at, name in enumerate(names) if name.startswith(">")),
    )


def section(title: str, *blocks: Block | None) -> Iterator[Block]:
    """The blocks under a heading; nothing at all where there is none of them."""
    found = _present(blocks)
    if found:
        yield Heading(title)
        yield from found


def folded(title: str, *blocks: Block | None) -> Iterator[Block]:
    """The blocks under a title that opens them; nothing at all where there is none of them."""
    found = _present(blocks)
    if found:
        yield Folded(title, tuple(found))


def _present(blocks: Iterable[Block | None]) -> list[Block]:
    return [block for block in blocks if block is not None and not (isinstance(block, Table) and not block.rows)]


def printable(text: str) -> str:
    """The text without control characters (colours of a terminal, NUL), line ends and tabs kept."""
    return "".join(sign if sign.isprintable() or sign in "\n\t" else "\N{REPLACEMENT CHARACTER}" for sign in text)


def one_line(text: str, limit: int = 160) -> str:
    """The text as one line without control characters, cut at `limit` characters."""
    flat = " ".join(printable(text).split())
    return flat if len(flat) <= limit else f"{flat[: limit - 1]}…"
