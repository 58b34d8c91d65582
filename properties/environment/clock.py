"""Moving a process's clock: a shim of libc where there is a compiler, else Python's own functions."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import time
from functools import cache
from pathlib import Path

SHIFT_SECONDS = -366 * 86_400
"""Back by a year. Not forward: a timed wait for a time of day that is a year ahead would never end."""
SHIFT_VARIABLE = "PARITY_CLOCK_SHIFT"

_SHIM = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>

static long shift(void) { const char *text = getenv("PARITY_CLOCK_SHIFT"); return text ? atol(text) : 0; }

int clock_gettime(clockid_t clock, struct timespec *now) {
    static int (*real)(clockid_t, struct timespec *);
    if (!real) real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    int status = real(clock, now);
    if (status == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) now->tv_sec += shift();
    return status;
}

time_t time(time_t *result) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (result) *result = now.tv_sec;
    return now.tv_sec;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
    struct timespec exact;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &exact);
    if (now) { now->tv_sec = exact.tv_sec; now->tv_usec = exact.tv_nsec / 1000; }
    return 0;
}
"""

_kept: list[tempfile.TemporaryDirectory[str]] = []  # removed when this process ends


@cache
def shim() -> Path | None:
    """The compiled shim; None where there is no Linux or no C compiler that makes one. Built once a process."""
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None or not sys.platform.startswith("linux"):
        return None
    _kept.append(tempfile.TemporaryDirectory(prefix="parity-clock-"))
    folder = Path(_kept[-1].name)
    source, library = folder / "clock.c", folder / "clock.so"
    source.write_text(_SHIM, encoding="utf-8")
    command = [compiler, "-shared", "-fPIC", "-O1", "-o", str(library), str(source), "-ldl"]
    built = subprocess.run(command, capture_output=True, check=False)
    return library if built.returncode == 0 else None


def move_python_clock(seconds: int) -> None:
    """Move time.time, time.time_ns and with them date.today; datetime.now and libraries go on with the true clock.

    datetime's classes cannot be replaced: libraries in C that are imported later rely on their layout.
    """
    true_time = time.time
    time.time = lambda: true_time() + seconds
    time.time_ns = lambda: int((true_time() + seconds) * 1e9)
