"""The options of `python -m scale nightly`, and what they mean."""

from __future__ import annotations

import argparse
import secrets
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from differential.comparison import PolicyError, load_policy
from differential.engines import DEFAULT_PAIR, EngineSpecError, get_engine, settled
from differential.options import parse_slice
from differential.session import given_world
from fixtures.census import CensusError
from fixtures.scenario import ScenarioError
from fixtures.world import WorldError
from scale.measuring.host import usable_cores
from scale.nightly.campaign import Request
from scale.nightly.examples import EXAMPLES, check
from scale.nightly.job import Workers
from scale.nightly.pool import LocalPool
from scale.nightly.records import UnitSettings
from scale.options import number
from scale.status import UsageError

DEFAULT_CORPUS, DEFAULT_OUTPUT = "nightly-corpus", "nightly-results"
_SEED_BITS = 63


def add_campaign_options(parser: argparse.ArgumentParser) -> None:
    """What is run, for how long, and where to."""
    add = parser.add_argument
    add("--minutes", type=number(0.1, float), default=60.0, metavar="M", help="time for fuzzing (default: 60)")
    add("--workers", type=number(1), metavar="N", help="units at a time, a core each (default: the cores there are)")
    _add_folders(parser)
    add("--engine", action="append", metavar="SPEC", help="engine to compare; repeat for more (default: sql polars)")
    add("--seed", type=number(0), metavar="SEED", help="all draws follow from it (default: a new one each night)")
    add(
        "--slice",
        type=parse_slice,
        default=(1, 1),
        metavar="I/N",
        help="part I of N of one campaign, for several machines",
    )
    add("--cluster", metavar="ADDRESS", help="run units on Dask's workers at tcp://HOST:PORT (extra: cluster)")
    add("--examples", metavar="WHERE", help="Hypothesis's examples: a folder, redis://HOST:PORT/N or github:OWNER/NAME "
        "(default: examples/ in the corpus)")  # fmt: skip
    add("--no-canary", action="store_true", help="plant no fault; the night then proves less")
    for name, text in (("census", "your own census (.parquet or .csv); worlds are slices of it"),
                       ("scenario", "your own scenario (YAML)"),
                       ("policy", "tolerances and thresholds of attached engines (YAML)")):  # fmt: skip
        add(f"--{name}", type=Path, metavar="FILE", help=text)
    add("--years", type=int, nargs=2, metavar=("FIRST", "LAST"), help="simulated years of the census")
    add("--employees", type=number(1), metavar="N", help="only N rows of the census, the first by employee_id")
    add("--random-seed", type=int, metavar="SEED", help="the simulation's seed")
    add(
        "--keep-identities",
        action="store_true",
        help="leave ids, dates and pay of a given census in repros (ssn never)",
    )
    add("--engine-timeout", type=number(0.1, float), metavar="SECONDS", help="longest run of an attached engine")


def _add_folders(parser: argparse.ArgumentParser, *, again: bool = False) -> None:
    """again: where the command above has the same options, whose values must not be lost."""
    for name, default, text in (
        ("corpus", DEFAULT_CORPUS, "inputs, known failures and history, kept between nights"),
        ("output", DEFAULT_OUTPUT, "units and summary of this campaign; an interrupted one there is gone on with"),
    ):
        value = argparse.SUPPRESS if again else Path(default)
        parser.add_argument(f"--{name}", type=Path, default=value, metavar="DIR", help=f"{text} (default: {default})")


def add_merge_options(parser: argparse.ArgumentParser) -> None:
    """`merge`: the slices of a campaign become one night."""
    parser.add_argument("folders", type=Path, nargs="+", metavar="FOLDER", help="output folders of the slices")
    _add_folders(parser, again=True)


def campaign_request(arguments: argparse.Namespace) -> Request:
    """The options as a request. Raises UsageError with one clear message, before anything is begun."""
    years = tuple(arguments.years) if arguments.years else None
    if arguments.slice[1] > 1 and arguments.seed is None:
        raise UsageError("--slice: the slices of one campaign have one seed: give each the same --seed")
    try:
        engines = tuple(dict.fromkeys(settled(spec) for spec in arguments.engine or DEFAULT_PAIR))
        for spec in engines:
            get_engine(spec)
        given_world(arguments.census, arguments.scenario, years, arguments.employees, arguments.random_seed)
        if arguments.policy is not None:
            load_policy(arguments.policy)
    except (EngineSpecError, CensusError, ScenarioError, WorldError, PolicyError) as error:
        raise UsageError(str(error)) from None
    for line in check(arguments.examples):
        sys.stderr.write(f"{line}\n")
    settings = UnitSettings(
        examples=arguments.examples or str((arguments.corpus / EXAMPLES).resolve()),
        census=_absolute(arguments.census), scenario=_absolute(arguments.scenario), years=years,
        employees=arguments.employees, random_seed=arguments.random_seed, policy=_absolute(arguments.policy),
        keep_identities=arguments.keep_identities, engine_timeout=arguments.engine_timeout,
    )  # fmt: skip
    return Request(
        engines=engines,
        minutes=arguments.minutes,
        seed=secrets.randbits(_SEED_BITS) if arguments.seed is None else int(arguments.seed),
        part=arguments.slice,
        corpus=arguments.corpus,
        output=arguments.output,
        settings=settings,
        command=shlex.join(["python", "-m", "scale", *sys.argv[1:]]),
        with_canary=not arguments.no_canary,
    )


@contextmanager
def workers_of(arguments: argparse.Namespace) -> Iterator[Workers]:
    """The workers that were asked for. Raises UsageError where there are none."""
    if arguments.cluster is not None:
        from scale.nightly.cluster import Cluster

        if arguments.workers is not None:
            raise UsageError("--workers: a cluster has as many as it has; leave --workers out with --cluster")
        made: Workers = Cluster(arguments.cluster)
    else:
        made = LocalPool(int(arguments.workers or usable_cores()))
    try:
        yield made
    finally:
        made.close()


def _absolute(path: Path | None) -> str | None:
    return None if path is None else str(path.resolve())
