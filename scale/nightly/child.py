"""The environment of the processes that a campaign starts: one thread for every pool, and this checkout's code."""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
_ONE_THREAD = {
    name: "1" for name in ("POLARS_MAX_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
}


def environment() -> dict[str, str]:
    """This process's environment, with which a unit runs as it would alone: a worker a core, so no pool has more than one thread."""
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, **_ONE_THREAD, "PYTHONPATH": os.pathsep.join(paths), "PYTHONUNBUFFERED": "1"}
