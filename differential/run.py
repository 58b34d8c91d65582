"""Run and Proof: what an engine returns; Engine and Capabilities: what it is asked to be."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol, runtime_checkable

import pyarrow as pa

from differential.schemas import EVENTS_SCHEMA, STATE_SCHEMA
from differential.variant import SWITCHES, Variant
from fixtures.world import World


class RunError(RuntimeError):
    """A Run that contradicts itself, such as bounds that do not add up to its tables."""


@dataclass(frozen=True)
class Infeasible:
    """Why one world has no result: the code and the first year of docs/simulation.md, 5.2."""

    code: str
    year: int


@dataclass(frozen=True)
class Proof:
    """What a run really did, as seen from inside, not as asked.

    engine: name of the engine whose code made the rows.
    versions: library name to version. pid: of the process that made the rows.
    threads: in force in the engine's pool, read back from the library. batch_size: in force, None = library default.
    shard_rows: people built in each shard, one number a shard, summed over years.
    switches: those whose code path ran. forced_legacy: the legacy flag decided.
    statements: SQL statements or Polars plans executed. rows: stage name to rows made, over all worlds and years.
    planned: `hires`, `exits`, `new_hire_exits`, summed over worlds and years, from the quotas.
    ignored_hires: census rows hired after the opening date. fallbacks: anything done instead of what was asked.
    legs: process ids of the legs of a resumed run, in order. database: file the tables were left in.
    company: worlds of the same pass that are no part of this result; set by the suite.
    notes: what was done to the rows between the engine and these tables, such as a type that was cast: told, never compared.
    inputs: fingerprints of the worlds, in order. seconds: stage name to wall time; year_seconds: wall time of each simulated
    year, in order, empty where the engine does not tell (neither is ever compared).
    """

    engine: str
    versions: Mapping[str, str]
    pid: int
    threads: int
    switches: frozenset[str]
    inputs: tuple[str, ...]
    shard_rows: tuple[int, ...] = ()
    batch_size: int | None = None
    forced_legacy: bool = False
    statements: int = 0
    rows: Mapping[str, int] = field(default_factory=dict)
    planned: Mapping[str, int] = field(default_factory=dict)
    ignored_hires: int = 0
    fallbacks: tuple[str, ...] = ()
    legs: tuple[int, ...] = ()
    database: str | None = None
    company: int = 0
    seconds: Mapping[str, float] = field(default_factory=dict)
    year_seconds: tuple[float, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class WorldResult:
    """One world's tables, or why it has none."""

    events: pa.Table
    state: pa.Table
    infeasible: Infeasible | None = None


@dataclass(frozen=True)
class Run:
    """What an engine made of one or more worlds.

    events, state: tables of differential/schemas.py, world after world in the order given.
    bounds: per world, its number of rows in events and in state; None when there was one world.
    infeasible: world index to the reason it has no rows.
    proof: None shows as `unproven` and never passes.
    """

    events: pa.Table
    state: pa.Table
    proof: Proof | None = None
    bounds: tuple[tuple[int, int], ...] | None = None
    infeasible: Mapping[int, Infeasible] = field(default_factory=dict)

    def __len__(self) -> int:
        return 1 if self.bounds is None else len(self.bounds)

    def results(self) -> Iterator[WorldResult]:
        """Each world's part, in order, without copying. Raises RunError when bounds and tables disagree."""
        bounds = self.bounds or ((self.events.num_rows, self.state.num_rows),)
        totals = (sum(e for e, _ in bounds), sum(s for _, s in bounds))
        if totals != (self.events.num_rows, self.state.num_rows):
            raise RunError(
                f"bounds say {totals[0]} events and {totals[1]} state rows, the tables have {self.events.num_rows} and "
                f"{self.state.num_rows}; to add or drop rows of a run over many worlds use Run.map"
            )
        event, row = 0, 0
        for index, (events, states) in enumerate(bounds):
            yield WorldResult(
                self.events.slice(event, events), self.state.slice(row, states), self.infeasible.get(index)
            )
            event, row = event + events, row + states

    def map(self, edit: Callable[[pa.Table, pa.Table], tuple[pa.Table, pa.Table]]) -> Run:
        """The run with `edit(events, state)` applied to each world's tables; rows may come and go."""
        parts = [edit(result.events, result.state) for result in self.results()]
        return replace(
            self,
            events=pa.concat_tables([events for events, _ in parts]),
            state=pa.concat_tables([state for _, state in parts]),
            bounds=tuple((events.num_rows, state.num_rows) for events, state in parts) if self.bounds else None,
        )


@dataclass(frozen=True)
class Capabilities:
    """What an engine can be asked for; the suite leaves out what it cannot do and says so.

    many_worlds: run() takes more than one world. levels: accepted values of Variant.level (switches joined by `+` are
    used only when `switches` names them). threads, shards, resume, batch_size, database: the axis exists.
    legacy_flag: FEATURE_FLAG_LEGACY_EVENTS is honoured.
    costly: a run takes minutes: each is done once a session, counted, and held to the budget, and few worlds are run.
    own_rules: its rules are not those of docs/simulation.md, so the oracle and worlds made for those rules say nothing of it.
    refused: parity test to the reason why it would prove nothing here; it is told as refused and nothing is run.
    """

    many_worlds: bool = True
    levels: tuple[str, ...] = ("legacy", "low", "medium", "high")
    switches: tuple[str, ...] = SWITCHES
    threads: bool = True
    shards: bool = True
    resume: bool = True
    batch_size: bool = True
    database: bool = True
    legacy_flag: bool = True
    costly: bool = False
    own_rules: bool = False
    refused: Mapping[str, str] = field(default_factory=dict)


@runtime_checkable
class Engine(Protocol):
    """A workforce simulation engine. It may have an attribute `capabilities: Capabilities`; without it, all is assumed."""

    @property
    def name(self) -> str: ...

    def run(self, worlds: Sequence[World], variant: Variant) -> Run:
        """Simulate the worlds. Raises VariantError for a variant that the engine lacks."""
        ...


@runtime_checkable
class OwnProcess(Protocol):
    """An engine that already runs in a process of its own, with limits; the suite then starts none around it."""

    def run_within(self, worlds: Sequence[World], variant: Variant, timeout: float | None) -> Run:
        """As `run`; timeout: seconds, None = differential.workers.DEFAULT_TIMEOUT. Raises WorkerError as workers.call does."""
        ...


@runtime_checkable
class KeepsRuns(Protocol):
    """An engine that keeps finished runs over sessions."""

    def is_kept(self, world: World, variant: Variant) -> bool:
        """Whether this run is there from earlier, so that it costs nothing."""
        ...


def capabilities_of(engine: Engine) -> Capabilities:
    """The engine's declared capabilities, or all of them."""
    declared = getattr(engine, "capabilities", None)
    return declared if isinstance(declared, Capabilities) else Capabilities()


def empty_tables() -> tuple[pa.Table, pa.Table]:
    """Typed empty events and state."""
    return EVENTS_SCHEMA.empty_table(), STATE_SCHEMA.empty_table()
