"""M21: triples at a boundary, a step below it, on it, and a step above.

Each triple states what is seen at the three places, worked out by hand from docs/simulation.md, and which event types may differ
between them; the numbers of all others must not. No engine is compared with another: a boundary that all of them put a step too far
is seen all the same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import cache

from differential.run import WorldResult
from fixtures.world import World
from properties.check import Check
from properties.relations.boundaries_career import CAREER
from properties.relations.boundaries_draws import DRAWS
from properties.relations.boundaries_plan import PLAN
from properties.relations.cases import Triple
from properties.relations.judgement import Judgement
from properties.relations.relation import Family, Size, Twin, TwinRelation

_PLACES = ("below", "at", "above")
TRIPLES: tuple[Triple, ...] = (*CAREER, *PLAN, *DRAWS)
"""All boundaries."""


@cache
def _known() -> dict[str, Triple]:
    """By the fingerprint of the world at the boundary."""
    return {triple.worlds[1].fingerprint: triple for triple in TRIPLES}


@cache
def _worlds() -> tuple[World, ...]:
    return tuple(triple.worlds[1] for triple in TRIPLES)


def _inputs(_: Size) -> Sequence[World]:
    return _worlds()


def _twins(base: World) -> list[Twin]:
    triple = _known().get(base.fingerprint)
    return [] if triple is None else [Twin("below", triple.worlds[0]), Twin("above", triple.worlds[2])]


def _judge(family: Family, judgement: Judgement) -> None:
    triple = _known()[family.world.fingerprint]
    results = (family.results["below"], family.result, family.results["above"])
    for place, result, expected in zip(_PLACES, results, triple.expected, strict=True):
        found = triple.measure(result)
        judgement.require(triple.name, found == expected, f"{place}: {triple.sees} {found}", f"{place}: {expected}")
    middle = _others(results[1], triple)
    for place, result in (("below", results[0]), ("above", results[2])):
        others = _others(result, triple)
        judgement.require(
            triple.name, others == middle, f"{place}: other events {dict(others)}", f"as at it: {dict(middle)}"
        )


def _others(result: WorldResult, triple: Triple) -> Counter[str]:
    """The numbers of events that the boundary has no part in."""
    return Counter(event for event in result.events["event_type"].to_pylist() if event not in triple.moving)


M21 = TwinRelation(
    Check(
        "M21",
        "boundaries",
        "A step below, on and a step above every boundary of dates, ages, service, pay and limits: what the rule says happens, "
        "and nothing else.",
        {triple.name: triple.formula for triple in TRIPLES},
    ),
    _twins,
    _judge,
    inputs=_inputs,
)
