"""Bundles on disk: written whole or not at all, read back with clear errors."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from differential.reduction import Reduction
from differential.repro.failure import Failure

SCHEMA_VERSION = 1


class BundleError(ValueError):
    """A bundle that cannot be read; the message names the file and the key."""


@dataclass(frozen=True)
class Bundle:
    """A bundle as read: the failure, its recorded signature, and notes such as that the world was edited since."""

    path: Path
    failure: Failure
    signature: str
    verified: bool
    notes: tuple[str, ...] = ()


def write_bundle(folder: Path, failure: Failure, reduction: Reduction | None = None, *, mask: bool) -> Path:
    """Write `<folder>/<name>/` and return its path; without a reduction, the failure as found (called before any shrinking).

    mask: ids, dates and pay of people are not written unless they were replaced; ssn never are, masked or not.
    An existing bundle stays, unless this is the same failure and smaller. Raises OSError with the file's name.
    """
    raise NotImplementedError


def load_bundle(path: Path) -> Bundle:
    """Read a bundle's folder. Raises BundleError naming file and key."""
    raise NotImplementedError


def regressions(folder: Path) -> list[Path]:
    """The bundles in a folder, by name; empty if it does not exist."""
    raise NotImplementedError
