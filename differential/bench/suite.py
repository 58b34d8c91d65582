"""The suite as its users run it: the profiles, and planted faults from the start of pytest to the reduced repro."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from differential.bench.figures import Figure
from differential.planted import FAULTS
from differential.session import ROOT

MEASURED = ("X05", "X08", "X10", "X12", "X15", "X18", "X19", "X21", "X25", "P01", "P02", "P03")
"""Planted faults that comparing engines should find; the kill matrix of properties/faults has them all."""


def _pytest(*arguments: str) -> tuple[float, int, str]:
    started = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "differential", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return time.perf_counter() - started, done.returncode, done.stdout


def profiles() -> list[Figure]:
    """`pytest differential` in profiles ci and quick, and the worlds that ci compared."""
    figures = []
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "parity.json"
        for profile, bound in (("quick", 20), ("ci", 90)):
            taken, status, output = _pytest("--hypothesis-profile", profile, "--parity-report", str(report))
            if status:
                raise SystemExit(
                    f"pytest differential --hypothesis-profile {profile} failed; mend that first\n{output[-3000:]}"
                )
            figures.append(Figure(f"pytest differential, profile {profile}", taken, "s", bound))
        tests = json.loads(report.read_text())["tests"]
    compared = {
        kind: min(t["worlds"] for t in tests if (t["test"] in ("sql_vs_polars", "oracle")) == kind)
        for kind in (True, False)
    }
    axes = [
        t["worlds"] for t in tests if t["test"] not in ("sql_vs_polars", "oracle") and not t["name"].endswith("borders")
    ]
    return [
        *figures,
        Figure(
            "profile ci: worlds through sql, polars and oracle, the least", compared[True], "", 3_000, at_least=True
        ),
        Figure("profile ci: worlds on another axis, the least", min(axes), "", 300, at_least=True),
    ]


def faults() -> list[Figure]:
    """Each planted fault: seconds from the start of pytest to the repro on disk, and its size."""
    found = {name: _fault(name) for name in MEASURED}
    caught = [fault for fault in found.values() if fault["caught"]]
    for name, fault in found.items():
        sys.stderr.write(f"  {name}: {fault}\n")
    return [
        Figure(f"planted faults caught, of {len(found)}", len(caught), "", len(found), at_least=True),
        Figure("planted faults: start to repro, median", statistics.median(f["seconds"] for f in caught), "s", 30),
        Figure("planted faults: start to repro, longest", max(f["seconds"] for f in caught), "s"),
        Figure(
            "planted faults: employees in the repro, median", statistics.median(f["employees"] for f in caught), "", 3
        ),
        Figure("planted faults: years in the repro, median", statistics.median(f["years"] for f in caught), "", 3),
        Figure("planted faults: reducer's runs, most", max(f["runs"] for f in caught), ""),
    ]


def _fault(name: str) -> dict[str, Any]:
    other = "polars" if FAULTS[name].engine == "sql" else "sql"
    engines = ("--engine", other, "--engine", f"differential.planted:{name}")
    with tempfile.TemporaryDirectory() as folder:
        taken, status, _ = _pytest("-x", "--repro-dir", folder, *engines)
        bundles = [json.loads(path.read_text()) for path in Path(folder).glob("*/repro.json")]
    if status != 1 or not bundles or any("PatchError" in (bundle["signature"] or "") for bundle in bundles):
        return {"caught": False, "seconds": taken, "status": status}
    repro = min(bundles, key=lambda bundle: bundle["employees"])
    return {
        "caught": True,
        "seconds": taken,
        **{key: repro[key] for key in ("employees", "years", "runs")},
        "signature": repro.get("signature"),
    }
