"""What one run of one cell costs: a fresh process, a fresh database, its whole process tree watched, its proof held to the cell."""

from scale.measuring.host import load, machine
from scale.measuring.identity import commit_of, engine_code
from scale.measuring.leak import measure_leak
from scale.measuring.run import default_memory_limit, measure

__all__ = ["commit_of", "default_memory_limit", "engine_code", "load", "machine", "measure", "measure_leak"]
