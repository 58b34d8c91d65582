"""What a run tells of itself: dbt's log, its own monitors' files, and where each row says that it comes from."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

import pyarrow as pa

from differential.navigator.drive import Driven
from differential.navigator.settings import Mode

SOURCES: Mapping[Mode, str] = {"sql": "fused_event_generation", "polars": "polars_factory"}
"""`parameter_source` of the rows that each mode makes."""
_CONCURRENCY = re.compile(r"Concurrency: (\d+) threads?")
_DBT_STARTED = re.compile(r"Running with dbt=")
_STATE_FELL_BACK = re.compile(r"E076 Polars state accumulation failed: (.*)")
_EVENTS_FELL_BACK = re.compile(r"(?:Polars event generation failed|Polars.*not available)[^:]*: (.*)")
_MOST_TEXT = 200


@dataclass(frozen=True)
class Evidence:
    """threads: that dbt says it ran with, by number of its starts that built anything. starts: of dbt. stage_seconds: wall time by
    stage over all years, as its output told when each began. year_seconds: by its own monitor. operations: its monitor's file,
    operation to seconds. log_levels: lines of its production log by level. state_fallbacks, event_fallbacks: reasons as printed.
    """

    pid: int
    seconds: float
    peak_bytes: int
    isolated: bool
    threads: Mapping[str, int] = field(default_factory=dict)
    starts: int = 0
    stage_seconds: Mapping[str, float] = field(default_factory=dict)
    year_seconds: tuple[float, ...] = ()
    operations: Mapping[str, float] = field(default_factory=dict)
    log_levels: Mapping[str, int] = field(default_factory=dict)
    state_fallbacks: tuple[str, ...] = ()
    event_fallbacks: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """What `to_json` wrote. Raises KeyError, TypeError for anything else."""
        lists = ("year_seconds", "state_fallbacks", "event_fallbacks")
        plain: dict[str, Any] = {name: tuple(item) if name in lists else item for name, item in value.items()}
        return cls(**plain)

    def notes(self) -> Iterator[str]:
        """For the report, in words."""
        yield f"dbt was started {self.starts} times, with threads {_told(self.threads) or 'not told'}"
        yield f"its own log: {', '.join(f'{count} {level}' for level, count in self.log_levels.items()) or 'none'}"
        yield f"the most memory of its whole process tree was {self.peak_bytes / 2**20:.0f} MiB; it took {self.seconds:.0f} s"
        if not self.isolated:
            yield "this system lets us make no network namespace: its proxies led nowhere, and that was all that kept it offline"
        for why in self.state_fallbacks:
            yield f"its state tables were made by dbt, not by Polars: {why}"


def evidence_of(driven: Driven, copy: Path) -> Evidence:
    """Read what a finished run left in its working copy; what is missing is missing, never guessed."""
    dbt = _text(copy / "dbt" / "logs" / "dbt.log")
    printed = _text(driven.log)
    operations = dict(_operations(copy))
    return Evidence(
        pid=driven.ended.pid,
        seconds=driven.ended.seconds,
        peak_bytes=driven.ended.peak_bytes,
        isolated=driven.isolated,
        threads=dict(Counter(_CONCURRENCY.findall(dbt))),
        starts=len(_DBT_STARTED.findall(dbt)),
        stage_seconds=_stage_seconds(driven.stages, driven.ended.seconds),
        year_seconds=tuple(operations[name] for name in sorted(operations) if name.startswith("year_simulation_")),
        operations=operations,
        log_levels=dict(Counter(_levels(copy / "logs" / "navigator.log"))),
        state_fallbacks=_reasons(_STATE_FELL_BACK, printed),
        event_fallbacks=_reasons(_EVENTS_FELL_BACK, printed),
    )


def fallbacks(evidence: Evidence, events: pa.Table, mode: Mode, years: Sequence[int]) -> Iterator[str]:
    """What it did instead of what was asked, as its own rows tell. `events`: its table as it left it."""
    if "parameter_source" not in events.column_names:
        yield "its events have no column parameter_source: what made them cannot be told"
        return
    made = Counter(zip(events["simulation_year"].to_pylist(), events["parameter_source"].to_pylist(), strict=True))
    wrong = {source: 0 for _, source in made if source != SOURCES[mode]}
    for (_, source), count in made.items():
        if source in wrong:
            wrong[source] += count
    why = f" ({evidence.event_fallbacks[0]})" if evidence.event_fallbacks else ""
    for source, count in wrong.items():
        yield (
            f"mode {mode} was asked for, but {count} of {events.num_rows} events have parameter_source {source!r}: "
            f"its other path made them{why}"
        )
    for year in years:
        if not any(found == year for found, _ in made):
            yield f"there is no event of {year} at all: it writes an empty year where one fails, and reports success"


def threads_of(evidence: Evidence) -> int:
    """That dbt ran with, as its log says; 0 where it does not say, or says several numbers."""
    found = [int(number) for number in evidence.threads]
    return found[0] if len(found) == 1 else 0


def _stage_seconds(stages: Sequence[tuple[float, str]], end: float) -> dict[str, float]:
    """From the start of one stage to the start of the next; what comes before the first is `start`."""
    total: dict[str, float] = {"start": stages[0][0] if stages else end}
    for (begun, name), (until, _) in zip(stages, [*stages[1:], (end, "")], strict=False):
        total[name] = total.get(name, 0.0) + until - begun
    return {name: round(seconds, 3) for name, seconds in total.items()}


def _operations(copy: Path) -> Iterator[tuple[str, float]]:
    """Durations in the files of its monitors: operations, and the stages of its DuckDB monitor where that was on."""
    files = [*copy.glob("artifacts/runs/*/performance.json"), *copy.glob("reports/performance/**/*.json")]
    for file in sorted(files):
        try:
            found = json.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        if not isinstance(found, dict):
            continue
        for name, value in found.items():
            if isinstance(value, dict) and isinstance(value.get("duration_seconds"), (int, float)):
                yield str(name), float(value["duration_seconds"])
        for name, value in _checkpoints(found):
            yield f"duckdb_{name}", value


def _checkpoints(found: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    listed = found.get("checkpoints") or found.get("performance_checkpoints") or []
    for item in listed if isinstance(listed, list) else []:
        if isinstance(item, dict) and isinstance(item.get("elapsed_time"), (int, float)):
            yield str(item.get("stage_name")), float(item["elapsed_time"])


def _levels(log: Path) -> Iterator[str]:
    for line in _text(log).splitlines():
        try:
            found = json.loads(line)
        except ValueError:
            continue
        if isinstance(found, dict) and isinstance(found.get("level"), str):
            yield found["level"]


def _reasons(pattern: re.Pattern[str], text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(found.strip()[:_MOST_TEXT] for found in pattern.findall(text)))


def _told(threads: Mapping[str, int]) -> str:
    return ", ".join(f"{number} ({count} times)" for number, count in threads.items())


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
