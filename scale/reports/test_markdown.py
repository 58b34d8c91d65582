"""Markdown as GitHub reads it: a stranger's text stays text, and a row keeps its cells."""

from __future__ import annotations

import html
from pathlib import Path

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

from scale.reports.document import Code, Document, Folded, Heading, Items, Mark, Text, folded, table
from scale.reports.markdown import markdown
from scale.reports.page import page
from scale.reports.testing import HOSTILE, Page

TEXTS = [
    HOSTILE,
    "<script>alert(1)</script>",
    "a | b || c",
    "`a|b` and ``",
    "**bold** _soft_ ~~gone~~ a_b_c",
    "[x](http://example.invalid) ![y](z)",
    "&lt; &amp; \\| \\",
    "# head",
    "1. one",
    "- item",
    "+ item",
    "=== ---",
    "$n^2$",
]


def read(text: str) -> list[Token]:
    """The document as GitHub's dialect has it: tables and strikethrough."""
    return MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(text)


def shown(token: Token) -> str:
    """What a reader sees of it; anything but text and marks of our own is an error."""
    assert {child.type for child in token.children or ()} <= {"text", "strong_open", "strong_close", "text_special"}
    return "".join(child.content for child in token.children or ()).replace("\N{ZERO WIDTH NON-JOINER}", "")


@pytest.mark.parametrize("text", TEXTS)
def test_stays_text(text: str) -> None:
    blocks = (Text(text), Heading(text), Items((text,)), table("a|b|>c", [(text, Mark("fail", text), "3")]))
    tokens = read(markdown(Document(text, "fail", blocks)))

    inline = [shown(token) for token in tokens if token.type == "inline"]
    assert inline == [text, text, text, text, "a", "b", "c", text, text, "3"]
    assert not any(token.type.startswith("html") for token in tokens)
    assert sum(token.type == "td_open" for token in tokens) == 3


@pytest.mark.parametrize("text", ["plain", "with ``` inside\n````", "</pre><script>"])
def test_code_is_shown_as_it_is(text: str) -> None:
    (found,) = [token for token in read(markdown(Document("t", "pass", (Code(text),)))) if token.type == "fence"]

    assert found.content == text + "\n"


def test_line_ends_and_colours_do_not_break_a_row() -> None:
    tokens = read(markdown(Document("t", "pass", (table("a|b", [("one\ntwo\x1b[31m", "x")]),))))

    assert [shown(token) for token in tokens if token.type == "inline"][3:] == [
        "one two\N{REPLACEMENT CHARACTER}[31m",
        "x",
    ]


def test_a_row_of_another_width_is_refused() -> None:
    with pytest.raises(ValueError, match="3 values under a head of 2"):
        table("a|b", [("1", "2", "3")])


@pytest.mark.parametrize("text", TEXTS)
def test_what_is_folded_is_read_as_markdown_once_opened(text: str) -> None:
    document = Document(
        "t", "pass", (Folded(text, (Text(text), table("a|b", [(text, "1")]), Code(text))), Text("after"))
    )
    tokens = read(markdown(document))

    opened, closed = (token.content.strip() for token in tokens if token.type == "html_block")
    assert opened == f"<details><summary>{html.escape(text)}</summary>" and closed == "</details>"
    assert [shown(token) for token in tokens if token.type == "inline"] == ["t", text, "a", "b", text, "1", "after"]
    assert [token.content for token in tokens if token.type == "fence"] == [text + "\n"]
    found = Page(page(document, Path()))
    assert text in found.text and [tag for tag, _ in found.tags].count("details") == 1


def test_nothing_is_folded_away_where_there_is_nothing() -> None:
    assert list(folded("t", None, table("a", []))) == []
