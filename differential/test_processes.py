"""Other people's programs under limits: the whole tree is measured and killed, and ends with whoever started it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from differential.processes import Ended, run_program
from differential.workers import WorkerError

MEGABYTE = 2**20
PLENTY = 4_096 * MEGABYTE


def run(folder: Path, code: str, *, seconds: float = 60, memory: int = PLENTY, lines: list[str] | None = None) -> Ended:
    return run_program(
        [sys.executable, "-c", code], folder=folder, environment=os.environ, log=folder / "log", seconds=seconds,
        memory=memory, called="it", line=None if lines is None else lambda _, text: lines.append(text),
    )  # fmt: skip


def test_it_runs_in_its_folder_and_its_output_is_kept_and_told(tmp_path: Path) -> None:
    lines: list[str] = []

    ended = run(tmp_path, "import os, sys; print(os.getcwd()); print('late', file=sys.stderr)", lines=lines)

    assert ended.status == 0
    assert lines == [str(tmp_path), "late"]
    assert (tmp_path / "log").read_text().splitlines() == lines


def test_a_bad_end_shows_the_last_lines(tmp_path: Path) -> None:
    with pytest.raises(WorkerError, match=r"(?s)it ended with exit status 3.*\| the reason") as raised:
        run(tmp_path, "print('the reason'); raise SystemExit(3)")
    assert raised.value.kind == "died"
    with pytest.raises(WorkerError, match="nosuchprogram: cannot be started"):
        run_program(
            ["nosuchprogram"], folder=tmp_path, environment=os.environ, log=tmp_path / "log", seconds=9, memory=PLENTY, called="it"
        )  # fmt: skip


CHILD = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", {code!r}], start_new_session=True)
open("child", "w").write(str(child.pid))
child.wait()
"""


def gone(folder: Path) -> bool:
    pid = int((folder / "child").read_text())
    for _ in range(100):
        status = Path(f"/proc/{pid}/stat")
        if not status.exists() or status.read_text().rpartition(")")[2].split()[0] == "Z":
            return True
        time.sleep(0.1)
    return False


def test_time_is_up_for_its_children_too(tmp_path: Path) -> None:
    with pytest.raises(WorkerError, match="did not end in 3 s") as raised:
        run(tmp_path, CHILD.format(code="import time; time.sleep(600)"), seconds=3)

    assert raised.value.kind == "hung"
    assert gone(tmp_path)


def test_memory_of_its_children_counts(tmp_path: Path) -> None:
    with pytest.raises(WorkerError, match="GiB with its children") as raised:
        run(tmp_path, CHILD.format(code="x = b'x' * 400_000_000; import time; time.sleep(600)"), memory=300 * MEGABYTE)

    assert raised.value.kind == "memory"
    assert gone(tmp_path)


STARTER = """
import os, sys
sys.path.insert(0, {root!r})
from pathlib import Path
from differential.processes import run_program
code = "import os, time; open('child', 'w').write(str(os.getpid())); time.sleep(600)"
run_program([sys.executable, "-c", code], folder=Path({folder!r}), environment=os.environ, log=Path({folder!r}) / "log",
            seconds=600, memory=2**40, called="it")
"""


def test_it_ends_with_whoever_started_it(tmp_path: Path) -> None:
    root = str(Path(__file__).resolve().parent.parent)
    starter = subprocess.Popen([sys.executable, "-c", STARTER.format(root=root, folder=str(tmp_path))])
    for _ in range(600):
        if (tmp_path / "child").exists() and (tmp_path / "child").read_text():
            break
        time.sleep(0.1)

    starter.kill()
    starter.wait()

    assert gone(tmp_path)
