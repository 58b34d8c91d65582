"""Small engines that behave, misbehave or break in one way each, for the tests of measuring."""

from __future__ import annotations

import mmap
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from differential.engines import get_engine
from differential.run import Capabilities, Proof, Run
from differential.variant import Variant, switches_in_force
from fixtures.world import World

MIB = 2**20
_HOLD = "import time; held = bytearray({mebibytes} << 20); time.sleep({seconds})"
_BURN = "import time; end = time.process_time() + 0.3\nwhile time.process_time() < end: pass\nprint('burnt', flush=True); input()"
_NO_DATABASE = Capabilities(database=False)
_kept: list[object] = []


@dataclass(frozen=True)
class Fake:
    """The oracle's tables under a name of its own. act: done during the run. edit: what the run or its proof is changed to."""

    name: str
    act: Callable[[], object] = lambda: None
    edit: Callable[[Run], Run] = lambda run: run
    capabilities: Capabilities = _NO_DATABASE

    def run(self, worlds: Sequence[World], variant: Variant) -> Run:
        """Simulate, act, and say of the variant what an honest engine would."""
        run = get_engine("oracle").run(worlds, Variant())
        self.act()
        proof = _proof(
            run,
            engine=self.name,
            threads=variant.threads,
            switches=switches_in_force(variant),
            shard_rows=tuple(run.state.num_rows // variant.shards for _ in range(variant.shards)),
        )
        return self.edit(proof)


def _proof(run: Run, **changes: object) -> Run:
    assert run.proof is not None
    return replace(run, proof=replace(run.proof, **changes))  # type: ignore[arg-type]


def _hold(mebibytes: int, seconds: float) -> None:
    """Touch so much memory, keep it for so long, and give it back to the system."""
    with mmap.mmap(-1, mebibytes * MIB) as held:
        for offset in range(0, len(held), mmap.PAGESIZE):
            held[offset] = 1
        time.sleep(seconds)


def _hold_in_child(mebibytes: int, seconds: float) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", _HOLD.format(mebibytes=mebibytes, seconds=seconds)])


def _one_after_another() -> None:
    for _ in range(3):
        _hold_in_child(200, 0.4).wait()


def _fragment() -> None:
    """Leave 60 MiB of free blocks in the C library's heap, under one that is kept."""
    blocks = [bytes(60_000) for _ in range(1000)]
    _kept.append(blocks[-1])


def _die_beside_a_child() -> None:
    child = _hold_in_child(1, 60)
    Path(os.environ["STRAY"]).write_text(str(child.pid))
    os._exit(3)


def _burn_in_a_child_that_stays() -> None:
    child = subprocess.Popen([sys.executable, "-c", _BURN], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert child.stdout is not None
    child.stdout.readline()
    _kept.append(child)


def _leave_a_stray() -> None:
    """A process in a session of its own, whose parent has ended, that says its id where a test finds it."""
    stray = f"import os, time; open({os.environ['STRAY']!r}, 'w').write(str(os.getpid())); time.sleep(60)"
    starter = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {stray!r}], start_new_session=True)"
    subprocess.run([sys.executable, "-c", starter], check=True)
    while not (Path(os.environ["STRAY"]).exists() and Path(os.environ["STRAY"]).read_text()):
        time.sleep(0.01)


def _hang() -> None:
    if "STRAY" in os.environ:
        _leave_a_stray()
    while True:
        time.sleep(1)


def _grow() -> None:
    for _ in range(64):  # up to 2 GiB, should the limit not be held
        _kept.append(bytearray(32 * MIB))
        time.sleep(0.02)


def peaked_before() -> Fake:
    """An engine that took much memory when it was made, and gave it back."""
    _hold(300, 0)
    return Fake("peaked_before")


def _raise(error: BaseException) -> None:
    print("what the engine printed")
    raise error


def _with_highest_resident(run: Run) -> Run:
    """VmHWM in KiB, as the process itself reads it, among the versions. ru_maxrss would do but for what it inherits over exec."""
    status = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    highest = next(line.split()[1] for line in status if line.startswith("VmHWM:"))
    return _proof(run, versions={"VmHWM": highest})


def _without_last_year(run: Run) -> Run:
    last = pc.max(run.state["simulation_year"])
    kept: list[pa.Table] = [table.filter(pc.less(table["simulation_year"], last)) for table in (run.events, run.state)]
    return replace(run, events=kept[0], state=kept[1])


def _other_inputs(run: Run) -> Run:
    assert isinstance(run.proof, Proof)
    return _proof(run, inputs=("0" * 64,))


plain = Fake("plain")
sleeps = Fake("sleeps", lambda: time.sleep(0.3))
peaks = Fake("peaks", lambda: _hold(300, 0.2))
holds_much = Fake("holds_much", lambda: _hold(512, 0.1), _with_highest_resident)
works_in_a_child = Fake("works_in_a_child", lambda: _hold_in_child(300, 0.6).wait())
works_in_three = Fake("works_in_three", _one_after_another)
fragments = Fake("fragments", _fragment)
burns_in_a_child = Fake("burns_in_a_child", _burn_in_a_child_that_stays)
leaks = Fake("leaks", lambda: _kept.append(bytearray(b"x" * 20 * MIB)))

raises = Fake("raises", lambda: _raise(ValueError("no such year")))
leaves = Fake("leaves", lambda: sys.exit("I am done"))
lacks_memory = Fake("lacks_memory", lambda: _raise(MemoryError()))
dies = Fake("dies", lambda: os._exit(3))
dies_beside_a_child = Fake("dies_beside_a_child", _die_beside_a_child)
crashes = Fake("crashes", lambda: os.kill(os.getpid(), signal.SIGSEGV))
is_killed = Fake("is_killed", lambda: os.kill(os.getpid(), signal.SIGKILL))
hangs = Fake("hangs", _hang)
grows = Fake("grows", _grow)
strays = Fake("strays", _leave_a_stray)
narrow = Fake("narrow", capabilities=Capabilities(database=False, threads=False, shards=False, levels=("high",)))

ignores_threads = Fake("ignores_threads", edit=lambda run: _proof(run, threads=1))
ignores_level = Fake("ignores_level", edit=lambda run: _proof(run, switches=frozenset()))
forced_legacy = Fake("forced_legacy", edit=lambda run: _proof(run, switches=frozenset(), forced_legacy=True))
one_shard = Fake("one_shard", edit=lambda run: _proof(run, shard_rows=(run.state.num_rows,)))
all_in_one_shard = Fake("all_in_one_shard", edit=lambda run: _proof(run, shard_rows=(run.state.num_rows, 0)))
falls_back = Fake("falls_back", edit=lambda run: _proof(run, fallbacks=("ran as sql",)))
drops_a_year = Fake("drops_a_year", edit=_without_last_year)
without_proof = Fake("without_proof", edit=lambda run: replace(run, proof=None))
other_input = Fake("other_input", edit=_other_inputs)
no_database = Fake("no_database", capabilities=Capabilities())
