"""Known repros are run again before anything is fuzzed: what passes by now is retired, what nobody can run is told.

Bundles run in processes of their own, several after one another in each, so that one that crashes or hangs costs that one only.

    python -m scale.nightly.recheck LIST.json RESULTS.json
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Literal

from scale.nightly.child import end_with_campaign, environment
from scale.nightly.records import Known, Recheck

if TYPE_CHECKING:
    from properties.replay import ReplayResult

REPEATS = {"known": 2, "flaky": 4}
"""Runs that have to pass before a failure counts as gone. A known one failed twice when it was found; a flaky one once."""
SECONDS_EACH = 120.0
"""A bundle may take so long: reduced, it takes about one second; one that an attached engine of minutes needs is untested."""


def recheck(
    corpus: Path, entries: Sequence[Known], workers: int, say: Callable[[str], None], engines: Sequence[str] = ()
) -> list[Recheck]:
    """Run the bundles of these failures again; one result each, in their order.

    engines: of the campaign: the Pythons and programs among them may be started for the bundles, which name them by label only.
    A KeyboardInterrupt ends the bundles that run.
    """
    wanted = [one for one in entries if one.bundle is not None]
    shares = [wanted[number::workers] for number in range(workers)]
    done: list[Recheck] = []

    def tell(result: Recheck) -> None:
        done.append(result)
        said = {0: "no longer fails", 1: "fails", 125: "cannot be tested"}[result.status]
        say(f"known failure {len(done)} of {len(wanted)}: {said}: {result.key}")

    stop = threading.Event()
    with ThreadPoolExecutor(max_workers=workers) as pool:
        try:
            for share in [pool.submit(_share, corpus, share, engines, tell, stop) for share in shares if share]:
                share.result()
        except BaseException:
            stop.set()
            raise
    order = {one.key: number for number, one in enumerate(entries)}
    return sorted(done, key=lambda result: order[result.key])


def _share(
    corpus: Path, share: Sequence[Known], engines: Sequence[str], tell: Callable[[Recheck], None], stop: threading.Event
) -> None:
    """Bundles one after another in one process; after one that ends it, the rest in another."""
    left = list(share)
    while left and not stop.is_set():
        with TemporaryDirectory(prefix="recheck-") as folder:
            asked, results = Path(folder) / "asked.json", Path(folder) / "results.jsonl"
            bundles = [[one.key, str(corpus / str(one.bundle)), REPEATS[one.state]] for one in left]
            wanted = {"seconds_a_run": SECONDS_EACH / 2, "engines": list(engines), "bundles": bundles}
            asked.write_text(json.dumps(wanted))
            ended = _run(asked, results, stop)
            found = [Recheck.model_validate_json(line) for line in _lines(results)]
        for result in found:
            # it is shown elsewhere, where the folders of this machine say nothing
            tell(result.model_copy(update={"note": result.note.replace(f"{corpus}/", "")}))
        left = left[len(found) :]
        if left and ended and not stop.is_set():
            tell(Recheck(key=left[0].key, status=125, note=ended))
            left = left[1:]


def _run(asked: Path, results: Path, stop: threading.Event) -> str:
    """Run the process until it ends, is stuck in one bundle or is to stop; what ended it before its last one."""
    command = [sys.executable, "-m", "scale.nightly.recheck", str(asked), str(results)]
    output = asked.with_name("output")
    with output.open("wb") as log:
        process = subprocess.Popen(
            command,
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C reaches the campaign alone, which then ends this
        )
        try:
            known, since = 0, time.monotonic()
            while process.poll() is None:
                time.sleep(0.05)
                lines = len(_lines(results))
                if lines > known:
                    known, since = lines, time.monotonic()
                if stop.is_set():
                    return "interrupted"
                if time.monotonic() - since > SECONDS_EACH:
                    return f"it gave no result within {SECONDS_EACH:.0f} s"
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    said = output.read_text(errors="replace").strip().splitlines()[-1:]
    return f"the process ended with status {process.returncode}: {' '.join(said):.200}"


def _lines(results: Path) -> list[str]:
    """Whole lines only: the last may still be written."""
    text = results.read_text(encoding="utf-8") if results.exists() else ""
    return text.split("\n")[:-1]


def _main(asked: Path, results: Path) -> None:
    from differential.repro.replay import ANOTHER
    from properties.replay import replay

    with results.open("a", encoding="utf-8") as out:
        wanted = json.loads(asked.read_text())
        for key, bundle, repeats in wanted["bundles"]:
            started = time.monotonic()
            run = partial(replay, bundle, timeout=wanted["seconds_a_run"], engines=wanted["engines"])
            status, note = _replayed(run, repeats)
            another = status == 1 and note.startswith(ANOTHER)
            result = Recheck(
                key=key, status=status, note=note, another=another, seconds=round(time.monotonic() - started, 3)
            )
            out.write(result.model_dump_json() + "\n")
            out.flush()


def _replayed(run: Callable[[], ReplayResult], repeats: int) -> tuple[Literal[0, 1, 125], str]:
    """The first run that does not pass decides."""
    for _ in range(repeats):
        result = run()
        if result.status:
            return result.status, result.note or (result.report if result.status == 125 else "")
    return 0, ""


if __name__ == "__main__":
    os.environ.setdefault("POLARS_MAX_THREADS", "1")
    end_with_campaign()
    _main(Path(sys.argv[1]), Path(sys.argv[2]))
