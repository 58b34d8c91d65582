"""Which worlds a fault can show on, where no edge label says it."""

from __future__ import annotations

from fixtures.world import World


def anybody(world: World) -> bool:
    """Whether there is a census row at all."""
    return len(world.census) > 0


def two_years(world: World) -> bool:
    """Whether there is a second simulated year."""
    return len(world.scenario.years) > 1


def promotions_possible(world: World) -> bool:
    """Whether there is a level to be promoted to, and a chance of it."""
    return len(world.scenario.levels) > 1 and world.scenario.promotion.base_hazard > 0


def automatic_enrolment(world: World) -> bool:
    """Whether anybody can be enrolled automatically."""
    rules = world.scenario.auto_enrollment
    return rules.enabled and rules.default_deferral_rate > 0


def voluntary_enrolment(world: World) -> bool:
    """Whether anybody can enrol voluntarily."""
    return world.scenario.voluntary_enrollment.enabled


def delayed_escalation(world: World) -> bool:
    """Whether rates are escalated some years after the enrolment."""
    rules = world.scenario.deferral_auto_escalation
    return rules.enabled and rules.first_escalation_delay_years > 0


def somebody_of_65(world: World) -> bool:
    """Whether somebody is 65 in a simulated year, or a hire may be."""
    scenario = world.scenario
    births = {day.year for day in world.census.table["birth_date"].to_pylist()}
    old_hires = any(entry.age > 60 for entry in scenario.new_hire_ages)
    return old_hires or any(scenario.start_year - 66 <= birth <= scenario.end_year - 65 for birth in births)


def first_year_of_service(world: World) -> bool:
    """Whether somebody opens a year without a full year of service: hired in the year before it."""
    hired = max((day.year for day in world.census.table["hire_date"].to_pylist()), default=0)
    return promotions_possible(world) and (two_years(world) or hired >= world.scenario.start_year - 1)


def pay_at_a_band(world: World) -> bool:
    """Whether somebody earns exactly the minimum of a level above the first."""
    return bool(
        {level.minimum for level in world.scenario.levels[1:]} & set(world.census.table["pay_cents"].to_pylist())
    )
