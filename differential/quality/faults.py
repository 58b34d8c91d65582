"""Planted faults: the oracle with one rule replaced by a wrong one that a real engine might well have.

Each is a mistake of one line in one rule, so its consequences flow on as a real one's would.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from differential.engines.oracle import (
    OracleEngine,
    draws,
    enrolment,
    money,
    pay,
    payload,
    people,
    quotas,
    simulation,
    units,
    workforce,
)
from differential.run import Capabilities, Run
from differential.variant import Variant
from fixtures.scenario import Scenario
from fixtures.world import World


@dataclass(frozen=True, eq=False)
class Fault:
    """name; patches: (module, attribute, wrong value); keys: scenario keys without which it cannot show."""

    name: str
    patches: tuple[tuple[Any, str, Any], ...]
    keys: Mapping[str, Any] = field(default_factory=dict)

    @property
    def slug(self) -> str:
        """The name as an attribute of ENGINES."""
        return re.sub(r"[^a-z0-9]+", "_", self.name.lower()).strip("_")

    @contextmanager
    def planted(self) -> Iterator[None]:
        """While it is open, the oracle has the fault."""
        with ExitStack() as stack:
            for module, attribute, wrong in self.patches:
                stack.enter_context(patch.object(module, attribute, wrong))
            yield

    def run(self, worlds: Sequence[World]) -> Run:
        """The faulty engine."""
        with self.planted():
            return OracleEngine().run(worlds, Variant())


def _raise_on_opening_pay(member: Any) -> None:
    if pay.raise_due(member):
        scenario, day, before = member.year.scenario, member.year.raise_day, member.pay
        after = pay.raised_pay(member.year, member.level, member.opening.pay)
        text = payload.pay_raise(scenario.cola_rate, scenario.merit_rates[member.level - 1])
        member.events.append(people.Event(people.RAISE, day, text, amount=after, previous_amount=before))
        member.pays.append((day, after))


def _half_even(numerator: int, denominator: int) -> int:
    quotient, rest = divmod(numerator, denominator)
    return quotient + (2 * rest > denominator or (2 * rest == denominator and quotient % 2))


def _exits_from_new_year(quota: Any, hires: Sequence[Any]) -> None:
    for member in draws.smallest(hires, quota.new_hire_exits, workforce.new_hire_exit_rank):
        days = draws.fold(member.draws, draws.NEW_HIRE_EXIT_DATE) % member.year.days
        member.exit_day = max(member.person.hire_date, member.year.first_day + days * units.ONE_DAY)
        member.exit_reason = "new_hire"


def _clamping_escalation(member: Any, opt_out: Any) -> int | None:
    rules = member.year.scenario.deferral_auto_escalation
    conditions = enrolment.escalation_conditions(member, opt_out)
    conditions.pop("rate below the maximum")
    if not rules.enabled or member.rate == 0 or not all(conditions.values()):
        return None
    return int(min(rules.maximum_rate, member.rate + rules.increment_amount))


_record_termination = simulation.record_termination
_opt_out_day = enrolment.opt_out_day
_apply_raise = simulation.apply_raise


def _silent_exit_in_level_2(member: Any) -> None:
    second = member.year.scenario.start_year + 1
    if not (member.level == 2 and member.year.year == second):
        _record_termination(member)


def _largest(items: Sequence[Any], count: int, key: Callable[[Any], Any]) -> list[Any]:
    return sorted(items, key=key, reverse=True)[:count]


def _bucket_rank(member: Any) -> tuple[int, str]:
    return draws.fold(member.draws, draws.EXIT_SELECTION) % 100, member.person.employee_id


def _ties_upwards(total: int, headcounts: Sequence[int]) -> list[int]:
    n = sum(headcounts)
    if n == 0:
        return [0] * len(headcounts)
    parts = [total * count // n for count in headcounts]
    order = sorted(range(len(headcounts)), key=lambda level: (-(total * headcounts[level] % n), -level))
    for level in order[: total - sum(parts)]:
        parts[level] += 1
    return parts


def _match_first(member: Any, own: int, match: int, core: int) -> tuple[int, int]:
    limits = member.year.limits
    over = max(0, min(own, limits.elective_deferral) + match + core - limits.annual_additions)
    from_match = min(match, over)
    return match - from_match, core - (over - from_match)


def _on_1_march(day: Any, year: int) -> Any:
    if day.month == 2 and day.day == 29 and units.days_in_year(year) == 365:
        return day.replace(year=year, month=3, day=1)
    return day.replace(year=year)


def _rounded_hires(year: int, n: int, p: int, g: int, t: int, h: int) -> quotas.Quota:
    quota = _year_quota(year, n, p, g, t, h)
    hires = units.half_up(10_000 * quota.net, 10_000 - h) if quota.net > 0 else 0
    return quota._replace(hires=hires, new_hire_exits=max(0, hires - quota.net))


_year_quota = quotas.year_quota


def _no_previous_hires(year: int, n: int, _recent: int, g: int, t: int, h: int) -> quotas.Quota:
    return _year_quota(year, n, 0, g, t, h)


def _opt_out_next_day(member: Any, enrolled: Any) -> Any:
    day = _opt_out_day(member, enrolled)
    return None if day is None else min(day + units.ONE_DAY, member.last_day)


def _uncapped(scenario: Scenario, level: int, amount: int) -> int:
    rules = scenario.promotion
    return min(
        units.half_up(amount * (10_000 + rules.increase_pct[level - 1]), 10_000),
        units.half_up(amount * (10_000 + rules.max_cap_pct), 10_000),
    )


def _late_raise_of_pairs(quota: Any, opening: Sequence[Any], counts: Sequence[int]) -> None:
    """Twins (same pay and hire date) are joined with each other: their pay doubles, as after a join on no real key."""
    _choose_exits(quota, opening, counts)
    seen: dict[Any, Any] = {}
    for member in opening:
        twin = seen.setdefault((member.opening.pay, member.person.hire_date), member)
        if twin is not member:
            member.opening = member.opening._replace(pay=member.opening.pay * 2)


_choose_exits = workforce.choose_exits

FAULTS = (
    Fault("raise on pay before promotion", ((simulation, "apply_raise", _raise_on_opening_pay),)),
    Fault(
        "cutoff > for >=",
        ((enrolment, "within_cutoff", lambda hire, cutoff: cutoff is None or hire > cutoff),),
        {"deferral_auto_escalation": {"hire_date_cutoff": "2019-03-01"}},
    ),
    Fault("target half even", ((quotas, "half_up", _half_even),), {"target_growth_rate": "0.01"}),
    Fault("new-hire exit from 1 January", ((workforce, "choose_new_hire_exits", _exits_from_new_year),)),
    Fault("escalation clamps above the maximum", ((enrolment, "escalated_rate", _clamping_escalation),)),
    Fault("no exit event, level 2, year 2", ((simulation, "record_termination", _silent_exit_in_level_2),)),
    Fault("largest draws selected", ((draws, "smallest", _largest),)),
    Fault("selection in 100 buckets", ((workforce, "exit_rank", _bucket_rank),)),
    Fault(
        "remainder ties to the higher level",
        ((workforce, "split_over_levels", _ties_upwards),),
    ),
    Fault("415 lowers match first", ((money, "within_annual_additions", _match_first),)),
    Fault("catch-up from 51", ((money, "CATCH_UP_AGE", 51),)),
    Fault(
        "29 February anniversaries on 1 March",
        tuple((module, "anniversary", _on_1_march) for module in (units, workforce, enrolment)),
    ),
    Fault(
        "promotion without its cap in money",
        ((pay, "promoted_pay", _uncapped),),
        {"promotion": {"max_cap_amount": 5_000}},
    ),
    Fault("hires rounded, not raised", ((quotas, "year_quota", _rounded_hires),)),
    Fault("last year's hires not counted apart", ((quotas, "year_quota", _no_previous_hires),)),
    Fault(
        "opt-out a day late",
        ((enrolment, "opt_out_day", _opt_out_next_day),),
        {"auto_enrollment": {"scope": "all_eligible_employees"}},
    ),
    Fault("join of two alike", ((workforce, "choose_exits", _late_raise_of_pairs),)),
)


class FaultyEngine:
    """A fault as an engine that can be attached: `--engine differential.quality.faults:ENGINES.target_half_even`."""

    capabilities: Capabilities = OracleEngine.capabilities

    def __init__(self, fault: Fault) -> None:
        self.name, self.fault = fault.slug, fault

    def run(self, worlds: Sequence[World], variant: Variant) -> Run:
        with self.fault.planted():
            run = OracleEngine().run(worlds, variant)
        assert run.proof is not None
        return replace(run, proof=replace(run.proof, engine=self.name))


ENGINES = SimpleNamespace(**{fault.slug: FaultyEngine(fault) for fault in FAULTS})


class RaisingEngine:
    """Breaks down on every census of two employees."""

    name = "raises_on_two"
    capabilities: Capabilities = OracleEngine.capabilities

    def run(self, worlds: Sequence[World], variant: Variant) -> Run:
        if any(len(world.census) == 2 for world in worlds):
            raise ZeroDivisionError(f"employee {worlds[0].census.table['employee_id'][0]}")
        return OracleEngine().run(worlds, variant)


RAISES_ON_TWO = RaisingEngine()
