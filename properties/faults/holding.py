"""Properties as detectors: invariants and relations of one engine, the life of a database, and the environment."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from differential.side import Side
from fixtures.empties import empties
from fixtures.world import World
from properties.check import Violation
from properties.environment.run import run_environment
from properties.faults.bench import Bench, real_census
from properties.faults.hit import Hit
from properties.faults.target import Target
from properties.invariants import all_checks, judge
from properties.invariants.schema import CHECK as SCHEMA
from properties.judging import PropertyCheck, judge_of
from properties.lifecycle import run_lifecycle
from properties.relations.catalogue import RELATIONS
from properties.relations.passes import Raised, run_all
from properties.relations.relation import PathRelation
from properties.relations.run import run_relations
from properties.session import population

ENVIRONMENT_WORLDS = 40
GENERATED = 20
"""Generated worlds that each relation takes beside its own; profile ci gives it three times as many."""
RELATION_SECONDS = 90.0
"""After which no further pass of the relations is begun: an engine that raises is run over ever smaller parts."""
PATHS = frozenset(relation.check.id for relation in RELATIONS if isinstance(relation, PathRelation))
"""Relations of a world with itself, run another way."""
_FIRST_CHUNKS = 4


def invariants(target: Target, bench: Bench) -> list[Hit]:
    """Every invariant, on the first chunk; those that are expected and silent there also on a few more, and on many people."""
    found = _judged(target, bench, [real_census(), *bench.chunk(0)], None)
    waiting = {name for name in target.detectors if name in all_checks()} - {hit.detector for hit in found}
    for position in range(1, _FIRST_CHUNKS + 1):
        if not waiting:
            break
        worlds = bench.chunk(position) if position < _FIRST_CHUNKS else [population()]
        more = _judged(target, bench, worlds, waiting)
        found += more
        waiting -= {hit.detector for hit in more}
    if SCHEMA.id in waiting:  # types of empty tables show where a world is alone in its pass
        found += [hit for world in empties() for hit in _judged(target, bench, [world], {SCHEMA.id})]
    return found


def _judged(target: Target, bench: Bench, worlds: Sequence[World], ids: Collection[str] | None) -> list[Hit]:
    side = Side(target.spec)
    found: dict[str, Hit] = {}
    for made in run_all(lambda some: side.run(some, timeout=bench.timeout), worlds):
        if isinstance(made, Raised):
            check = PropertyCheck(side, None, "run", timeout=bench.timeout)
            found["I41"] = Hit("I41", "fail", f"raised {made.message[:160]}", made.world, check)
            continue
        part, run = made
        by_check: dict[str, list[Violation]] = {}
        for violation in judge(run, part, ids):
            by_check.setdefault(violation.check, []).append(violation)
        for name, violations in by_check.items():
            first = min(violations, key=lambda one: len(part[one.world].census) * len(part[one.world].scenario.years))
            found.setdefault(name, _property_hit(target, bench, part[first.world], first))
    return list(found.values())


def relations(target: Target, bench: Bench, *, ways: bool) -> list[Hit]:
    """Every relation, on as many worlds as profile ci gives them and on its own inputs.

    ways: also those of a world with itself, run another way, which cost many runs.
    """
    found: list[Hit] = []
    worlds = bench.axis_worlds(GENERATED)
    chosen = [relation for relation in RELATIONS if ways or relation.check.id not in PATHS]
    for outcome in run_relations(target.spec, worlds, chosen, timeout=bench.timeout, budget=RELATION_SECONDS):
        if outcome.broken:
            first = min(outcome.broken, key=lambda one: len(one.world.census) * len(one.world.scenario.years))
            violation = replace(first.violation, world=0)
            found.append(_property_hit(target, bench, first.world, violation))
        elif outcome.refused:
            found.append(Hit(outcome.relation, "refused", outcome.refused[0][:160]))
    return found


def _property_hit(target: Target, bench: Bench, world: World, violation: Violation) -> Hit:
    judged_by = judge_of(violation.check).narrowed(violation.clause)
    check = PropertyCheck(Side(target.spec), judged_by, violation.check, violation.signature, bench.timeout)
    said = f"{violation.clause}: found {violation.found[:70]}, expected {violation.expected[:70]}"
    return Hit(violation.check, "fail", said, world, check)


def life(target: Target, bench: Bench) -> list[Hit]:
    """The life of a database; the clean engine, if there is one, says what should be in the file."""
    engines = (target.spec,) if target.blind or target.spec == target.base else (target.other, target.spec)
    outcome = run_lifecycle(engines, examples=8, steps=8, seed=0, shrink_seconds=5.0, timeout=bench.timeout)
    if outcome.failure:
        return [Hit("L", "fail", " ".join(outcome.failure.split())[:160])]
    return [Hit("L", "refused", outcome.refused[:160])] if outcome.refused else []


def environment(target: Target, bench: Bench) -> list[Hit]:
    """Time zone, locale, clock, hash seed, threads and start method of the process."""
    worlds = bench.axis_worlds(ENVIRONMENT_WORLDS)
    outcomes = run_environment(target.spec, worlds, parallel=1, timeout=bench.timeout)
    failed = [one for one in outcomes if one.status == "fail"]
    if failed:
        return [Hit("M22", "fail", f"{failed[0].name}: {failed[0].reason}"[:160])]
    refused = [one for one in outcomes if one.status == "refused"]
    return [Hit("M22", "refused", f"{refused[0].name}: {refused[0].reason}"[:160])] if refused else []
