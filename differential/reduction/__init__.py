"""From a failing world to the smallest one that fails in the same way."""

from differential.reduction.check import FailureCheck, WorldCheck
from differential.reduction.model import Budget, Fails, NotReproducedError, Observed, Progress, Reduction, Step, Verdict
from differential.reduction.privacy import anonymise, mask_ssn
from differential.reduction.reducer import reduce_world

__all__ = [
    "Budget",
    "Fails",
    "FailureCheck",
    "NotReproducedError",
    "Observed",
    "Progress",
    "Reduction",
    "Step",
    "Verdict",
    "WorldCheck",
    "anonymise",
    "mask_ssn",
    "reduce_world",
]
