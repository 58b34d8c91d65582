"""The reducer: in what order a failing world is made smaller, under a budget of runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from differential.reduction import cells, rows, rules, years
from differential.reduction.model import Budget, Fails, NotReproducedError, Observed, Progress, Reduction
from differential.reduction.search import Search, as_observed
from fixtures.world import World

Stage = Callable[[Search], bool]

PEOPLE: tuple[Stage, ...] = (rows.few_people, rows.lottery_of_quotas, rows.fewer_rows, years.fewer_years, rows.lottery)
REST: tuple[Stage, ...] = (
    rules.default_rules,
    cells.plain_names,
    cells.default_columns,
    cells.default_cells,
    years.default_start,
    rules.plain_values,
    cells.plain_cells,
    cells.reseeded,
)
"""People and years first: they decide whether a repro is readable at all. Then the rest, until nothing gives any more."""


def reduce_world(
    world: World,
    fails: Fails,
    *,
    budget: Budget | None = None,
    many: bool = True,
    observed: Observed | str | None = None,
    progress: Progress | None = None,
) -> Reduction:
    """The smallest world found that fails with the signature of `world`.

    many: one call of `fails` may take many candidates; else one candidate a call. observed: the failure of `world`, if
    known; saves the first run. A KeyboardInterrupt ends the search and returns the best so far.

    Raises:
        NotReproducedError: `world` does not fail when run again.
    """
    budget = budget or Budget()
    known = as_observed(observed)
    runs = 0
    if known is None:
        known, runs = as_observed(next(iter(fails([world])))), 1
        if known is None:
            raise NotReproducedError("the failing world passes when it is run again: a flaky failure, or another input")
    search = Search(world, fails, known, budget=budget, many=many, progress=progress)
    search.runs = search.candidates = runs
    ended = _search(search)
    verified = ended != "interrupted" and _verify(search)
    if not verified and ended != "interrupted" and search.best is world:
        raise NotReproducedError("the failing world passes when it is run again: a flaky failure, or another input")
    return Reduction(search.best, search.observed, search.runs, search.candidates, search.seconds, verified, ended)


def _search(search: Search) -> Literal["finished", "budget", "interrupted"]:
    try:
        changed = True
        while changed and not search.spent:
            changed = False
            for stage in (*PEOPLE, *REST):
                changed = (not search.spent and stage(search)) or changed
    except KeyboardInterrupt:
        return "interrupted"
    return "budget" if search.spent else "finished"


def _verify(search: Search) -> bool:
    try:
        return search.verdicts([search.best])[0] is not None
    except KeyboardInterrupt:
        return False
