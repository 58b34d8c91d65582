"""The sweep on disk: begun, gone on with after an interruption, saved after every run. Nothing of another sweep is overwritten."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from scale.log import new_run_id, now
from scale.measuring import engine_code, machine
from scale.records import Code, Leak, Machine, Run, Sweep, read_record, write_record
from scale.status import UsageError
from scale.sweep.request import SweepRequest

RESULTS = "results.json"


class SweepState:
    """The growing record of a sweep; `save` keeps results.json whole at every moment."""

    def __init__(self, sweep: Sweep, path: Path) -> None:
        self.sweep, self.path = sweep, path

    def add_run(self, run: Run) -> None:
        """Keep a finished run, in memory and on disk."""
        self.update(runs=[*self.sweep.runs, run])

    def add_leak(self, leak: Leak) -> None:
        """Keep finished repeated runs in one process."""
        self.update(leaks=[*self.sweep.leaks, leak])

    def update(self, **changes: object) -> None:
        """Change fields of the record and save it."""
        self.sweep = self.sweep.model_copy(update=changes)
        write_record(self.path, self.sweep)

    def has(self, cell_key: str, number: int) -> bool:
        """Whether this repetition of the cell is done (with whatever result)."""
        return any(run.cell.key == cell_key and run.round == number for run in self.sweep.runs)


def begin(request: SweepRequest, root: Path) -> SweepState:
    """A new sweep in the output folder, or the one that was interrupted there.

    Raises:
        UsageError: the folder holds a sweep of other cells, code, machine or policy; nothing was changed.
    """
    path = request.output / RESULTS
    here, codes = machine(), {spec: engine_code(spec, root) for spec in request.engines}
    if path.exists():
        return _resumed(path, request, here, codes)
    fresh = Sweep(
        run_id=new_run_id(),
        started=now(),
        command=request.command,
        commit=next(iter(codes.values())).commit,
        code=codes,
        machine=here,
        policy=request.policy.fingerprint,
        repetitions=request.runs,
        planned=request.planned,
        runs=[],
    )
    write_record(path, fresh)
    return SweepState(fresh, path)


def _resumed(path: Path, request: SweepRequest, here: Machine, codes: Mapping[str, Code]) -> SweepState:
    """The sweep that the file holds, if this is the same one."""
    found = read_record(path, Sweep)
    same = {
        "cells": found.planned == request.planned,
        "machine": found.machine.fingerprint == here.fingerprint,
        "library versions": found.machine.libraries == here.libraries,
        "engine code": {k: c.fingerprint for k, c in found.code.items()}
        == {k: c.fingerprint for k, c in codes.items()},
        "commit": {k: c.commit for k, c in found.code.items()} == {k: c.commit for k, c in codes.items()},
        "policy": found.policy == request.policy.fingerprint,
        "number of runs": found.repetitions == request.runs,
    }
    other = [name for name, equal in same.items() if not equal]
    if other:
        raise UsageError(
            f"{path}: holds a sweep ({found.run_id}) with other {', '.join(other)}; it was left as it is. "
            "Give another folder with --output"
        )
    return SweepState(found, path)


def read_sweep(folder: Path) -> Sweep:
    """The sweep that a folder holds. Raises UsageError that says what is wrong with it."""
    return read_record(folder / RESULTS, Sweep)
