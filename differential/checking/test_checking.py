"""check-engine: every fault that an author can make shows as a step, and the exit statuses."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from differential.__main__ import FAILS, PASSES, USAGE, main
from differential.checking import Step, check_engine, passed

MODULE = """
import os
from decimal import Decimal
from dataclasses import replace
import pyarrow as pa
import pyarrow.compute as pc
from differential.engines import get_engine
from differential.run import Capabilities
from differential.variant import Variant

ONE_WAY = dict(many_worlds=False, levels=("high",), switches=(), threads=False, shards=False, resume=False, batch_size=False,
               database=False, legacy_flag=False)
state = {"runs": 0}

class Plain:
    name = "mine"
    capabilities = Capabilities(**ONE_WAY)
    def run(self, worlds, variant):
        state["runs"] += 1
        run = get_engine("oracle").run(worlds, Variant())
        return self.edit(replace(run, proof=replace(run.proof, engine="mine", versions={"mine": "1"})), variant)
    def edit(self, run, variant):
        return run

class NoColumn(Plain):
    def edit(self, run, variant):
        return replace(run, events=run.events.drop_columns(["level_id"]).append_column("extra", run.events["level_id"]))
class FloatMoney(Plain):
    def edit(self, run, variant):
        at = run.state.column_names.index("account_balance")
        return replace(run, state=run.state.set_column(at, "account_balance", run.state["account_balance"].cast(pa.float64())))
class NoProof(Plain):
    def edit(self, run, variant): return replace(run, proof=None)
class OldProof(Plain):
    def edit(self, run, variant):
        return replace(run, proof=replace(run.proof, inputs=("yesterday",), engine="another", fallbacks=("used sql",)))
class Threads(Plain):
    capabilities = Capabilities(**{**ONE_WAY, "threads": True})
class OtherEachProcess(Plain):
    def edit(self, run, variant):
        more = pa.scalar(Decimal(os.getpid()).scaleb(-2), pa.decimal128(10, 2))
        at = run.state.column_names.index("account_balance")
        column = pc.add(run.state["account_balance"], more).cast(pa.decimal128(18, 2))
        return replace(run, state=run.state.set_column(at, "account_balance", column))
class CentTooMuch(Plain):
    def edit(self, run, variant):
        at = run.events.column_names.index("compensation_amount")
        pay = run.events["compensation_amount"]
        column = pc.add(pay, pa.scalar(1, pay.type)).cast(pay.type)
        return replace(run, events=run.events.set_column(at, "compensation_amount", column))
class Raises(Plain):
    def edit(self, run, variant): raise OSError("no licence")
class NoRun(Plain):
    def edit(self, run, variant): return run.events
"""


@pytest.fixture(scope="module")
def module(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("author")
    (folder / "author.py").write_text(MODULE)
    sys.path.insert(0, str(folder))
    yield "author"
    sys.path.remove(str(folder))
    sys.modules.pop("author", None)


def faults(spec: str) -> dict[str, Step]:
    steps = list(check_engine(spec))
    assert steps[0].title == "found" and steps[0].status == "ok"
    wrong = {step.title: step for step in steps if step.status in ("failed", "missing")}
    assert passed(steps) == (not wrong)
    return wrong


def test_a_sound_engine_passes_and_what_it_lacks_is_left_out(module: str) -> None:
    assert not faults(f"{module}:Plain")


@pytest.mark.parametrize(
    ("engine", "step", "line"),
    [
        ("NoColumn", "events (fct_yearly_events)", "column level_id (int32) is missing"),
        ("NoColumn", "events (fct_yearly_events)", "column extra is not in section 6; leave it out"),
        (
            "FloatMoney",
            "state (fct_workforce_snapshot)",
            "column account_balance is double, expected decimal128(18, 2)",
        ),
        ("NoProof", "proof", "the run has no proof: every comparison would be `unproven` and never pass"),
        ("OldProof", "proof", "inputs: is ('yesterday',), expected the fingerprint of the world"),
        ("OldProof", "proof", "engine: is 'another', while the engine calls itself 'mine'"),
        ("OldProof", "proof", "fallbacks: it did something else than asked: used sql"),
        ("Threads", "threads: author:Threads against author:Threads threads=4", "both sides ran with threads 1"),
        (
            "OtherEachProcess",
            "same_seed: author:OtherEachProcess against author:OtherEachProcess (new_process)",
            "account_balance",
        ),
        ("CentTooMuch", "agrees with the oracle", "column    compensation_amount"),
        ("CentTooMuch", "agrees with the oracle", "2 of 9 small worlds have the same rows"),
        ("Raises", "runs a small world", "OSError: no licence"),
        ("NoRun", "runs a small world", "run() returned Table, expected differential.run.Run"),
    ],
)
def test_what_is_wrong_is_a_step(module: str, engine: str, step: str, line: str) -> None:
    found = faults(f"{module}:{engine}")

    assert step in found, list(found)
    assert any(line in shown for shown in found[step].lines), found[step].lines


def test_the_statuses_and_what_comes_next(module: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check-engine", f"{module}:Plain"]) == PASSES
    told = capsys.readouterr().out
    assert f"pytest differential --engine sql --engine {module}:Plain --hypothesis-profile quick" in told
    assert f"pytest properties --engine {module}:Plain" in told
    assert "left out of every comparison: many_worlds, threads" in told

    assert main(["check-engine", f"{module}:NoProof"]) == FAILS
    told = capsys.readouterr().out
    assert "MISSING  proof" in told and "pytest differential" not in told

    assert main(["check-engine", "no_such:Engine"]) == USAGE
    assert "is its folder on PYTHONPATH" in capsys.readouterr().err
    with pytest.raises(SystemExit) as ended:
        main(["chek-engine"])
    assert ended.value.code == USAGE


def test_nothing_looked_at_is_no_pass(tmp_path: Path) -> None:
    assert not passed([]) and not passed([Step("axes", "left out")])
