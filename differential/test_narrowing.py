"""Narrowing: the smallest set of switches or axes that still shows a failure, and nothing where engines differ."""

from __future__ import annotations

import pytest

from differential.narrowing import narrow
from differential.side import Side
from differential.variant import Variant, parse_level


def switches(side: Side) -> frozenset[str]:
    return parse_level(side.variant.level)


@pytest.mark.parametrize(
    ("needed", "expected"),
    [
        ({"hazard_cache"}, "narrowed to: switch hazard_cache alone"),
        ({"fused_events", "tuned_io"}, "narrowed to: switch fused_events and switch tuned_io"),
    ],
)
def test_the_smallest_set_of_switches_is_found(needed: set[str], expected: str) -> None:
    left, right = Side("sql", Variant(level="legacy")), Side("sql", Variant(level="high"))

    found = narrow(left, right, lambda one, other: (switches(one) >= needed) != (switches(other) >= needed))

    assert found == expected


def test_axes_that_both_sides_share_are_put_back_where_the_failure_survives() -> None:
    left = Side("sql", Variant(level="low", threads=4, shards=1, resume=1))
    right = Side("sql", Variant(level="low", threads=4, shards=8, resume=1))

    def fails(one: Side, other: Side) -> bool:
        return other.variant.shards == 8 and one.variant.resume == 1

    assert narrow(left, right, fails) == "narrowed to: shards 1 against 8, both sides with resume=1"


def test_a_failure_that_does_not_repeat_is_not_narrowed() -> None:
    left, right = Side("sql", Variant(level="legacy")), Side("sql", Variant(level="high"))

    assert narrow(left, right, lambda _one, _other: False) is None


def test_sides_that_differ_in_more_than_variants_are_not_narrowed() -> None:
    assert narrow(Side("sql"), Side("polars"), lambda _one, _other: True) is None
    assert narrow(Side("sql"), Side("sql", history="prefix"), lambda _one, _other: True) is None
