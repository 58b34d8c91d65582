"""The scenarios as data, and the cells of a choice of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from itertools import product
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from fixtures.strict_yaml import load_yaml
from scale.records import Cell
from scale.status import UsageError

FILE = Path(__file__).with_suffix(".yaml")
PRESETS: dict[str, tuple[str, ...]] = {
    "quick": ("small", "medium"),
    "standard": ("small", "medium", "large", "stress", "threading", "series", "years", "levels"),
    "full": ("small", "medium", "large", "stress", "threading", "series", "years", "matrix", "levels", "frontier"),
}
"""The scenarios of `--quick`, of no option, and of `--full`. quick has too few sizes for a fit and can never yield go."""

_Counts = Annotated[list[Annotated[int, Field(ge=1)]], Field(min_length=1)]


class Part(BaseModel):
    """Cells that are the product of lists."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    employees: _Counts
    years: _Counts
    levels: Annotated[list[str], Field(min_length=1)] = ["high"]
    shards: _Counts = [1]
    threads: _Counts = [1]

    def cells(self, engine: str) -> list[Cell]:
        """The product, for one engine."""
        axes = (self.employees, self.years, self.levels, self.shards, self.threads)
        return [
            Cell(engine=engine, employees=employees, years=years, level=level, shards=shards, threads=threads)
            for employees, years, level, shards, threads in product(*axes)
        ]


class Scenario(BaseModel):
    """A purpose, its cells, and what one run of them may take (seconds; GB of 10^9 bytes; None = only measured)."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    name: str
    purpose: str
    parts: Annotated[list[Part], Field(min_length=1)]
    target_seconds: float | None = None
    target_memory_gb: float | None = None

    def cells(self, engine: str) -> list[Cell]:
        """All cells of one engine, in the order of the file."""
        return [cell for part in self.parts for cell in part.cells(engine)]


@cache
def catalogue() -> dict[str, Scenario]:
    """Every scenario by name."""
    data = load_yaml(FILE, UsageError)
    return {name: Scenario(name=name, **body) for name, body in data.items()}


def scenario(name: str) -> Scenario:
    """The scenario of that name. Raises UsageError with the names there are."""
    known = catalogue()
    if name not in known:
        raise UsageError(f"unknown scenario {name!r}: expected one of {', '.join(known)}")
    return known[name]


def product_of(scenarios: Iterable[Scenario], engines: Sequence[str]) -> list[tuple[Cell, list[str]]]:
    """Each cell once, with the names of the scenarios it belongs to; engines side by side, small before large."""
    owners: dict[Cell, list[str]] = {}
    for one in scenarios:
        for engine in engines:
            for cell in one.cells(engine):
                names = owners.setdefault(cell, [])
                if one.name not in names:
                    names.append(one.name)
    order = {engine: index for index, engine in enumerate(engines)}
    return sorted(
        owners.items(),
        key=lambda item: (item[0].employees * item[0].years, item[0].key.partition(" ")[2], order[item[0].engine]),
    )
