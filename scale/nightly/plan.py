"""Which units a campaign consists of: the canary, the corpus, seeds that failed, then fuzzing in a fixed rotation, without end.

A unit follows from the campaign and its number alone, so that a campaign goes on where it was killed and slices never draw alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from differential.cases import all_cases
from differential.engines import get_engine
from differential.pool import derived_seed
from differential.run import OwnProcess, capabilities_of
from scale.nightly.records import Known, Unit

ENGINES_OF_TEN = 7
"""Units of ten that compare engines: what differs there is what users meet, and a world costs least. The others take turns."""
OTHERS = (
    "invariants",
    "oracle",
    "several_years",
    "threads",
    "levels",
    "relations",
    "shards",
    "batch",
    "legacy",
    "lifecycle",
    "same_seed",
    "environment",
)
"""In this order: an hour on two workers has eleven or twelve, so that each is taken about once."""
MOST_SEEDS = 6
"""Units of seeds that failed before, fastest first: more would take the night from what nobody has seen yet."""
CANARY_SECONDS = 180.0
"""Of 103 faults the slowest is met after 38 s on two busy cores; a machine may be four times as slow. Caught, it ends."""
LONGEST_UNIT, SHORTEST_UNIT = 180.0, 15.0
"""Seconds. A unit starts in two to three, which is to be little of it; what a lost one costs is to be little of the night."""
UNITS_A_WORKER = 20


@dataclass(frozen=True)
class Campaign:
    """What the plan follows from. seed: of the campaign. part: slice I of N. seconds: of the campaign. canary: engines and test.

    others: the kinds of OTHERS that take turns.
    """

    engines: tuple[str, ...]
    seed: int
    part: tuple[int, int]
    seconds: float
    canary: tuple[str, tuple[str, ...]] | None
    others: tuple[str, ...] = OTHERS

    @property
    def unit_seconds(self) -> float:
        """The budget of one unit."""
        return min(LONGEST_UNIT, max(SHORTEST_UNIT, self.seconds / UNITS_A_WORKER))


def others_of(engines: Sequence[str]) -> tuple[str, ...]:
    """The kinds of OTHERS that say something of these engines: a program may have one way to run, and no database."""
    found = {spec: get_engine(spec) for spec in engines}
    able = {case.test for case in all_cases(engines) if case.refused is None} | {"invariants", "relations"}
    if any(capabilities_of(engine).database for engine in found.values()):
        able.add("lifecycle")
    if not all(isinstance(engine, OwnProcess) for engine in found.values()):
        able.add("environment")
    return tuple(what for what in OTHERS if what in able)


def first_units(campaign: Campaign, known: Sequence[Known], *, corpus: bool) -> tuple[Unit, ...]:
    """What comes before fuzzing; of several slices the first alone does it.

    known: the ledger; of each failure the chunk that met it soonest is drawn again, which finds what hides behind it. corpus:
    whether there are inputs to replay.
    """
    if campaign.part[0] != 1:
        return ()
    units: list[Unit] = []
    if campaign.canary is not None:
        what, engines = campaign.canary
        seconds = min(CANARY_SECONDS, max(SHORTEST_UNIT, campaign.seconds / 2))
        units.append(Unit(number=0, what=what, seed=_seed(campaign, 0), engines=engines, seconds=seconds, canary=True))
    if corpus:
        units.append(_unit(campaign, len(units), "corpus"))
    able = {"sql_vs_polars", *campaign.others}
    drawn = [
        one for one in known
        if one.chunk_seed is not None and one.fastest is not None and one.what in able and set(one.engines) <= set(campaign.engines)
    ]  # fmt: skip
    for one in sorted(drawn, key=lambda each: (each.fastest or 0.0, each.key))[:MOST_SEEDS]:
        # its budget: several times what it took, and no more than a share of the night
        seconds = min(campaign.unit_seconds, max(SHORTEST_UNIT, 4 * (one.fastest or 0.0)))
        unit = _unit(campaign, len(units), str(one.what), seconds)
        units.append(unit.model_copy(update={"chunk_seed": one.chunk_seed}))
    return tuple(units)


def unit_at(campaign: Campaign, first: Sequence[Unit], number: int) -> Unit:
    """Unit `number` of the campaign; there is no last one."""
    if number < len(first):
        return first[number]
    place = number - len(first)
    turn, step = divmod(place, 10)
    if len(campaign.engines) == 1:
        others = place
    elif step in _OTHER_STEPS:
        others = turn * len(_OTHER_STEPS) + _OTHER_STEPS.index(step)
    else:
        return _unit(campaign, number, "sql_vs_polars")
    kinds = campaign.others
    shift = len(kinds) * (campaign.part[0] - 1) // campaign.part[1]  # slices begin at different places
    return _unit(campaign, number, kinds[(others + shift) % len(kinds)])


_OTHER_STEPS = (2, 5, 8)
assert len(_OTHER_STEPS) == 10 - ENGINES_OF_TEN


def _unit(campaign: Campaign, number: int, what: str, seconds: float | None = None) -> Unit:
    budget = seconds or campaign.unit_seconds
    return Unit(
        number=number, what=what, seed=_seed(campaign, number), engines=campaign.engines, seconds=round(budget, 3)
    )


def _seed(campaign: Campaign, number: int) -> int:
    return derived_seed(campaign.seed, campaign.part, f"unit {number}")
