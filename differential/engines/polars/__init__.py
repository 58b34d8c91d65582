"""The `polars` engine: docs/simulation.md as Polars expressions over all people of all worlds at once."""

from differential.engines.polars.database import DatabaseError
from differential.engines.polars.engine import PolarsEngine
from differential.engines.polars.restore import SavedStateError

__all__ = ["DatabaseError", "PolarsEngine", "SavedStateError"]
