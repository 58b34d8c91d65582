"""The parity tests: every engine and variant on the same input. `--parity NAME` chooses among them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from pathlib import Path

import pytest

from differential.budget import costly_runs
from differential.cases import Case, all_cases, border_case
from differential.finding import explain
from differential.parity import CaseRun
from differential.plugin import SESSION, RefusedError, keep_record
from differential.pool import Chunk
from differential.repro import regressions, replay
from differential.schemas import EVENT_TYPES
from differential.session import REGRESSIONS, Session
from differential.side import Side
from fixtures.edges import EDGE_LABELS, labels_of_run
from fixtures.empties import empties
from fixtures.populations import generate
from fixtures.scenario import Scenario
from fixtures.world import World

REGRESSION, COVERAGE, ALL_WORLDS = "regression", "coverage", "all-worlds"
FEW_YEARS = 2
SLICES = 3
"""Slices of the census that engines get whose runs take minutes."""
BORDER_ROWS = (2_047, 2_048, 2_049, 122_879, 122_880, 122_881)
"""Around DuckDB's vector size (2 048) and row group size (122 880)."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    session = metafunc.config.stash.get(SESSION, None)
    if "case" in metafunc.fixturenames:
        cases = [] if session is None else _cases(session)
        marked = [
            pytest.param(case, id=f"{case.test}-{case.name}", marks=[pytest.mark.parity(case.test), _group(case)])
            for case in cases
        ]
        metafunc.parametrize("case", marked)
    if "bundle" in metafunc.fixturenames:
        bundles = [pytest.param(path, id=path.name) for path in regressions(REGRESSIONS)]
        metafunc.parametrize("bundle", bundles)


def _cases(session: Session) -> list[Case]:
    cases = all_cases(session.engines, switches_alone=session.profile.covering)
    return cases if session.costly else [*cases, border_case(session.engines)]


def _group(case: Case) -> pytest.MarkDecorator:
    """Under pytest-xdist, cases over the same worlds stay in one process, where each engine runs them once."""
    # pytest-xdist takes what follows the last @ for the group
    own = f"{case.test}-{case.name}".replace("@", " at ")
    return pytest.mark.xdist_group(ALL_WORLDS if case.size == "worlds" else own)


@pytest.mark.parity(REGRESSION)
def test_regression(bundle: Path, parity_session: Session) -> None:
    """A failure that was once found and mended stays mended."""
    result = replay(bundle, engines=parity_session.engines)

    assert result.status == 0, result.report


def test_parity(case: Case, parity_session: Session, request: pytest.FixtureRequest) -> None:
    """Both sides agree exactly (attached engines: above the threshold) and their proofs bear the claim."""
    run = CaseRun(case, parity_session)
    try:
        feed_all(run, case, parity_session)
        run.finish()
        record = run.record
        if record.status == "not run":
            pytest.skip(f"not run: {record.reason}")
        if record.status in ("refused", "unproven"):
            raise RefusedError(f"{record.status.upper()}: {record.left} against {record.right}\n{record.reason}")
        if run.failures:
            pytest.fail(explain(run, parity_session), pytrace=False)
        assert record.worlds > 0, "no world was compared"
        assert record.status == "pass", record.reason
    finally:
        keep_record(request.node, run.record)


@pytest.mark.parity(COVERAGE)
@pytest.mark.xdist_group(ALL_WORLDS)
def test_coverage(parity_session: Session, request: pytest.FixtureRequest) -> None:
    """The generated worlds exercised every event type and every edge label; a label that is never drawn is never tested."""
    if parity_session.given or parity_session.costly:
        pytest.skip("the worlds are slices of one census")
    counts: Counter[str] = Counter(dict.fromkeys([*EVENT_TYPES, *EDGE_LABELS], 0))
    worlds = 0
    for chunk in parity_session.share("worlds", COVERAGE):
        worlds += len(chunk.worlds)
        run = parity_session.remembered(Side("polars"), chunk.worlds) or Side("polars").run(chunk.worlds)
        counts.update(run.events["event_type"].to_pylist())
        for labels in labels_of_run(chunk.worlds, run):
            counts.update(labels)
    keep_record(request.node, {"coverage": {"worlds": worlds, "labels": dict(counts)}})
    # quick is too small, and a time budget may be too short, to meet the rarest; both print what was missing
    too_few = parity_session.profile.name == "quick" or parity_session.minutes is not None
    never = sorted(label for label, count in counts.items() if not count)

    assert not never or too_few, f"never generated in {worlds} worlds: {', '.join(never)}"


def feed_all(run: CaseRun, case: Case, session: Session) -> None:
    """Give a case its inputs: special ones, the given or the real census, then generated worlds, each pair its share.

    Engines that are compared also take worlds that leave whole tables empty, each in a pass of its own.
    """
    if case.inputs in ("given", "slices"):
        _feed_costly(run, case, session)
        return
    if case.inputs == "borders":
        for rows in (rows for rows in BORDER_ROWS if rows <= session.profile.largest):
            if not run.feed([World(generate(rows, seed=rows), Scenario(end_year=2025))], 0):
                return
        return
    if case.inputs == "thousand" and not run.feed([World(generate(1_000, seed=7), Scenario(end_year=2026))], 0):
        return
    if case.size == "worlds" and not all(run.feed([world], 0) for world in empties()):
        return
    first: Sequence[World] = (session.world if case.size == "worlds" else session.short_world,)
    with ThreadPoolExecutor(max_workers=1) as pool:
        running: Future[bool] | None = None
        for shares, chunks in _shares(case, session):  # the next worlds are drawn while engines run on these
            if running is not None and not running.result():
                return
            running, first = pool.submit(_feed_shares, run, shares, chunks, first, session), ()
        if running is not None:
            running.result()


def _feed_costly(run: CaseRun, case: Case, session: Session) -> None:
    """Engines whose runs take minutes: the census under all its years; or slices of it while the budget has runs over."""
    sides = {side for pair in case.pairs for side in pair}
    costly_runs().no_longer(side.costs(session.world) for side in sides)
    if case.inputs == "given":
        for pair in range(len(case.pairs)):
            if not run.feed([session.world], pair):
                return
        return
    for world in islice(slices(session), SLICES):
        if not run.feed([world], 0):
            return


def slices(session: Session) -> Iterator[World]:
    """Slices of the census under other seeds and fewer years, drawn as any generated world."""
    for chunk in session.chunks("slices"):
        for number, world in enumerate(chunk.worlds):
            last = world.scenario.start_year + number % len(world.scenario.years)
            yield World(world.census, world.scenario.model_copy(update={"end_year": last}))


def _feed_shares(
    run: CaseRun, shares: list[list[World]], chunks: dict[str, Chunk], first: Sequence[World], session: Session
) -> bool:
    for pair, worlds in enumerate(shares):
        # the census goes with the first batch: a pass over one world more costs less than a pass of its own
        batch, first = [*first, *worlds], ()
        if batch and not run.feed(batch, pair, chunks):
            return False
        record = run.record
        session.progress(
            f"{record.test}[{record.name}]: {record.worlds} worlds, {run.rate:.0f}/s, {record.failed} failures, "
            f"{len(run.seen)} of {len(EVENT_TYPES) + len(EDGE_LABELS)} event types and edge labels seen"
        )
    return True


def _shares(case: Case, session: Session) -> Iterator[tuple[list[list[World]], dict[str, Chunk]]]:
    """Generated worlds dealt out to the case's pairs: few batches rather than many, since each pass has a fixed cost."""
    pairs = len(case.pairs) if session.profile.covering else 1
    dealt: list[list[World]] = [[] for _ in range(pairs)]
    where: dict[str, Chunk] = {}
    for chunk in session.share(case.size, f"{case.test}-{case.name}"):
        for position, world in enumerate(chunk.worlds):
            dealt[_pair_of(world, position, pairs)].append(world)
            where[world.fingerprint] = chunk
        if case.size == "worlds" or session.minutes is not None:
            yield dealt, where
            dealt, where = [[] for _ in range(pairs)], {}
    if where:
        yield dealt, where


def _pair_of(world: World, position: int, pairs: int) -> int:
    """The plain pair takes two thirds, and all worlds of many years: its plain side is the same run in many cases, and a pass
    costs as much as its longest world has years."""
    if pairs == 1 or position % 3 or len(world.scenario.years) > FEW_YEARS:
        return 0
    return 1 + position // 3 % (pairs - 1)
