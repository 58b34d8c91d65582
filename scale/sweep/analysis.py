"""What the runs of a sweep say: the series with their fits, and every check. The gate computes the same again from the runs."""

from __future__ import annotations

from scale.policy import Policy
from scale.records import Cell, Check, Series, Sweep
from scale.sweep.beside import beside_checks
from scale.sweep.measured import counted
from scale.sweep.memory import memory_checks
from scale.sweep.scaling import scaling_checks, series_of, undecided_cells
from scale.sweep.tables import same_tables
from scale.sweep.targets import run_checks
from scale.sweep.threads import thread_checks
from scale.sweep.years import year_checks


def analyse(sweep: Sweep, policy: Policy) -> tuple[list[Series], list[Check]]:
    """Series and checks of a sweep, from its runs alone. An engine without counted runs has every check of it insufficient."""
    runs = counted(sweep)
    checks = [*run_checks(sweep, runs, policy), same_tables(runs)]
    for engine in sweep.code:
        own = {cell: taken for cell, taken in runs.items() if cell.engine == engine}
        checks += scaling_checks(engine, own, policy)
        checks += year_checks(engine, own, policy)
        checks += memory_checks(engine, own, sweep.leaks, policy)
        checks += thread_checks(engine, own, sweep.machine, policy)
    return series_of(runs, policy), [*checks, *beside_checks(runs, policy)]


def undecided(sweep: Sweep, policy: Policy) -> list[Cell]:
    """The cells that more repeats could decide on."""
    return undecided_cells(counted(sweep), policy)
