"""Runs a built-in engine of another checkout: `python -P child.py REQUEST.json RESULT.json`, with that checkout on the path.

The checkout may be older than this package, so that nothing but the standard library and, late, its own `differential` and
`fixtures` are imported, and what an older release does not have is tolerated.
"""

from __future__ import annotations

import dataclasses
import json
import sys
import traceback
from pathlib import Path
from typing import Any

_FOR_PEOPLE = ("CensusError", "DatabaseError", "EngineSpecError", "ScenarioError", "VariantError", "WorldError")


def main(request: dict[str, Any]) -> dict[str, Any]:
    """Simulate into the database; returns what the run says of itself."""
    import differential
    from differential.engines import get_engine
    from differential.variant import Variant
    from fixtures.census import Census
    from fixtures.scenario import Scenario
    from fixtures.world import World

    if Path(request["root"]) not in Path(str(differential.__file__)).resolve().parents:
        raise SystemExit(f"the engine was imported from {differential.__file__}, not from {request['root']}")
    census = Census.load(request["census"])
    if request["people"] is not None:
        census = census.take(_spread(len(census), request["people"]))
    world = World(census, Scenario.load(request["scenario"]))
    asked = {"level": "high", "threads": request["threads"], "database": Path(request["database"])}
    known = {field.name for field in dataclasses.fields(Variant)}
    run = get_engine(request["engine"]).run([world], Variant(**{name: asked[name] for name in asked if name in known}))
    proof = run.proof
    return {
        "infeasible": [f"{reason.code} in {reason.year}" for reason in dict(run.infeasible).values()],
        "inputs": [str(text) for text in getattr(proof, "inputs", ())],
        "world": world.fingerprint,
        "forced_legacy": bool(getattr(proof, "forced_legacy", False)),
        "switches": sorted(getattr(proof, "switches", ())),
        "fallbacks": [str(text) for text in getattr(proof, "fallbacks", ())],
        "versions": {str(name): str(value) for name, value in dict(getattr(proof, "versions", {})).items()},
        "rows": {"events": run.events.num_rows, "state": run.state.num_rows},
    }


def _spread(people: int, wanted: int) -> list[int]:
    """Rows of a slice, spread evenly over the census."""
    count = min(people, wanted)
    return [index * people // count for index in range(count)]


if __name__ == "__main__":
    try:
        _result = main(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))
    except Exception as _error:  # noqa: BLE001 - whatever an engine of another release raises
        if type(_error).__name__ not in _FOR_PEOPLE:
            traceback.print_exc()
        sys.exit(f"{type(_error).__name__}: {_error}")
    Path(sys.argv[2]).write_text(json.dumps(_result), encoding="utf-8")
