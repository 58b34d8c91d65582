"""A unit that runs nothing: it writes results as a real one does, and fails as its script says.

    python -m scale.nightly.testing_unit JOB.json FOLDER

The script is a JSON file that the variable FAKE_UNITS names: number of the unit, or `canary`, to what happens in it. Keys: `found`,
keys of failures; `flaky`, of ones that do not repeat; `die`, a signal; `hang`. What is not named there runs ten worlds a batch.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

from scale.log import now
from scale.nightly.child import end_with_campaign
from scale.nightly.records import RESULT, Unit, UnitResult
from scale.nightly.testing import found
from scale.records import write_record
from scale.status import Status

SCRIPT = "FAKE_UNITS"
BATCH_SECONDS, BATCH_WORLDS = 0.05, 10


def run(unit: Unit, folder: Path, script: dict[str, Any]) -> Status:
    """Batches until the budget is used up, each saved."""
    mine = script.get("canary" if unit.canary else str(unit.number), {})
    result = UnitResult(unit=unit, status="running", started=now(), host="here")
    until, begun = time.monotonic() + unit.seconds, time.monotonic()
    while time.monotonic() < until:
        time.sleep(BATCH_SECONDS)
        done = {"seconds": time.monotonic() - begun, "worlds": result.worlds + BATCH_WORLDS}
        result = result.model_copy(update={**done, "labels": {"hire": done["worlds"]}})
        write_record(folder / RESULT, result)
        if "die" in mine:
            os.kill(os.getpid(), mine["die"])
        if "hang" in mine:
            signal.pause()
    kinds = [(key, "new") for key in mine.get("found", ())] + [(key, "flaky") for key in mine.get("flaky", ())]
    findings = []
    for key, shown in kinds:
        place = folder / ("repros" if shown == "new" else "flaky") / key
        place.mkdir(parents=True)
        (place / "report.md").write_text(f"# {key}\n")
        findings.append(found(key, shown, bundle=str(place.relative_to(folder))))  # type: ignore[arg-type]
    status = "fail" if findings else "pass"
    write_record(folder / RESULT, result.model_copy(update={"status": status, "found": tuple(findings)}))
    return Status.FAIL if findings else Status.PASS


if __name__ == "__main__":
    end_with_campaign()
    asked = json.loads(Path(sys.argv[1]).read_text())
    steps = json.loads(Path(os.environ[SCRIPT]).read_text()) if os.environ.get(SCRIPT) else {}
    try:
        sys.exit(run(Unit.model_validate(asked["unit"]), Path(sys.argv[2]), steps))
    except KeyboardInterrupt:
        sys.exit(Status.INTERRUPTED)
