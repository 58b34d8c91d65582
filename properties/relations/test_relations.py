"""Each relation holds on clean engines with something in every clause, and fails on an engine with the fault it is for."""

from __future__ import annotations

import pytest

from differential.engines import DEFAULT_PAIR
from differential.pool import gather
from differential.side import Side
from fixtures.strategies import worlds
from fixtures.world import World
from properties.relations.catalogue import BY_ID, RELATIONS
from properties.relations.designed import busy
from properties.relations.judgement import Judgement
from properties.relations.relation import COMPLETES, Family, Relation, TwinRelation
from properties.relations.run import RelationOutcome, run_relations
from properties.relations.testing import spec
from properties.relations.ways import two_years


@pytest.fixture(scope="module")
def sample() -> list[World]:
    return gather(worlds(max_years=2, max_employees=20), 8, 3)


def _of_twins(relation: Relation) -> bool:
    return isinstance(relation, TwinRelation)


def broken_clauses(outcome: RelationOutcome) -> set[str]:
    return {broken.violation.clause for broken in outcome.broken}


@pytest.mark.parametrize("engine", DEFAULT_PAIR)
def test_all_hold_on_a_clean_engine_and_no_clause_is_empty(engine: str, sample: list[World]) -> None:
    # two years are enough for the paths, and a pass costs as much as its longest world has years
    paths = run_relations(engine, [two_years(busy())], [one for one in RELATIONS if not _of_twins(one)], inputs=False)
    for outcome in [*paths, *run_relations(engine, sample, [one for one in RELATIONS if _of_twins(one)])]:
        assert not outcome.refused, outcome
        assert not outcome.broken, outcome.broken[0].violation
        assert outcome.status == "pass"
        skipped = {note.partition(":")[0] for note in outcome.skipped}
        assert set(BY_ID[outcome.relation].check.clauses) - skipped == set(outcome.held), outcome.relation
        assert not skipped or (engine, skipped) == ("sql", {"batch size"})


def test_relations_are_sorted_and_named_once() -> None:
    keys = [relation.check.key for relation in RELATIONS]
    assert keys == sorted(set(keys))
    assert {number for _, number in keys} == set(range(1, 27)) - {22}  # M22 is properties/environment


FAULTS = [
    ("M01", "first_row", {"reversed"}),
    ("M02", "clock", {"two fresh databases"}),
    ("M03", "clock", {"re-run"}),
    ("M04", "in_database", {"after others", "zero rates after usual ones"}),
    ("M05", "last_year", {"prefix"}),
    ("M06", "resumed", {"resumed after a year", "year by year", "an early year again"}),
    ("M07", "after_2040", {"events and state"}),
    ("M08", "in_database", {"through a database", "by years, without a past"}),
    ("M09", "off_switch_half", {"voluntary enrolment"}),
    ("M10", "last_limits", {"limits of other years"}),
    ("M12", "core_by_escalation", {"escalation"}),
    ("M13", "one_seed", {"experienced exits: people", "hires: birthdays", "opt-outs: dates", "new-hire exits: people"}),
    ("M13", "growth_by_seed", {"totals: hires"}),
    ("M14", "seed_by_headcount", {"who leaves", "the others"}),
    ("M15", "growth_by_headcount", {"hires"}),
    ("M16", "growth_by_name", {"totals: hires"}),
    ("M16", "seed_by_ssn", {"social security numbers"}),
    ("M16", "seed_by_scenario", {"scenario and plan"}),
    ("M16", "first_row", set()),
    ("M17", "nobody_left", {"without those who left", "somebody who left on the opening date"}),
    ("M17", "everybody_in_time", {"somebody hired the day after the opening date"}),
    ("M18", "deletes_neighbours", {"before and after, in one database"}),
    ("M19", "with_threads", {"threads"}),
    ("M19", "with_shards", {"shards"}),
    ("M20", "not_high", {"level legacy", "level low", "level medium"}),
    ("M20", "flagged", {"legacy flag"}),
    ("M20", "with_batches", {"batch size"}),
    ("M21", "x19_sql", {"cutoff of automatic enrolment", "cutoff of escalation"}),
    ("M21", "x19_polars", {"cutoff of automatic enrolment", "cutoff of escalation"}),
    ("M21", "x19_oracle", {"cutoff of automatic enrolment", "cutoff of escalation"}),
    ("M23", "dear_raises", {"amounts"}),
    ("M24", "patient_first", {"eligible sets are nested", "cost does not rise", "strictly, with people between"}),
    ("M25", "text_levels", {COMPLETES}),  # its tables of other types cannot be put under each other
    ("M25", "no_empty_years", {COMPLETES}),
    (
        "M26",
        "moved_pay",
        {"promotions that raise nothing: everything else", "raises that raise nothing: everything else"},
    ),
]


@pytest.mark.parametrize(("relation", "fault", "clauses"), FAULTS, ids=[f"{r}-{f}" for r, f, _ in FAULTS])
def test_a_fault_breaks_the_relation_that_is_for_it(relation: str, fault: str, clauses: set[str]) -> None:
    (outcome,) = run_relations(spec(fault), [], [BY_ID[relation]])
    assert broken_clauses(outcome) >= clauses
    assert outcome.status == ("fail" if clauses else "pass")
    first = outcome.broken[0].violation if outcome.broken else None
    assert first is None or (first.check == relation and first.found != first.expected)


@pytest.mark.parametrize("relation", ["M06", "M19", "M20"])
def test_an_engine_that_goes_one_way_is_refused(relation: str) -> None:
    (outcome,) = run_relations(spec("one_way"), [], [BY_ID[relation]])
    assert outcome.refused
    assert outcome.status in ("refused", "fail")
    assert not set(outcome.held) & {"threads", "shards", "resumed after a year", "level low"}


def test_empty_tables_of_other_types_break_m25() -> None:
    """Each world run alone, since tables of different types cannot be joined to one run."""
    relation = BY_ID["M25"]
    assert isinstance(relation, TwinRelation)
    twins = {twin.name: twin.world for twin in relation.twins(busy())}
    alone = {name: next(Side(spec("text_levels")).run([one]).results()) for name, one in twins.items()}
    base = next(Side("polars").run([busy()]).results())
    judgement = Judgement(relation.check)

    relation.judge(Family(busy(), base, twins, alone), judgement)

    assert "typed" in {violation.clause for violation in judgement.violations}
