"""The options of `python -m scale compare`, and what they mean."""

from __future__ import annotations

import argparse
from pathlib import Path

from differential.session import ROOT
from scale.compare.request import RESULT, CompareRequest, Side
from scale.log import new_run_id
from scale.options import (
    DEFAULT_FOLDER,
    add_common_options,
    add_matrix_options,
    bytes_of,
    command_line,
    engines_asked,
    matrix_asked,
    seconds_of,
    usable,
)
from scale.policy import Policy
from scale.scenarios import Scenario, product_of
from scale.scenarios.catalogue import Part
from scale.status import UsageError

DEFAULT_CELLS = Scenario(
    name="compare",
    purpose="Two sizes large enough that the start of a statement is not what is measured.",
    parts=[Part(employees=[5000, 20000], years=[5])],
)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Everything that `compare` takes."""
    base = parser.add_argument_group("live: base and candidate in turn on this machine")
    base.add_argument(
        "--base-checkout",
        type=Path,
        metavar="DIR",
        help="checkout of this project at the base revision (git worktree add DIR TAG)",
    )
    base.add_argument(
        "--base-engine",
        metavar="SPEC",
        help="the base is another engine of this checkout; give one --engine as the candidate",
    )
    base.add_argument(
        "--cluster",
        metavar="ADDRESS",
        help="take all pairs on one host of the Dask cluster at tcp://HOST:PORT, where a base checkout is sent (extra: cluster)",
    )
    base.add_argument("--results-may-differ", action="store_true", help="other tables on the two sides are meant")
    base.add_argument(
        "--same-code",
        action="store_true",
        help="compare code with itself, to see how steady the machine is; never passes",
    )
    stored = parser.add_argument_group("stored: advisory only, whatever the machine")
    stored.add_argument("--baseline", type=Path, metavar="A.json", help="results.json of a sweep")
    stored.add_argument("--candidate", type=Path, metavar="B.json", help="results.json of another")
    stored.add_argument(
        "--history",
        nargs="+",
        type=Path,
        metavar="FILE",
        help="results.json of many nights, or folders of them: trend and change points",
    )
    add_matrix_options(parser)
    add_common_options(parser, "compare.json, the log and the report")


def compare_request(arguments: argparse.Namespace) -> CompareRequest:
    """What the options of a live comparison ask for. Raises UsageError for what cannot be."""
    if bool(arguments.base_checkout) == bool(arguments.base_engine):
        raise UsageError("give --base-checkout DIR or --base-engine SPEC (or --baseline and --candidate, or --history)")
    engines = engines_asked(arguments)
    own = any((arguments.employees, arguments.years, arguments.shards, arguments.threads, arguments.level))
    cells = product_of([matrix_asked(arguments) if own else DEFAULT_CELLS], engines)
    output = arguments.output or Path(DEFAULT_FOLDER) / f"compare-{new_run_id()}"
    if (output / RESULT).exists():
        raise UsageError(f"--output {output}: holds a comparison; it was left as it is. Give another folder")
    return CompareRequest(
        base=_base(arguments, engines),
        candidate=Side(ROOT, {engine: engine for engine in engines}),
        cells=tuple(cell for cell, _ in cells),
        output=usable(output),
        policy=Policy.load(arguments.policy),
        command=command_line("compare", output),
        timeout=seconds_of(arguments),
        memory_limit=bytes_of(arguments),
        results_may_differ=arguments.results_may_differ,
        same_code=arguments.same_code,
    )


def _base(arguments: argparse.Namespace, engines: tuple[str, ...]) -> Side:
    if arguments.base_engine is None:
        return Side(arguments.base_checkout.resolve(), {engine: engine for engine in engines})
    if len(engines) != 1 or not arguments.engine:
        raise UsageError("--base-engine SPEC is compared with one candidate: give exactly one --engine")
    return Side(ROOT, {engines[0]: arguments.base_engine})
