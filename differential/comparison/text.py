"""Plain text for people: aligned, short, the same to the byte each time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from differential.comparison.verdict import RowDifference, SchemaDifference, TableComparison

MAX_LINES = 20
MAX_VALUE = 60
MASK = "*****"
MASKED_COLUMNS = frozenset({"employee_ssn"})
"""Columns whose values no report shows, whoever the people are."""


def show(value: object, column: str = "") -> str:
    """One value: null for None, text in quotes, numbers and dates as they print; long text is cut, some columns masked."""
    if value is None:
        return "null"
    if column in MASKED_COLUMNS:
        return MASK
    if isinstance(value, str):
        value = repr(value)
    text = str(value)
    return text if len(text) <= MAX_VALUE else f"{text[: MAX_VALUE - 1]}…"


def masked_difference(left: object, right: object) -> str | None:
    """How two values of a masked column differ, without giving either away; None unless both are text."""
    if not isinstance(left, str) or not isinstance(right, str) or left == right:
        return None
    place = next((at for at, (a, b) in enumerate(zip(left, right, strict=False)) if a != b), min(len(left), len(right)))
    shapes = (_shape(left), _shape(right))
    shape = f"both {shapes[0]}" if shapes[0] == shapes[1] else f"{shapes[0]} and {shapes[1]}"
    return f"first at character {place + 1}; {len(left)} and {len(right)} characters, {shape} (9 a digit, a a letter)"


def _shape(text: str) -> str:
    """Digits as 9, letters as a, separators as they are, anything else as ?; cut like any value."""
    marks = "".join(
        "9" if sign.isdecimal() else "a" if sign.isalpha() else sign if sign in " -./" else "?" for sign in text
    )
    return marks if len(marks) <= MAX_VALUE else f"{marks[: MAX_VALUE - 1]}…"


def columns(rows: Sequence[Sequence[str]], indent: str = "  ") -> list[str]:
    """Rows as lines with aligned columns."""
    widths = [max(map(len, cells)) for cells in zip(*rows, strict=True)] if rows else []
    return [
        (indent + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))).rstrip()
        for row in rows
    ]


def capped(lines: Sequence[str], limit: int = MAX_LINES, indent: str = "  ") -> list[str]:
    """The first lines, and how many are left out."""
    if len(lines) <= limit:
        return list(lines)
    return [*lines[:limit], f"{indent}... and {len(lines) - limit} more"]


def describe_table(found: TableComparison, left: str, right: str) -> str:
    """What a comparison found, from the schema down to single rows."""
    rows = f"{left} {found.left_rows} rows, {right} {found.right_rows} rows"
    if found.equal:
        return f"{found.table}: equal ({rows})"
    scores = f"count {_score(found.scores.count)}, overlap {_score(found.scores.overlap)}, value {_score(found.scores.value)}"
    verdict = "equal under the policy" if found.accepted else "different"
    lines = [f"{found.table}: {verdict} ({rows}; {scores})"]
    lines += _section("schema", columns([_schema_row(item, left, right) for item in found.schema]))
    lines += _section(
        "rows per group",
        columns(
            [
                (", ".join(map(show, item.group)), f"{left} {item.left}", f"{right} {item.right}")
                for item in found.counts
            ]
        ),
    )
    unmatched = [
        (f"only in {left}", found.only_left),
        (f"only in {right}", found.only_right),
        (f"surplus duplicates in {left}", found.duplicate_left),
        (f"surplus duplicates in {right}", found.duplicate_right),
        ("matched by key, different", found.matched - found.equal_rows),
        ("matched by key, equal", found.equal_rows),
    ]
    lines += _section("rows", columns([(name, str(count)) for name, count in unmatched if count]))
    lines += _section("columns of matched rows", columns(_column_rows(found, left, right)))
    lines += _section("first rows that differ", _sample_lines(found.samples, left, right))
    return "\n".join(lines)


def _section(title: str, lines: Sequence[str]) -> Iterable[str]:
    return [f" {title}:", *capped(lines)] if lines else []


def _score(score: float) -> str:
    """Six decimals, and never 1 for less than 1."""
    return "1" if score == 1 else f"{min(score, 0.999999):.6f}"


def _schema_row(item: SchemaDifference, left: str, right: str) -> tuple[str, str, str]:
    what = {
        "only_left": f"only in {left}",
        "only_right": f"only in {right}",
        "type": "another type",
        "order": "another order, from",
        "repeated": "name repeated",
    }[item.kind]
    return what, item.column, f"{left} {item.left or '-'}, {right} {item.right or '-'}"


def _column_rows(found: TableComparison, left: str, right: str) -> list[tuple[str, str, str]]:
    words = {
        "value": "another value",
        "null_left": f"null in {left}",
        "null_right": f"null in {right}",
        "nan_left": f"NaN in {left}",
        "nan_right": f"NaN in {right}",
        "zero_sign": "0.0 against -0.0",
    }
    rows = []
    for item in found.columns:
        kinds = [f"{count} {words[kind]}" for kind, count in item.kinds.items()]
        kinds += [f"{item.tolerated} within the tolerance"] if item.tolerated else []
        rows.append((item.column, str(item.changed), ", ".join(kinds)))
    return rows


def _sample_lines(samples: Sequence[RowDifference], left: str, right: str) -> list[str]:
    words = {
        "changed": "changed",
        "only_left": f"only in {left}",
        "only_right": f"only in {right}",
        "duplicate_left": f"surplus in {left}",
        "duplicate_right": f"surplus in {right}",
    }
    lines = []
    for item in samples:
        lines.append(f"  {words[item.kind]}: " + ", ".join(f"{name} {show(value, name)}" for name, value in item.key))
        lines += columns(
            [(name, f"{left} {show(a, name)}", f"{right} {show(b, name)}") for name, a, b in item.changes], "    "
        )
    return lines
