"""Which variants are compared: every value of each axis and every pair of values, by engines and what they can."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from differential.cases import MORSEL, PARITY_TESTS, Case, all_cases, border_case
from differential.comparison import CLAIMS
from differential.covering import covering_rows
from differential.run import Capabilities
from differential.variant import LEVELS, SWITCHES, parse_level

ALL = Capabilities()
AXES = ("level", "threads", "shards", "resume", "batch_size")


def cases(*engines: str, can: Capabilities = ALL) -> list[Case]:
    return all_cases(engines, dict.fromkeys(engines, can))


def variants(found: list[Case], engine: str) -> list[dict[str, Any]]:
    sides = [side for case in found for pair in case.pairs for side in pair if side.engine == engine]
    return [{axis: getattr(side.variant, axis) for axis in AXES} for side in sides]


@given(st.dictionaries(st.sampled_from("abcdef"), st.integers(1, 4), min_size=2))
def test_covering_rows_hold_every_pair_and_stay_few(sizes: dict[str, int]) -> None:
    axes = {name: list(range(size)) for name, size in sizes.items()}

    rows = covering_rows(axes)

    for a, b in itertools.combinations(axes, 2):
        assert {(row[a], row[b]) for row in rows} == set(itertools.product(axes[a], axes[b]))
    largest = sorted(sizes.values())[-2:]
    assert len(rows) <= 3 * largest[0] * largest[1]


def test_the_cases_run_every_pair_of_values_of_any_two_axes() -> None:
    values: dict[str, list[Any]] = {
        "level": list(LEVELS),
        "threads": [1, 4],
        "shards": [1, 4, 8],
        "resume": [None, 1],
        "batch_size": [None, MORSEL],
    }
    run = variants(cases("polars", "sql"), "polars")

    for a, b in itertools.combinations(AXES, 2):
        seen = {(variant[a], variant[b]) for variant in run}
        assert seen >= set(itertools.product(values[a], values[b])), (a, b)


def test_each_switch_is_compared_alone_against_none() -> None:
    alone = {
        frozenset(parse_level(pair[1].variant.level)) - parse_level(pair[0].variant.level)
        for case in cases("sql")
        if case.test == "levels"
        for pair in case.pairs
        if not parse_level(pair[0].variant.level)
    }
    low = {frozenset({"hazard_cache"})}  # level `low` is that switch alone

    assert alone | low >= {frozenset({switch}) for switch in SWITCHES}


def test_the_two_sides_of_an_axis_differ_on_that_axis_only() -> None:
    axis = {"threads": "threads", "levels": "level", "shards": "shards"}
    for case in cases("sql", "polars"):
        for left, right in case.pairs:
            if case.test in axis:
                differing = [name for name in AXES if getattr(left.variant, name) != getattr(right.variant, name)]
                assert differing == [axis[case.test]], case
                assert (left.engine, left.history, left.legacy_flag) == (right.engine, right.history, right.legacy_flag)


def test_every_parity_test_has_a_case_and_every_case_a_claim() -> None:
    found = cases("sql", "polars", "sql@python")

    assert {case.test for case in found} == set(PARITY_TESTS)
    assert {case.claim for case in found} <= set(CLAIMS)
    assert len({(case.test, case.name) for case in found}) == len(found)


def test_one_engine_under_two_pythons_is_a_claim_about_libraries() -> None:
    """Never sql_vs_polars, whose claim is two engines: that would be refused, or worse, pass for what it is not."""
    found = cases("sql", "polars", "polars@one", "sql@one", "sql@two", "oracle@one")
    pairs = {(case.claim, *(side.engine for side in case.pairs[0])) for case in found if case.size == "worlds"}

    assert pairs == {
        ("sql_vs_polars", "sql", "polars"),
        ("library_versions", "polars", "polars@one"),
        ("library_versions", "sql", "sql@one"),
        ("library_versions", "sql", "sql@two"),
        ("sql_vs_polars", "sql", "oracle@one"),
        *(("oracle", spec, "oracle") for spec in ("sql", "polars", "polars@one", "sql@one", "sql@two")),
    }
    assert border_case(["sql", "sql@one"]).claim == "library_versions"


def test_axes_that_an_engine_lacks_are_left_out() -> None:
    poor = Capabilities(
        many_worlds=False, levels=("high",), switches=(), threads=False, shards=False, resume=False, batch_size=False,
        database=False, legacy_flag=False,
    )  # fmt: skip

    found = cases("mine:engine", can=poor)

    assert {(case.test, case.name.removeprefix("mine:engine-")) for case in found} == {
        ("oracle", "mine:engine"),
        ("same_seed", "mine:engine"),
        ("several_years", "prefix"),
    }


@pytest.mark.parametrize("missing", ["threads", "shards", "resume", "batch_size", "database", "legacy_flag"])
def test_one_missing_axis_leaves_the_others(missing: str) -> None:
    from dataclasses import replace

    found = cases("mine:engine", can=replace(ALL, **{missing: False}))  # type: ignore[arg-type]

    assert found
    for case in found:
        assert case.test != {"legacy_flag": "legacy"}.get(missing, missing)
        for side in (side for pair in case.pairs for side in pair):
            assert missing not in AXES or getattr(side.variant, missing) in (None, 1)
