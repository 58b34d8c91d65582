"""Reduction where a run costs minutes: a handful of runs, each on few people who were seen to fail.

The failing run was a test of every person in it: whoever shows the same difference there, under a rule that looks at one person
only, will show it alone. So the first candidates are up to five of these, up to the year of the first divergence. Where it takes a
quota (who is hired, who leaves), few people need rates under which somebody is hired and leaves; these come next, the likeliest
first. Every candidate that still shows the difference ends one search and starts the next, from five people to two to one, while
there are runs left.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Literal

import numpy as np
import pyarrow as pa

from differential.reduction.model import NotReproducedError, Observed, Progress, Reduction, Step
from differential.reduction.pressure import pressures, under
from differential.reduction.rows import READABLE, levels_of, of_quotas, short_years, taken
from fixtures.scenario import Scenario
from fixtures.world import World

COSTLY_RUNS = 8
"""Runs of engines, of both sides together, that one reduction may take."""

_RATES = {
    "exit": (("half leave", False), ("leave", False), ("grow", False)),
    "later exit": (("grow and leave again", False), ("half leave", False), ("tenth", True)),
    "new hire's exit": (("grow", False), ("grow and leave again", False), ("half more", True)),
    "hire": (("grow", False), ("half more", True), ("tenth", True)),
}
"""Rates to try, and whether under all years: a run of many years goes through many counts, and some failures hang on one."""

Shows = Callable[[World], Observed | None]
"""Runs one candidate: the failure that is looked for, wherever it shows in it; None: it does not, or cannot run."""


class Runs:
    """How many runs there are left. used: asked before and after each candidate, since what was kept or refused costs none."""

    def __init__(self, most: int, each: int, used: Callable[[], int]) -> None:
        self.most, self.each, self._used = most, each, used
        self._before = used()

    @property
    def done(self) -> int:
        return self._used() - self._before

    @property
    def spent(self) -> bool:
        """Whether one more candidate could cost more than is left."""
        return self.done + self.each > self.most


def reduce_costly(
    world: World,
    shows: Shows,
    observed: Observed,
    runs: Runs,
    *,
    alike: Sequence[str],
    others: Sequence[str] = (),
    progress: Progress | None = None,
) -> Reduction:
    """The smallest world found. alike: ids of those who show the same difference, first ones first; new hires may be among them.
    others: of a row that is missing on one side: those whose row is missing on the other, in the same year.

    The reduced world was run once, from nothing: `verified` says so. A KeyboardInterrupt returns the best so far.

    Raises:
        NotReproducedError: no candidate showed it, and the world cannot be made smaller than it is.
    """
    started, smallest, seen, tried = time.monotonic(), [world], observed, 0
    ended: Literal["finished", "budget", "interrupted"] = "finished"
    known = {world.fingerprint}
    try:
        for stage, candidate in _candidates(world, observed, alike, others, lambda: smallest[-1]):
            best = smallest[-1]
            if candidate.fingerprint in known or not _smaller(candidate, best):
                continue
            if runs.spent:
                ended = "budget"
                break
            known.add(candidate.fingerprint)
            tried += 1
            found = shows(candidate)
            if found is not None:
                smallest.append(candidate)
                seen = found
            if progress is not None:
                now = smallest[-1]
                progress(Step(stage, len(now.census), len(now.scenario.years), runs.done, time.monotonic() - started))
    except KeyboardInterrupt:
        ended = "interrupted"
    best = smallest[-1]
    if best is world and ended == "finished" and not tried:
        raise NotReproducedError("there is no smaller world to try")
    seconds = time.monotonic() - started
    return Reduction(best, seen, runs.done, tried, seconds, verified=best is not world, ended=ended)


def _candidates(
    world: World, observed: Observed, alike: Sequence[str], others: Sequence[str], best: Callable[[], World]
) -> Iterator[tuple[str, World]]:
    """The likeliest first. Those that are no smaller than the best so far are passed over by the caller."""
    short = short_years(world.scenario, observed.year)
    rows, swapped = _rows_of(world, alike), _rows_of(world, others)
    if of_quotas(observed) or not len(rows):
        tries = _under_rates(world, observed, short, rows, swapped)
    else:
        tries = _as_they_are(world, observed, short, rows)
    for people, rules in tries:
        if len(best().census) > READABLE:
            yield from _made("few people", world, people, rules)
    yield from _fewer(world, observed, best)


def _as_they_are(
    world: World, observed: Observed, short: Scenario, rows: np.ndarray
) -> Iterator[tuple[np.ndarray, Scenario]]:
    """For a rule that looks at one person: some of those who show it; then with company that may be what it takes."""
    five = _spaced(rows)
    yield five, short
    yield _with_twins(world, rows), short
    yield five, world.scenario
    pressed = pressures(short, observed.event_type)
    yield _spread(world, rows), pressed[0]
    yield five, pressed[0]


def _under_rates(
    world: World, observed: Observed, short: Scenario, rows: np.ndarray, swapped: np.ndarray
) -> Iterator[tuple[np.ndarray, Scenario]]:
    """For what hangs on a quota. Who is selected in another's place is put beside that other: one of the two has to go."""
    spread, mixed = _spread(world, rows), _mixed(world, rows, swapped)
    later = observed.year is not None and observed.year > world.scenario.start_year
    for name, all_years in _RATES[_what(observed, later=later)]:
        people = mixed if name == "half leave" else spread
        if (rules := under(world.scenario if all_years else short, name)) is not None:
            yield people, rules
    yield mixed, short
    yield spread, world.scenario


def _fewer(world: World, observed: Observed, best: Callable[[], World]) -> Iterator[tuple[str, World]]:
    """From a few people to one, then to fewer years."""
    small = best()
    if small is world and len(world.census) > READABLE:
        return
    for count in (1, 2, 3):
        if count < len(best().census):
            yield from _made("fewer people", small, np.arange(count), small.scenario)
    last = best()
    if len(last.scenario.years) > 1:
        yield from _made("years", last, np.arange(len(last.census)), short_years(last.scenario, observed.year))
        yield from _made(
            "years", last, np.arange(len(last.census)), short_years(last.scenario, last.scenario.start_year)
        )


def _made(stage: str, world: World, rows: np.ndarray, rules: Scenario) -> Iterator[tuple[str, World]]:
    made = taken(world, rows, rules)
    if made is not None:
        yield stage, made


def _smaller(candidate: World, best: World) -> bool:
    return (len(candidate.census), len(candidate.scenario.years)) < (len(best.census), len(best.scenario.years))


def _rows_of(world: World, ids: Sequence[str]) -> np.ndarray:
    """Rows of those who are in the census, in the order given."""
    where = {name: row for row, name in enumerate(world.census.table["employee_id"].to_pylist())}
    return np.array([where[name] for name in dict.fromkeys(ids) if name in where], int)


def _what(observed: Observed, *, later: bool) -> str:
    if observed.event_type != "termination":
        return "hire"
    if (observed.employee_id or "").startswith("NH_"):
        return "new hire's exit"
    return "later exit" if later else "exit"


def _spaced(rows: np.ndarray) -> np.ndarray:
    """The first who shows it, and up to four more from all over the list."""
    chosen: np.ndarray = rows[np.unique(np.linspace(0, len(rows) - 1, min(READABLE, len(rows))).astype(int))]
    return chosen


def _with_twins(world: World, rows: np.ndarray) -> np.ndarray:
    """The first who shows it, and those of the same level who are nearest in pay, in service and in the file: whoever they are
    confused with, or drawn against, is likely among them."""
    first, levels = rows[0], levels_of(world)
    chosen = [int(first)]
    for column in ("pay_cents", "hire_date", "birth_date"):
        values = world.census.table[column].cast(pa.int32() if column != "pay_cents" else pa.int64()).to_numpy()
        far = np.where(levels == levels[first], np.abs(values - values[first]), np.iinfo(np.int64).max)
        near = [int(row) for row in np.argsort(far, kind="stable")[:READABLE] if int(row) not in chosen]
        chosen += near[:1]
    return np.array([*chosen, *(int(row) for row in rows[1:] if int(row) not in chosen)][:READABLE], int)


def _mixed(world: World, rows: np.ndarray, swapped: np.ndarray) -> np.ndarray:
    """People who show it and people in whose place they were selected, of one level where there are such."""
    if not len(rows):
        return _spread(world, rows)
    levels = levels_of(world)
    same = [row for row in swapped if levels[row] == levels[rows[0]]]
    chosen = [rows[0], *same[:2], *rows[1:2], *swapped[:1], *rows[2:]]
    return np.array(list(dict.fromkeys(int(row) for row in chosen))[:READABLE], int)


def _spread(world: World, rows: np.ndarray) -> np.ndarray:
    """Up to five: of those who show it, then one of each level, then the first ones: the quotas are met level by level."""
    levels = levels_of(world)
    first = np.unique(levels, return_index=True)[1]
    chosen = [*rows[:2], *first, *range(min(READABLE, len(levels)))]
    return np.array(list(dict.fromkeys(int(row) for row in chosen))[:READABLE], int)
