"""Keeping people's data out of what is written down: social security numbers always, all else where the failure survives it."""

from __future__ import annotations

from differential.reduction.model import Budget, Fails, Observed
from fixtures.census import Census
from fixtures.world import World


def mask_ssn(census: Census) -> Census:
    """The census with every employee_ssn replaced by SSN-000000001, .. in row order."""
    raise NotImplementedError


def anonymise(
    world: World,
    fails: Fails,
    *,
    many: bool = True,
    observed: Observed | str | None = None,
    budget: Budget | None = None,
) -> tuple[World, tuple[str, ...]]:
    """The world with ssn masked, and with ids, dates and pay replaced where the failure survives it; and what stayed, in words.

    The ssn are masked even if the failure does not survive that; the second value then says so.
    """
    raise NotImplementedError
