"""The `sql` engine: the rules of docs/simulation.md as DuckDB statements over many worlds at once.

The rules are the files in `rules/`; the Python around them loads parameters, decides which statements run under which
switches and hands tables over. Nothing is shared with other engines but inputs and contracts.
"""

from differential.engines.sql.engine import SqlEngine
from differential.engines.sql.errors import DatabaseError, SqlEngineError

__all__ = ["DatabaseError", "SqlEngine", "SqlEngineError"]
