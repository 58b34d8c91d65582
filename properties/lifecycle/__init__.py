"""The life of a database: years run, run again, resumed, killed and restored in any order, and what the file must hold.

Source: docs/simulation.md, section 7 (database, resume) and docs/checks.md (I34, M03, M04, M06, M18, M20).
"""

from __future__ import annotations

from properties.lifecycle.run import LifecycleOutcome, run_lifecycle
from properties.lifecycle.tally import expected_uses

__all__ = ["LifecycleOutcome", "expected_uses", "run_lifecycle"]
