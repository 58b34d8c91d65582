"""M24: the longer the wait for the plan, the fewer are eligible and the less the employer pays."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from itertools import pairwise

from differential.run import WorldResult
from fixtures.census import Census, Employee
from fixtures.scenario import Scenario
from fixtures.units import MAX_PAY_CENTS
from fixtures.world import World
from properties.check import Check
from properties.relations.edits import filled, lean, under, unlimited_additions
from properties.relations.judgement import Judgement, feasible
from properties.relations.relation import Family, Twin, TwinRelation

_DAYS = (0, 365, 730, 1_095)
_PersonYear = tuple[str, int]


def _spread() -> World:
    """Somebody between any two waits: hired 3, 9, 15, .. months before the opening date, 2 years."""
    hired = [dt.date(2024 - months // 12, 12 - months % 12, 5) for months in range(3, 46, 6)]
    people = [
        Employee(f"E{n:04d}", f"SSN-{n:09d}", dt.date(1980, 3, n), day, 50_000_00 + n) for n, day in enumerate(hired, 1)
    ]
    rules = Scenario.create(
        end_year=2026,
        target_growth_rate=0,
        total_termination_rate=0,
        auto_enrollment={"scope": "all_eligible_employees"},
    )
    return lean(World(Census.from_employees(people), rules))


def _twins(world: World) -> list[Twin]:
    limits = world.scenario.limits.values()
    if any(4 * limit.compensation + limit.elective_deferral + limit.catch_up > MAX_PAY_CENTS for limit in limits):
        return []  # contributions of others could then push out what the employer pays
    opt_out = world.scenario.auto_enrollment.opt_out_by_age
    # a voluntary enrolment has a drawn day in what is left of the year: a later start may give an earlier day
    plain = {"voluntary_enrollment.enabled": False, "auto_enrollment.opt_out_by_age": filled(opt_out, 0)}
    base = under(unlimited_additions(world), plain)
    return [Twin(f"{days} days", under(base, {"eligibility.waiting_period_days": days})) for days in _DAYS]


def _judge(family: Family, judgement: Judgement) -> None:
    waits = [family.results.get(f"{days} days", family.result) for days in _DAYS]
    if not family.results or not feasible(*waits):
        return
    for shorter, longer in pairwise(waits):
        _two_waits(shorter, longer, judgement)
    if family.world.fingerprint == _spread().fingerprint:
        costs = [sum(_costs(wait).values()) for wait in waits]
        falling = all(one > other for one, other in pairwise(costs))
        judgement.require(
            "strictly, with people between", falling, " > ".join(map(str, costs)), "each less than the one before"
        )


def _two_waits(shorter: WorldResult, longer: WorldResult, judgement: Judgement) -> None:
    early, late = _eligible(shorter), _eligible(longer)
    extra = sorted(late - early)
    found = f"{len(extra)} more" if extra else "none"
    name, year = extra[0] if extra else (None, None)
    judgement.require(
        "eligible sets are nested",
        not extra,
        found,
        "nobody eligible only after a longer wait",
        employee=name,
        year=year,
    )
    more, less = _costs(shorter), _costs(longer)
    dearer = sorted(key for key, cost in less.items() if cost > more.get(key, Decimal(0)))
    name, year = dearer[0] if dearer else (None, None)
    cost = f"{less[dearer[0]]} after the longer wait" if dearer else "none"
    bound = f"at most {more.get(dearer[0], 0)}" if dearer else "none dearer"
    judgement.require("cost does not rise", not dearer, cost, bound, employee=name, year=year)
    between = [key for key in early - late if key in _with_core(shorter)]
    if between:
        total = sum(more.values()), sum(less.values())
        judgement.require(
            "strictly, where a core contribution falls away", total[0] > total[1], total[1], f"less than {total[0]}"
        )


def _eligible(result: WorldResult) -> set[_PersonYear]:
    return {key for key, eligible in _by_person(result, "is_eligible").items() if eligible}


def _with_core(result: WorldResult) -> set[_PersonYear]:
    return {key for key, core in _by_person(result, "employer_core_amount").items() if core}


def _costs(result: WorldResult) -> dict[_PersonYear, Decimal]:
    """What the employer pays for each person and year."""
    core = _by_person(result, "employer_core_amount")
    return {key: core[key] + match for key, match in _by_person(result, "employer_match_amount").items()}


def _by_person(result: WorldResult, column: str) -> dict[_PersonYear, Decimal]:
    state = result.state
    keys = zip(state["employee_id"].to_pylist(), state["simulation_year"].to_pylist(), strict=True)
    return dict(zip(keys, state[column].to_pylist(), strict=True))


M24 = TwinRelation(
    Check(
        "M24",
        "waiting",
        "Waits of 0, 1, 2 and 3 years without opt-outs: who is eligible after the longer is so after the shorter, and nobody costs "
        "the employer more after the longer.",
        {
            "eligible sets are nested": "eligible(longer wait) is part of eligible(shorter wait), by person and year",
            "cost does not rise": "match + core (longer wait) <= match + core (shorter wait), for every person and year",
            "strictly, where a core contribution falls away": "sum(longer) < sum(shorter), if somebody with core is eligible only "
            "after the shorter wait",
            "strictly, with people between": "sum(0) > sum(365) > sum(730) > sum(1095) days, with people hired in between",
        },
    ),
    _twins,
    _judge,
    inputs=lambda _: [_spread()],
)
