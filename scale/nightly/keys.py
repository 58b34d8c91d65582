"""The key that tells failures apart: the engines, and the sanitised signature that the suite gives every finding.

A signature names test or rule, table, kind, event type and column (differential/comparison/divergence.py, properties/check.py),
never a row or a message. Variants are left out: one fault of a level shows under many thread counts, and is one failure.
"""

from __future__ import annotations

from collections.abc import Iterable

from differential.repro import Finding


def key_of(engines: Iterable[str], signature: str) -> str:
    """The key of a failure of these engines, in their order."""
    return f"{','.join(dict.fromkeys(engines))} {signature}"


def key_of_finding(finding: Finding) -> str:
    """The key of a finding of any kind."""
    return key_of((side.engine for side in finding.sides), finding.signature)
