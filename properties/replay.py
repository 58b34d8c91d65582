"""Replaying a bundle of any kind: importing this makes findings of properties known to differential/repro."""

from __future__ import annotations

import properties.finding  # noqa: F401 - registers its kind of finding
from differential.repro import ReplayResult, replay

__all__ = ["ReplayResult", "replay"]
