"""A failure that did not repeat, on disk: the bundle as of any failure, what each run gave, and both outputs.

    flaky/NAME/           census.csv, scenario.yaml, repro.json, report.md: the world, and the failure as it was seen
        flaky.md          which run showed what
        first/SIDE.fct_yearly_events.csv ..    the tables of the run that failed
        again/SIDE.fct_yearly_events.csv ..    the tables of one more run of the same world

Of a given census, unless identities are kept, there are neither people nor tables: only where it lies.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from differential.comparison.text import MASKED_COLUMNS
from differential.repro import Finding, write_bundle
from differential.run import WorldResult
from differential.schemas import EVENTS_TABLE, STATE_TABLE
from scale.nightly.unit.judged import Suspect

TEXT, FIRST, AGAIN = "flaky.md", "first", "again"
MOST_ROWS = 2_000
"""Of one table that is kept, 200 bytes each; generated worlds have up to 2 500 events, and a corpus keeps many."""


@dataclass(frozen=True)
class Attempt:
    """One more run. how: alone or with its batch. found: what failed then, None where it passed, which `said` tells."""

    how: str
    found: Finding | None
    said: str = ""
    same: bool = False


def keep_flaky(folder: Path, suspect: Suspect, attempts: Sequence[Attempt], *, private: bool) -> Path:
    """Write the failure and both outputs; returns its folder. private: nothing of people is written."""
    finding = suspect.finding()
    path = write_bundle(folder, finding, None, mask=private)
    lines = ["# Did not repeat", "", f"{finding.title()[0]}", "", "| run | what came of it |", "|---|---|"]
    lines.append(f"| first | failed: {_cell(suspect.signature)} |")
    lines += [f"| {attempt.how} | {_came(attempt, private=private)} |" for attempt in attempts]
    if private:
        lines += ["", "The census was given, so its people and tables are not kept; `--keep-identities` keeps them."]
    else:
        lines += ["", *_outputs(path, suspect, finding)]
    (path / TEXT).write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def _outputs(path: Path, suspect: Suspect, finding: Finding) -> list[str]:
    """Both outputs as files, and what differs between them, side by side."""
    told = ["## Outputs", ""]
    hidden = MASKED_COLUMNS if finding.given else ()  # social security numbers are never written
    if not suspect.results:
        told.append(f"The first run gave no tables: {_cell(finding.error_text(withheld=False) or 'none were kept')}")
    for name, result in suspect.results:
        _write(path / FIRST, name, result, hidden=hidden)
    first = dict(suspect.results)
    for side in finding.sides:
        name = side.describe()
        try:
            result = next(side.run([finding.world], timeout=finding.timeout).results())
        except Exception as error:  # noqa: BLE001 - an engine that fails now and then may fail here
            told.append(f"- {_cell(name)}: one more run raised {type(error).__name__}")
            continue
        _write(path / AGAIN, name, result, hidden=hidden)
        if name in first:
            told += [f"- {_cell(name)}: {line}" for line in _differences(first[name], result)]
    return told


def _differences(first: WorldResult, again: WorldResult) -> Iterator[str]:
    for name, one, other in ((EVENTS_TABLE, first.events, again.events), (STATE_TABLE, first.state, again.state)):
        if one.schema != other.schema:
            yield f"{name} has other columns or types"
            continue
        before, after = Counter(_rows(one)), Counter(_rows(other))
        gone, come = sum((before - after).values()), sum((after - before).values())
        if gone or come:
            yield f"{name}: {gone} rows of the first run are not in the next, {come} are new"
        else:
            yield f"{name}: the same rows in both runs"


def _rows(table: pa.Table) -> list[tuple[str, ...]]:
    columns = [[str(value) for value in column.to_pylist()] for column in table.columns]
    return list(zip(*columns, strict=True))


def _write(folder: Path, side: str, result: WorldResult, *, hidden: Collection[str]) -> None:
    folder.mkdir(exist_ok=True)
    stem = re.sub(r"[^\w.=-]+", "-", side).strip("-")[:60]
    for name, table in ((EVENTS_TABLE, result.events), (STATE_TABLE, result.state)):
        with (folder / f"{stem}.{name}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            shown = table.drop_columns([column for column in table.column_names if column in hidden])
            writer.writerow(shown.column_names)
            writer.writerows(_rows(shown.slice(0, MOST_ROWS)))
            if table.num_rows > MOST_ROWS:
                writer.writerow([f"... {table.num_rows - MOST_ROWS} rows more"])


def _came(attempt: Attempt, *, private: bool) -> str:
    if attempt.found is None:
        return "passed" if private or not attempt.said else f"passed: {_cell(attempt.said)}"
    return f"failed{'' if attempt.same else ' in another way or place'}: {_cell(attempt.found.signature)}"


def _cell(text: str) -> str:
    """Text fit for a cell of a Markdown table."""
    return " ".join(text.split()).replace("|", "\\|")[:300]
