"""The command line of sweep and compare: what it asks for, and how it refuses."""

from __future__ import annotations

import argparse
from pathlib import Path
from pkgutil import resolve_name

import pytest

from scale.__main__ import main
from scale.commands import COMMANDS
from scale.compare.options import add_options, compare_request
from scale.options import add_sweep_options, sweep_request
from scale.scenarios import PRESETS, catalogue
from scale.status import UsageError


def parsed(*arguments: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_sweep_options(parser)
    return parser.parse_args(arguments)


def compared(*arguments: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_options(parser)
    return parser.parse_args(arguments)


def test_a_matrix_of_ones_own_is_the_product(tmp_path: Path) -> None:
    axes = "--employees 5000 20000 --years 1 2 --shards 1 4 --threads 1 2 --level legacy high"
    request = sweep_request(parsed(*axes.split(), "--engine", "sql", "--output", str(tmp_path)))

    assert len(request.cells) == 2**5
    assert request.cells[0].employees * request.cells[0].years == 5000
    assert request.command.startswith("python -m scale sweep")


@pytest.mark.parametrize(("option", "preset"), [("--quick", "quick"), ("--full", "full"), (None, "standard")])
def test_presets(tmp_path: Path, option: str | None, preset: str) -> None:
    request = sweep_request(parsed(*([option] if option else []), "--output", str(tmp_path)))

    assert tuple(one.name for one in request.scenarios) == PRESETS[preset]
    assert request.engines == ("sql", "polars")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["sweep", "--scenario", "smal"], "expected one of small, medium"),
        (["sweep", "--quick", "--employees", "5"], "leave one of them out"),
        (["sweep", "--years", "5"], "needs --employees"),
        (["sweep", "--employees", "5", "--level", "fast"], "--level: unknown level 'fast'"),
        (["sweep", "--engine", "nosuch"], "--engine: unknown engine 'nosuch'"),
        (["sweep", "--output", "/proc/nowhere"], "cannot be written"),
        (["sweep", "--memory-limit", "99999"], "this machine has"),
        (["sweep", "--policy", "nosuch.yaml"], "nosuch.yaml"),
        (["compare"], "--base-checkout DIR or --base-engine SPEC"),
        (["compare", "--cluster", "tcp://h:1", "--history", "x"], "stored files are read here: leave --cluster out"),
        (["compare", "--cluster", "tcp://h:1", "--baseline", "x"], "stored files are read here: leave --cluster out"),
        (["compare", "--cluster", "tcp://h:1", "--candidate", "x"], "stored files are read here: leave --cluster out"),
        (["compare", "--cluster", "tcp://h:1"], "--base-checkout DIR or --base-engine SPEC"),
        (["compare", "--base-engine", "sql"], "exactly one --engine"),
        (["compare", "--base-engine", "sql", "--engine", "polars", "--engine", "oracle"], "exactly one --engine"),
        (["compare", "--baseline", "a.json"], "belong together"),
        (["compare", "--history", "nosuch"], "nosuch: cannot be read"),
        (["compare", "--base-checkout", "nosuch"], "is it a checkout of this project"),
    ],
)
def test_what_cannot_be_is_refused_in_words(
    arguments: list[str],
    message: str,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)

    assert main(arguments) == 4
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["sweep", "--employees", "many"], ["sweep", "--runs", "0"], ["nosuch"], []])
def test_wrong_usage_ends_with_4_and_not_with_the_2_of_a_timeout(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)

    assert ended.value.code == 4
    assert "Traceback" not in capsys.readouterr().err


def test_two_sides_of_one_code_are_refused(tmp_path: Path) -> None:
    request = compare_request(
        compared("--base-engine", "polars", "--engine", "polars", "--output", str(tmp_path / "a"))
    )

    with pytest.raises(UsageError, match="the same code"):
        request.check()


def test_the_scenarios_are_those_of_the_release_plan() -> None:
    """Name to employees, years, most threads, seconds and GB: the table that the targets come from."""
    plan = {
        "small": (1000, 3, 4, 30, 8),
        "medium": (5000, 5, 4, 120, 16),
        "large": (10_000, 5, 6, 240, 24),
        "stress": (20_000, 10, 8, 900, 32),
        "threading": (8000, 7, 8, 300, 20),
    }
    found = {}
    for name in plan:
        one = catalogue()[name]
        part = one.parts[0]
        found[name] = (part.employees[0], part.years[0], max(part.threads), one.target_seconds, one.target_memory_gb)

    assert found == plan
    assert catalogue()["series"].parts[0].employees == [1000, 2000, 5000, 10_000, 20_000, 50_000]
    assert set(catalogue()["series"].cells("sql")) & set(catalogue()["matrix"].cells("sql"))


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_is_there_when_it_is_asked_for(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert callable(resolve_name(COMMANDS[name].action))

    with pytest.raises(SystemExit) as ended:
        main([name, "--help"])

    assert ended.value.code == 0
    assert len(capsys.readouterr().out.splitlines()) > 8, "its own options, not the two of any command"
