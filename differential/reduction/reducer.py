"""The reducer: in what order a failing world is made smaller, under a budget of runs."""

from __future__ import annotations

from differential.reduction.model import Budget, Fails, Observed, Progress, Reduction
from fixtures.world import World


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
        NotReproduced: `world` does not fail when run again.
    """
    raise NotImplementedError
