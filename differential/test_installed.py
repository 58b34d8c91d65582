"""The suite as a package in another repository: what the wheel holds, and the commands of docs/engines.md there."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

from differential.workers import ROOT

PACKAGES = ("fixtures", "differential", "properties", "scale")
ENGINE = """
from dataclasses import replace
import differential.side
from differential.engines import get_engine

assert "@pytest_ar" not in vars(differential.side), "pytest has rewritten the suite"


class Fast:
    name = "fast"

    def run(self, worlds, variant):
        run = get_engine("polars").run(worlds, variant)
        return replace(run, proof=replace(run.proof, engine=self.name))
"""
CONFTEST = """
import pytest


def pytest_addoption(parser):
    parser.addoption("--policy", help="an option of theirs that the suite has too")


@pytest.fixture
def theirs(pytestconfig):
    return pytestconfig.getoption("--policy")
"""
INI = "[pytest]\nmarkers =\n    slow: theirs\naddopts = --strict-markers\n"


def run(command: list[str], folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    variables = {**os.environ, "POLARS_MAX_THREADS": "1", **environment}
    for name in ("PYTHONPATH", "PYTEST_ADDOPTS", "PYTEST_CURRENT_TEST", "PYTEST_XDIST_WORKER"):
        variables.pop(name, None)
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, env=variables, timeout=300)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from a copy: setuptools leaves its own folders beside the sources."""
    source = tmp_path_factory.mktemp("source") / "project"
    ignored = shutil.ignore_patterns("__pycache__", "*.pyc", ".hypothesis")
    for package in PACKAGES:
        shutil.copytree(ROOT / package, source / package, ignore=ignored)
    for name in ("pyproject.toml", "README.md", "workforce_parity_pytest.py"):
        shutil.copy(ROOT / name, source / name)
    built = run([sys.executable, "-c", "from setuptools.build_meta import build_wheel; build_wheel('dist')"], source)
    assert built.returncode == 0, built.stderr[-2000:]
    (found,) = (source / "dist").glob("*.whl")
    return found


@pytest.fixture(scope="module")
def team(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A repository with tests and an engine of its own, and the Python of an environment with the suite and its libraries."""
    folder = tmp_path_factory.mktemp("team")
    made = run([sys.executable, "-m", "venv", "--without-pip", ".venv"], folder)
    assert made.returncode == 0, made.stderr
    python = str(folder / ".venv" / "bin" / "python")
    packages = Path(
        run([python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"], folder).stdout.strip()
    )
    # the libraries by a path file, which comes after what is installed; the suite as a user installs it
    (packages / "libraries.pth").write_text(sysconfig.get_path("purelib") + "\n")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(packages)
    (folder / "engines").mkdir()
    (folder / "engines" / "__init__.py").touch()
    (folder / "engines" / "fast.py").write_text(ENGINE)
    (folder / "conftest.py").write_text(CONFTEST)
    (folder / "pytest.ini").write_text(INI)
    (folder / "test_theirs.py").write_text("def test_theirs(theirs):\n    assert theirs == 'mine'\n")
    return folder, python


def test_the_wheel_holds_every_file_that_the_packages_read(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        held = set(archive.namelist())
    kept = {
        str(path.relative_to(ROOT))
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and ".hypothesis" not in path.parts
    }
    missing = {name for name in kept - held if not name.startswith("fixtures/regressions/")}

    assert not missing
    assert {name for name in held if name.endswith((".sql", ".css", ".csv", "policy.yaml", "test_repro.py.txt"))}
    assert "workforce_parity_pytest.py" in held


def test_their_own_tests_see_nothing_of_the_suite(team: tuple[Path, str]) -> None:
    folder, python = team

    done = run([python, "-m", "pytest", "--policy", "mine", "-k", "not differential"], folder)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 passed" in done.stdout and "parity" not in done.stdout.partition("plugins:")[0]


def test_the_documented_commands_run_in_their_repository(team: tuple[Path, str]) -> None:
    folder, python = team
    (folder / "conftest.py").write_text(CONFTEST.replace("--policy", "--plan"))
    suite = [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--hypothesis-profile", "quick"]
    engine = ["--engine", "engines.fast:Fast", "--engine", "sql", "--employees", "30"]

    compared = run([*suite, "differential", *engine, "--parity", "shards", "--parity-report", "parity.json"], folder)
    held = run([*suite, "properties", *engine, "--check", "I01", "--check", "I19"], folder)

    assert compared.returncode == 0, compared.stdout + compared.stderr
    assert "leaked" not in compared.stderr
    assert "shards[engines.fast:Fast-4]" in compared.stdout and (folder / "parity.json").exists()
    assert held.returncode == 0, held.stdout + held.stderr
    assert "I19" in held.stdout


def test_a_package_of_the_same_name_is_not_run_in_its_place(team: tuple[Path, str]) -> None:
    folder, python = team
    (folder / "fixtures").mkdir()
    (folder / "fixtures" / "__init__.py").touch()

    done = run([python, "-m", "pytest", "differential"], folder)
    shutil.rmtree(folder / "fixtures")

    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert "hides the suite's own package fixtures" in done.stderr
