"""`python -m differential check-engine SPEC`: tells the author of an engine, step by step, what is there and what is missing."""

from differential.checking.check import check_engine
from differential.checking.steps import Step, passed
from differential.checking.text import step_lines, summary_lines

__all__ = ["Step", "check_engine", "passed", "step_lines", "summary_lines"]
