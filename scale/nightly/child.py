"""The processes that a campaign starts: their environment, and that none of them outlives it."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
PARENT = "WORKFORCE_PARITY_CAMPAIGN"
_ONE_THREAD = dict.fromkeys(("POLARS_MAX_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
_LOOK_EVERY, _GRACE = 0.5, 20.0


def environment() -> dict[str, str]:
    """This process's environment for a unit or a recheck. A worker takes one core, so no pool has more than one thread."""
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    own = {"PYTHONPATH": os.pathsep.join(paths), "PYTHONUNBUFFERED": "1", PARENT: str(os.getpid())}
    return {**os.environ, **_ONE_THREAD, **own}


def end_with_campaign() -> None:
    """In a child: end as Ctrl-C would once the campaign's process is gone, however that ended. Without a campaign, nothing."""
    parent = os.environ.pop(PARENT, "")
    if parent.isdigit() and os.getppid() == int(parent):
        threading.Thread(target=_watch, args=(int(parent),), daemon=True).start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_LOOK_EVERY)
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(_GRACE)
    os._exit(130)
