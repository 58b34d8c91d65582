"""Variant: how a run is done. Every axis changes the path taken and never the result (docs/simulation.md, section 7)."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

SWITCHES = ("fused_events", "incremental_state", "hazard_cache", "tuned_io")
LEVELS: dict[str, frozenset[str]] = {
    "legacy": frozenset(),
    "low": frozenset({"hazard_cache"}),
    "medium": frozenset({"hazard_cache", "incremental_state"}),
    "high": frozenset(SWITCHES),
}
LEGACY_FLAG = "FEATURE_FLAG_LEGACY_EVENTS"
_ON, _OFF = ("1", "true", "yes", "on"), ("", "0", "false", "no", "off")


class VariantError(ValueError):
    """A variant that does not exist, or that an engine lacks."""


@dataclass(frozen=True)
class Variant:
    """One way to run.

    level: `legacy`, `low`, `medium`, `high`, or switches joined by `+` (`fused_events+hazard_cache`).
    threads: of the engine's own pool. shards: parts that the per-person families are built in.
    resume: stop after so many years and go on from the saved state in a new process; None = in one go.
    batch_size: rows of the engine's internal batches; None = the engine's own choice.
    database: DuckDB file that the run leaves its tables in; None = none.
    """

    level: str = "high"
    threads: int = 1
    shards: int = 1
    resume: int | None = None
    batch_size: int | None = None
    database: Path | None = None

    def __post_init__(self) -> None:
        parse_level(self.level)
        for name in ("threads", "shards", "resume", "batch_size"):
            value = getattr(self, name)
            if value is not None and (not isinstance(value, int) or value < 1):
                raise VariantError(f"{name} must be a whole number of at least 1, not {value!r}")

    def describe(self) -> str:
        """Short text for reports: only what differs from the defaults, or `default`."""
        parts = [
            f"{name}={getattr(self, name)}"
            for name in ("level", "threads", "shards", "resume", "batch_size", "database")
            if getattr(self, name) != getattr(_DEFAULT, name)
        ]
        return " ".join(parts) or "default"


def parse_level(level: str) -> frozenset[str]:
    """The switches that a level stands for; raises VariantError for an unknown one."""
    if level in LEVELS:
        return LEVELS[level]
    switches = frozenset(level.split("+"))
    unknown = sorted(switches - set(SWITCHES))
    if unknown:
        raise VariantError(
            f"unknown level {level!r}: expected {', '.join(LEVELS)} or switches joined by + ({', '.join(SWITCHES)})"
        )
    return switches


def legacy_forced() -> bool:
    """Whether FEATURE_FLAG_LEGACY_EVENTS is on; raises VariantError for a value that is neither on nor off."""
    value = os.environ.get(LEGACY_FLAG, "").strip().lower()
    if value in _ON:
        return True
    if value in _OFF:
        return False
    raise VariantError(f"{LEGACY_FLAG}={value!r}: use true or false")


def switches_in_force(variant: Variant) -> frozenset[str]:
    """The switches a run must use: the level's, or none where the legacy flag is on."""
    return frozenset() if legacy_forced() else parse_level(variant.level)


_DEFAULT = Variant()
