"""Claims held to proofs: which pairs of runs bear a claim, and every reason for refusing one."""

from __future__ import annotations

import dataclasses
from dataclasses import replace
from typing import Any

import pytest

from differential.comparison import CLAIMS, Claim, check_claim
from differential.comparison.worked import example_run
from differential.run import Proof, Run

pytestmark = pytest.mark.suite

FIRST = example_run()
SECOND = example_run()
assert FIRST.proof

SQL = replace(
    FIRST.proof,
    engine="sql",
    versions={"duckdb": "1.4"},
    statements=12,
    threads=1,
    shard_rows=(10,),
    switches=frozenset({"hazard_cache"}),
)


def runs(left: Proof | None = SQL, right: Proof | None = SQL) -> tuple[Run, Run]:
    """Two runs with tables of their own and these proofs."""
    return replace(FIRST, proof=left), replace(SECOND, proof=right)


def codes(claim: str, left: Proof | None, right: Proof | None) -> set[str]:
    outcome = check_claim(CLAIMS[claim], *runs(left, right))
    assert outcome.ok == (outcome.status == "ok") == (not outcome.reasons)
    return {code for code, _ in outcome.reasons}


POLARS = replace(SQL, engine="polars", versions={"polars": "1.33"})
OTHER_PATHS: dict[str, Proof] = {
    "sql_vs_polars": POLARS,
    "oracle": replace(SQL, engine="oracle", versions={"python": "3.11"}, statements=0, switches=frozenset()),
    "library_versions": replace(SQL, versions={"duckdb": "2.0", "python": "3.12"}),
    "threads": replace(SQL, threads=4),
    "levels": replace(SQL, switches=frozenset({"hazard_cache", "tuned_io"})),
    "shards": replace(SQL, shard_rows=(5, 5)),
    "batch": replace(SQL, batch_size=7),
    "resume": replace(SQL, legs=(100, 101)),
    "legacy": replace(SQL, forced_legacy=True, switches=frozenset()),
    "new_process": replace(SQL, pid=SQL.pid + 1),
    "used_database": replace(SQL, database="/tmp/right.duckdb"),
    "company": replace(SQL, company=3),
}
ANY = {"same_seed", "prefix"}


def test_every_claim_is_tested() -> None:
    assert OTHER_PATHS.keys() | ANY == CLAIMS.keys()


@pytest.mark.parametrize("claim", OTHER_PATHS)
def test_a_claim_is_borne_by_another_path_only(claim: str) -> None:
    other = OTHER_PATHS[claim]
    assert codes(claim, SQL, other) == codes(claim, other, SQL) == set()
    assert codes(claim, SQL, SQL) == {"versions" if claim == "library_versions" else "differ"}
    outcome = check_claim(CLAIMS[claim], *runs())
    assert outcome.status == "refused"
    assert f"{claim} claims" in outcome.describe()


@pytest.mark.parametrize("claim", sorted(ANY))
def test_claims_of_one_path(claim: str) -> None:
    assert codes(claim, SQL, SQL) == set()
    assert codes(claim, SQL, replace(SQL, threads=2)) == {"same"}


@pytest.mark.parametrize("claim", sorted(CLAIMS.keys() - {"sql_vs_polars", "oracle"}))
@pytest.mark.parametrize("fact", sorted(OTHER_PATHS.keys() & {"threads", "shards", "batch", "resume"}))
def test_nothing_else_may_differ(claim: str, fact: str) -> None:
    if claim == fact:
        return
    changed = {
        field.name: getattr(OTHER_PATHS[fact], field.name)
        for field in dataclasses.fields(Proof)
        if getattr(OTHER_PATHS[fact], field.name) != getattr(SQL, field.name)
    }
    assert codes(claim, SQL, replace(OTHER_PATHS.get(claim, SQL), **changed)) == {"same"}


def test_another_engine_on_the_other_side_bears_no_axis() -> None:
    assert codes("threads", SQL, replace(POLARS, threads=4)) == {"same"}


def test_other_libraries_are_a_claim_about_one_engine_and_a_library_that_both_name() -> None:
    both = {"duckdb": "1.4", "pyarrow": "17"}
    left, right = replace(SQL, versions=both), replace(SQL, versions={**both, "pyarrow": "26", "python": "3.12"})

    assert codes("library_versions", left, right) == set()
    assert codes("library_versions", SQL, replace(SQL, versions={"duckdb": "1.4", "python": "3.12"})) == {"versions"}
    assert codes("library_versions", SQL, replace(POLARS, engine="oracle", versions={"polars": "2"})) == {
        "same",
        "versions",
    }
    assert "both sides ran with duckdb 1.4" in check_claim(CLAIMS["library_versions"], *runs()).describe()


@pytest.mark.parametrize(("left", "right"), [(None, SQL), (SQL, None), (None, None)])
def test_a_run_without_proof_is_unproven(left: Proof | None, right: Proof | None) -> None:
    outcome = check_claim(CLAIMS["same_seed"], *runs(left, right))
    assert outcome.status == "unproven"
    assert not outcome.ok
    assert "no proof on the " in outcome.describe()


REFUSED: dict[str, tuple[dict[str, Any], str, str]] = {
    "other inputs": ({"inputs": ("a", "b", "c", "d")}, "inputs", "4 of 4 worlds differ (first: world 0)"),
    "fewer inputs": ({"inputs": SQL.inputs[:3]}, "inputs", "names 3 inputs, the run has 4 worlds"),
    "a fall-back": ({"fallbacks": ("polars not found, used sql",)}, "fallback", "polars not found, used sql"),
    "no library": ({"versions": {"pandas": "2"}}, "library", "lists no version of duckdb"),
    "nothing executed": ({"statements": 0}, "library", "no statement or plan was executed"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_proof_that_tells_of_something_else_is_refused(case: str) -> None:
    changes, code, text = REFUSED[case]
    for pair in (runs(SQL, replace(SQL, **changes)), runs(replace(SQL, **changes), SQL)):
        outcome = check_claim(CLAIMS["same_seed"], *pair)
        assert outcome.status == "refused"
        assert code in dict(outcome.reasons)
        assert text in outcome.describe()


def test_the_legacy_flag_must_take_the_switches_away() -> None:
    assert codes("legacy", SQL, replace(SQL, forced_legacy=True)) == {"legacy"}


def test_a_resume_within_one_process_is_none() -> None:
    assert codes("resume", SQL, replace(SQL, legs=(100, 100))) == {"differ"}
    assert codes("resume", SQL, replace(SQL, legs=(100,))) == {"differ"}


def test_an_empty_shard_among_many_people_is_refused() -> None:
    assert codes("shards", SQL, replace(SQL, shard_rows=(100, 0))) == {"shards"}
    assert codes("shards", SQL, replace(SQL, shard_rows=(10, 0))) == set()


def test_one_database_on_both_sides_is_refused(tmp_path: Any) -> None:
    path = tmp_path / "one.duckdb"
    path.touch()
    (tmp_path / "link.duckdb").symlink_to(path)
    one = replace(SQL, database=str(path))
    other = replace(SQL, database=str(tmp_path / "link.duckdb"))
    assert codes("same_seed", one, one) == {"database"}
    assert codes("same_seed", one, other) == {"database"}
    assert codes("same_seed", one, replace(SQL, database=str(tmp_path / "two.duckdb"))) == set()


def test_the_same_tables_on_both_sides_are_refused() -> None:
    run = replace(FIRST, proof=SQL)
    for other in (run, replace(run, proof=POLARS), replace(SECOND, proof=POLARS, events=FIRST.events)):
        for claim in ("same_seed", "sql_vs_polars"):
            assert "shared" in {code for code, _ in check_claim(CLAIMS[claim], run, other).reasons}
    whole = replace(run, events=FIRST.events.slice(0), state=FIRST.state.select(FIRST.state.column_names))
    assert {code for code, _ in check_claim(CLAIMS["same_seed"], run, whole).reasons} == {"shared"}


def test_tables_without_rows_share_nothing() -> None:
    empty = replace(
        FIRST,
        events=FIRST.events.slice(0, 0),
        state=FIRST.state.slice(0, 0),
        bounds=((0, 0),) * 4,
        proof=replace(SQL, planned={}),
    )
    assert check_claim(CLAIMS["same_seed"], empty, empty).ok


@pytest.mark.parametrize("event", ["hire", "termination"])
def test_planned_people_of_whom_nobody_shows_are_refused(event: str) -> None:
    import pyarrow.compute as pc

    def without(run: Run) -> Run:
        return run.map(lambda events, state: (events.filter(pc.not_equal(events["event_type"], event)), state))

    assert SQL.planned["hires"] > 0
    assert SQL.planned["exits"] > 0
    left, right = runs()
    outcome = check_claim(CLAIMS["same_seed"], left, without(right))
    assert {code for code, _ in outcome.reasons} == {"empty"}
    assert f"there is no {event} event" in outcome.describe()
    prefix = Claim("cut", frozenset(), frozenset(), whole=False)
    assert check_claim(prefix, left, without(right)).ok


def test_an_empty_state_table_where_people_were_planned_is_refused() -> None:
    left, right = runs()
    outcome = check_claim(CLAIMS["same_seed"], left, right.map(lambda events, state: (events, state.slice(0, 0))))
    assert "the state table is empty" in outcome.describe()
