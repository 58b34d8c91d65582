"""Engines under another Python: what comes over the pipe, what is claimed of it, and every way it can fail."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from differential.comparison import CLAIMS, check_claim, compare_runs
from differential.engines import EngineSpecError, get_engine, is_built_in, is_shipped, label, settled
from differential.hosts import wire
from differential.hosts.engine import HostError, users_path
from differential.run import Run, capabilities_of
from differential.side import Side, run_both
from differential.variant import Variant, VariantError
from differential.workers import ROOT, WorkerError
from fixtures.company import companions
from fixtures.populations import generate
from fixtures.scenario import Scenario
from fixtures.world import World

OTHER_PYTHON = "WORKFORCE_OTHER_PYTHON"
"""Names the Python of an environment with other versions; without it `.venv-oldest` or `.venv` of the checkout is taken."""
HERE = sys.executable
WORLDS = (World(generate(40, seed=5), Scenario(end_year=2026)), *companions()[:2])

MODULE = """
import os, signal, sys, time
from differential.engines import get_engine

class Engine:
    name = "mine"
    def run(self, worlds, variant):
        print("last words", flush=True)
        self.do(worlds, variant)

class Dies(Engine):
    def do(self, worlds, variant): os.kill(os.getpid(), signal.SIGSEGV)
class Hangs(Engine):
    def do(self, worlds, variant): time.sleep(60)
class Raises(Engine):
    def do(self, worlds, variant): raise LookupError("no such plan")
class Own(Exception): pass
class RaisesItsOwn(Engine):
    def do(self, worlds, variant): raise Own("out of tune")
class Imports(Engine):
    def do(self, worlds, variant):
        get_engine("sql").run(worlds, variant)
        raise LookupError(" ".join(sorted(name for name in sys.modules if "." not in name)))
class NoRun(Engine):
    def do(self, worlds, variant): pass
"""


def other_python() -> str | None:
    named = os.environ.get(OTHER_PYTHON)
    if named:
        return named
    found = (ROOT / name / "bin" / "python" for name in (".venv-oldest", ".venv"))
    return next((str(one) for one in found if one.exists() and one.parent.parent != Path(sys.prefix)), None)


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """An engine of a user's own, in a folder on the Python path."""
    (tmp_path / "hosted.py").write_text(MODULE)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield "hosted"
    sys.modules.pop("hosted", None)


def both(engine: str, python: str) -> tuple[Run, Run]:
    return run_both(Side(engine), Side(f"{engine}@{python}"), WORLDS)


@pytest.mark.parametrize("engine", ["sql", "polars"])
def test_other_versions_give_the_same_rows_and_bear_the_claim(engine: str) -> None:
    python = other_python()
    if python is None:
        pytest.skip(f"no other Python: set {OTHER_PYTHON}, or run make test-oldest once, which leaves .venv-oldest")
    here, there = both(engine, python)

    assert all(found.equal for found in compare_runs(here, there))
    assert there.infeasible == here.infeasible and there.bounds == here.bounds
    assert here.proof and there.proof and there.proof.engine == engine
    assert there.proof.pid != here.proof.pid and there.proof.inputs == here.proof.inputs
    assert check_claim(CLAIMS["library_versions"], here, there).ok


def test_the_same_libraries_on_both_sides_run_and_are_refused() -> None:
    here, there = both("oracle", HERE)

    assert all(found.equal for found in compare_runs(here, there))
    outcome = check_claim(CLAIMS["library_versions"], here, there)
    assert outcome.status == "refused"
    assert {code for code, _ in outcome.reasons} == {"versions"}


def test_variants_reach_the_engine_there() -> None:
    spec = f"polars@{HERE}"
    run = Side(spec, Variant(level="low", shards=4, resume=1)).run(WORLDS)
    flagged, renewed = Side(spec, legacy_flag=True).run(WORLDS), Side(spec, history="new_process").run(WORLDS)

    assert run.proof and flagged.proof and renewed.proof
    assert run.proof.switches == {"hazard_cache"} and len(run.proof.shard_rows) == 4 and len(set(run.proof.legs)) == 2
    assert flagged.proof.forced_legacy and not flagged.proof.switches
    assert renewed.proof.pid not in (run.proof.pid, os.getpid())
    assert not capabilities_of(get_engine(spec)).database
    with pytest.raises(VariantError, match="leaves no database file"):
        Side(spec, Variant(database=Path("any.duckdb"))).run(WORLDS)


def test_the_host_imports_what_the_engine_needs_and_nothing_else(module: str) -> None:
    with pytest.raises(LookupError) as raised:
        Side(f"{module}:Imports@{HERE}").run(WORLDS)

    imported = set(str(raised.value).strip("'").split())
    assert {"duckdb", "pyarrow", "pydantic"} <= imported
    assert not imported & {"hypothesis", "pytest", "_pytest", "datacompy", "polars", "scipy", "rich"}


@pytest.mark.parametrize(
    ("engine", "kind", "message"),
    [
        ("Dies", "died", r"hosted:Dies@.* ended by signal SIGSEGV(.|\n)*last words"),
        ("Hangs", "hung", r"no result in 0\.5 s"),
    ],
)
def test_a_host_that_fails_is_reported_and_replaced(module: str, engine: str, kind: str, message: str) -> None:
    side = Side(f"{module}:{engine}@{HERE}")
    assert side.capabilities.many_worlds  # the host is up

    with pytest.raises(WorkerError, match=message) as raised:
        side.run(WORLDS, timeout=0.5 if kind == "hung" else None)

    assert raised.value.kind == kind
    assert Side(f"oracle@{HERE}").run(WORLDS).state.num_rows


def test_what_an_engine_raises_there_is_raised_here(module: str) -> None:
    with pytest.raises(LookupError, match="no such plan") as raised:
        Side(f"{module}:Raises@{HERE}").run(WORLDS)
    assert "in do" in "".join(raised.value.__notes__) or "raise LookupError" in "".join(raised.value.__notes__)
    with pytest.raises(HostError, match="Own: out of tune"):
        Side(f"{module}:RaisesItsOwn@{HERE}").run(WORLDS)
    with pytest.raises(TypeError, match="NoneType, expected a Run"):
        Side(f"{module}:NoRun@{HERE}").run(WORLDS)
    with pytest.raises(VariantError, match="no batch_size"):
        Side(f"sql@{HERE}", Variant(batch_size=8)).run(WORLDS)


def test_a_world_that_another_library_reads_otherwise_is_told() -> None:
    head, censuses = wire.worlds_out(WORLDS)
    assert [world.fingerprint for world in wire.worlds_in(head, censuses)] == [world.fingerprint for world in WORLDS]

    with pytest.raises(ValueError, match="world 1 is not the same under these libraries"):
        wire.worlds_in({**head, "fingerprints": [head["fingerprints"][0]] * 3}, censuses)


def script(folder: Path, text: str) -> str:
    path = folder / "python"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


def test_pythons_that_cannot_be_used(tmp_path: Path) -> None:
    cases = {
        "/no/such/python": "is no program that can be run",
        script(tmp_path, "echo hello"): "is no Python: hello",
    }
    for python, message in cases.items():
        with pytest.raises(EngineSpecError, match=message):
            get_engine(f"sql@{python}")
    with pytest.raises(EngineSpecError, match=r"is Python 3\.9; the engines need 3\.11 or newer"):
        get_engine(f"polars@{script(tmp_path, 'echo python 3.9')}")
    with pytest.raises(EngineSpecError, match="expected ENGINE@PYTHON"):
        get_engine("sql@")


def test_a_missing_library_is_named_with_the_command_that_installs_it(tmp_path: Path) -> None:
    bare = script(tmp_path, f'exec {HERE} -S "$@"')  # without site-packages

    with pytest.raises(
        EngineSpecError, match=rf"has no (numpy|pyarrow); what sql needs there: {bare} -m pip install duckdb"
    ):
        get_engine(f"sql@{bare}")
    with pytest.raises(EngineSpecError, match="module 'no_such' cannot be imported"):
        get_engine(f"no_such:Engine@{HERE}")


def test_nothing_that_belongs_to_this_python_is_on_the_path_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(
        sys, "path", [*sys.path, str(tmp_path / "env" / "lib" / "site-packages")]
    )  # as a .pth file does
    path = users_path()

    assert str(tmp_path) in path
    assert not [entry for entry in path if "site-packages" in entry or entry.endswith(("/lib-dynload", ".zip"))]


def test_what_a_spec_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not is_built_in("sql@x") and is_shipped("sql@x") and not is_shipped("mine:engine@x")
    assert label("sql@/home/me/env/bin/python") == label("sql@/home/me/env") == "sql@env"
    assert label("sql@/usr/bin/python3") == "sql@python3"
    assert label("mine:engine@python3.12") == "mine:engine@python3.12" and label("sql") == "sql"
    assert (
        settled("sql@env/bin/python") == f"sql@{Path.cwd()}/env/bin/python" and settled("sql@python3") == "sql@python3"
    )
    (tmp_path / "upgrade").mkdir()
    monkeypatch.chdir(tmp_path)
    assert settled("sql@upgrade") == f"sql@{tmp_path}/upgrade"
