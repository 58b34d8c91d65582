"""Running a case: both sides on the same worlds, an exact verdict, and what is recorded of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import pyarrow as pa

from differential.budget import BudgetSpentError
from differential.cases import Case
from differential.comparison import (
    CLAIMS,
    ClaimOutcome,
    ComparisonError,
    NumericDifference,
    PolicyUse,
    Scores,
    WorldComparison,
    agreement_by_type,
    check_claim,
    compare_runs,
    content_hash,
    least_scores,
    numeric_differences_of_runs,
)
from differential.comparison.claims import differing_versions
from differential.engines import label
from differential.pool import Chunk
from differential.repro.finding import describe_error
from differential.run import Run, RunError, WorldResult
from differential.schemas import EVENT_ORDER, STATE_ORDER
from differential.session import Session
from differential.side import Side, UnsuitableWorldsError, run_both
from differential.variant import Variant, VariantError
from differential.workers import WorkerError
from fixtures.edges import labels_of_run
from fixtures.world import World


@dataclass(frozen=True)
class FailedWorld:
    """One world that a case fails on. error: what an engine raised, trace: its traceback; then there is nothing else. chunk: where
    it was drawn."""

    world: World
    left: Side
    right: Side
    comparison: WorldComparison | None = None
    results: tuple[WorldResult, WorldResult] | None = None
    error: str | None = None
    trace: str | None = None
    chunk: Chunk | None = None
    hung: bool = False

    @property
    def size(self) -> int:
        """Rows times years: the smallest is reduced first."""
        return len(self.world.census) * len(self.world.scenario.years)


@dataclass
class CaseRecord:
    """What a case did, as plain values: the matrix and the reports are made of these.

    status: `unfinished` until all inputs were compared, then pass, fail, refused or unproven; `not run` where the budget was
    spent before. worlds: compared. skipped: unsuitable for a side. failed: that differ. bundle: the repro of the first failure.
    by_type: of the first world, by event type: rows and columns that differ.
    """

    test: str
    name: str
    left: str
    right: str
    claim: str
    threshold: float
    exact: bool
    variants: list[dict[str, Any]] = field(default_factory=list)
    worlds: int = 0
    employees: int = 0
    skipped: int = 0
    failed: int = 0
    scores: dict[str, float] = field(default_factory=lambda: asdict(Scores()))
    status: str = "unfinished"
    reason: str = ""
    note: str = ""
    numeric: dict[str, dict[str, Any]] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    by_type: list[dict[str, Any]] = field(default_factory=list)
    policy_use: list[str] = field(default_factory=list)
    bundle: str | None = None
    signature: str | None = None
    seconds: float = 0.0

    @property
    def score(self) -> float:
        """The test's score: the least over scores, tables and worlds."""
        return min(self.scores.values())


@dataclass(frozen=True)
class _Batch:
    """Worlds that went through both sides together."""

    worlds: tuple[World, ...]
    left: Run
    right: Run


Watch = Callable[[Sequence[World], Run, Run], None]
"""Told the worlds that were compared, with both sides' runs."""


class CaseRun:
    """One case in progress: feeds batches through both sides and keeps the record."""

    def __init__(self, case: Case, session: Session, watch: Watch | None = None) -> None:
        self.case, self.session, self.watch = case, session, watch
        left, right = case.pairs[0]
        exact = session.built_in_only
        threshold = 1.0 if exact else session.policy.threshold(left.engine, right.engine, case.test)
        self.record = CaseRecord(
            case.test, case.name, *labels(left, right), case.claim, threshold, exact,
            variants=[{"left": a.to_json(), "right": b.to_json()} for a, b in case.pairs],
        )  # fmt: skip
        self.failures: list[FailedWorld] = []
        self.seen: set[str] = set()
        self._use = PolicyUse()
        self._chunks: Mapping[str, Chunk] = {}
        self._started = time.monotonic()

    @property
    def rate(self) -> float:
        """Worlds compared a second, so far."""
        return self.record.worlds / max(0.001, time.monotonic() - self._started)

    def feed(self, worlds: Sequence[World], pair: int, chunks: Mapping[str, Chunk] | None = None) -> bool:
        """Compare one batch; False once the case has failed or cannot go on. `chunks`: by fingerprint, where worlds were drawn."""
        left, right = self.case.pairs[pair]
        if self.case.refused is not None:
            self.record.status, self.record.reason = "refused", self.case.refused
            return False
        if self.case.claim == "used_database":
            worlds = _with_own_names(worlds)
        self._chunks = chunks or {}
        try:
            for batch in self._batches(worlds, left, right):
                try:
                    self._judge(batch, left, right)
                except (RunError, ComparisonError) as error:
                    self.record.status, self.record.reason = "refused", str(error)
                if self.record.status in ("refused", "unproven"):
                    break
        except BudgetSpentError as error:
            self._out_of_budget(str(error))
        self.record.seconds = time.monotonic() - self._started
        return self.record.status == "unfinished"

    def finish(self) -> None:
        """All inputs were compared and nothing was found: the case passes, if there was anything to compare."""
        if self.record.status == "unfinished" and self.record.worlds:
            self.record.status = "pass"

    def _out_of_budget(self, why: str) -> None:
        """Nothing compared is nothing passed; what was compared before stands."""
        if self.record.worlds or self.failures:
            self._tell(f"{why}: no further world was run")
            self.finish()
        else:
            self.record.status, self.record.reason = "not run", why

    def _batches(self, worlds: Sequence[World], left: Side, right: Side) -> Iterator[_Batch]:
        """The worlds run on both sides; unsuitable ones are left out, and a world that makes an engine raise is singled out."""
        try:
            runs = self._run_sides(left, right, worlds)
        except UnsuitableWorldsError as error:
            self.record.skipped += len(error.indexes)
            kept = [world for index, world in enumerate(worlds) if index not in error.indexes]
            if kept:
                yield from self._batches(kept, left, right)
            return
        except (KeyboardInterrupt, VariantError, BudgetSpentError):
            raise
        except Exception as error:  # noqa: BLE001 - whatever an engine raises is a finding about that engine
            yield from self._singled_out(worlds, left, right, error)
            return
        yield _Batch(tuple(worlds), *runs)

    def _singled_out(self, worlds: Sequence[World], left: Side, right: Side, error: Exception) -> Iterator[_Batch]:
        """Halves of a batch that raised, until one world that makes the engine raise is alone: one is enough to tell."""
        said, trace = describe_error(error)
        smallest = min(worlds, key=lambda world: len(world.census) * len(world.scenario.years))
        together = f"{said} (a pass over {len(worlds)} worlds; the smallest is saved)"
        if isinstance(error, WorkerError) and error.kind == "hung":
            self._raised(smallest, left, right, together, hung=True)  # each further try would take as long again
        elif len(worlds) == 1:
            self._raised(worlds[0], left, right, said, trace)
        elif not self._has_raised:
            middle = len(worlds) // 2
            for half in (worlds[:middle], worlds[middle:]):
                if not self._has_raised:
                    yield from self._batches(half, left, right)
            if not self._has_raised:  # it takes worlds of both halves
                self._raised(smallest, left, right, together, trace)

    @property
    def _has_raised(self) -> bool:
        return any(failed.error for failed in self.failures)

    def _raised(
        self, world: World, left: Side, right: Side, error: str, trace: str | None = None, *, hung: bool = False
    ) -> None:
        self._fail(FailedWorld(world, left, right, error=error, trace=trace, hung=hung))
        self.record.scores = asdict(Scores(0.0, 0.0, 0.0))
        self.record.worlds += 1

    def _run_sides(self, left: Side, right: Side, worlds: Sequence[World]) -> tuple[Run, Run]:
        # The plain side of many cases is one run over the same worlds, as are sql, polars and the oracle against each other.
        known = self.session.remembered(left, worlds), self.session.remembered(right, worlds)
        if known == (None, None):
            runs = run_both(left, right, worlds, self.session.timeout)
        else:
            runs = (
                known[0] or left.run(worlds, timeout=self.session.timeout),
                known[1] or right.run(worlds, timeout=self.session.timeout),
            )
        for side, run in zip((left, right), runs, strict=True):
            if not (isinstance(run, Run) and isinstance(run.events, pa.Table) and isinstance(run.state, pa.Table)):
                raise TypeError(
                    f"{side.engine}: run() returned {type(run).__name__}, expected a Run with two Arrow tables"
                )
            self.session.remember(side, worlds, run, forever=self.case.size == "worlds")
        return runs

    def _judge(self, batch: _Batch, left: Side, right: Side) -> None:
        outcome = check_claim(CLAIMS[self.case.claim], batch.left, batch.right)
        self._note_versions(batch, left, right)
        self._note_infeasible(batch)
        if not outcome.ok:
            self._refuse(outcome)
            return
        comparisons = compare_runs(batch.left, batch.right, self.session.policy, self._use)
        self.record.worlds += len(comparisons)
        self.record.employees += sum(len(world.census) for world in batch.worlds)
        self._lower_scores(least_scores(comparisons))
        if not self.record.by_type and not comparisons[0].equal and not self.record.exact:
            self.record.by_type = [
                asdict(one) for one in agreement_by_type(batch.left, batch.right, self.session.policy)
            ]
        self._note_numbers(numeric_differences_of_runs(batch.left, batch.right))
        differing = [index for index, comparison in enumerate(comparisons) if self._differs(comparison)]
        if differing:
            results = list(zip(batch.left.results(), batch.right.results(), strict=True))
            for index in differing:
                found = FailedWorld(batch.worlds[index], left, right, comparisons[index], results[index])
                self._fail(found)
        if self.case.identical and not self.failures and not _same_bytes(batch):
            self.record.status, self.record.reason = "fail", "the rows are equal, the canonical bytes are not"
        self.record.policy_use = sorted(self._use.names)
        if self.watch is not None:
            self.watch(batch.worlds, batch.left, batch.right)
        elif self.session.minutes is not None:
            self._note_seen(batch)

    def _differs(self, comparison: WorldComparison) -> bool:
        if self.record.exact:
            return not comparison.equal
        return comparison.scores.least < self.record.threshold

    def _fail(self, failed: FailedWorld) -> None:
        self.failures.append(replace(failed, chunk=self._chunks.get(failed.world.fingerprint)))
        self.record.failed = len(self.failures)
        self.record.status = "fail"
        if failed.error:
            # what an engine says of a given census may hold anybody's data
            said = failed.error.splitlines()[0][:300]
            self.record.reason = (
                f"{said.partition(':')[0]} (its message is in no report)" if self.session.given else said
            )

    def _refuse(self, outcome: ClaimOutcome) -> None:
        self.record.status, self.record.reason = outcome.status, outcome.describe()

    def _lower_scores(self, scores: Scores) -> None:
        known = self.record.scores
        self.record.scores = {name: min(known[name], value) for name, value in asdict(scores).items()}

    def _note_seen(self, batch: _Batch) -> None:
        """Event types and edge labels of a batch, for the progress line of a run under a time budget."""
        self.seen.update(batch.left.events["event_type"].unique().to_pylist())
        for labels in labels_of_run(batch.worlds, batch.left):
            self.seen |= labels

    def _note_versions(self, batch: _Batch, left: Side, right: Side) -> None:
        for side, run in ((left, batch.left), (right, batch.right)):
            if run.proof:
                self.record.versions.update({f"{side.engine}: {k}": v for k, v in run.proof.versions.items()})
                self._tell(*(f"{label(side.engine)}: {note}" for note in run.proof.notes))
        if CLAIMS[self.case.claim].other_libraries and batch.left.proof and batch.right.proof:
            pairs = differing_versions(batch.left.proof, batch.right.proof).items()
            self._tell(", ".join(f"{name} {mine} against {yours}" for name, (mine, yours) in pairs))

    def _tell(self, *notes: str) -> None:
        """Add notes for people, each once."""
        self.record.note = "; ".join(dict.fromkeys([*filter(None, self.record.note.split("; ")), *filter(None, notes)]))

    def _note_infeasible(self, batch: _Batch) -> None:
        """A census whose own quotas cannot be met compares nothing but the reason; its owner should know."""
        census = (self.session.world.fingerprint, self.session.short_world.fingerprint)
        for index, why in batch.left.infeasible.items():
            if batch.worlds[index].fingerprint in census:
                self._tell(f"the census has no result under this scenario: {why.code} in {why.year}")

    def _note_numbers(self, differences: list[NumericDifference]) -> None:
        for found in differences:
            name = f"{found.table}.{found.column}"
            known = self.record.numeric.get(name, _NO_NUMBERS)
            count = found.count + known["count"]
            total = float(found.mean or 0) * found.count + known["mean"] * known["count"]
            correlations = [c for c in (found.correlation, known["correlation"]) if c is not None]
            self.record.numeric[name] = {
                "count": count,
                "differing": found.differing + known["differing"],
                "largest": max(float(found.largest or 0), known["largest"]),
                "mean": total / count if count else 0.0,
                "correlation": min(correlations, default=None),
            }


_NO_NUMBERS: dict[str, Any] = {"count": 0, "differing": 0, "largest": 0.0, "mean": 0.0, "correlation": None}


def labels(left: Side, right: Side) -> tuple[str, str]:
    """How the matrix names the sides: what differs between them, since the other axes go through several values."""
    if left.engine != right.engine:
        return left.describe(), right.describe()
    mine, yours = asdict(left.variant), asdict(right.variant)
    axes = [name for name in mine if mine[name] != yours[name]]
    shown = [replace(side, variant=Variant()).describe() for side in (left, right)]
    values = [" ".join(f"{name}={side[name]}" for name in axes) for side in (mine, yours)]
    return f"{shown[0]} {values[0]}".strip(), f"{shown[1]} {values[1]}".strip()


def _same_bytes(batch: _Batch) -> bool:
    return all(
        content_hash(left, order) == content_hash(right, order)
        for left, right, order in (
            (batch.left.events, batch.right.events, EVENT_ORDER),
            (batch.left.state, batch.right.state, STATE_ORDER),
        )
    )


def _with_own_names(worlds: Sequence[World]) -> list[World]:
    """Worlds that share one database need scenario names of their own; one world keeps its name."""
    if len(worlds) == 1:
        return list(worlds)
    return [
        replace(world, scenario=world.scenario.model_copy(update={"scenario_id": f"w{index:05d}"}))
        for index, world in enumerate(worlds)
    ]
