"""The steps of check-engine, in the order in which an author meets them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import fields

from differential.cases import Case, all_cases
from differential.checking.steps import Step, step
from differential.checking.tables import proof_steps, table_steps
from differential.comparison import CLAIMS, ComparisonError, check_claim, compare_runs, first_divergence
from differential.engines import get_engine, label, parse_spec
from differential.run import Capabilities, Engine, Run, RunError, capabilities_of
from differential.side import Side, UnsuitableWorldsError, run_both
from fixtures.company import companions
from fixtures.populations import generate
from fixtures.scenario import Scenario
from fixtures.world import World

_SHOWN = 40
_WHERE = {
    "built_in": "ships with the suite, runs in this process",
    "entry_point": "an entry point of another package, runs in a worker process",
    "module": "from the Python path, runs in a worker process",
    "host": "runs under another Python",
    "command": "a program, started for each run",
}


def check_engine(spec: str, timeout: float | None = None) -> Iterator[Step]:
    """Look at the engine, one step after the other; where one step makes the next impossible, it is the last.

    Raises:
        EngineSpecError: there is no such engine; the message says what was tried.
    """
    engine = get_engine(spec)
    can = capabilities_of(engine)
    yield Step("found", "ok", (f"{label(spec)}: engine {engine.name!r}, {_where(spec)}", *_versions(engine)))
    yield _capabilities(engine, can)
    world = World(generate(40, seed=7), Scenario(end_year=2026))
    started = time.monotonic()
    run = _run(Side(spec), world, timeout)
    if isinstance(run, Step):
        yield run
        return
    yield Step("runs a small world", "ok", (f"40 people over 2 years in {time.monotonic() - started:.1f} s",))
    tables = table_steps(run)
    yield from tables
    proofs = proof_steps(run, world, engine, can)
    yield from proofs
    if any(one.status in ("failed", "missing") for one in (*tables, *proofs)):
        why = "mend the above first: without the right columns and a proof, nothing can be compared"
        yield Step("same seed, axes, oracle", "left out", (why,))
        return
    for case in _cases(spec, can):
        yield _compared(case, world, timeout)
    if spec != "oracle":
        yield _oracle(spec, can, timeout)


def _where(spec: str) -> str:
    return _WHERE.get(parse_spec(spec).kind, "attached")


def _versions(engine: Engine) -> tuple[str, ...]:
    found = getattr(engine, "versions", None)
    return (", ".join(f"{name} {number}" for name, number in found.items()),) if isinstance(found, dict) else ()


def _capabilities(engine: Engine, can: Capabilities) -> Step:
    declared = isinstance(getattr(engine, "capabilities", None), Capabilities)
    if not declared:
        why = "no attribute `capabilities`: every axis is assumed, and each is tried below; say which ones there are"
        return Step("capabilities", "ok", (why,))
    has = [field.name for field in fields(can) if getattr(can, field.name) is True]
    lacks = [
        field.name
        for field in fields(can)
        if getattr(can, field.name) is False and field.name not in ("costly", "own_rules")
    ]
    lines = [f"has {', '.join(has) or 'one way to run'}; levels {', '.join(can.levels) or 'none'}"]
    if lacks:
        lines.append(f"left out of every comparison: {', '.join(lacks)}")
    return Step("capabilities", "ok", tuple(lines))


def _run(side: Side, world: World, timeout: float | None) -> Run | Step:
    title = "runs a small world"
    try:
        run = side.run([world], timeout=timeout)
        if not isinstance(run, Run):
            return Step(title, "failed", (f"run() returned {type(run).__name__}, expected differential.run.Run",))
        list(run.results())
    except Exception as error:  # noqa: BLE001 - whatever an engine raises is what its author wants to see
        notes = [line for note in getattr(error, "__notes__", []) for line in note.strip().splitlines()]
        return Step(title, "failed", (*f"{type(error).__name__}: {error}".splitlines()[:_SHOWN], *notes[-_SHOWN:]))
    if run.infeasible:
        reason = run.infeasible[0]
        return Step(title, "failed", (f"says the world has no result: {reason.code} in {reason.year}; it has one",))
    return run


def _cases(spec: str, can: Capabilities) -> list[Case]:
    """What `pytest differential --engine SPEC` compares the engine with itself by; of costly engines the same seed alone."""
    cases = [case for case in all_cases((spec,), {spec: can}, switches_alone=False) if case.test != "oracle"]
    return [case for case in cases if case.test == "same_seed"] if can.costly else cases


def _compared(case: Case, world: World, timeout: float | None) -> Step:
    """One comparison of the engine with itself: its proofs have to bear the claim, and the rows have to be the same."""
    left, right = case.pairs[0]
    title = f"{case.test}: {left.describe()} against {right.describe()}"
    try:
        runs = run_both(left, right, [world], timeout)
        outcome = check_claim(CLAIMS[case.claim], *runs)
        if not outcome.ok:
            return Step(title, "failed", tuple(f"{outcome.status}: {line}" for line in outcome.describe().splitlines()))
        return step(title, _differences(runs, world))
    except UnsuitableWorldsError as error:
        return Step(title, "left out", (str(error),))
    except (ComparisonError, RunError) as error:
        return Step(title, "failed", (str(error),))
    except Exception as error:  # noqa: BLE001 - as in _run
        return Step(title, "failed", tuple(f"{type(error).__name__}: {error}".splitlines()[:_SHOWN]))


def _differences(runs: tuple[Run, Run], world: World, names: tuple[str, str] = ("left", "right")) -> list[str]:
    left, right = runs
    if compare_runs(left, right)[0].equal:
        return []
    found = first_divergence(next(left.results()), next(right.results()), world)
    return found.describe(*names).splitlines()[:_SHOWN] if found else ["the rows differ"]


def _oracle(spec: str, can: Capabilities, timeout: float | None) -> Step:
    title = "agrees with the oracle"
    if can.own_rules or can.costly:
        why = "its rules are its own" if can.own_rules else "its runs take long"
        return Step(title, "left out", (f"{why}: compare it with `pytest differential --parity oracle`",))
    worlds = [World(generate(6, seed=seed), Scenario(end_year=2026, random_seed=seed)) for seed in range(3)]
    worlds += [World(generate(60, seed=9), Scenario()), *companions()]
    agreeing = 0
    told: list[str] = []
    for world in worlds:
        try:
            runs = Side(spec).run([world], timeout=timeout), Side("oracle").run([world])
            differing = _differences(runs, world, (label(spec), "oracle"))
            reasons = [says(run) for run in runs]
            if not differing and reasons[0] != reasons[1]:
                differing = [f"{label(spec)} {reasons[0]}, the oracle {reasons[1]}"]
        except Exception as error:  # noqa: BLE001 - as in _run
            differing = f"{type(error).__name__}: {error}".splitlines()[:_SHOWN]
        agreeing += not differing
        told = told or differing
    count = f"{agreeing} of {len(worlds)} small worlds have the same rows, to the cent and the day"
    return Step(title, "failed" if told else "ok", (count, *told))


def says(run: Run) -> str:
    """What a run says of its one world: that it has a result, or why not."""
    reason = run.infeasible.get(0)
    return f"says: {reason.code} in {reason.year}" if reason else "has a result"
