"""Finding engines by name, by entry point and by path, and refusing what is none."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from differential.engines import BUILT_IN, EngineSpecError, get_engine, is_built_in
from differential.run import Capabilities, Engine, capabilities_of

MODULE = """
class Mine:
    name = "mine"
    def run(self, worlds, variant):
        raise NotImplementedError

instance = Mine()
def make():
    return Mine()
def broken():
    raise OSError("no licence")
number = 7
class Nameless:
    def run(self, worlds, variant): ...
class Holder:
    inner = instance
"""


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    name = f"attached_{tmp_path.name.replace('-', '_')}"
    (tmp_path / f"{name}.py").write_text(MODULE)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield name
    sys.modules.pop(name, None)


@pytest.mark.parametrize("name", BUILT_IN)
def test_built_in_engines_by_name(name: str) -> None:
    engine = get_engine(name)

    assert isinstance(engine, Engine)
    assert engine.name == name
    assert get_engine(name) is engine
    assert is_built_in(name)
    assert isinstance(capabilities_of(engine), Capabilities)


@pytest.mark.parametrize("attribute", ["instance", "make", "Mine", "Holder.inner"])
def test_an_attached_engine_by_path(module: str, attribute: str) -> None:
    engine = get_engine(f"{module}:{attribute}")

    assert engine.name == "mine"
    assert not is_built_in(f"{module}:{attribute}")
    assert capabilities_of(engine) == Capabilities()


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("duck", "unknown engine 'duck': expected one of sql, polars, oracle"),
        ("no_such_module:x", "cannot be imported.*is its folder on PYTHONPATH"),
        ("{module}:nothing", "has no 'nothing'"),
        ("{module}:number", "found int"),
        ("{module}:Nameless", "found Nameless; an engine has `name`"),
        ("{module}:broken", "making it failed: OSError: no licence"),
    ],
)
def test_what_is_no_engine_is_refused(module: str, spec: str, message: str) -> None:
    with pytest.raises(EngineSpecError, match=message):
        get_engine(spec.format(module=module))


def test_an_entry_point_of_another_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: str) -> None:
    info = tmp_path / "acme_engine-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-engine\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[workforce_parity.engines]\nacme = {module}:make\n")

    assert get_engine("acme").name == "mine"
