"""M11: every documented key changes something, in the stated direction; the key's world is designed to show it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from fixtures.world import World
from properties.check import Check
from properties.relations.cases import Key
from properties.relations.judgement import Judgement
from properties.relations.keys_plan import PLAN
from properties.relations.keys_workforce import WORKFORCE
from properties.relations.relation import Family, Size, Twin, TwinRelation

_TWIN = "key changed"
KEYS: tuple[Key, ...] = (*WORKFORCE, *PLAN)
"""All keys, in the order of the table."""


@cache
def _known() -> dict[str, tuple[Key, World]]:
    """By the fingerprint of the world with the low value: the key and the world with the high one."""
    found = {}
    for key in KEYS:
        low, high = key.worlds()
        found[low.fingerprint] = (key, high)
    return found


@cache
def _worlds() -> tuple[World, ...]:
    return tuple(key.worlds()[0] for key in KEYS)


def _inputs(_: Size) -> Sequence[World]:
    return _worlds()


def _twins(base: World) -> list[Twin]:
    found = _known().get(base.fingerprint)
    return [] if found is None else [Twin(_TWIN, found[1])]


def _judge(family: Family, judgement: Judgement) -> None:
    key, _ = _known()[family.world.fingerprint]
    before, after = key.measure(family.result), key.measure(family.results[_TWIN])
    moved = {"up": "more than", "down": "less than", "other": "other than"}[key.direction]
    right = before != after
    if key.direction != "other":
        right = after > before if key.direction == "up" else after < before
    judgement.require(key.path, right, f"{key.sees}: {after}", f"{moved} {before}")
    if key.values:
        judgement.equal(key.path, (before, after), key.values)


M11 = TwinRelation(
    Check(
        "M11",
        "live keys",
        "Every documented key changes something in a world made to show it, in the stated direction.",
        {key.path: key.formula for key in KEYS},
    ),
    _twins,
    _judge,
    inputs=_inputs,
)
