"""The engine: one world at a time through a private working copy, its tables in our schemas, and a proof from what it left."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Sequence
from functools import cached_property
from importlib.metadata import version
from pathlib import Path

from differential.budget import FROM_CACHE
from differential.engines.spec import EngineSpecError
from differential.identity import commit_of
from differential.navigator.cache import Cache, Kept, fingerprint
from differential.navigator.contradictions import contradictions
from differential.navigator.drive import drive
from differential.navigator.evidence import evidence_of, fallbacks, threads_of
from differential.navigator.inputs import configured, read_base
from differential.navigator.settings import MODES, Mode, Settings, settings_from
from differential.navigator.tables import keep_tables, planned_people, raw_events, read_run
from differential.navigator.working_copy import code_of, working_copy
from differential.run import Capabilities, Proof, Run
from differential.side import join_runs
from differential.variant import Variant
from fixtures.world import World

_LIBRARIES = ("duckdb", "dbt-core", "dbt-duckdb", "polars", "pydantic")
_ASK = """
import json, sys
from importlib import metadata
def number(name):
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
print(json.dumps({"python": sys.version.split()[0], **{name: number(name) for name in sys.argv[1:]}}))
"""
_ASK_SECONDS = 60
_TABLE_FORMAT = "1"
"""Of kept runs: a change of what is kept makes earlier ones unknown."""
NO_LEVELS = (
    "optimization.level is read by no code that makes rows there: its only namesake sets the batch size of a memory monitor. "
    "Two levels would be one run compared with itself"
)


class NavigatorEngine:
    """`navigator:MODE` over a checkout. Runs are independent: several threads may call `run_within` at once."""

    def __init__(self, mode: Mode, settings: Settings) -> None:
        self.mode, self.settings = mode, settings
        self._lock = threading.Lock()

    @property
    def name(self) -> str:
        return f"navigator:{self.mode}"

    capabilities = Capabilities(
        many_worlds=False,
        levels=("high",),  # ours for "as configured"
        switches=(),
        threads=True,
        shards=False,
        resume=False,
        batch_size=False,
        database=False,
        legacy_flag=False,
        costly=True,
        own_rules=True,
        refused={"levels": NO_LEVELS},
    )

    def run(self, worlds: Sequence[World], variant: Variant) -> Run:
        return self.run_within(worlds, variant, None)

    def run_within(self, worlds: Sequence[World], variant: Variant, timeout: float | None) -> Run:
        """Each world in a run of its own. timeout: seconds for each; None: an hour.

        Raises:
            WorkerError: the program died, hung or took too much memory. ScenarioError, VariantError: it cannot express what is
            asked. OutsideError: it ended well and left no tables that can be read.
        """
        return join_runs([self._run(world, variant, timeout) for world in worlds])

    def is_kept(self, world: World, variant: Variant) -> bool:
        """Whether this run is there from earlier, so that it costs nothing."""
        return self._cache is not None and self._cache.find(self._fingerprint(world, variant)) is not None

    def _run(self, world: World, variant: Variant, timeout: float | None) -> Run:
        configured(self._base, world, variant, self.mode, Path("census.parquet"))  # refuses before minutes are spent
        key = self._fingerprint(world, variant)
        kept = self._cache.find(key) if self._cache else None
        if kept is not None:
            return self._result(kept, world, variant)
        with tempfile.TemporaryDirectory(prefix="parity-navigator-tables-") as folder:
            cache = self._cache or Cache(Path(folder))
            return self._result(self._made(cache, key, world, variant, timeout), world, variant)

    def _made(self, cache: Cache, key: str, world: World, variant: Variant, timeout: float | None) -> Kept:
        unfinished = cache.unfinished()
        try:
            with working_copy(self.settings.home) as copy:
                driven = drive(self.settings, self._base, copy, world, variant, self.mode, timeout)
                evidence = evidence_of(driven, copy)
                keep_tables(driven.database, unfinished)
        except BaseException:
            shutil.rmtree(unfinished, ignore_errors=True)
            raise
        return cache.add(key, unfinished, evidence)

    def _result(self, kept: Kept, world: World, variant: Variant) -> Run:
        events, state, notes = read_run(kept.folder, world)
        evidence = kept.evidence
        earlier = [FROM_CACHE] if kept.earlier else []
        fallen = [*fallbacks(evidence, raw_events(kept.folder), self.mode, world.scenario.years)]
        if threads_of(evidence) != variant.threads:
            fallen.append(
                f"{variant.threads} threads were asked for; dbt's log tells {dict(evidence.threads) or 'none'}"
            )
        proof = Proof(
            engine=self.name,
            versions=self.versions,
            pid=evidence.pid,
            threads=threads_of(evidence),
            switches=frozenset(),
            inputs=(world.fingerprint,),
            statements=evidence.starts,
            rows={"fct_yearly_events": events.num_rows, "fct_workforce_snapshot": state.num_rows},
            planned=planned_people(kept.folder),
            fallbacks=tuple(fallen),
            seconds=evidence.stage_seconds,
            year_seconds=evidence.year_seconds,
            notes=(*earlier, *evidence.notes(), *notes, *contradictions(kept.folder)),
        )
        return Run(events, state, proof, ((events.num_rows, state.num_rows),))

    def _fingerprint(self, world: World, variant: Variant) -> str:
        parts = (self.name, variant.describe(), world.fingerprint, self._code, json.dumps(self._base, default=str))
        return fingerprint(_TABLE_FORMAT, *parts, json.dumps(self.versions, sort_keys=True))

    @cached_property
    def _cache(self) -> Cache | None:
        return None if self.settings.cache is None else Cache(self.settings.cache)

    @cached_property
    def _base(self) -> dict[str, object]:
        return read_base(self.settings.config)

    @cached_property
    def _code(self) -> str:
        return code_of(self.settings.home, self.settings.layout)

    @cached_property
    def versions(self) -> dict[str, str]:
        """Of its code, and of the libraries of its Python, asked of that Python itself; `reader` is the DuckDB that reads its file.

        Raises EngineSpecError for a Python that does not answer, or lacks one of them.
        """
        python = self.settings.python
        try:
            asked = [str(python), "-I", "-c", _ASK, *_LIBRARIES]
            answer = subprocess.run(asked, capture_output=True, text=True, timeout=_ASK_SECONDS, check=True).stdout
            found: dict[str, str | None] = json.loads(answer)
        except (OSError, subprocess.SubprocessError, ValueError) as error:
            raise EngineSpecError(f"--navigator-python {python}: does not answer: {error}") from None
        missing = [name for name, number in found.items() if number is None]
        if missing:
            raise EngineSpecError(f"--navigator-python {python}: has no {', no '.join(missing)}")
        code = commit_of(self.settings.home) or self._code[:12]
        known = {name: str(number) for name, number in found.items()}
        return {"planwise_navigator": code, **known, "duckdb (reader)": version("duckdb")}


def navigator_engine(mode: str) -> NavigatorEngine:
    """The engine of a SPEC `navigator:MODE`, over the checkout that the options name. Raises EngineSpecError."""
    for known in MODES:
        if mode == known:
            return NavigatorEngine(known, settings_from(os.environ))
    raise EngineSpecError(f"engine navigator:{mode}: expected navigator:{' or navigator:'.join(MODES)}")
