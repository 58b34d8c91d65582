"""M23, M26: pay and bands times c, and pay events that leave pay as it is."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pyarrow as pa
import pyarrow.compute as pc

from differential.run import WorldResult
from fixtures.scenario import Level, Scenario
from fixtures.units import MAX_PAY_CENTS
from fixtures.world import World
from properties.check import Check
from properties.relations.edits import always_promoted, column_replaced, nobody_moves, rules, under
from properties.relations.judgement import Judgement, feasible, with_events, without
from properties.relations.relation import Family, Twin, TwinRelation

# --- M23

_TIMES = 3
_TWIN = "three times the pay"
_Step = tuple[int, str, int, int]
"""A pay event: year, type, level after it, pay in cents."""


def _three_times(world: World) -> list[Twin]:
    scenario = world.scenario
    highest = max(*(level.maximum for level in scenario.levels), scenario.promotion.max_cap_amount)
    pay = world.census.table["pay_cents"]
    if _TIMES * max(highest, pc.max(pay).as_py()) > MAX_PAY_CENTS:
        return []
    bands = tuple(
        Level.model_construct(minimum=_TIMES * b.minimum, maximum=_TIMES * b.maximum) for b in scenario.levels
    )
    changes = {"levels": bands, "promotion.max_cap_amount": _TIMES * scenario.promotion.max_cap_amount}
    return [Twin(_TWIN, under(column_replaced(world, "pay_cents", pc.multiply(pay, _TIMES)), changes))]


def _three_times_judged(family: Family, judgement: Judgement) -> None:
    twin = family.results.get(_TWIN)
    if twin is None or not feasible(family.result, twin):
        return
    mine, theirs = _steps(family.result), _steps(twin)
    for name in sorted(mine.keys() | theirs.keys()):
        one, other = mine.get(name, []), theirs.get(name, [])
        kinds = [[step[:3] for step in steps] for steps in (other, one)]
        judgement.equal("the same events", kinds[0], kinds[1], employee=name)
        if kinds[0] == kinds[1]:
            _amounts_judged(family.world.scenario, name, one, other, judgement)


def _amounts_judged(scenario: Scenario, name: str, one: list[_Step], other: list[_Step], judgement: Judgement) -> None:
    """Half up moves each side by at most half a cent a step; what was apart before grows with the step."""
    gap = Fraction(0)
    for (year, event, level, pay), (_, _, _, more) in zip(one, other, strict=True):
        gap = gap * _growth(scenario, event, level) + Fraction(_TIMES + 1, 2)
        if max(pay, more) == MAX_PAY_CENTS:
            return  # pay stops there on one side earlier than on the other
        within = gap.numerator // gap.denominator
        expected = f"{_TIMES * pay} cents within {within}"
        judgement.require(
            "amounts", abs(more - _TIMES * pay) <= gap, f"{more} cents", expected, employee=name, year=year, event=event
        )


def _growth(scenario: Scenario, event: str, level: int) -> Fraction:
    """By what a step multiplies the pay before it, at most."""
    if event == "promotion":
        return 1 + Fraction(scenario.promotion.increase_pct[level - 2], 10_000)
    return 1 + Fraction(scenario.merit_rates[level - 1] + scenario.cola_rate, 10_000)


def _steps(result: WorldResult) -> dict[str, list[_Step]]:
    """The pay events of census people, in order."""
    events = with_events(result, ["promotion", "raise"]).events
    columns = ("employee_id", "simulation_year", "event_date", "event_type", "level_id", "compensation_amount")
    found: dict[str, list[_Step]] = {}
    for name, year, _, event, level, pay in sorted(
        zip(*(events[column].to_pylist() for column in columns), strict=True)
    ):
        if not name.startswith("NH_"):
            found.setdefault(name, []).append((year, event, level, int(pay * 100)))
    return found


M23 = TwinRelation(
    Check(
        "M23",
        "three times the pay",
        "Three times the pay, bands and cap on a promotion gives census people the same promotions and raises, at three times the "
        "amount but for rounding.",
        {
            "the same events": "(year, type, level) of the promotions and raises of each census member are the same",
            "amounts": "|amount' - 3 x amount| <= gap, with gap = gap before x (1 + rate of the step) + 2 cents",
        },
    ),
    _three_times,
    _three_times_judged,
)

# --- M26

_LOW_BAND = Level.model_construct(minimum=1, maximum=4_999)
_MONEY = ("compensation_amount", "previous_compensation")
_PROMOTED, _RAISED = "promotions that raise nothing", "raises that raise nothing"


def _still(scenario: Scenario) -> Scenario:
    none = {"merit_rates": (0,) * len(scenario.levels), "cola_rate": 0, "promotion.base_hazard": 0, **nobody_moves()}
    return rules(scenario, {**none, "promotion.increase_pct": (0,) * (len(scenario.levels) - 1)})


def _no_ops(world: World) -> list[Twin]:
    """Promotions at 0 % for any pay, and raises of a basis point on pay below 50.00, which is less than half a cent."""
    still = _still(world.scenario)
    pay = [1 + cents % 4_999 for cents in world.census.table["pay_cents"].to_pylist()]
    poor = World(column_replaced(world, "pay_cents", pa.array(pay, pa.int64())).census, still)
    low = {"levels": (_LOW_BAND,), "merit_rates": (0,), "promotion.increase_pct": ()}
    return [
        Twin("no promotions", World(world.census, still)),
        Twin(_PROMOTED, World(world.census, rules(still, always_promoted()))),
        Twin("no raises", under(poor, low)),
        Twin(_RAISED, under(poor, {**low, "cola_rate": 1})),
    ]


def _no_ops_judged(family: Family, judgement: Judgement) -> None:
    for plain, busy, event in (("no promotions", _PROMOTED, "promotion"), ("no raises", _RAISED, "raise")):
        none, some = (family.results.get(name, family.result) for name in (plain, busy))
        if not feasible(none, some) or event not in some.events["event_type"].to_pylist():
            continue
        steps = with_events(some, [event]).events
        for name, year, after, before in zip(
            *(steps[column].to_pylist() for column in ("employee_id", "simulation_year", *_MONEY)), strict=True
        ):
            judgement.require(
                f"{busy}: pay", _cents(after) == _cents(before), after, before, employee=name, year=year, event=event
            )
        rest = tuple(
            kind for kind in set(some.events["event_type"].to_pylist()) | set(none.events["event_type"].to_pylist())
        )
        others = [kind for kind in rest if kind != event]
        found, expected = (_less_steps(result, others) for result in (some, none))
        judgement.same(f"{busy}: everything else", found, expected)


def _less_steps(result: WorldResult, kinds: list[str]) -> WorldResult:
    """Everything but the event itself, its place in the sequence, and the level, which a promotion does move."""
    return without(with_events(result, kinds), ["event_sequence", "level_id"], ["current_level"])


def _cents(amount: Decimal | None) -> int | None:
    return None if amount is None else int(amount * 100)


M26 = TwinRelation(
    Check(
        "M26",
        "pay events that change nothing",
        "A promotion at 0 % or a raise below half a cent adds its event and leaves pay, prorated pay, contributions and everything "
        "else as it was.",
        {
            clause: formula
            for busy in (_PROMOTED, _RAISED)
            for clause, formula in (
                (f"{busy}: pay", "compensation_amount = previous_compensation"),
                (
                    f"{busy}: everything else",
                    "rows with such events, less these, sequence and level = rows without them",
                ),
            )
        },
    ),
    _no_ops,
    _no_ops_judged,
)
