"""Engines for the tests of a unit, each wrong in a way of its own: `scale.nightly.unit.testing:often`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from differential.run import Run
from differential.variant import Variant
from fixtures.world import World
from scale.nightly.planted import WrongEngine, wrong_pair

often = WrongEngine("polars+often", "current_salary", partial(wrong_pair, of=60))
"""Wrong about one pair of people in 60."""
twofold = WrongEngine(
    "polars+twofold", "current_salary", partial(wrong_pair, of=60),
    base=WrongEngine("polars+half", "account_balance", partial(wrong_pair, of=23)),
)  # fmt: skip
"""Wrong in two columns, each of some pairs of people."""


class Raising(WrongEngine):
    """The Polars engine, which raises where it is given a world of exactly three people, whatever is beside it."""

    def run(self, worlds: Sequence[World], variant: Variant) -> Run:
        if any(len(world.census) == 3 for world in worlds):
            raise ZeroDivisionError("three people")
        return super().run(worlds, variant)


class Unproven(WrongEngine):
    """The Polars engine without a proof."""

    def run(self, worlds: Sequence[World], variant: Variant) -> Run:
        return replace(super().run(worlds, variant), proof=None)


def nobody(_: World) -> str | None:
    """Wrong for nobody."""
    return None


raising = Raising("polars+raising", "current_salary", nobody)
unproven = Unproven("polars+unproven", "current_salary", nobody)
