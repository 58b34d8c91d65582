"""From a failure to its bundle: saved first, then reduced, then saved again."""

from __future__ import annotations

from pathlib import Path

from differential.reduction import Budget, Progress, Reduction
from differential.repro.failure import Failure


def shrink_failure(
    folder: Path,
    failure: Failure,
    *,
    keep_identities: bool = False,
    budget: Budget | None = None,
    progress: Progress | None = None,
) -> tuple[Path, str, Reduction | None]:
    """Save, reduce, verify and save the smaller one: the bundle's path, the report's text, and the reduction.

    For a given census people's data are replaced before anything about them is written, unless `keep_identities`.
    """
    raise NotImplementedError
