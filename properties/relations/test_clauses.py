"""Each clause of the designed relations can fail, and each documented key and bound has its entry."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from differential.run import WorldResult
from differential.side import Side
from fixtures.changes import by_age
from fixtures.scenario import Limits, Scenario, ScenarioError
from fixtures.world import World
from properties.relations import rows
from properties.relations.boundaries import M21
from properties.relations.designed import busy
from properties.relations.families import Job, make_job
from properties.relations.interference import M12, MATRIX, Knobs
from properties.relations.judgement import Judgement, in_year, with_column
from properties.relations.keys import KEYS, M11
from properties.relations.relation import Family, TwinRelation
from properties.relations.rows import M10


def run_job(job: Job) -> dict[str, WorldResult]:
    """What Polars makes of the job's worlds, by name; the base is ``."""
    worlds = {"": job.world, **job.twins}
    return dict(zip(worlds, Side("polars").run(list(worlds.values())).results(), strict=True))


def judged(relation: TwinRelation, job: Job, results: Mapping[str, WorldResult]) -> Judgement:
    judgement = Judgement(relation.check)
    twins = {name: results[name] for name in job.twins}
    relation.judge(Family(job.world, results[""], job.twins, twins), judgement)
    return judgement


def jobs_of(relation: TwinRelation) -> list[Job]:
    found = [make_job(relation, 0, world) for world in relation.inputs("small")]
    return [job for job in found if job is not None]


def test_every_key_breaks_when_an_engine_ignores_it() -> None:
    broken: list[str] = []
    for job in jobs_of(M11):
        results = run_job(job)
        assert not judged(M11, job, results).violations
        ignored = dict.fromkeys(results, results[""])
        broken += {found.clause for found in judged(M11, job, ignored).violations}
    assert broken == [key.path for key in KEYS]


def test_every_boundary_breaks_when_it_lies_a_step_off() -> None:
    for job in jobs_of(M21):
        results = run_job(job)
        assert not judged(M21, job, results).violations
        later = {"below": results["below"], "": results["below"], "above": results[""]}
        earlier = {"below": results[""], "": results["above"], "above": results["above"]}
        assert judged(M21, job, later).violations or judged(M21, job, earlier).violations


@pytest.fixture(scope="module")
def turned() -> tuple[Job, dict[str, WorldResult]]:
    job = make_job(M12, 0, busy())
    assert job is not None
    return job, run_job(job)


@pytest.mark.parametrize("knobs", MATRIX, ids=lambda knobs: knobs.name)
def test_every_row_of_the_matrix_breaks_on_each_kept_type_and_on_the_state(
    knobs: Knobs, turned: tuple[Job, dict[str, WorldResult]]
) -> None:
    job, results = turned
    start = job.world.scenario.start_year
    held = in_year(results[knobs.name], start) if knobs.first_year else results[knobs.name]
    seen = set(held.events["event_type"].to_pylist()) & set(knobs.kept)
    assert len(seen) >= 4
    for event in seen:
        spoiled = {**results, knobs.name: _one_less(results[knobs.name], event)}
        assert {found.clause for found in judged(M12, job, spoiled).violations} == {knobs.name}, event
    spoiled = {**results, knobs.name: _other_hire_dates(results[knobs.name])}
    assert {found.clause for found in judged(M12, job, spoiled).violations} == {knobs.name}


@pytest.mark.parametrize("knobs", MATRIX, ids=lambda knobs: knobs.name)
def test_every_row_of_the_matrix_really_turns_something(
    knobs: Knobs, turned: tuple[Job, dict[str, WorldResult]]
) -> None:
    _, results = turned
    base = results["annual additions out of reach"]
    assert not (results[knobs.name].events.equals(base.events) and results[knobs.name].state.equals(base.state))


def _one_less(result: WorldResult, event: str) -> WorldResult:
    """Without the first event of a type; rows come year by year."""
    types = result.events["event_type"].to_pylist()
    first = types.index(event)
    return WorldResult(result.events.take([i for i in range(len(types)) if i != first]), result.state)


def _other_hire_dates(result: WorldResult) -> WorldResult:
    """Everybody with the hire date of the next row."""
    hired = result.state["hire_date"]
    return WorldResult(result.events, with_column(result.state, "hire_date", hired.take([*range(1, len(hired)), 0])))


def test_written_and_left_out_defaults_that_differ_are_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    job = make_job(M10, 0, busy())
    assert job is not None
    results = run_job(job)
    assert not judged(M10, job, results).violations

    def forgetful(self: Scenario, *, only_changed: bool = True) -> str:
        del self, only_changed
        return "cola_rate: 0.5"

    monkeypatch.setattr(Scenario, "to_yaml", forgetful)
    monkeypatch.setattr(rows, "_reread", lambda census: census.take([0]))
    found = {violation.clause for violation in judged(M10, job, results).violations}
    assert found == {"left out", "census"}


def test_every_documented_key_has_an_entry() -> None:
    paths = [key.path for key in KEYS]
    assert len(paths) == len(set(paths))
    assert set(paths) == set(_paths(Scenario, "")), "a key without a world that shows it, or an entry without a key"


def _paths(model: type[BaseModel], prefix: str) -> Iterator[str]:
    """Dotted paths of all keys; rates and multipliers by segment are one key, as in the table of the specification."""
    for name, field in model.model_fields.items():
        inner = next(iter(_models(field.annotation)), None)
        if inner is None or {"young", "low_income"} & set(inner.model_fields):
            yield prefix + name
        elif name in ("levels", "new_hire_ages") or inner is Limits or name == "tiers":
            yield from (f"{prefix}{name}.{key}" for key in inner.model_fields)
        else:
            yield from _paths(inner, f"{prefix}{name}.")


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    """The models inside an annotation, such as the entries of a list."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models(part)


_TIER = {"employee_min": 0, "employee_max": "0.03", "match_rate": 1}
_LIMIT = {"elective_deferral": 100, "catch_up": 0, "compensation": 100, "annual_additions": 200}


def _two(key: str, *values: Any) -> list[tuple[str, dict[str, Any]]]:
    """Values for one key, at the top or in a block."""
    block, _, inner = key.partition(".")
    return [(key, {block: {inner: value}} if inner else {key: value}) for value in values]


def _within(key: str, whole: Any, *parts: Mapping[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Values for keys of a list's entries or of a year's limits."""
    *blocks, name, _ = key.split(".")
    lists = [{name: whole({**part})} for part in parts]
    return [(key, {blocks[0]: one} if blocks else one) for one in lists]


def _levels(changed: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"minimum": 1, "maximum": 2, **changed}]


def _limits(changed: dict[str, Any]) -> dict[int, dict[str, Any]]:
    return {year: {**_LIMIT, **changed} for year in (2025, 2026, 2027)}


OUT_OF_RANGE = [
    *_two("start_year", 1949, 2201, "2025"), *_two("end_year", 2024, 2125), *_two("random_seed", -1, 2**63),
    *_two("scenario_id", "", "a" * 65, "a b"), *_two("plan_design_id", "", "a/b"),
    *_two("target_growth_rate", "-1.0001", "1.0001"), *_two("total_termination_rate", "-0.0001", "1.0001"),
    *_two("new_hire_termination_rate", "-0.0001", "1.0001"), *_two("cola_rate", "-0.0001", "1.0001", "0.00001"),
    *_two("merit_rates", [0] * 4, [0] * 4 + ["1.0001"]), *_two("promotion.base_hazard", "-0.0001", "1.0001"),
    *_two("promotion.tenure_multipliers", [1] * 4, [1] * 4 + ["5.0001"]),
    *_two("promotion.age_multipliers", [1] * 6, ["-0.0001"] + [1] * 4), *_two("promotion.level_dampener", "1.0001"),
    *_two("promotion.increase_pct", [0] * 3, [0] * 3 + ["1.0001"]), *_two("promotion.max_cap_pct", "1.0001"),
    *_two("promotion.max_cap_amount", "-0.01", "100000000.01"), *_two("eligibility.minimum_age", -1, 101),
    *_two("eligibility.waiting_period_days", -1, 3_661), *_two("auto_enrollment.enabled", "yes"),
    *_two("auto_enrollment.scope", "everybody"), *_two("auto_enrollment.hire_date_cutoff", "2025-02-30"),
    *_two("auto_enrollment.window_days", -1, 3_661), *_two("auto_enrollment.default_deferral_rate", "1.0001"),
    *_two("auto_enrollment.opt_out_by_age", by_age("1.0001")), *_two("auto_enrollment.opt_out_by_income", by_age(1)),
    *_two("auto_enrollment.opt_out_grace_period", 0, 367), *_two("voluntary_enrollment.enabled", 1),
    *_two("voluntary_enrollment.probability_by_age", by_age("1.0001")),
    *_two("voluntary_enrollment.probability_by_income", by_age(1)),
    *_two("voluntary_enrollment.minimum_rate_by_age", by_age(0), by_age("0.5")),
    *_two("voluntary_enrollment.maximum_rate_by_age", by_age("1.0001")), *_two("deferral_auto_escalation.enabled", None),
    *_two("deferral_auto_escalation.effective_day", "02-29", "13-01"),
    *_two("deferral_auto_escalation.increment_amount", 0, "1.0001"), *_two("deferral_auto_escalation.maximum_rate", "1.0001"),
    *_two("deferral_auto_escalation.hire_date_cutoff", 5),
    *_two("deferral_auto_escalation.first_escalation_delay_years", -1, 51), *_two("employer_match.enabled", "on"),
    *_two("employer_match.cap_percent", "1.0001"), *_two("employer_core.enabled", 0),
    *_two("employer_core.contribution_rate", "1.0001"),
    *_within("levels.minimum", _levels, {"minimum": 0}, {"minimum": 3}),
    *_within("levels.maximum", _levels, {"maximum": "100000000.01"}),
    *_within("new_hire_ages.age", lambda one: [{"age": 20, "weight": 1, **one}], {"age": 15}, {"age": 76}),
    *_within("new_hire_ages.weight", lambda one: [{"age": 20, "weight": 1, **one}], {"weight": 0}, {"weight": 1_000_001}),
    *_within("limits.elective_deferral", _limits, {"elective_deferral": 0}),
    *_within("limits.catch_up", _limits, {"catch_up": "-0.01"}), *_within("limits.compensation", _limits, {"compensation": 0}),
    *_within("limits.annual_additions", _limits, {"annual_additions": 99}),
    *_within("employer_match.tiers.employee_min", lambda one: [{**_TIER, **one}], {"employee_min": "0.03"}),
    *_within("employer_match.tiers.employee_max", lambda one: [{**_TIER, **one}], {"employee_max": "1.0001"}),
    *_within("employer_match.tiers.match_rate", lambda one: [{**_TIER, **one}], {"match_rate": "2.0001"}),
]  # fmt: skip


@pytest.mark.parametrize(("key", "keys"), OUT_OF_RANGE, ids=lambda value: value if isinstance(value, str) else "")
def test_a_value_out_of_range_is_an_error_that_names_the_key(key: str, keys: dict[str, Any]) -> None:
    with pytest.raises(ScenarioError) as caught:
        Scenario.create(**keys)
    assert key.partition(".")[0] in str(caught.value)
    assert key.rpartition(".")[2] in str(caught.value)


def test_every_key_has_a_value_out_of_range() -> None:
    assert {key for key, _ in OUT_OF_RANGE} == {key.path for key in KEYS}


def test_a_year_without_limits_is_an_error() -> None:
    with pytest.raises(ScenarioError, match="no entry for year 2061"):
        Scenario.create(start_year=2059, end_year=2061)


def test_designed_worlds_are_distinct() -> None:
    worlds: list[World] = [*M11.inputs("small"), *M21.inputs("small")]
    assert len({world.fingerprint for world in worlds}) == len(worlds)
