"""Replaying a bundle of any kind: importing this makes findings of properties known to differential/repro."""

from __future__ import annotations

from differential.repro import ReplayResult, replay
from differential.repro.finding import announce

__all__ = ["ReplayResult", "replay"]

announce("property", "properties.finding")  # imported for a bundle of that kind only: it brings every check with it
