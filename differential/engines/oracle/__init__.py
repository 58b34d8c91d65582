"""The `oracle` engine: docs/simulation.md in plain Python, one employee at a time."""

from differential.engines.oracle.engine import OracleEngine

__all__ = ["OracleEngine"]
