"""One-run invariants I..: queries over the two tables, over many worlds at once."""

from properties.invariants.judge import Judgement, all_checks, judge, judge_tables
from properties.invariants.ledger import Tables

__all__ = ["Judgement", "Tables", "all_checks", "judge", "judge_tables"]
