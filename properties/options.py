"""The command line of properties, beside that of differential, and what its values settle."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from differential.options import usable_folder
from differential.session import Session
from fixtures.census import Census, CensusError
from fixtures.scenario import Scenario, ScenarioError
from fixtures.world import WorldError

if TYPE_CHECKING:
    from properties.outside import Outside
    from properties.session import PropertySession


def add_options(parser: pytest.Parser) -> None:
    """Register the options; their help is the reference that docs/properties.md points to."""
    group = parser.getgroup("workforce properties")
    add = group.addoption
    add("--check", action="append", metavar="ID", help="only this check, repeatable: an id of docs/checks.md such as I19, or "
        "`lifecycle`")  # fmt: skip
    add(
        "--rules",
        type=Path,
        metavar="FILE",
        help="checks that an engine is known to break: off or warn, with reason and end date (YAML)",
    )
    add("--results", type=Path, metavar="PATH", help="check tables that another system left: a DuckDB file or a folder of Parquet; "
        "with --census and --scenario if known")  # fmt: skip
    add("--mapping", type=Path, metavar="FILE", help="with --results: where its tables and columns are (YAML)")
    add(
        "--properties-report",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="write the report (.json or .md)",
    )
    add("--self-test", action="store_true", help="plant every fault of the catalogue and print which checks find it")
    add("--fault", action="append", metavar="ID", help="with --self-test: only this fault, repeatable")
    add("--fault-report", type=Path, metavar="FILE", help="with --self-test: write the kill matrix (.json)")


def check_options(config: pytest.Config) -> None:
    """Refuse what cannot be used before anything runs."""
    option = config.option
    for path in option.properties_report:
        if path.suffix not in (".json", ".md"):
            raise pytest.UsageError(f"--properties-report {path}: expected a file ending in .json or .md")
        usable_folder(path.parent, "--properties-report")
    if option.mapping is not None and option.results is None:
        raise pytest.UsageError("--mapping: goes with --results, the tables that it maps")
    if option.results is not None and option.engine:
        raise pytest.UsageError("--results: checks tables without any engine; leave --engine out")
    if (option.fault or option.fault_report) and not option.self_test:
        raise pytest.UsageError("--fault and --fault-report: go with --self-test")
    if option.check:
        from properties.session import catalogue

        for name in option.check:
            if name not in catalogue() and name not in OTHER_CHECKS:
                raise pytest.UsageError(f"--check {name}: no such check; docs/checks.md lists them")


OTHER_CHECKS = ("run", "lifecycle", "M22")
"""Items that are neither invariant nor relation: an engine's runs end in a result, the life of a database, the environment."""


def make_property_session(config: pytest.Config, session: Session) -> PropertySession:
    """Settle the options; raises pytest.UsageError with one clear message."""
    from properties.outside import OutsideError
    from properties.rules import RulesError, RulesPolicy, load_rules
    from properties.session import PropertySession, catalogue

    option = config.option
    try:
        rules = load_rules(option.rules, catalogue()) if option.rules else RulesPolicy()
        outside = None if option.results is None else _outside(option)
    except (RulesError, OutsideError, CensusError, ScenarioError, WorldError) as error:
        raise pytest.UsageError(str(error)) from None
    return PropertySession(session, rules, outside)


def _outside(option: Any) -> Outside:
    from properties.outside import Mapped, load_mapping, load_results

    mapped = load_mapping(option.mapping) if option.mapping else Mapped()
    census = Census.load(option.census) if option.census else None
    scenario = Scenario.load(option.scenario) if option.scenario else None
    return load_results(option.results, mapped, census, scenario)


def self_test(config: pytest.Config) -> int:
    """Plant the faults and print the kill matrix: status 0, 1 when one survived that should not, 2 when interrupted."""
    from differential.plugin import write_report
    from properties.faults import run_catalogue

    option = config.option
    if option.fault_report is not None:
        usable_folder(option.fault_report.parent, "--fault-report")
    try:
        matrix = run_catalogue(option.fault, progress=lambda line: print(line, file=sys.stderr, flush=True))
    except KeyError as error:
        raise pytest.UsageError(f"--fault: {error.args[0]}") from None
    except KeyboardInterrupt:
        print("interrupted; nothing can be said of the faults that were not yet planted", file=sys.stderr)
        return int(pytest.ExitCode.INTERRUPTED)
    sys.stdout.write(matrix.text())
    if option.fault_report is not None:
        write_report(option.fault_report, matrix.dumps())
    return int(pytest.ExitCode.OK if matrix.passed else pytest.ExitCode.TESTS_FAILED)
