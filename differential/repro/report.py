"""The report of a failure: what a person reads first, in about 60 lines."""

from __future__ import annotations

from differential.reduction import Reduction
from differential.repro.failure import Failure


def report(failure: Failure, reduction: Reduction | None = None, *, command: str | None = None) -> str:
    """Plain text, in this order: the two sides, the first divergence, what the oracle says, the census, the scenario keys that
    differ from the defaults, the seed, the command that replays it (`command`). The failure is the reduced one if reduced."""
    raise NotImplementedError
