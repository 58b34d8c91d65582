"""Session: everything that the options of one test run decide, settled once and handed to the tests."""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from importlib.metadata import version
from itertools import islice
from pathlib import Path

from hypothesis.strategies import SearchStrategy

from differential.comparison import ComparisonPolicy
from differential.engines import EngineSpecError, is_shipped, runs_apart
from differential.identity import commit_of, sources_of
from differential.pool import Chunk, chunks, derived_seed
from differential.profiles import Profile
from differential.run import Run
from differential.side import Side
from differential.variant import Variant
from fixtures.census import Census
from fixtures.scenario import Scenario
from fixtures.slices import slices_of
from fixtures.strategies import worlds
from fixtures.world import World

ROOT = Path(__file__).resolve().parent.parent
LARGEST_SEED = 2**31 - 1
"""That any system takes: ours takes larger ones."""
REAL_CENSUS = ROOT / "fixtures" / "data" / "census_cps1976.csv"
REGRESSIONS = ROOT / "fixtures" / "regressions"
_PLAIN_VARIANTS = (Variant(), Variant(level="legacy"))
_RECENT_RUNS = 8
LIBRARIES = ("duckdb", "polars", "pyarrow", "pandas", "datacompy", "hypothesis", "pytest")


@dataclass
class Session:
    """The settled options of a run.

    engines: SPECs in order. given: the user's own census and scenario came by option. scenario_given: also the scenario, which
    generated worlds then keep. minutes: time budget of the whole session, None = the profile's number of worlds.
    costly: runs of an engine take minutes, so that few worlds are run. shares: how many test items share the minutes.
    progress: takes one line for the terminal. arguments: the options that decide what is run, as they are typed, for the command
    that finds a failure again.
    """

    profile: Profile
    engines: tuple[str, ...]
    world: World
    given: bool = False
    scenario_given: bool = False
    policy: ComparisonPolicy = field(default_factory=ComparisonPolicy)
    repro_dir: Path = Path("repros")
    keep_identities: bool = False
    seed: int = 0
    part: tuple[int, int] = (1, 1)
    minutes: float | None = None
    timeout: float | None = None
    costly: bool = False
    shares: int = 1
    progress: Callable[[str], None] = print
    arguments: tuple[str, ...] = ()

    @property
    def built_in_only(self) -> bool:
        """Whether every engine ships with the suite, under whatever Python; such engines fail on any difference at all."""
        return all(is_shipped(spec) for spec in self.engines)

    @cached_property
    def strategy(self) -> SearchStrategy[World]:
        """Generated worlds, or slices of the user's census under the user's or generated scenarios."""
        if self.costly:  # an engine with a configuration of its own takes no generated rules
            return slices_of(self.world.census, self.world.scenario, generate_rules=False, largest_seed=LARGEST_SEED)
        if not self.given:
            return worlds()
        return slices_of(self.world.census, self.world.scenario, generate_rules=not self.scenario_given)

    @cached_property
    def short_world(self) -> World:
        """The census for the axes: under as many of its years as the profile's axes take."""
        last = min(self.world.scenario.end_year, self.world.scenario.start_year + self.profile.axis_years - 1)
        if last == self.world.scenario.end_year:
            return self.world
        return World(self.world.census, self.world.scenario.model_copy(update={"end_year": last}))

    def command(self, suite: str, *chosen: str) -> str:
        """The whole command that runs this again. suite: the folder. chosen: what of it, such as `--parity threads`."""
        return shlex.join(["pytest", suite, *chosen, *self.arguments])

    def replay(self, suite: str, bundle: str) -> str:
        """The command that replays a bundle, with the Pythons and programs that may be started for it."""
        apart = [word for spec in self.engines if runs_apart(spec) for word in ("--engine", spec)]
        return shlex.join(["pytest", suite, "--replay", bundle, *apart])

    def chunks(self, item: str = "") -> Iterator[Chunk]:
        """Generated worlds, endless: drawn once and kept for all tests; under a time budget each test item draws its own, which
        follow from its name, so that they are the same when it is run alone."""
        if self.minutes is not None:
            yield from chunks(self.strategy, derived_seed(self.seed, (1, 1), item), self.part)
        position = 0
        while True:
            while position >= len(self._drawn):
                self._drawn.append(next(self._source))
            yield self._drawn[position]
            position += 1

    def share(self, size: str, item: str = "") -> Iterator[Chunk]:
        """The chunks of one test item, by its name: as many worlds as the profile says or its share of the minutes allows."""
        if self.minutes is not None:
            until = time.monotonic() + 60 * self.minutes / max(1, self.shares)
            for chunk in self.chunks(item):
                yield chunk
                if time.monotonic() > until:
                    return
        wanted = self.profile.worlds if size == "worlds" else self.profile.axis_worlds
        most_years = 100 if size == "worlds" else self.profile.axis_years
        for chunk in self.chunks():
            fitting = (world for world in chunk.worlds if len(world.scenario.years) <= most_years)
            part = tuple(islice(fitting, wanted))
            yield Chunk(part, chunk.seed, chunk.size)
            wanted -= len(part)
            if wanted <= 0:
                return

    def groups(self, item: str, count: int) -> Iterator[list[World]]:
        """Worlds of few years, for what needs many runs of each: the census, then generated ones, `count` at a time, endless.

        item: as for `chunks`.
        """
        worlds = [self.short_world]
        for chunk in self.chunks(item):
            worlds += [world for world in chunk.worlds if len(world.scenario.years) <= self.profile.axis_years]
            while len(worlds) >= count:
                yield worlds[:count]
                worlds = worlds[count:]

    def remembered(self, side: Side, worlds: Sequence[World]) -> Run | None:
        """A run of this session that need not be done again."""
        key = (side, tuple(world.fingerprint for world in worlds))
        return self._lasting.get(key) or self._recent.get(key)

    def remember(self, side: Side, worlds: Sequence[World], run: Run, *, forever: bool) -> None:
        """Keep a plain run for other tests over the same worlds: for the session, or among the latest few.

        Not under a time budget, when there is no end to worlds; and nothing but plain runs, since the others are what is tested.
        """
        if self.minutes is not None or side.history != "plain" or side.legacy_flag:
            return
        key = (side, tuple(world.fingerprint for world in worlds))
        if forever:
            self._lasting[key] = run
        elif side.variant in _PLAIN_VARIANTS:
            self._recent[key] = run
            while len(self._recent) > _RECENT_RUNS:
                del self._recent[next(iter(self._recent))]

    @cached_property
    def _lasting(self) -> dict[tuple[Side, tuple[str, ...]], Run]:
        return {}

    @cached_property
    def _recent(self) -> dict[tuple[Side, tuple[str, ...]], Run]:
        return {}

    @cached_property
    def _source(self) -> Iterator[Chunk]:
        return chunks(self.strategy, self.seed, self.part)

    @cached_property
    def _drawn(self) -> list[Chunk]:
        return []

    @cached_property
    def versions(self) -> dict[str, str]:
        """Library versions, for reports."""
        return {name: version(name) for name in LIBRARIES}

    @cached_property
    def commit(self) -> str | None:
        """The commit of the tree the suite runs from, with `+` for uncommitted changes; None outside a git checkout."""
        return commit_of(ROOT)

    @cached_property
    def sources(self) -> dict[str, str]:
        """Fingerprint of each engine's sources, by SPEC; an engine that is made up in a running process has none."""
        found = {}
        for spec in self.engines:
            with suppress(EngineSpecError):
                found[spec] = sources_of(spec, ROOT)
        return found


def given_world(
    census: Path | None,
    scenario: Path | None,
    years: tuple[int, int] | None,
    employees: int | None,
    random_seed: int | None,
) -> World:
    """The world that the options name: the real census under default rules where they are silent.

    employees: so many rows, the first by employee_id, since the order of a file means nothing.

    Raises:
        CensusError, ScenarioError, WorldError: input that cannot be used; the message names file, key or row.
    """
    people = Census.load(census or REAL_CENSUS)
    rules = Scenario.load(scenario) if scenario else Scenario()
    changed: dict[str, int] = {}
    if years:
        changed |= {"start_year": years[0], "end_year": years[1]}
    if random_seed is not None:
        changed["random_seed"] = random_seed
    if changed:
        rules = rules.replace(**changed)
    if employees is not None and employees < len(people):
        ids = people.table["employee_id"].to_pylist()
        people = people.take(sorted(range(len(ids)), key=lambda row: ids[row].encode())[:employees])
    return World(people, rules)
