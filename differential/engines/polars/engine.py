"""PolarsEngine: which process a run happens in, and its legs."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from differential import workers
from differential.engines.polars.ledger import Route
from differential.engines.polars.legs import ENGINE, Leg, join_legs, run_leg, save
from differential.run import Capabilities, Run
from differential.variant import Variant, VariantError, legacy_forced, switches_in_force
from fixtures.world import World

ALL_YEARS = 1 << 30
_RUN_LEG = "differential.engines.polars.legs:run_leg"


class PolarsEngine:
    """The simulation on Polars. Worlds run together in one pass; one world is a batch of one."""

    name = ENGINE
    capabilities = Capabilities()

    def run(self, worlds: Sequence[World], variant: Variant) -> Run:
        """Simulate the worlds, all their years.

        Raises:
            VariantError: a database with two worlds of one scenario_id and plan_design_id.
            DatabaseError: the database cannot be read or written.
            WorkerError: a worker process that the variant needed gave no result.
        """
        leg = _leg(worlds, variant, 0, ALL_YEARS)
        return _dispatch(leg) if variant.resume is None else _resumed(leg, variant.resume)

    def run_years(self, worlds: Sequence[World], variant: Variant, first: int, count: int) -> Run:
        """Simulate the years at offsets first..first + count - 1 only; the Run has their rows only.

        With first > 0 the run goes on from the tables in variant.database. With a database, the worlds' rows from
        offset `first` on are replaced. variant.resume has no meaning here.

        Raises:
            VariantError: as run; or first > 0 without a database; or a negative range.
            DatabaseError, SavedStateError: the years before `first` are not in the database.
        """
        if first < 0 or count < 1:
            raise VariantError(
                f"years {first}..{first + count - 1}: expected an offset of at least 0 and a count of at least 1"
            )
        if first > 0 and variant.database is None:
            raise VariantError(f"going on at year offset {first} needs the saved tables: give the variant a database")
        return _dispatch(_leg(worlds, variant, first, first + count))


def _leg(worlds: Sequence[World], variant: Variant, first: int, last: int) -> Leg:
    if variant.database is not None:
        _refuse_shared_names(worlds, variant.database)
    return Leg(
        worlds=tuple(worlds),
        route=Route(switches_in_force(variant), variant.shards, streaming=variant.batch_size is not None),
        threads=variant.threads,
        first=first,
        last=last,
        forced_legacy=legacy_forced(),
        batch_size=variant.batch_size,
        database=None if variant.database is None else Path(variant.database).absolute(),
    )


def _dispatch(leg: Leg) -> Run:
    """In this process if Polars was imported here as the leg needs it, else in a worker kept for such legs."""
    if leg.fits_this_process():
        return run_leg(leg)
    run: Run = workers.call(_RUN_LEG, leg, env=leg.environment())
    return run


def _resumed(leg: Leg, years: int) -> Run:
    """The first `years` years, then the rest from the saved tables in a new process."""
    before = _dispatch(replace(leg, last=years))
    rest = replace(leg, first=years)
    if leg.database is not None:
        after: Run = workers.call(_RUN_LEG, rest, env=leg.environment(), fresh=True)
        return join_legs(before, after)
    with tempfile.TemporaryDirectory(prefix="polars-engine-") as folder:
        save(before, Path(folder))
        after = workers.call(_RUN_LEG, replace(rest, saved=Path(folder)), env=leg.environment(), fresh=True)
    return join_legs(before, after)


def _refuse_shared_names(worlds: Sequence[World], path: Path) -> None:
    names = Counter((world.scenario.scenario_id, world.scenario.plan_design_id) for world in worlds)
    for (scenario, plan), count in names.items():
        if count > 1:
            raise VariantError(
                f"{path}: {count} worlds have scenario_id {scenario} and plan_design_id {plan}, so their rows could not be told "
                "apart in one database; give each its own, or leave the database out"
            )
