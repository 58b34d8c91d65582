"""Determinism against the environment (M22): time zone, locale, clock, hash seed, threads, row order, start method, and so on.

Source: docs/checks.md, M01, M08, M19 and M22.
"""

from __future__ import annotations

from properties.environment.run import EnvironmentOutcome, run_environment
from properties.environment.settings import Setting, designed_worlds, settings

__all__ = ["EnvironmentOutcome", "Setting", "designed_worlds", "run_environment", "settings"]
