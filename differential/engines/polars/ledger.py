"""The route a run takes, and the ledger of what it did on it."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal

import polars as pl


@dataclass(frozen=True)
class Route:
    """Which way a run takes: its switches, shards and whether plans run in the streaming engine."""

    switches: frozenset[str]
    shards: int = 1
    streaming: bool = False

    def has(self, switch: str) -> bool:
        return switch in self.switches


@dataclass
class Ledger:
    """What a run did: plans collected, rows per stage, people per shard, seconds per stage and per year."""

    statements: int = 0
    rows: Counter[str] = field(default_factory=Counter)
    shard_rows: Counter[int] = field(default_factory=Counter)
    seconds: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    year_seconds: list[float] = field(default_factory=list)
    taken: set[str] = field(default_factory=set)

    @contextmanager
    def timed(self, stage: str) -> Iterator[None]:
        start = time.perf_counter()
        yield
        self.seconds[stage] += time.perf_counter() - start

    def collect(self, plans: Sequence[pl.LazyFrame], *, streaming: bool = False) -> list[pl.DataFrame]:
        """Run plans, several at once in Polars' pool, and count them."""
        self.statements += len(plans)
        engine: Literal["streaming", "in-memory"] = "streaming" if streaming else "in-memory"
        return pl.collect_all(plans, engine=engine) if len(plans) > 1 else [plans[0].collect(engine=engine)]
