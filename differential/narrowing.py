"""Which switches or axes it takes: the smallest set of differences between two sides that still shows a failure."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import replace

from differential.side import Side
from differential.variant import SWITCHES, Variant, parse_level

AXES = ("threads", "shards", "resume", "batch_size")
Fails = Callable[[Side, Side], bool]


def narrow(left: Side, right: Side, fails: Fails) -> str | None:
    """One line naming what it takes, or None where the two sides differ in more than their variants.

    `fails(left, right)` runs both sides on the failing world. Axes that both sides share are put back to their base first; then
    the smallest set of switches is sought that, flipped on the left side, still fails.
    """
    if left.engine != right.engine or left.history != right.history or left.legacy_flag != right.legacy_flag:
        return None
    left, right = _without_shared_axes(left, right, fails)
    mine, yours = parse_level(left.variant.level), parse_level(right.variant.level)
    for switches in _subsets(mine ^ yours):
        flipped = _with_switches(left, mine ^ switches, right)
        if fails(left, flipped):
            return _told(left, flipped, switches)
    return None


def _without_shared_axes(left: Side, right: Side, fails: Fails) -> tuple[Side, Side]:
    base = Variant()
    for axis in (*AXES, "level"):
        value = getattr(left.variant, axis)
        if value != getattr(right.variant, axis) or value == getattr(base, axis):
            continue
        calmer = [replace(side, variant=replace(side.variant, **{axis: getattr(base, axis)})) for side in (left, right)]
        if fails(*calmer):
            left, right = calmer
    return left, right


def _subsets(switches: frozenset[str]) -> Iterator[frozenset[str]]:
    """Smallest first; in the order of SWITCHES, so that the answer is the same each time."""
    ordered = [switch for switch in SWITCHES if switch in switches]
    for size in range(0 if not ordered else 1, len(ordered) + 1):
        yield from (frozenset(chosen) for chosen in itertools.combinations(ordered, size))


def _with_switches(left: Side, switches: frozenset[str], right: Side) -> Side:
    level = "+".join(switch for switch in SWITCHES if switch in switches) or "legacy"
    if switches == parse_level(left.variant.level):
        level = left.variant.level
    return replace(right, variant=replace(right.variant, level=level))


def _told(left: Side, right: Side, switches: frozenset[str]) -> str:
    axes = [
        f"{axis} {getattr(left.variant, axis)} against {getattr(right.variant, axis)}"
        for axis in AXES
        if getattr(left.variant, axis) != getattr(right.variant, axis)
    ]
    shared = [
        f"{axis}={getattr(left.variant, axis)}"
        for axis in (*AXES, "level")
        if getattr(left.variant, axis) == getattr(right.variant, axis) != getattr(Variant(), axis)
    ]
    alone = " alone" if len(switches) == 1 else ""
    flipped = [f"switch {switch}{alone}" for switch in SWITCHES if switch in switches]
    text = "narrowed to: " + " and ".join([*axes, *flipped])
    return text + (f", both sides with {', '.join(shared)}" if shared else "")
