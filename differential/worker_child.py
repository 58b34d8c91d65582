"""The child's side of differential/workers.py. Another Python runs it too: only the standard library is imported at the top."""

from __future__ import annotations

import importlib
import os
import pickle
import signal
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from select import poll
from typing import Any

from differential.pipe import Part, pickled, receive_parts, send_parts, unpickled

GRACE_SECONDS = 5.0
"""That a child has to end by itself after its pipe was closed."""


def serve(source: int, sink: int, preload: str, answerer: str) -> None:
    """The child's loop: answer calls until the parent closes the pipe, or is no more, whatever is being done then."""
    threading.Thread(target=_end_with_parent, args=(source,), daemon=True).start()
    if preload:
        with suppress(Exception):  # a module that cannot be imported is reported by the call that names it
            importlib.import_module(preload)
    answer = _function(answerer)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides; it closes the pipe
    while True:
        try:
            request = receive_parts(source)
        except EOFError:
            return
        send_parts(sink, answer(request))


def answer_pickled(request: Sequence[bytearray]) -> list[Part]:
    """What a child of this very Python does with a call: run it, and hand back its result or what it raised."""
    from differential.workers import WorkerError

    target, args, name = unpickled(request)
    try:
        result = ("returned", _function(target)(*args))
    except MemoryError:
        result = ("raised", WorkerError("memory", f"{name} ran out of memory"))
    except Exception as error:  # noqa: BLE001 - it is handed to the parent
        result = ("raised", _portable(error, traceback.format_exc()))
    return pickled(result)


def _function(target: str) -> Callable[..., Any]:
    module, _, name = target.partition(":")
    found: Callable[..., Any] = getattr(importlib.import_module(module), name)
    return found


def _end_with_parent(source: int) -> None:
    """Wait until nobody holds the other end of the pipe; a child that is idle then ends by itself, one that hangs does not.

    Not by PR_SET_PDEATHSIG, which is sent when the parent's thread ends that started the child: kept children outlive those.
    """
    watch = poll()
    watch.register(source, 0)  # a hang-up is told in any case
    watch.poll()
    time.sleep(GRACE_SECONDS)
    os._exit(1)


def _portable(error: Exception, text: str) -> Exception | str:
    """The exception itself where it survives pickling, else its traceback."""
    try:
        copy = pickle.loads(pickle.dumps(error))
    except Exception:  # noqa: BLE001 - any failure means it cannot cross
        return text
    if type(copy) is not type(error):
        return text
    error.add_note(f"in a worker process:\n{text}")
    return error
