"""Units that hold more than one run's tables, on outcomes that are made up."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from properties.environment import EnvironmentOutcome
from scale.nightly.records import UnitSettings
from scale.nightly.unit import wider
from scale.nightly.unit.settle import session_of
from scale.nightly.unit.source import Batch
from scale.nightly.unit.test_unit import unit
from scale.nightly.unit.triage import Met

PERSON = "SSN-000000001"
SAID = f"ValueError: no hire date for {PERSON}"


class _Source:
    def take(self, _: int) -> Batch:
        return Batch((), {}, {})


@pytest.mark.parametrize("given", [True, False])
@pytest.mark.parametrize("keep", [True, False])
def test_what_an_engine_says_about_given_people_is_in_no_file(
    given: bool, keep: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcomes = [
        EnvironmentOutcome("time zone", "refused", f"the base run gave nothing to compare with: {SAID}"),
        EnvironmentOutcome("locale", "fail", f"it raised: {SAID}"),
        EnvironmentOutcome("threads", "fail", f"the process ended with status 1\n{PERSON} has none"),
    ]
    monkeypatch.setattr(wider, "run_environment", lambda *_, **__: outcomes)
    session = session_of(unit("environment"), UnitSettings(keep_identities=keep), tmp_path, print)
    session.given = given
    source: Any = _Source()

    done = wider.Environment(session, tmp_path, source).round(1.0, Met(1.0, 1, "drawn", late=False))

    written = "".join(path.read_text() for path in tmp_path.rglob("report.md"))
    assert done.refused.startswith("time zone: the base run gave nothing to compare with") and written
    assert (PERSON in done.refused) is (PERSON in written) is not given
