"""What one run of one cell costs: a fresh process, a fresh database, its whole process tree watched, its proof held to the cell."""

from scale.measuring.machine import load, machine
from scale.measuring.run import default_memory_limit, measure

__all__ = ["default_memory_limit", "load", "machine", "measure"]
