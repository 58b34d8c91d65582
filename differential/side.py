"""Side: one side of a comparison, as data: engine, variant and history; it can be written to a file and run again."""

from __future__ import annotations

import itertools
import os
import tempfile
from collections.abc import Hashable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
import pyarrow.compute as pc

from differential import workers
from differential.budget import costly_runs
from differential.engines import get_engine, is_built_in, label, runs_apart
from differential.processes import end_all
from differential.results import read_database
from differential.run import Capabilities, Infeasible, KeepsRuns, OwnProcess, Run, capabilities_of
from differential.variant import LEGACY_FLAG, Variant
from fixtures.company import companions
from fixtures.world import World

History = Literal["plain", "few_at_once", "crowded", "new_process", "used_database", "prefix"]
EXTRA_YEARS = 2
"""How many years longer the run is that a `prefix` side is cut from."""


COSTLY_SECONDS = 3_600.0
"""Longest run of an engine whose runs take minutes, where nothing else is asked for."""


GROUP_SIZES = (1, 2, 34, 89)
"""How many worlds a `few_at_once` side gives the engine in one pass, in turn."""


class UnsuitableWorldsError(ValueError):
    """Worlds that this side cannot be run on; `indexes` tells which, so that the others can be."""

    def __init__(self, indexes: Sequence[int], why: str) -> None:
        super().__init__(indexes, why)
        self.indexes = tuple(indexes)

    def __str__(self) -> str:
        return str(self.args[1])


@dataclass(frozen=True)
class Side:
    """One side of a comparison.

    engine: its SPEC. variant: how it runs. legacy_flag: FEATURE_FLAG_LEGACY_EVENTS is set (True) or cleared (False) for the run.
    history: `plain`: all worlds in one pass; `few_at_once`: in several passes of 1, 2, 34 and 89 worlds; `crowded`: in one
    pass with companion worlds, whose rows are dropped; `new_process`: in a new
    process with another hash seed; `used_database`: on a DuckDB file that a run with other rules has filled before, and the
    tables are read back from that file; `prefix`: two years longer, and those years are dropped.
    """

    engine: str
    variant: Variant = field(default_factory=Variant)
    legacy_flag: bool = False
    history: History = "plain"

    def describe(self) -> str:
        """Short text for reports, such as `polars threads=4`."""
        extra = [
            text
            for text, shown in (("legacy flag", self.legacy_flag), (self.history, self.history != "plain"))
            if shown
        ]
        variant = self.variant.describe()
        return " ".join(
            [label(self.engine), *([] if variant == "default" else [variant]), *(f"({text})" for text in extra)]
        )

    def run(self, worlds: Sequence[World], *, timeout: float | None = None) -> Run:
        """Run the worlds this way; worlds that an engine cannot take at once are run one by one."""
        with legacy_flag(self.legacy_flag):
            return self.execute(worlds, timeout)

    def execute(self, worlds: Sequence[World], timeout: float | None) -> Run:
        """As `run`, under the legacy flag as it is."""
        if not self.capabilities.costly:
            return self._execute(worlds, timeout)
        return join_runs([self._once(world, timeout) for world in worlds])

    def _once(self, world: World, timeout: float | None) -> Run:
        """One world on an engine whose runs are counted, unless this session has done it already."""
        engine, given = get_engine(self.engine), _longer(world) if self.history == "prefix" else world
        kept = self.history != "new_process" and isinstance(engine, KeepsRuns) and engine.is_kept(given, self.variant)
        return costly_runs().get(self.costs(world), lambda: self._execute([world], timeout), kept=kept)

    def costs(self, world: World) -> Hashable:
        """By what the session knows this run, where the engine's runs are counted."""
        return self, world.fingerprint

    def _execute(self, worlds: Sequence[World], timeout: float | None) -> Run:
        if self.history == "prefix":
            return _cut(self._run([_longer(world) for world in worlds], timeout), worlds)
        if self.history == "used_database":
            return self._on_used_database(worlds, timeout)
        if self.history == "crowded":
            return self._crowded(worlds, timeout)
        if self.history == "few_at_once":
            return join_runs([self._run(group, timeout) for group in _groups(worlds)])
        if self.history == "new_process":
            if timeout is None and self.capabilities.costly:
                timeout = COSTLY_SECONDS
            arguments = (self.engine, list(worlds), self.variant, timeout)
            environment = {"PYTHONHASHSEED": "4711"}
            run: Run = workers.call(
                "differential.side:run_many",
                *arguments,
                env=environment,
                fresh=True,
                timeout=timeout,
                called=self.engine,
            )
            return run
        return self._run(worlds, timeout)

    def _run(self, worlds: Sequence[World], timeout: float | None, variant: Variant | None = None) -> Run:
        how = variant or self.variant
        if len(worlds) > 1 and not self.capabilities.many_worlds:
            return join_runs([run_engine(self.engine, [world], how, timeout) for world in worlds])
        return run_engine(self.engine, worlds, how, timeout)

    def _crowded(self, worlds: Sequence[World], timeout: float | None) -> Run:
        before, *after = companions()
        run = self._run([before, *worlds, *after], timeout)
        results = list(run.results())[1 : 1 + len(worlds)]
        inputs = tuple(world.fingerprint for world in worlds)
        return Run(
            pa.concat_tables([result.events for result in results]),
            pa.concat_tables([result.state for result in results]),
            run.proof and replace(run.proof, inputs=inputs, company=1 + len(after)),
            tuple((result.events.num_rows, result.state.num_rows) for result in results),
            {index: result.infeasible for index, result in enumerate(results) if result.infeasible},
        )

    def _on_used_database(self, worlds: Sequence[World], timeout: float | None) -> Run:
        names = {(world.scenario.scenario_id, world.scenario.plan_design_id) for world in worlds}
        if len(names) < len(worlds):
            return join_runs([self._on_used_database([world], timeout) for world in worlds])
        with tempfile.TemporaryDirectory(prefix="parity-") as folder:
            path = Path(folder) / "used.duckdb"
            variant = replace(self.variant, database=path)
            self._run([_other_rules(world) for world in worlds], timeout, variant)
            run = self._run(worlds, timeout, variant)
            stored = read_database(path, [(w.scenario.scenario_id, w.scenario.plan_design_id) for w in worlds])
        bounds = tuple((events.num_rows, state.num_rows) for events, state in stored)
        events, state = (pa.concat_tables([tables[i] for tables in stored]) for i in (0, 1))
        return replace(run, events=events, state=state, bounds=bounds)

    @property
    def capabilities(self) -> Capabilities:
        return capabilities_of(get_engine(self.engine))

    def to_json(self) -> dict[str, Any]:
        """Plain values; `from_json` makes an equal side of them."""
        variant = asdict(self.variant)
        variant["database"] = None
        return {"engine": self.engine, "variant": variant, "legacy_flag": self.legacy_flag, "history": self.history}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Side:
        """Raises KeyError, TypeError or VariantError for something that `to_json` did not write."""
        return cls(str(value["engine"]), Variant(**value["variant"]), bool(value["legacy_flag"]), value["history"])


def run_both(left: Side, right: Side, worlds: Sequence[World], timeout: float | None = None) -> tuple[Run, Run]:
    """Run both sides, at the same time where they agree on the legacy flag, which is one variable of the whole process."""
    if left.legacy_flag != right.legacy_flag:
        return left.run(worlds, timeout=timeout), right.run(worlds, timeout=timeout)
    with legacy_flag(left.legacy_flag), ThreadPoolExecutor(max_workers=1) as pool:
        other = pool.submit(right.execute, worlds, timeout)
        try:
            mine = left.execute(worlds, timeout)
            return mine, other.result()
        except KeyboardInterrupt:
            end_all()  # else the pool would wait for a program that takes minutes
            raise


def run_engine(spec: str, worlds: Sequence[World], variant: Variant, timeout: float | None = None) -> Run:
    """Run a built-in engine here, an attached one in a worker process, where it may crash or hang without harm."""
    if is_built_in(spec):
        return get_engine(spec).run(worlds, variant)
    if runs_apart(spec) and isinstance(engine := get_engine(spec), OwnProcess):
        return engine.run_within(worlds, variant, timeout)
    run: Run = workers.call("differential.side:run_attached", spec, list(worlds), variant, timeout=timeout, called=spec)
    return run


def run_attached(spec: str, worlds: Sequence[World], variant: Variant) -> Run:
    """What the worker process does for an attached engine."""
    return get_engine(spec).run(worlds, variant)


def run_many(spec: str, worlds: Sequence[World], variant: Variant, timeout: float | None = None) -> Run:
    """What a new process does: the same as `Side.run` with a plain history does here. timeout: for an engine in its own process."""
    engine = get_engine(spec)

    def run(some: Sequence[World]) -> Run:
        return (
            engine.run_within(some, variant, timeout) if isinstance(engine, OwnProcess) else engine.run(some, variant)
        )

    if len(worlds) > 1 and not capabilities_of(engine).many_worlds:
        return join_runs([run([world]) for world in worlds])
    return run(worlds)


def _groups(worlds: Sequence[World]) -> Iterator[Sequence[World]]:
    position = 0
    for size in itertools.cycle(GROUP_SIZES):
        if position >= len(worlds):
            return
        yield worlds[position : position + size]
        position += size


@contextmanager
def legacy_flag(on: bool) -> Iterator[None]:
    """Set or clear FEATURE_FLAG_LEGACY_EVENTS for a run, and put back what was there."""
    before = os.environ.get(LEGACY_FLAG)
    try:
        if on:
            os.environ[LEGACY_FLAG] = "true"
        else:
            os.environ.pop(LEGACY_FLAG, None)
        yield
    finally:
        if before is None:
            os.environ.pop(LEGACY_FLAG, None)
        else:
            os.environ[LEGACY_FLAG] = before


def join_runs(runs: Sequence[Run]) -> Run:
    """Runs under each other as one run over all their worlds; the proof sums what was counted."""
    bounds = [bound for run in runs for bound in (run.bounds or ((run.events.num_rows, run.state.num_rows),))]
    infeasible: dict[int, Infeasible] = {}
    position = 0
    for run in runs:
        infeasible.update({position + index: reason for index, reason in run.infeasible.items()})
        position += len(run)
    return Run(
        pa.concat_tables([run.events for run in runs]),
        pa.concat_tables([run.state for run in runs]),
        _join_proofs(runs),
        tuple(bounds),
        infeasible,
    )


def _join_proofs(runs: Sequence[Run]) -> Any:
    proofs = [run.proof for run in runs]
    if any(proof is None for proof in proofs):
        return None
    first = proofs[0]
    assert first is not None
    known = [proof for proof in proofs if proof is not None]
    return replace(
        first,
        inputs=tuple(item for proof in known for item in proof.inputs),
        shard_rows=tuple(sum(column) for column in zip(*(proof.shard_rows for proof in known), strict=False)),
        statements=sum(proof.statements for proof in known),
        rows=_sum(proof.rows for proof in known),
        planned=_sum(proof.planned for proof in known),
        ignored_hires=sum(proof.ignored_hires for proof in known),
        fallbacks=tuple(dict.fromkeys(item for proof in known for item in proof.fallbacks)),
        notes=tuple(dict.fromkeys(item for proof in known for item in proof.notes)),
        legs=max((proof.legs for proof in known), key=len),
    )


def _sum(mappings: Iterator[Mapping[str, int]]) -> dict[str, int]:
    total: dict[str, int] = {}
    for mapping in mappings:
        for name, value in mapping.items():
            total[name] = total.get(name, 0) + value
    return total


def _longer(world: World) -> World:
    scenario = world.scenario
    end = min(scenario.end_year + EXTRA_YEARS, scenario.start_year + 99)
    limits = dict(scenario.to_dict()["limits"])
    for year in range(scenario.end_year + 1, end + 1):
        limits.setdefault(year, limits[scenario.end_year])
    return replace(world, scenario=scenario.replace(end_year=end, limits=limits))


def _cut(run: Run, worlds: Sequence[World]) -> Run:
    """Each world's rows up to its own last year, and its inputs as the proof would name them for the shorter run."""
    tables = []
    for result, world in zip(run.results(), worlds, strict=True):
        last = world.scenario.end_year
        tables.append(tuple(t.filter(pc.less_equal(t["simulation_year"], last)) for t in (result.events, result.state)))
    infeasible = {i: reason for i, reason in run.infeasible.items() if reason.year <= worlds[i].scenario.end_year}
    unknown = sorted(set(run.infeasible) - set(infeasible))
    if unknown:
        raise UnsuitableWorldsError(unknown, "infeasible in the added years only")
    proof = run.proof and replace(run.proof, inputs=tuple(world.fingerprint for world in worlds))
    return replace(
        run,
        events=pa.concat_tables([events for events, _ in tables]),
        state=pa.concat_tables([state for _, state in tables]),
        bounds=tuple((events.num_rows, state.num_rows) for events, state in tables),
        infeasible=infeasible,
        proof=proof,
    )


def _other_rules(world: World) -> World:
    """The same people under other rules, a year longer: its rows must be gone after the second run (M04)."""
    longer = _longer(world).scenario
    other = longer.replace(
        random_seed=(longer.random_seed + 1) % 2**63, target_growth_rate=0, total_termination_rate="0.2",
        new_hire_termination_rate=0, cola_rate="0.02",
    )  # fmt: skip
    return replace(world, scenario=other)
