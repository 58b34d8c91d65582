"""The figures of units: `python -m scale.nightly.bench rate|steering|rare|canaries`; on one core (`taskset -c 0 ...`) but the last.

rate      worlds a second of a unit, against the bench's cost of one world (differential.bench), in turn
steering  pairs of labels met after so many worlds, with steering and without, for several seeds
rare      in how many generated worlds the planted fault `rare` shows
canaries  after how many seconds the fault of each canary is met, all of them in turn, a unit a core
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest import mock

os.environ.setdefault("POLARS_MAX_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

from differential.bench.engines import PAIR, WORLDS
from differential.comparison import compare_runs
from differential.planted import FAULTS
from differential.pool import CHUNK, gather
from differential.profiles import PROFILES
from differential.session import Session, given_world
from differential.side import Side
from fixtures.strategies import worlds as generated_worlds
from scale.measuring.host import usable_cores
from scale.nightly import canary
from scale.nightly.inputs.atlas import Atlas
from scale.nightly.inputs.labels import flags_of
from scale.nightly.job import Job
from scale.nightly.plan import CANARY_SECONDS
from scale.nightly.planted import RARE_OF, wrong_pair
from scale.nightly.pool import LocalPool
from scale.nightly.records import RESULT, Unit, UnitResult, UnitSettings
from scale.nightly.unit.process import rare_collections
from scale.nightly.unit.report import Report
from scale.nightly.unit.run import run_unit
from scale.nightly.unit.source import Parents, Source
from scale.records import read_record

RATE_SECONDS, RATE_ROUNDS, BENCH_ROUNDS = 60.0, 3, 8
STEERING_WORLDS, STEERING_SEEDS, STEERING_STEP = 12_288, (1, 2, 3), 2_048
RARE_CHUNKS, RARE_SEED, RARE_TIMES = 500, 7_000_000, 200
CANARY_SEED = 9_000_000


def rate() -> None:
    """Milliseconds of one core that a world costs in the bench and in a unit after its start, in turn.

    Processor time, not wall time: on one core the two are the same, and a busy machine does not disturb it.
    """
    ratios = []
    for number in range(RATE_ROUNDS):
        before, unit, after = _bench(number), _unit(number), _bench(number + 100)
        ratios.append(2 * unit / (before + after))
        sys.stdout.write(f"bench {before:.2f} and {after:.2f} ms, unit {unit:.2f} ms: {ratios[-1]:.2f} of it\n")
    sys.stdout.write(f"median: {statistics.median(ratios):.2f} of the bench's cost of a world\n")


def _bench(seed: int) -> float:
    """As differential.bench's `generated worlds: drawn, run and compared`, but of other worlds each time."""
    started = time.process_time()
    for number in range(BENCH_ROUNDS):
        worlds = gather(generated_worlds(), WORLDS, 1_000 * seed + number)
        left, right = (Side(engine).run(worlds) for engine in PAIR)
        compare_runs(left, right)
    return 1000 * (time.process_time() - started) / (BENCH_ROUNDS * WORLDS)


def _unit(seed: int) -> float:
    """All of the unit but its start and the look for its slowest worlds: steering, labels, inputs and results included."""
    taken: list[tuple[float, int]] = []
    tick = Report.tick

    def note(report: Report) -> None:
        tick(report)
        taken.append((time.process_time(), report.worlds))

    asked = Unit(number=0, what="sql_vs_polars", seed=seed, engines=PAIR, seconds=RATE_SECONDS)
    with rare_collections(), TemporaryDirectory() as folder, mock.patch.object(Report, "tick", note):
        run_unit(asked, UnitSettings(), Path(folder))
    (start, before), (end, worlds) = taken[0], taken[-1]
    return 1000 * (end - start) / (worlds - before)


def steering() -> None:
    """Pairs met by the Polars engine's results, which are those of all engines, every so many worlds."""
    for seed in STEERING_SEEDS:
        for steer in (False, True):
            atlas, parents = Atlas(), Parents(None)
            session = Session(PROFILES["nightly"], ("polars",), given_world(None, None, None, None, None), seed=seed)
            source = Source(session, atlas, parents if steer else None)
            told = []
            for number in range(1, STEERING_WORLDS // 512 + 1):
                worlds = source.take(512).worlds
                flags = flags_of(worlds, Side("polars").run(worlds))
                for index in atlas.meet(worlds, flags):
                    parents.add(worlds[index], flags[index])
                if not number * 512 % STEERING_STEP:
                    told.append(atlas.met[1])
            source.close()
            rarest = sorted(np.diag(atlas.here).tolist())[:3]
            seldom = int(((np.triu(atlas.here, 1) > 0) & (np.triu(atlas.here, 1) <= 3)).sum())
            sys.stdout.write(
                f"seed {seed}, {'steered' if steer else 'plain'}: pairs every {STEERING_STEP} worlds {told}; rarest labels in "
                f"{rarest} worlds; {seldom} pairs in at most 3\n"
            )


def rare() -> None:
    """Generated worlds that show the planted fault as it is, and with so many times as many wrong couples."""
    shown = often = worlds = 0
    for number in range(RARE_CHUNKS):
        for world in gather(generated_worlds(), CHUNK, RARE_SEED + number, None):
            worlds += 1
            shown += wrong_pair(world) is not None
            often += wrong_pair(world, RARE_OF // RARE_TIMES) is not None
    sys.stdout.write(
        f"the fault `rare` shows on {shown} of {worlds} generated worlds; with {RARE_TIMES} times as many couples on {often}\n"
    )


def canaries() -> None:
    """Every canary, in a unit as a night has it."""
    pool, judged = LocalPool(usable_cores()), []
    with TemporaryDirectory() as folder:
        under_way = []
        for number, id_ in enumerate(canary.candidates()):
            what, engines = canary.unit_of(FAULTS[id_])
            unit = Unit(
                number=number,
                what=what,
                seed=CANARY_SEED + number,
                engines=engines,
                seconds=CANARY_SECONDS,
                canary=True,
            )
            under_way.append((id_, Job(unit, UnitSettings(), Path(folder) / id_)))
        for (id_, job), ended in [(one, pool.submit(one[1])) for one in under_way]:
            ended.result()
            judged.append(canary.judged(FAULTS[id_], job.unit, read_record(job.folder / RESULT, UnitResult)))
            sys.stdout.write(f"{id_}: {judged[-1].seconds} s, {judged[-1].reason}\n")
            sys.stdout.flush()
    pool.close()
    after = sorted(one.seconds for one in judged if one.caught and one.seconds is not None)
    missed = [one.fault for one in judged if not one.caught]
    sys.stdout.write(
        f"{len(after)} of {len(judged)} canaries were caught, after {statistics.median(after):.1f} s in the middle and "
        f"{after[-1]:.1f} s at the longest; missed: {', '.join(missed) or 'none'}\n"
    )


MEASUREMENTS: dict[str, Callable[[], None]] = {
    "rate": rate, "steering": steering, "rare": rare, "canaries": canaries,
}  # fmt: skip


def main() -> int:
    """Measure what was named, or everything."""
    parser = argparse.ArgumentParser(prog="python -m scale.nightly.bench", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*MEASUREMENTS, []], metavar="NAME", help=", ".join(MEASUREMENTS))
    for name in parser.parse_args().names or list(MEASUREMENTS):
        MEASUREMENTS[name]()
    return 0


if __name__ == "__main__":
    sys.exit(main())
