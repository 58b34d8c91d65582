"""cluster.json: which host measured which scenario of a sweep on a cluster. Its figures are in each scenario's own results.json."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field

from scale.log import now
from scale.measuring import engine_code
from scale.records import Code, Machine, Record, read_record
from scale.status import UsageError, Verdict, gravest
from scale.sweep.request import SweepRequest
from scale.sweep.state import RESULTS, read_sweep

CLUSTER = "cluster.json"


class Measured(Record):
    """One scenario on one host. folder: of its whole sweep, in the output. seconds: of the task. verdict: of that sweep alone."""

    scenario: str
    folder: str
    host: str
    machine: Machine
    verdict: Verdict
    complete: bool
    seconds: float


class ClusterSweep(Record):
    """cluster.json. scenarios: asked for. missing: scenario to why nobody measured it. lost: scenario to the hosts that were lost
    while they measured it; nothing of theirs is kept. verdict: the gravest of the scenarios', each judged alone.
    """

    schema_version: Literal[1] = 1
    kind: Literal["cluster sweep"] = "cluster sweep"
    started: str
    finished: str | None = None
    command: str
    commit: str | None
    code: dict[str, Code]
    policy: str
    repetitions: int
    scenarios: tuple[str, ...]
    measured: tuple[Measured, ...] = ()
    missing: dict[str, str] = Field(default_factory=dict)
    lost: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    verdict: Verdict = "insufficient"

    def judged(self) -> ClusterSweep:
        """With the verdict that its scenarios come to; one that nobody measured is insufficient."""
        found: list[Verdict] = [one.verdict for one in self.measured]
        lacking: list[Verdict] = ["insufficient"] if len(self.measured) < len(self.scenarios) else []
        late: list[Verdict] = ["timeout"] if "time" in self.missing.values() else []
        return self.model_copy(update={"verdict": gravest([*found, *lacking, *late])})


def begin(request: SweepRequest, root: Path) -> ClusterSweep:
    """A new record, or the one of the interrupted sweep in the folder, with the scenarios that were measured whole.

    Raises:
        UsageError: the folder holds another sweep; nothing was changed.
    """
    codes = {spec: engine_code(spec, root) for spec in request.engines}
    fresh = ClusterSweep(
        started=now(),
        command=request.command,
        commit=next(iter(codes.values())).commit,
        code=codes,
        policy=request.policy.fingerprint,
        repetitions=request.runs,
        scenarios=tuple(one.name for one in request.scenarios),
    )
    path = request.output / CLUSTER
    if not path.exists():
        if (request.output / RESULTS).exists():
            raise UsageError(f"{request.output}: holds a sweep of one machine; give another folder with --output")
        return fresh
    found = read_record(path, ClusterSweep)
    same = {
        "engine code": found.code == fresh.code,
        "policy": found.policy == fresh.policy,
        "number of runs": found.repetitions == fresh.repetitions,
        "scenarios": found.scenarios == fresh.scenarios,
    }
    other = [name for name, equal in same.items() if not equal]
    if other:
        raise UsageError(
            f"{path}: holds a sweep with other {', '.join(other)}; it was left as it is. Give another folder with --output"
        )
    whole = tuple(one for one in found.measured if one.complete and _same_cells(request, one))
    return found.model_copy(update={"measured": whole, "missing": {}, "finished": None})


def _same_cells(request: SweepRequest, one: Measured) -> bool:
    """Whether that scenario's sweep is still there and has the cells that are asked for now."""
    try:
        planned = {cell for cell, _ in read_sweep(request.output / one.folder).planned}
    except UsageError:
        return False
    return planned == {cell for cell, names in request.planned if one.scenario in names}
