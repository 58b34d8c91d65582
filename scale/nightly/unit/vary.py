"""Worlds made from other worlds: people mixed, copied, left out and moved to borders, and some rules taken from elsewhere.

Everything drawn is valid by construction. Rules are taken over in groups that hold together (the levels with what there is one of
a level), people are mended as generated ones are (fixtures/traits.py), and years are cut where a world would grow too large. A
world shrinks to its first parent unchanged.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from hypothesis import strategies as st

from fixtures.census import Census, Employee
from fixtures.changes import CHANGES, Change
from fixtures.scenario import Scenario
from fixtures.strategies import affordable_years, build_scenario, seeds
from fixtures.traits import TRAITS, Field, Frame, Trait, person
from fixtures.world import World

MAX_EMPLOYEES = 60
"""As of generated worlds."""
MAX_EDITS = 6
MAX_GROUPS = 6
MAX_CHANGES = 3

GROUPS: tuple[tuple[str, ...], ...] = (
    ("levels", "merit_rates", "promotion"),
    ("start_year", "end_year", "limits"),
    ("total_termination_rate",),
    ("new_hire_termination_rate",),
    ("target_growth_rate",),
    ("cola_rate",),
    ("random_seed",),
    ("new_hire_ages",),
    ("scenario_id", "plan_design_id"),
    *(
        (f"{block}.{name}",)
        for block in ("eligibility", "auto_enrollment", "deferral_auto_escalation", "employer_match", "employer_core")
        for name in type(getattr(Scenario(), block)).model_fields
    ),
    ("voluntary_enrollment",),
)
"""Keys that are taken from another scenario together; whatever is taken, the scenario stays valid."""
_CALM = ("target_growth_rate", "total_termination_rate", "new_hire_termination_rate")
_DAY = dt.timedelta(days=1)
_FIELDS: tuple[Field, ...] = ("birth_date", "hire_date", "termination_date", "pay_cents", "deferral_bp")


class Parent(NamedTuple):
    """A world, and its people's fields, which are asked for again and again."""

    world: World
    people: Sequence[Mapping[Field, Any]]

    @classmethod
    def of(cls, world: World) -> Parent:
        """The world as a parent."""
        people = [{name: getattr(one, name) for name in _FIELDS} for one in world.census.employees()]
        return cls(world, people)


class Edit(NamedTuple):
    """One change to the people. place: which of them, counted round. number: of the other parent's people, or of the trait."""

    what: str
    place: int
    number: int = 0
    trait: Trait | None = None


def varied(couples: Sequence[tuple[World, World]]) -> st.SearchStrategy[World]:
    """Worlds that vary the first of a couple with the help of the second; in the same order, for the same draws."""
    known = [(Parent.of(base), Parent.of(other)) for base, other in couples]
    places = st.integers(0, len(known) - 1)

    @st.composite
    def world(draw: st.DrawFn) -> World:
        base, other = known[draw(places)]
        groups, edits, changes = draw(_GROUP_LISTS), draw(_EDIT_LISTS), draw(_CHANGE_LISTS)
        return vary(base, other, groups, edits, changes, draw(_OTHER_SEED), draw(_OTHER_YEARS))

    return world()


def vary(
    base: Parent,
    other: Parent,
    groups: Sequence[tuple[str, ...]],
    edits: Sequence[Edit],
    changes: Sequence[Change],
    seed: int | None,
    years: int | None,
) -> World:
    """The world that these draws stand for: `base` with some rules of `other`, single changes, and its people edited.

    seed, years: None to keep those of `base`.
    """
    if not (groups or edits or changes or seed is not None or years):
        return base.world
    scenario = taken(base.world.scenario, other.world.scenario, groups)
    if changes:
        drawn = build_scenario(changes, len(scenario.years), scenario.random_seed)
        scenario = taken(scenario, drawn, [group for group in GROUPS if _differs(drawn, group)])
    if seed is not None:
        scenario = scenario.model_copy(update={"random_seed": seed})
    if years is not None and years < len(scenario.years):
        scenario = scenario.model_copy(update={"end_year": scenario.start_year + years - 1})
    frame = Frame.of(scenario)
    everyone = _people(base, frame)
    for edit in edits:
        everyone = _edited(everyone, edit, frame, other)
    people = [person(frame, _gone(fields, frame), number) for number, fields in enumerate(everyone[:MAX_EMPLOYEES], 1)]
    return World(Census.from_employees(people), _affordable(scenario, base.world.scenario, people, frame.opening))


def taken(scenario: Scenario, other: Scenario, groups: Sequence[tuple[str, ...]]) -> Scenario:
    """The scenario with the keys of these groups as in the other; both are valid, and so is what comes of it."""
    update: dict[str, Any] = {}
    for path in (path for group in groups for path in group):
        block, _, name = path.partition(".")
        if name:
            part = update.get(block, getattr(scenario, block))
            update[block] = part.model_copy(update={name: getattr(getattr(other, block), name)})
        else:
            update[block] = getattr(other, block)
    return scenario.model_copy(update=update) if update else scenario


def _differs(scenario: Scenario, group: tuple[str, ...]) -> bool:
    """Whether a change has touched the group. Years and seed were asked for; the start year goes with its limits."""
    if group == ("random_seed",):
        return False
    return any(_value(scenario, path) != _value(_DEFAULT, path) for path in group if path != "end_year")


def _value(scenario: Scenario, path: str) -> Any:
    block, _, name = path.partition(".")
    return getattr(getattr(scenario, block), name) if name else getattr(scenario, block)


def _edited(everyone: list[Mapping[Field, Any]], edit: Edit, frame: Frame, other: Parent) -> list[Mapping[Field, Any]]:
    place = edit.place % len(everyone)
    before, one, after = everyone[:place], everyone[place], everyone[place + 1 :]
    if edit.what == "take":
        others = _people(other, frame)
        return [*everyone, others[edit.number % len(others)]]
    if edit.what == "copy":
        return [*everyone, one]
    if edit.what == "drop":
        return [*before, *after] or everyone
    if edit.trait is not None:
        return [*before, {**one, edit.trait.field: edit.trait.value(frame, edit.number)}, *after]
    return [*before, _nudged(one, edit), *after]


def _nudged(one: Mapping[Field, Any], edit: Edit) -> Mapping[Field, Any]:
    """One value moved by its least unit: a day, a cent, a basis point."""
    field = _FIELDS[edit.number // 2 % len(_FIELDS)]
    value, sign = one[field], 1 if edit.number % 2 else -1
    if value in (None, dt.date.min, dt.date.max):  # as traits set them, to be mended
        return one
    return {**one, field: value + sign * (_DAY if isinstance(value, dt.date) else 1)}


def _gone(fields: Mapping[Field, Any], frame: Frame) -> Mapping[Field, Any]:
    """Who has left did so by the opening date."""
    left = fields["termination_date"]
    return fields if left is None or left <= frame.opening else {**fields, "termination_date": frame.opening}


def _people(parent: Parent, frame: Frame) -> list[Mapping[Field, Any]]:
    """The people's fields, dates moved along with the start year, which keeps them at its borders."""
    years = frame.start - parent.world.scenario.start_year
    if years == 0:
        return list(parent.people)
    dates = ("birth_date", "hire_date", "termination_date")
    return [{**fields, **{name: _moved(fields[name], years) for name in dates}} for fields in parent.people]


def _moved(day: dt.date | None, years: int) -> dt.date | None:
    if day is None or years == 0:
        return day
    if (day.month, day.day) == (2, 29):
        day -= _DAY
    return day.replace(year=max(1, day.year + years))


def _affordable(scenario: Scenario, base: Scenario, people: Sequence[Employee], opening: dt.date) -> Scenario:
    """Fewer years where the world would grow too large; calmer quotas where even one year would."""
    here = sum(one.termination_date is None and one.hire_date <= opening for one in people)
    years = affordable_years(scenario, here)
    if years == 0:
        scenario = taken(scenario, base, [_CALM])
        years = affordable_years(scenario, here)
    if years == 0:
        scenario = taken(scenario, _DEFAULT, [_CALM])
        years = max(1, affordable_years(scenario, here))
    if years >= len(scenario.years):
        return scenario
    return scenario.model_copy(update={"end_year": scenario.start_year + years - 1})


@st.composite
def _edit(draw: st.DrawFn) -> Edit:
    what = draw(_WHATS)
    place = draw(_PLACES)
    if what in ("drop", "copy"):
        return Edit(what, place)
    if what in ("take", "nudge"):
        return Edit(what, place, draw(_PLACES))
    trait = draw(_ANY_TRAIT)
    return Edit(what, place, draw(st.integers(0, trait.numbers - 1)) if trait.numbers > 1 else 0, trait)


_DEFAULT = Scenario()
_PLACES = st.integers(0, MAX_EMPLOYEES - 1)
_ANY_TRAIT = st.sampled_from(TRAITS)
_WHATS = st.sampled_from(("drop", "copy", "take", "nudge", "trait", "trait"))
_EDIT_LISTS = st.lists(_edit(), min_size=1, max_size=MAX_EDITS)  # with none, every third world would be its parent
_GROUP_LISTS = st.lists(st.sampled_from(GROUPS), max_size=MAX_GROUPS)
_CHANGE_LISTS = st.lists(st.sampled_from(CHANGES), max_size=MAX_CHANGES)
_OTHER_SEED = st.none() | seeds()
_OTHER_YEARS = st.none() | st.integers(1, 5)
