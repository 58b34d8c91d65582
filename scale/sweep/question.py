"""Question: what a check asks, apart from how it is answered, so that answers read alike."""

from __future__ import annotations

from dataclasses import dataclass

from scale.records import Check, Criterion
from scale.status import Verdict

_MEASURE_MORE = "Measure what the evidence names: more sizes, more runs, or another machine."
_MEASURE_AGAIN = "Measure again with more runs (--runs), or on a quieter machine."
ALL = "all"
"""The engine of a check over all of them."""


@dataclass(frozen=True)
class Question:
    """A check's id, what must hold, the gate's criterion it belongs to, and what to do where it does not hold."""

    id: str
    title: str
    criterion: Criterion
    advice: str

    def answer(self, engine: str, verdict: Verdict, evidence: str) -> Check:
        """The check; advice only where there is something to do, and the question's own only where it was answered."""
        advice = {"pass": "", "info": "", "insufficient": _MEASURE_MORE, "inconclusive": _MEASURE_AGAIN}
        return self._check(engine, verdict, evidence, advice.get(verdict, self.advice))

    def missing(self, engine: str, evidence: str, advice: str) -> Check:
        """Insufficient, with what to measure."""
        return self._check(engine, "insufficient", evidence, advice)

    def _check(self, engine: str, verdict: Verdict, evidence: str, advice: str) -> Check:
        return Check(
            id=self.id,
            title=self.title,
            criterion=self.criterion,
            engine=engine,
            verdict=verdict,
            evidence=evidence,
            advice=advice,
        )
