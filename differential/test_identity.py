"""Which code runs: fingerprints by SPEC, and whose commit it is."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from differential.engines import EngineSpecError
from differential.identity import commit_of, sources_of
from differential.workers import ROOT


def test_an_engine_under_another_python_is_told_apart() -> None:
    here, there, elsewhere = (
        sources_of(spec, ROOT) for spec in ("sql", "sql@/env/bin/python", "sql@/other/bin/python")
    )

    assert len({here, there, elsewhere, sources_of("polars@/env/bin/python", ROOT)}) == 4
    assert there == sources_of("sql@/env/bin/../bin/python", ROOT)


def test_a_program_is_what_its_files_say(tmp_path: Path) -> None:
    script, beside = tmp_path / "sim.py", tmp_path / "sim.capabilities.yaml"
    script.write_text("pass\n")
    found = [sources_of(f"command:python3 {script}", ROOT)]
    script.write_text("pass  # changed\n")
    found.append(sources_of(f"command:python3 {script}", ROOT))
    beside.write_text("threads: true\n")
    found += [sources_of(f"command:python3 {script}{end}", ROOT) for end in ("", " --fast")]

    assert len(set(found)) == 4
    with pytest.raises(EngineSpecError, match="is no program"):
        sources_of(f"command:{tmp_path}/none", ROOT)


def test_the_commit_of_a_repository_around_an_installed_suite_is_not_ours(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    subprocess.run(
        [
            "git",
            "-C",
            str(tmp_path),
            "-c",
            "user.name=a",
            "-c",
            "user.email=a@b",
            "commit",
            "-q",
            "--allow-empty",
            "-m",
            "x",
        ],
        check=True,
    )
    inside = tmp_path / ".venv" / "site-packages"
    inside.mkdir(parents=True)

    assert commit_of(tmp_path) is not None
    assert commit_of(inside) is None
