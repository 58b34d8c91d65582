"""A census as CSV that a spreadsheet opens without harm and that reads back to the very same census.

A text cell that a spreadsheet would take for a formula (it starts with = + - @, their full-width forms, or a tab) gets an
apostrophe in front, and so does one that starts with an apostrophe; reading takes one off again.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from fixtures.census import SOURCE_COLUMNS, Census, CensusError, Employee
from fixtures.units import money_to_cents, rate_to_bp

_DANGEROUS = tuple("=+-@'\t\r＝＋－＠")


def census_to_csv(census: Census) -> str:
    """The columns of docs/simulation.md, section 2: ISO dates, money with two decimals, rates with four."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(SOURCE_COLUMNS)
    for one in census.employees():
        end = one.termination_date
        pay, rate = f"{one.pay_cents // 100}.{one.pay_cents % 100:02}", f"{one.deferral_bp / 10_000:.4f}"
        active = "true" if end is None else "false"
        row = (
            _safe(one.employee_id),
            _safe(one.employee_ssn),
            one.birth_date,
            one.hire_date,
            end or "",
            pay,
            active,
            rate,
        )
        writer.writerow(row)
    return text.getvalue()


def is_escaped(census: Census) -> bool:
    """Whether any cell needed an apostrophe, so that only a replay reads the file right."""
    return any(_safe(text) != text for one in census.employees() for text in (one.employee_id, one.employee_ssn))


def census_from_csv(path: Path) -> Census:
    """Read what `census_to_csv` wrote. Raises CensusError naming file, row and column."""
    try:
        with path.open(encoding="utf-8", newline="") as lines:
            return census_from_lines(lines, path)
    except (OSError, UnicodeDecodeError) as error:
        raise CensusError(f"{path}: cannot be read as a census: {error}") from None


def census_from_lines(lines: Iterable[str], path: Path) -> Census:
    """The census in lines that `census_to_csv` wrote. Raises CensusError naming the file they are of, row and column."""
    try:
        reader = csv.DictReader(lines, strict=True)
        missing = [name for name in SOURCE_COLUMNS if name not in (reader.fieldnames or ())]
        if missing:
            raise CensusError(f"{path}: missing column {', '.join(missing)}")
        people = list(_employees(reader, path))
    except csv.Error as error:
        raise CensusError(f"{path}: cannot be read as a census: {error}") from None
    return Census.from_employees(people, source=str(path))


def _employees(rows: csv.DictReader[str], path: Path) -> Iterator[Employee]:
    for number, row in enumerate(rows, 1):
        column = ""
        try:
            values: list[object] = []
            for column, parse in _PARSERS.items():
                values.append(parse(row[column]))
        except (AttributeError, TypeError, ValueError) as error:
            raise CensusError(f"{path}: row {number}, column {column}: {error}") from None
        identity, ssn, birth, hire, end, pay, rate = values
        yield Employee(identity, ssn, birth, hire, pay, rate, end)  # type: ignore[arg-type]


def _safe(text: str) -> str:
    return f"'{text}" if text.startswith(_DANGEROUS) else text


def _unsafe(text: str) -> str:
    return text.removeprefix("'")


def _optional_date(text: str) -> dt.date | None:
    return dt.date.fromisoformat(text) if text else None


_PARSERS: Mapping[str, Callable[[str], object]] = {
    "employee_id": _unsafe,
    "employee_ssn": _unsafe,
    "employee_birth_date": dt.date.fromisoformat,
    "employee_hire_date": dt.date.fromisoformat,
    "employee_termination_date": _optional_date,
    "employee_gross_compensation": money_to_cents,
    "employee_deferral_rate": lambda text: rate_to_bp(text or "0"),
}
