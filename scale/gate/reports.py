"""parity.json and properties.json as the gate reads them: only the keys it decides by, which have to be there and of their type.

docs/reports.md and docs/properties.md describe the files. Keys that are not listed here may come and go.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from scale.records import Record

_Score = Annotated[float, Field(ge=0, le=1)]
_Count = Annotated[int, Field(ge=0)]


class Report(Record):
    """What both have in common.

    sources: fingerprint of each engine's code, by SPEC. exit_status: pytest's. given_census: the worlds were slices of a census
    given with --census.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")
    schema_version: Literal[1]
    status: str
    exit_status: int
    commit: str | None
    sources: dict[str, str] = Field(default_factory=dict)
    profile: str
    minutes: float | None
    given_census: bool


class EngineEntry(Record):
    """An engine of parity.json."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    spec: str


class Scores(Record):
    """The three scores of a comparison, each the least over worlds and tables."""

    count: _Score
    overlap: _Score
    value: _Score

    @property
    def least(self) -> float:
        return min(self.count, self.overlap, self.value)


class Comparison(Record):
    """One comparison of the matrix. variants: the pairs of sides that were run. skipped: worlds that a side could not run."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    test: str
    name: str
    status: str
    reason: str
    scores: Scores
    worlds: _Count
    skipped: _Count
    failed: _Count
    variants: list[dict[str, Any]]
    bundle: str | None
    seconds: float

    @property
    def label(self) -> str:
        return f"{self.test}[{self.name}]"


class Coverage(Record):
    """How often each event type and edge label was met in the generated worlds."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    labels: dict[str, int]


class ParityReport(Report):
    """parity.json."""

    engines: list[EngineEntry]
    tests: list[Comparison]
    coverage: Coverage | None
    stale_policy_entries: list[dict[str, str]]


class PropertyEntry(Record):
    """One check on one engine. engine: `*` for a check of all of them together. unchecked: clause to what it lacked."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    check: str
    engine: str | None
    status: str
    reason: str
    worlds: _Count
    broken: _Count
    clauses: dict[str, int]
    unchecked: dict[str, str]
    bundle: str | None
    seconds: float

    @property
    def label(self) -> str:
        return f"{self.check}[{'all' if self.engine == '*' else self.engine}]"


class PropertiesReport(Report):
    """properties.json. results: the database of another system, where no engine ran."""

    engines: list[str]
    results: str | None
    checks: list[PropertyEntry]
    stale_rules: list[str]
