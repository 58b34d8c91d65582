"""The options of `python -m scale sweep` and `compare`, and what they mean."""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import psutil

from differential.engines import DEFAULT_PAIR, EngineSpecError, get_engine
from differential.run import capabilities_of
from differential.variant import VariantError, parse_level
from scale.log import new_run_id
from scale.policy import GB, Policy
from scale.scenarios import PRESETS, Scenario, catalogue
from scale.scenarios.catalogue import Part
from scale.status import UsageError
from scale.sweep.request import SweepRequest, scenarios_named

DEFAULT_FOLDER = "scale-results"
CUSTOM = "custom"
_AXES = ("employees", "years", "shards", "threads", "level")


def number(least: float, kind: Callable[[str], float] = int) -> Callable[[str], float]:
    """An argparse type: a number of at least so much."""

    def convert(text: str) -> float:
        try:
            value = kind(text)
        except ValueError:
            value = least - 1
        if not value >= least:
            raise argparse.ArgumentTypeError(f"{text!r} is not a number of at least {least:g}")
        return value

    return convert


def add_matrix_options(parser: argparse.ArgumentParser) -> None:
    """Engines and the axes of a matrix of one's own."""
    parser.add_argument(
        "--engine",
        action="append",
        metavar="SPEC",
        help="built-in name, entry point or MODULE:ATTRIBUTE; repeat for more (default: sql polars)",
    )
    parser.add_argument(
        "--level", nargs="+", metavar="LEVEL", help="optimisation levels of a matrix of your own (default: high)"
    )
    for name, text in (
        ("employees", "numbers of employees of a matrix of your own, in place of the scenarios"),
        ("years", "numbers of simulated years (default: 5)"),
        ("shards", "numbers of shards (default: 1)"),
        ("threads", "numbers of threads (default: 1)"),
    ):
        parser.add_argument(f"--{name}", nargs="+", type=number(1), metavar="N", help=text)


def add_common_options(parser: argparse.ArgumentParser, what: str) -> None:
    """Output folder, time limit, memory limit and policy."""
    parser.add_argument(
        "--output", type=Path, metavar="DIR", help=f"folder for {what} (default: a new one in {DEFAULT_FOLDER}/)"
    )
    parser.add_argument(
        "--timeout",
        type=number(0.01, float),
        metavar="MIN",
        help="minutes for all of it; what is done by then is kept and judged",
    )
    parser.add_argument(
        "--memory-limit",
        type=number(0.1, float),
        metavar="GB",
        help="end a run that takes more (default: nearly all there is)",
    )
    parser.add_argument("--policy", type=Path, metavar="FILE", help="thresholds that differ from scale/policy.yaml")


def add_sweep_options(parser: argparse.ArgumentParser) -> None:
    """Everything that `sweep` takes."""
    choice = parser.add_mutually_exclusive_group()
    choice.add_argument(
        "--quick",
        action="store_true",
        help=f"scenarios {', '.join(PRESETS['quick'])}: a smoke test, too few sizes to judge",
    )
    choice.add_argument("--full", action="store_true", help=f"scenarios {', '.join(PRESETS['full'])}")
    choice.add_argument(
        "--scenario",
        action="append",
        metavar="NAME",
        help=f"only this one; repeat for more. There are {', '.join(catalogue())}",
    )
    parser.add_argument(
        "--runs",
        type=number(1),
        default=3,
        metavar="N",
        help="repetitions of each cell (default: 3, the least that can pass)",
    )
    parser.add_argument(
        "--cluster",
        metavar="ADDRESS",
        help="measure on Dask's workers at tcp://HOST:PORT, each scenario whole on one host (extra: cluster)",
    )
    parser.add_argument("--no-leak-check", action="store_true", help="leave out the repeated runs in one process")
    add_matrix_options(parser)
    add_common_options(parser, "results, reports and plots; one that holds an interrupted sweep is gone on with")


def sweep_request(arguments: argparse.Namespace) -> SweepRequest:
    """What the options ask for. Raises UsageError for what cannot be."""
    engines = engines_asked(arguments)
    output = arguments.output or Path(DEFAULT_FOLDER) / new_run_id()
    return SweepRequest(
        scenarios=scenarios_asked(arguments),
        engines=engines,
        runs=arguments.runs,
        output=usable(output),
        policy=Policy.load(arguments.policy),
        command=command_line("sweep", output),
        timeout=seconds_of(arguments),
        leak=not arguments.no_leak_check,
        memory_limit=bytes_of(arguments),
    )


def engines_asked(arguments: argparse.Namespace) -> tuple[str, ...]:
    """The engines of --engine, each once, which all exist."""
    specs = tuple(dict.fromkeys(arguments.engine or DEFAULT_PAIR))
    for spec in specs:
        try:
            capabilities_of(get_engine(spec))
        except EngineSpecError as error:
            raise UsageError(f"--engine: {error}") from None
    return specs


def scenarios_asked(arguments: argparse.Namespace) -> tuple[Scenario, ...]:
    """A preset, the named scenarios, or a matrix of one's own."""
    own = [name for name in _AXES if getattr(arguments, name)]
    preset = "quick" if arguments.quick else "full" if arguments.full else None
    if own and (preset or arguments.scenario):
        chosen = f"--{preset}" if preset else "--scenario"
        raise UsageError(f"--{own[0]} makes a matrix of its own and {chosen} takes given ones; leave one of them out")
    if own:
        return (matrix_asked(arguments),)
    return scenarios_named(arguments.scenario or PRESETS[preset or "standard"])


def matrix_asked(arguments: argparse.Namespace) -> Scenario:
    """The product of --employees, --years, --shards, --threads and --level."""
    if not arguments.employees:
        raise UsageError("a matrix of your own needs --employees N [N ...]")
    levels = arguments.level or ["high"]
    for level in levels:
        try:
            parse_level(level)
        except VariantError as error:
            raise UsageError(f"--level: {error}") from None
    part = Part(
        employees=sorted(set(arguments.employees)),
        years=sorted(set(arguments.years or [5])),
        levels=list(dict.fromkeys(levels)),
        shards=sorted(set(arguments.shards or [1])),
        threads=sorted(set(arguments.threads or [1])),
    )
    return Scenario(name=CUSTOM, purpose="A matrix given on the command line.", parts=[part])


def matrix_words(part: Part) -> list[str]:
    """The options that `matrix_asked` makes this part of."""
    axes: dict[str, Sequence[object]] = {
        "employees": part.employees, "years": part.years, "level": part.levels, "shards": part.shards, "threads": part.threads,
    }  # fmt: skip
    return [word for name, values in axes.items() for word in (f"--{name}", *map(str, values))]


def usable(folder: Path, option: str = "--output") -> Path:
    """The folder of that option, made if need be. Raises UsageError for one that cannot be written."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / ".writable"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise UsageError(f"{option} {folder}: cannot be written: {error.strerror}; give another folder") from None
    return folder.resolve()


def seconds_of(arguments: argparse.Namespace) -> float | None:
    """--timeout in seconds."""
    return None if arguments.timeout is None else arguments.timeout * 60


def bytes_of(arguments: argparse.Namespace) -> int | None:
    """--memory-limit in bytes. On a cluster each host sees for itself whether it has as much."""
    if arguments.memory_limit is None:
        return None
    limit = int(arguments.memory_limit * GB)
    if arguments.cluster is None and limit > psutil.virtual_memory().total:
        raise UsageError(
            f"--memory-limit {arguments.memory_limit:g}: this machine has {psutil.virtual_memory().total / GB:.1f} GB"
        )
    return limit


def command_line(subcommand: str, output: Path, arguments: Sequence[str] | None = None) -> str:
    """The command that goes on with this one, with its output folder named."""
    given = list(sys.argv[2:] if arguments is None else arguments)
    if not any(argument == "--output" or argument.startswith("--output=") for argument in given):
        given += ["--output", str(output)]
    return shlex.join(["python", "-m", "scale", subcommand, *given])
