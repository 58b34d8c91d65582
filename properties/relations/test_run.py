"""The runner: what it refuses, skips and leaves out; and the parts that relations are made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from differential.engines.oracle import quotas as oracle_quotas
from differential.pool import gather
from differential.run import WorldResult
from differential.side import Side
from fixtures.scenario import Scenario
from fixtures.strategies import worlds
from fixtures.world import World
from properties.relations import quotas
from properties.relations.catalogue import BY_ID, RELATIONS
from properties.relations.copies import M15, slacks
from properties.relations.designed import busy
from properties.relations.empties import M25
from properties.relations.families import batches, make_job
from properties.relations.judgement import difference
from properties.relations.passes import Raised, run_all
from properties.relations.relation import TwinRelation
from properties.relations.run import run_relations
from properties.relations.testing import spec


@pytest.fixture(scope="module")
def sample() -> list[World]:
    return gather(worlds(), 60, 5)


def test_a_copy_that_a_relation_makes_is_a_valid_world(sample: list[World]) -> None:
    for world in sample[::3]:
        for relation in RELATIONS:
            if isinstance(relation, TwinRelation):
                for twin in relation.twins(world):
                    again = Scenario.create(**twin.world.scenario.to_dict())
                    assert again == twin.world.scenario, (relation.check.id, twin.name)
                    twin.world.census.from_frame(twin.world.census.to_source_table())


def test_the_world_that_raises_is_found_and_others_are_judged() -> None:
    numbered = [World(busy().census.take([number]), busy().scenario) for number in range(7)]

    def run(some: Sequence[World]) -> int:
        if numbered[4] in some:
            raise ValueError("the fifth")
        return len(some)

    done = run_all(run, numbered)
    assert sum(part[1] for part in done if not isinstance(part, Raised)) == 6
    assert [(part.world, part.message) for part in done if isinstance(part, Raised)] == [
        (numbered[4], "ValueError: the fifth")
    ]


def test_a_raising_engine_breaks_the_relation_by_name() -> None:
    (broken,) = run_relations(spec("no_empty_years"), [busy()], [BY_ID["M25"]], inputs=False)[0].broken
    assert broken.violation.clause == "completes"
    assert "ZeroDivisionError" in broken.violation.found


def test_types_of_empty_tables_show_where_a_world_is_alone_in_its_pass() -> None:
    """X24 types a table by its first row; among other worlds an empty one has the types of theirs."""
    alone, together = (
        run_relations("differential.planted:X24", [], [relation])[0]
        for relation in (BY_ID["M25"], replace(M25, alone=lambda _: False))
    )
    assert {broken.violation.clause for broken in alone.broken} == {"typed"}
    assert not together.broken


def test_what_an_engine_lacks_is_skipped_with_the_reason_and_never_passed() -> None:
    threads, resumed = run_relations("oracle", [busy()], [BY_ID["M19"], BY_ID["M06"]], inputs=False)
    assert threads.status == resumed.status == "skipped"
    assert threads.skipped == ["threads: oracle has no threads", "shards: oracle has no shards"]
    assert not threads.worlds


def test_out_of_time_is_said() -> None:
    first, second = run_relations("polars", [busy()], [BY_ID["M01"], BY_ID["M05"]], budget=-1)
    assert (first.status, first.skipped) == ("skipped", ["out of time"])
    assert (second.status, second.skipped) == ("skipped", ["prefix: out of time"])


def test_each_world_goes_through_once_and_worlds_of_like_length_go_together(sample: list[World]) -> None:
    order = sorted(sample, key=lambda world: len(world.scenario.years))
    relation = BY_ID["M01"]
    assert isinstance(relation, TwinRelation)
    jobs = [job for world in order if (job := make_job(relation, 0, world)) is not None]
    found = list(batches(iter(jobs)))
    assert sum(len(batch.jobs) for batch in found) == len(jobs)
    lengths = [{len(world.scenario.years) for world in batch.worlds.values()} for batch in found]
    assert all(max(years) <= 3 or min(years) > 3 for years in lengths)


@pytest.mark.parametrize("growth", [-500, 0, 100, 333, 10_000])
@pytest.mark.parametrize("rates", [(0, 0), (1_200, 2_500), (4_000, 3_000), (10_000, 9_000)])
def test_quotas_agree_with_the_oracle_which_was_written_apart(growth: int, rates: tuple[int, int]) -> None:
    scenario = Scenario().model_copy(
        update={"target_growth_rate": growth, "total_termination_rate": rates[0], "new_hire_termination_rate": rates[1]}
    )
    for n, p in ((1, 0), (7, 3), (50, 0), (101, 99), (6_764, 1_014)):
        other = oracle_quotas.year_quota(2025, n, p, growth, *rates)
        assert quotas.totals(scenario, n, p) == (other.exits, other.hires, other.new_hire_exits)
    for population in ([1, 1, 1], [0, 3, 3, 0], [5, 3, 2], [0, 0]):
        assert quotas.split(7, population) == (oracle_quotas.split_over_levels(7, population))


def test_draws_are_splitmix64_folded_over_seed_key_year_stream() -> None:
    first = quotas._mix((1_234_567 + 0x9E3779B97F4A7C15) % 2**64)
    assert first == 6457827717110365317
    assert quotas.draw(8, 7, 9, 10) != quotas.draw(7, 8, 9, 10)


def test_the_slack_of_copies_does_not_grow_with_the_census() -> None:
    first = slacks(busy().scenario, 3)[0].by
    assert first["experienced exits"] < 10  # of 120 people; the same of 60 000
    assert M15.inputs("large")[1].census.table.num_rows * 3 >= 60_000


def test_a_difference_is_told_whatever_the_types_are() -> None:
    result = next(iter(Side("polars").run([busy()]).results()))
    pay = result.state["current_salary"].cast(pa.float64())
    index = result.state.column_names.index("current_salary")
    one, other = (
        WorldResult(result.events, result.state.set_column(index, "current_salary", column))
        for column in (pay, pc.add(pay, 1.0))
    )
    found = difference("M02", "another process", one, other)
    assert found is not None
    assert found.found != found.expected
    assert difference("M02", "another process", one, result) is not None
    backwards = WorldResult(result.events, result.state.take(list(range(len(result.state)))[::-1]))
    assert difference("M01", "reversed", backwards, result) is None
