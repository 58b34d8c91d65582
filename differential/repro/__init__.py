"""Bundles: a failure as a folder of plain files that a person understands and one command replays."""

from differential.repro.bundle import write_bundle
from differential.repro.failure import Failure
from differential.repro.finding import Finding
from differential.repro.reading import Bundle, BundleError, load_bundle, regressions
from differential.repro.replay import ReplayResult, replay
from differential.repro.report import report
from differential.repro.shrink import shrink_costly, shrink_failure

__all__ = [
    "Bundle",
    "BundleError",
    "Failure",
    "Finding",
    "ReplayResult",
    "load_bundle",
    "regressions",
    "replay",
    "report",
    "shrink_costly",
    "shrink_failure",
    "write_bundle",
]
