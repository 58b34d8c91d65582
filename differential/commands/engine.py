"""CommandEngine: any program, run once for each world in a folder of its own."""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from differential import workers
from differential.commands import KEEP_RUNS
from differential.commands.casting import TableError
from differential.commands.folder import read_outputs, write_inputs
from differential.commands.program import Program, capabilities_of_program, program_of
from differential.commands.proof_file import ProofError
from differential.engines.spec import Spec
from differential.processes import run_program, tail
from differential.run import Capabilities, Run
from differential.variant import Variant, VariantError
from differential.workers import WorkerError
from fixtures.world import World

LOG = "output.log"
MOST_KEPT = 3
"""Folders of failed runs that one process leaves behind: a reduction fails hundreds of times, and each folder holds people."""


@dataclass(frozen=True)
class CommandEngine:
    """A program as an engine: `PROGRAM FOLDER` for each run. docs/engines.md has the contract."""

    spec: str
    program: Program
    name: str
    capabilities: Capabilities

    def run(self, worlds: Sequence[World], variant: Variant) -> Run:
        """Run the program over one world. Raises what run_within does."""
        return self.run_within(worlds, variant, None)

    def run_within(self, worlds: Sequence[World], variant: Variant, timeout: float | None) -> Run:
        """As `run`, in at most `timeout` seconds (default 600).

        Raises:
            WorkerError: the program failed, hung or took too much memory; with the end of what it printed.
            TableError, ProofError: what it left is not as it should be.
            VariantError: more than one world, or an axis that it does not have.
        """
        if len(worlds) != 1:
            raise VariantError(f"{self.spec} takes one world a run, not {len(worlds)}")
        self._refuse_what_it_lacks(variant)
        folder = _new_folder(self.name)
        try:
            run = self._run(worlds[0], variant, folder, workers.DEFAULT_TIMEOUT if timeout is None else timeout)
        except WorkerError as error:
            raise WorkerError(error.kind, f"{error}\n  {_left(folder)}") from None
        except (TableError, ProofError) as error:
            raise type(error)(f"{self.name}: {error}{tail(folder / LOG)}\n  {_left(folder)}") from None
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        if not os.environ.get(KEEP_RUNS):
            shutil.rmtree(folder, ignore_errors=True)
        return run

    def _run(self, world: World, variant: Variant, folder: Path, timeout: float) -> Run:
        write_inputs(folder, world, variant)
        ended = run_program(
            [*self.program.command, str(folder)],
            folder=Path.cwd(),
            environment=os.environ,
            log=folder / LOG,
            seconds=timeout,
            memory=workers.memory_allowed(),
            called=self.name,
        )
        return read_outputs(folder, world, ended.pid)

    def _refuse_what_it_lacks(self, variant: Variant) -> None:
        plain = Variant()
        for axis in ("threads", "shards", "resume", "batch_size", "database"):
            if getattr(variant, axis) != getattr(plain, axis) and not getattr(self.capabilities, axis):
                raise VariantError(
                    f"{self.spec} has no {axis}; if it does, say `{axis}: true` in {self.program.capabilities_file.name}"
                )


def command_engine(spec: Spec) -> CommandEngine:
    """Raises EngineSpecError for a program that cannot be run, or a capabilities file that cannot be used."""
    program = program_of(spec)
    return CommandEngine(spec.text, program, program.name, capabilities_of_program(program))


def _new_folder(name: str) -> Path:
    kept = os.environ.get(KEEP_RUNS)
    if kept:
        Path(kept).mkdir(parents=True, exist_ok=True)
    return Path(tempfile.mkdtemp(prefix=f"{name}-", dir=kept or None))


def _left(folder: Path) -> str:
    """Keep the folder of a failed run, if not too many are kept already; a sentence about it."""
    with _lock:
        keep = bool(os.environ.get(KEEP_RUNS)) or len(_kept) < MOST_KEPT
        if keep:
            _kept.append(folder)
    if keep:
        return f"its folder is kept: {folder}"
    shutil.rmtree(folder, ignore_errors=True)
    return f"its folder was removed, {MOST_KEPT} are kept already; --keep-runs DIR keeps all"


_kept: list[Path] = []
_lock = threading.Lock()
