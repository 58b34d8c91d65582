"""A document as one HTML file: nothing is loaded from elsewhere, it follows a light or dark setting, and it prints."""

from __future__ import annotations

import base64
from html import escape
from pathlib import Path

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

_STYLE = (Path(__file__).parent / "page.css").read_text(encoding="utf-8")


def page(document: Document, folder: Path) -> str:
    """The whole page. folder: where the document's pictures lie; they are written into the page."""
    title = _text(document.title)
    return "\n".join(
        [
            "<!DOCTYPE html>",
            '<html lang="en">',
            '<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">',
            '<meta name="color-scheme" content="light dark">',
            f"<title>{title}</title>",
            f"<style>\n{_STYLE}</style></head>",
            "<body><main>",
            f'<h1 class="{_kind(document.verdict)}">{title}</h1>',
            *(_block(block, folder) for block in document.blocks),
            "</main></body></html>",
            "",
        ]
    )


def _block(block: Block, folder: Path) -> str:
    match block:
        case Heading(text, level):
            return f"<h{level}>{_text(text)}</h{level}>"
        case Text(text):
            return f"<p>{_text(text)}</p>"
        case Items(texts):
            return "<ul>" + "".join(f"<li>{_text(text)}</li>" for text in texts) + "</ul>"
        case Code(text):
            return f"<pre>{_text(text)}</pre>"
        case Picture(file, text):
            data = base64.b64encode((folder / file).read_bytes()).decode("ascii")
            return f'<figure><img alt="{_text(text)}" src="data:image/png;base64,{data}"></figure>'
        case Table():
            return _table(block)
        case Folded(title, blocks):
            inner = "\n".join(_block(one, folder) for one in blocks)
            return f"<details><summary>{_text(title)}</summary>\n{inner}\n</details>"


def _table(block: Table) -> str:
    head = "".join(f"<th{_side(block, at)}>{_text(name)}</th>" for at, name in enumerate(block.head))
    rows = [
        "<tr>" + "".join(f"<td{_side(block, at)}>{_value(value)}</td>" for at, value in enumerate(row)) + "</tr>"
        for row in block.rows
    ]
    # wide tables scroll by themselves, so that the page never does
    return (
        f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>\n'
        + "\n".join(rows)
        + "\n</tbody></table></div>"
    )


def _side(block: Table, column: int) -> str:
    return ' class="number"' if column in block.numbers else ""


def _value(value: Value) -> str:
    if isinstance(value, Mark):
        return f'<span class="{_kind(value.verdict)}">{_text(str(value))}</span>' if str(value) else ""
    return _text(value)


def _kind(verdict: str) -> str:
    if not Mark(verdict).loud:
        return "mark good" if verdict not in ("info", "unchanged") else "mark plain"
    return "mark bad" if verdict in ("fail", "failed", "timeout", "memory", "slower", "refused") else "mark unsure"


def _text(text: str) -> str:
    return escape(printable(text), quote=True)
