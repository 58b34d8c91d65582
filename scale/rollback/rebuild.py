"""Rebuilding the tables with the code of a checkout: a built-in engine, or any system's own command."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from differential.variant import LEGACY_FLAG
from fixtures.census import Census, CensusError
from fixtures.scenario import Scenario, ScenarioError
from fixtures.world import World, WorldError
from scale.rollback.git import plain_environment
from scale.rollback.process import CommandError, Deadline, run_command
from scale.status import UsageError

_CHILD = Path(__file__).with_name("child.py")
_POOLS = ("POLARS_MAX_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")
_SCENARIO, _CENSUS = ("scenario.yaml", "scenario.yml"), ("census.parquet", "census.csv")


class RebuildError(RuntimeError):
    """A rebuild that failed, or whose own account of itself does not bear what it was to prove."""


@dataclass(frozen=True)
class Job:
    """One rebuild. checkout: whose code runs. database: file to write into. config: folder to read. legacy: the flag is set.

    people: a part of so many suffices; None = everybody. scratch: folder for files of its own. log: what it prints is added.
    """

    checkout: Path
    database: Path
    config: Path
    legacy: bool
    people: int | None
    scratch: Path
    log: Path
    tag: str
    deadline: Deadline
    locks: Sequence[int] = ()
    backup: Path | None = None

    def environment(self) -> dict[str, str]:
        """This process's, with the flag as it is to be."""
        plain = {name: value for name, value in plain_environment().items() if name != LEGACY_FLAG}
        return {**plain, **({LEGACY_FLAG: "true"} if self.legacy else {})}


class Rebuilder(Protocol):
    """A way to rebuild. scenario: the only (scenario_id, plan_design_id) it makes rows of; None = all of both tables.

    fills: it makes rows into an empty database just as well, so that a slice needs no copy of the whole one.
    """

    @property
    def name(self) -> str: ...

    @property
    def scenario(self) -> tuple[str, str] | None: ...

    @property
    def fills(self) -> bool: ...

    def rebuild(self, job: Job) -> dict[str, str]:
        """Do it; returns the versions of what did it. Raises RebuildError, OutOfTimeError."""
        ...


class BuiltIn:
    """An engine of this project, run from the checkout's own code in a process of its own.

    Raises UsageError for a configuration folder without a scenario and a census that can be read.
    """

    fills = True

    def __init__(self, engine: str, threads: int, config: Path) -> None:
        self.name, self._threads = engine, threads
        self._files = tuple(_file(config, names).name for names in (_SCENARIO, _CENSUS))
        try:
            self.world = World(Census.load(config / self._files[1]), Scenario.load(config / self._files[0]))
        except (CensusError, ScenarioError, WorldError) as error:
            raise UsageError(f"--config: {error}") from None
        self.scenario = (self.world.scenario.scenario_id, self.world.scenario.plan_design_id)

    def rebuild(self, job: Job) -> dict[str, str]:
        if not (job.checkout / "differential" / "__init__.py").is_file():
            raise RebuildError(
                f"{job.tag}: no folder differential/ there, so that it has no built-in engine; "
                "give --rebuild-command for another system"
            )
        scenario, census = self._files
        request = {
            "root": str(job.checkout.resolve()),
            "engine": self.name,
            "scenario": str(job.config / scenario),
            "census": str(job.config / census),
            "database": str(job.database),
            "threads": self._threads,
            "people": job.people,
        }
        asked, result = job.scratch / "request.json", job.scratch / "result.json"
        asked.write_text(json.dumps(request), encoding="utf-8")
        result.unlink(missing_ok=True)
        environment = {
            **job.environment(),
            **dict.fromkeys(_POOLS, str(self._threads)),
            "PYTHONPATH": str(job.checkout),
            "PYTHONDONTWRITEBYTECODE": "1",
            "TMPDIR": str(job.scratch),
        }
        _run([sys.executable, "-P", str(_CHILD), str(asked), str(result)], job, environment)
        said = json.loads(result.read_text(encoding="utf-8"))
        objections = self._objections(said, job)
        if objections:
            raise RebuildError("; ".join(objections))
        versions: dict[str, str] = said["versions"]
        return versions

    def _objections(self, said: dict[str, Any], job: Job) -> list[str]:
        """Why the run does not prove what it was made for."""
        found = [f"the configuration cannot be simulated: {reason}" for reason in said["infeasible"]]
        if said["inputs"] != [said["world"]] or (job.people is None and said["world"] != self.world.fingerprint):
            found.append("it ran other inputs than the configuration's")
        if said["forced_legacy"] is not job.legacy:
            found.append(f"{LEGACY_FLAG} {'did not decide' if job.legacy else 'decided'} over it")
        if bool(said["switches"]) is job.legacy:
            found.append(f"it took the switches {', '.join(said['switches']) or 'of legacy'}")
        if said["fallbacks"]:
            found.append(f"it fell back: {', '.join(said['fallbacks'])}")
        return found


@dataclass(frozen=True)
class Command:
    """Any system: a shell command, run in the checkout. docs/rollback.md has its contract."""

    command: str
    name: str = "rebuild command"
    scenario: None = None
    fills: bool = False

    def rebuild(self, job: Job) -> dict[str, str]:
        variables = {
            "ROLLBACK_DATABASE": str(job.database),
            "ROLLBACK_CONFIG": str(job.config),
            "ROLLBACK_TAG": job.tag,
            "ROLLBACK_SLICE": "" if job.people is None else str(job.people),
            "ROLLBACK_BACKUP": "" if job.backup is None else str(job.backup),
        }
        _run(["/bin/sh", "-c", self.command], job, {**job.environment(), **variables})
        if not job.database.is_file():
            raise RebuildError(f"the rebuild command left no database at $ROLLBACK_DATABASE ({job.database})")
        return {}


def _run(command: list[str], job: Job, environment: dict[str, str]) -> None:
    try:
        run_command(
            command, folder=job.checkout, environment=environment, log=job.log, deadline=job.deadline, locks=job.locks
        )
    except CommandError as error:
        raise RebuildError(f"the rebuild {error}") from None


def _file(config: Path, names: tuple[str, ...]) -> Path:
    found = [config / name for name in names if (config / name).is_file()]
    if len(found) != 1:
        what = " and ".join(path.name for path in found) or "neither"
        raise UsageError(f"--config {config}: expected one of {' and '.join(names)}, there is {what}")
    return found[0]
