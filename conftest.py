"""Wires the suite's options and profiles into pytest."""

from __future__ import annotations

import os

# One thread for the comparing process: Polars fixes its pool on import, and runs with other counts get a process of their own.
os.environ.setdefault("POLARS_MAX_THREADS", "1")

pytest_plugins = ["differential.plugin"]
