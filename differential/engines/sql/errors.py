"""Errors of the sql engine."""


class SqlEngineError(RuntimeError):
    """A run that cannot go on; the message says what to do."""


class DatabaseError(SqlEngineError):
    """A database file that cannot be read or written as asked; the message names the file. Its rows are as they were."""
