"""What is shown beside the release criteria and never decides: high against legacy, polars against sql."""

from __future__ import annotations

from scale.policy import Policy
from scale.records import Cell, Check, Run
from scale.sweep.measured import engines_of, middle
from scale.sweep.question import Question

LEVELS = Question("high over legacy", "Level high is faster than legacy", "beside", "")
ENGINES = Question("polars over sql", "polars generates events faster than sql", "beside", "")
_STAGE = "event_generation"
_Runs = dict[Cell, list[Run]]


def beside_checks(runs: _Runs, policy: Policy) -> list[Check]:
    """Both ratios on the largest cell that has both sides; medians."""
    checks = [check for engine in engines_of(runs) if (check := _levels(engine, runs, policy))]
    between = _engines(runs, policy)
    return [*checks, between] if between else checks


def _levels(engine: str, runs: _Runs, policy: Policy) -> Check | None:
    pairs = [
        (cell, other)
        for cell in runs
        if cell.engine == engine
        and cell.level == "high"
        and (other := cell.model_copy(update={"level": "legacy"})) in runs
    ]
    if not pairs:
        return None
    high, legacy = max(pairs, key=lambda pair: _work(pair[0]))
    fast, slow = (middle(runs[cell], lambda run: run.seconds) for cell in (high, legacy))
    if not fast or not slow:
        return None
    target = policy.beside.high_over_legacy_target
    told = f"{slow / fast:.2f} times as fast ({slow:.2f} s against {fast:.2f} s) in {high.key}; target {target:g}"
    return LEVELS.answer(engine, "info", told)


def _engines(runs: _Runs, policy: Policy) -> Check | None:
    pairs = [
        (cell, other)
        for cell in runs
        if cell.engine == "sql"
        and (other := cell.model_copy(update={"engine": "polars"})) in runs
        and cell.level == "high"
    ]
    if not pairs:
        return None
    sql, polars = max(pairs, key=lambda pair: _work(pair[0]))
    slow, fast = (middle(runs[cell], lambda run: run.stages.get(_STAGE)) for cell in (sql, polars))
    whole = [middle(runs[cell], lambda run: run.seconds) for cell in (sql, polars)]
    if not slow or not fast or not whole[0] or not whole[1]:
        return None
    told = (
        f"{slow / fast:.1f} times as fast ({slow:.2f} s against {fast:.2f} s) in {sql.key}, {whole[0] / whole[1]:.1f} times over "
        f"the whole run; target {policy.beside.polars_over_sql_events_target:g}"
    )
    return ENGINES.answer("polars", "info", told)


def _work(cell: Cell) -> tuple[int, int]:
    return cell.employees * cell.years, -cell.shards - cell.threads
