"""Planted faults, and which checks notice them: `run_catalogue` makes the kill matrix."""

from properties.faults.kill import Kill, kill
from properties.faults.matrix import KillMatrix
from properties.faults.run import run_catalogue

__all__ = ["Kill", "KillMatrix", "kill", "run_catalogue"]
