"""What the machine did, counted: a rule that never ran is a check that cannot fail."""

from __future__ import annotations

from collections.abc import Sequence

from differential.engines import get_engine
from differential.run import Capabilities, capabilities_of
from properties.lifecycle.step import has_run_years

_ALWAYS = frozenset(
    {
        "add scenario",
        "run all again",
        "change rules",
        "kill in write",
        "kill in run",
        "back up",
        "restore",
        "add own table",
    }
)
_YEARS = frozenset({"run next", "resume in new process", "rerun early year", "run over gap"})


def expected_uses(engines: Sequence[str]) -> frozenset[str]:
    """What a campaign with these engines has to have done at least once. Switches count from one year to the next only.

    Rules that need run_years: run next, resume in new process, rerun early year, run over gap. The others need run only.
    """
    known = {spec: capabilities_of(get_engine(spec)) for spec in engines}
    able = [capabilities for capabilities in known.values() if capabilities.database]
    going_on = [known[spec] for spec in engines if known[spec].database and has_run_years(spec)]
    uses = set(_ALWAYS) if able else set()
    uses |= {use for use, there in _axes(able) if there}
    if going_on:
        uses |= _YEARS
        uses |= {"switch level"} if any(len(capabilities.levels) > 1 for capabilities in going_on) else set()
        uses |= {"switch engine"} if len(going_on) > 1 else set()
    return frozenset(uses)


def _axes(able: Sequence[Capabilities]) -> list[tuple[str, bool]]:
    return [
        ("run together", any(one.many_worlds for one in able)),
        ("run in two legs", any(one.resume for one in able)),
        ("threads", any(one.threads for one in able)),
        ("shards", any(one.shards for one in able)),
    ]
