"""Thread efficiency from measured times, on the cores that exist, with Amdahl's serial fraction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from scale.policy import Policy
from scale.statistics.plain import figures
from scale.status import Verdict, gravest


@dataclass(frozen=True)
class ThreadRow:
    """seconds: median. speedup: seconds of 1 thread over these. efficiency: speed-up over threads. judged: False beyond the cores.

    label: excellent, good or poor; empty for 1 thread and where not judged.
    """

    threads: int
    seconds: float
    speedup: float
    efficiency: float
    label: str
    judged: bool
    verdict: Verdict

    def as_dict(self) -> dict[str, float | str]:
        """Plain figures for reports."""
        return figures(
            threads=self.threads,
            seconds=self.seconds,
            speedup=self.speedup,
            efficiency=self.efficiency,
            label=self.label,
            judged="yes" if self.judged else "no",
            verdict=self.verdict,
        )


@dataclass(frozen=True)
class Speedup:
    """serial_fraction: s of Amdahl's law T(k) = T(1) (s + (1 - s) / k), from the judged counts, with an interval at 95 %.

    It is below 0 where threads gained more than their number, and None where it could not be fitted.
    """

    rows: tuple[ThreadRow, ...]
    serial_fraction: float | None
    serial_low: float | None
    serial_high: float | None
    verdict: Verdict
    reason: str


def judge_speedup(seconds: Mapping[int, Sequence[float]], cores: int, policy: Policy) -> Speedup:
    """`seconds` by number of threads. Every count from 2 to `cores` needs the policy's efficiency; more threads are shown as info.

    Insufficient: no runs with 1 thread, too few runs, no count within the cores, or a machine of 1 core.
    """
    rows = _rows(seconds, cores, policy)
    judged = [row for row in rows if row.judged]
    missing = _shortage(seconds, cores, policy)
    if missing and not any(row.verdict == "fail" for row in judged):
        return Speedup(rows, None, None, None, "insufficient", missing)
    serial, low, high = _amdahl({row.threads: seconds[row.threads] for row in (rows[0], *judged)})
    least = min(judged, key=lambda row: row.efficiency)
    limits = policy.threads
    reason = (
        f"{least.efficiency:.0%} at {least.threads} threads ({least.label}; least {limits.efficiency_minimum:.0%}, "
        f"target {limits.efficiency_target:.0%}), speed-up {least.speedup:.2f}"
    )
    if missing:
        reason = f"{reason}; {missing}"
    return Speedup(rows, serial, low, high, gravest(row.verdict for row in judged), reason)


def _rows(seconds: Mapping[int, Sequence[float]], cores: int, policy: Policy) -> tuple[ThreadRow, ...]:
    if not seconds.get(1):
        return ()
    alone = float(np.median(seconds[1]))
    rows = []
    for threads in sorted(count for count, values in seconds.items() if values):
        taken = float(np.median(seconds[threads]))
        judged = 1 < threads <= cores and min(len(seconds[threads]), len(seconds[1])) >= policy.sufficiency.runs_minimum
        efficiency = alone / taken / threads
        label = _label(efficiency, policy) if judged else ""
        verdict: Verdict = ("fail" if label == "poor" else "pass") if judged else "info"
        rows.append(ThreadRow(threads, taken, alone / taken, efficiency, label, judged, verdict))
    return tuple(rows)


def _label(efficiency: float, policy: Policy) -> str:
    if efficiency >= policy.threads.efficiency_target:
        return "excellent"
    return "good" if efficiency >= policy.threads.efficiency_minimum else "poor"


def _shortage(seconds: Mapping[int, Sequence[float]], cores: int, policy: Policy) -> str:
    need = policy.sufficiency.runs_minimum
    if cores < 2:
        return "this machine has 1 core; run it on one with at least 2, better 4"
    if not seconds.get(1):
        return "no run with 1 thread, to which the others are compared"
    within = [threads for threads in seconds if 1 < threads <= cores]
    if not within:
        wanted = min((threads for threads in seconds if threads > 1), default=2)
        counts = "2" if cores == 2 else f"2 to {cores}"
        return f"no run with {counts} threads; add one, or run it on a machine with at least {wanted} cores"
    few = [threads for threads in (1, *sorted(within)) if len(seconds[threads]) < need]
    if few:
        return f"{len(seconds[few[0]])} runs with {few[0]} threads and {need} are needed"
    return ""


def _amdahl(seconds: Mapping[int, Sequence[float]]) -> tuple[float | None, float | None, float | None]:
    """s = serial / whole of T(k) = whole / k + serial (1 - 1 / k), by relative least squares; interval by the delta method."""
    threads = np.concatenate([np.full(len(values), float(count)) for count, values in seconds.items()])
    taken = np.concatenate([np.asarray(values, dtype=float) for values in seconds.values()])
    centre = np.concatenate([np.full(len(values), float(np.median(values))) for values in seconds.values()])
    design = np.column_stack([1 / threads, 1 - 1 / threads]) / centre[:, None]
    (whole, serial), *_ = np.linalg.lstsq(design, taken / centre, rcond=None)
    freedom = len(taken) - 2
    if whole <= 0 or freedom < 1:
        return None, None, None
    spread = float(((taken / centre - design @ [whole, serial]) ** 2).sum()) / freedom
    covariance = spread * np.linalg.inv(design.T @ design)
    fraction = float(serial / whole)
    gradient = np.array([-fraction, 1.0]) / whole
    half = float(stats.t.ppf(0.975, freedom) * np.sqrt(gradient @ covariance @ gradient))
    return fraction, fraction - half, fraction + half
