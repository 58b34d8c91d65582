"""Proof of path: whether two runs really differ in what a comparison claims, and in nothing else that matters.

Source: docs/simulation.md, section 7. A comparison whose proofs do not bear its claim is refused, never passed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from differential.run import Run

Fact = Literal["engine", "threads", "switches", "shards", "legs", "batch_size", "forced_legacy"]


@dataclass(frozen=True)
class Claim:
    """What a parity test says about its two sides.

    differ: facts that must differ. same: facts that must not. same_inputs: both sides ran the same worlds (not so for the
    prefix of a longer run). Facts are read from the proofs: `shards` is the number of shards with rows, `legs` the number
    of distinct processes of a resumed run (1 in one go), the others are the proof's fields.
    """

    name: str
    differ: frozenset[Fact]
    same: frozenset[Fact]
    same_inputs: bool = True


CLAIMS: dict[str, Claim] = {}
"""By name: sql_vs_polars, threads, levels, shards, resume, batch, legacy, same_seed, rerun, prefix."""


@dataclass(frozen=True)
class ClaimOutcome:
    """status: `ok`, `refused` or `unproven`; reasons: (code, text for people), empty when ok.

    Codes: no_proof, inputs, differ (a fact that must differ does not), same (one that must not does), database, fallback,
    empty (a table empty where the quotas are not), shared (both sides hand back the same memory), library, legacy.
    """

    status: Literal["ok", "refused", "unproven"]
    reasons: tuple[tuple[str, str], ...] = ()

    @property
    def ok(self) -> bool:
        return self.status == "ok"

    def describe(self) -> str:
        """One line per reason."""
        return "\n".join(text for _, text in self.reasons) or "ok"


def check_claim(claim: Claim, left: Run, right: Run) -> ClaimOutcome:
    """Hold the proofs of two runs to a claim. A run without proof is unproven; any contradiction is refused."""
    raise NotImplementedError
