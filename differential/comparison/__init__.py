"""Exact comparison of runs, scores, claims, policies, first divergence and reports."""

from differential.comparison.batches import ComparisonError, WorldComparison, compare_runs, least_scores
from differential.comparison.by_type import TypeAgreement, agreement_by_type
from differential.comparison.canonical import canonical_order, content_hash
from differential.comparison.claims import CLAIMS, Claim, ClaimOutcome, check_claim
from differential.comparison.divergence import Divergence, first_divergence
from differential.comparison.exact import compare_tables
from differential.comparison.numeric import NumericDifference, numeric_differences, numeric_differences_of_runs
from differential.comparison.policy import (
    DEFAULT_THRESHOLDS,
    ComparisonPolicy,
    PolicyEntry,
    PolicyError,
    PolicyUse,
    StaleEntry,
    load_policy,
    stale_entries,
)
from differential.comparison.report import long_report
from differential.comparison.verdict import (
    EVENTS,
    STATE,
    ColumnDifference,
    ColumnRules,
    GroupCount,
    RowDifference,
    SchemaDifference,
    Scores,
    TableComparison,
    TableSpec,
)

__all__ = [
    "CLAIMS",
    "DEFAULT_THRESHOLDS",
    "EVENTS",
    "STATE",
    "Claim",
    "ClaimOutcome",
    "ColumnDifference",
    "ColumnRules",
    "ComparisonError",
    "ComparisonPolicy",
    "Divergence",
    "GroupCount",
    "NumericDifference",
    "PolicyEntry",
    "PolicyError",
    "PolicyUse",
    "RowDifference",
    "SchemaDifference",
    "Scores",
    "StaleEntry",
    "TableComparison",
    "TableSpec",
    "TypeAgreement",
    "WorldComparison",
    "agreement_by_type",
    "canonical_order",
    "check_claim",
    "compare_runs",
    "compare_tables",
    "content_hash",
    "first_divergence",
    "least_scores",
    "load_policy",
    "long_report",
    "numeric_differences",
    "numeric_differences_of_runs",
    "stale_entries",
]
