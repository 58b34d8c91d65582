"""The options of `python -m scale rollback`, and what they mean."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from differential.comparison import ComparisonPolicy, PolicyError, load_policy
from differential.engines import BUILT_IN
from properties.outside import Mapped, OutsideError, load_mapping
from scale.options import number, seconds_of
from scale.rollback.backup import Backup
from scale.rollback.git import Repository
from scale.rollback.rebuild import BuiltIn, Command, Rebuilder
from scale.rollback.record import TARGET_SECONDS
from scale.rollback.request import Request
from scale.rollback.tables import Names
from scale.status import UsageError

DEFAULT_TAG = "pre-optimization"
_ENGINES = tuple(name for name in BUILT_IN if name != "oracle")
_OWN_MODELS = ("differential", "fixtures")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Everything that `rollback` takes."""
    actions = parser.add_subparsers(metavar="ACTION", dest="rollback_action", required=True)
    validate = _add(actions, "validate", "could we go back? Changes nothing")
    execute = _add(actions, "execute", "go back: backup, checkout, flag, rebuild, proof; a failure restores everything")
    restore = _add(actions, "restore", "go forward again, byte for byte")
    for sub in (validate, execute):
        _add_system(sub)
        _add_comparison(sub)
    validate.add_argument(
        "--backup", type=Path, metavar="DIR", help="where the backup would lie, to look for space there"
    )
    validate.add_argument(
        "--output",
        type=Path,
        metavar="DIR",
        default=Path("rollback-results"),
        help="folder for rollback.json (default: rollback-results)",
    )
    execute.add_argument("--backup", type=Path, metavar="DIR", required=True, help="a new folder for the backup")
    execute.add_argument("--yes", action="store_true", help="do not ask for the tag to be typed")
    execute.add_argument(
        "--target",
        type=number(0.01, float),
        metavar="MIN",
        default=TARGET_SECONDS / 60,
        help="minutes that it should take at most; told and recorded, never enforced (default: 10)",
    )
    restore.add_argument("--backup", type=Path, metavar="DIR", required=True, help="the backup folder of execute")
    restore.add_argument(
        "--timeout", type=number(0.01, float), metavar="MIN", help="minutes; then it stops between two steps"
    )


def _add(actions: argparse._SubParsersAction[argparse.ArgumentParser], name: str, text: str) -> argparse.ArgumentParser:
    return actions.add_parser(name, help=text, description=text)


def _add_system(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--repo", type=Path, metavar="R", default=Path(), help="working tree of the repository (default: this folder)")
    add("--database", type=Path, metavar="D", required=True, help="DuckDB file with the results")
    add(
        "--config", type=Path, metavar="C", required=True, help="configuration folder (built-in: scenario.yaml, census)"
    )
    add("--tag", metavar="TAG", default=DEFAULT_TAG, help=f"the release to go back to (default: {DEFAULT_TAG})")
    add("--engine", choices=_ENGINES, help="built-in engine that rebuilds (default: sql)")
    add("--threads", type=number(1), metavar="N", default=1, help="of the built-in engine (default: 1)")
    add("--rebuild-command", metavar="CMD", help="any other system: the command that rebuilds; see docs/rollback.md")
    add(
        "--models",
        action="append",
        metavar="PATH",
        help="the engine's sources in the repository, backed up too; repeat for more (built-in: differential fixtures; else: "
        "models, or all files)",
    )
    add("--timeout", type=number(0.01, float), metavar="MIN", help="minutes for all of it; then everything is put back")


def _add_comparison(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add(
        "--mapping",
        type=Path,
        metavar="FILE",
        help="names of your tables and columns, as for pytest properties --results",
    )
    add(
        "--rebuilt",
        action="append",
        metavar="TABLE",
        default=[],
        help="another table that the rebuild may write: it has to be there, its rows are not compared; repeat for more",
    )
    add(
        "--policy",
        type=Path,
        metavar="FILE",
        help="tolerances and ignored columns, as for pytest differential --policy",
    )
    add("--results-may-differ", action="store_true", help="other results than now are meant: told, and no failure")
    add(
        "--slice",
        type=number(1),
        metavar="N",
        default=200,
        help="people to try the legacy writers on (default: 200)",
    )


def request_of(arguments: argparse.Namespace) -> Request:
    """What the options ask for. Raises UsageError for what cannot be."""
    repository = Repository.at(_folder(arguments.repo, "--repo"))
    config = _folder(arguments.config, "--config").resolve()
    database = arguments.database.resolve()
    if not database.is_file():
        raise UsageError(f"--database {arguments.database}: no such file")
    _refuse_overlap(repository, database, config)
    rebuilder = _rebuilder(arguments, config)
    return Request(
        repository=repository,
        database=database,
        config=config,
        tag=arguments.tag,
        rebuilder=rebuilder,
        names=Names(_mapped(arguments), tuple(arguments.rebuilt), rebuilder.scenario),
        models=_models(arguments, repository),
        policy=_policy(arguments.policy),
        may_differ=arguments.results_may_differ,
        people=arguments.slice,
        timeout=seconds_of(arguments),
        target=getattr(arguments, "target", TARGET_SECONDS / 60) * 60,
        backup=_backup_folder(arguments.backup, config),
    )


def _folder(path: Path, option: str) -> Path:
    if not path.is_dir():
        raise UsageError(f"{option} {path}: no such folder")
    return path


def _refuse_overlap(repository: Repository, database: Path, config: Path) -> None:
    """What changes while the drill runs must not lie in what has to stay as it is."""
    if database.is_relative_to(config):
        raise UsageError(
            f"--database {database}: lies in the configuration, which has to stay as it is; keep them apart"
        )
    if repository.common.resolve().is_relative_to(config):
        raise UsageError(
            f"--config {config}: is the repository with all that is in it; give the folder of the configuration"
        )


def _rebuilder(arguments: argparse.Namespace, config: Path) -> Rebuilder:
    if arguments.rebuild_command is None:
        for option, given in (("--mapping", arguments.mapping), ("--rebuilt", arguments.rebuilt)):
            if given:
                raise UsageError(
                    f"{option} is for other systems, with --rebuild-command; built-in engines have their own names"
                )
        return BuiltIn(arguments.engine or "sql", arguments.threads, config)
    if arguments.engine is not None:
        raise UsageError("--engine and --rebuild-command: give one of them")
    return Command(arguments.rebuild_command)


def _models(arguments: argparse.Namespace, repository: Repository) -> tuple[str, ...]:
    given = arguments.models or []
    for name in given:
        path = (repository.top / name).resolve()
        if not path.exists() or not path.is_relative_to(repository.top.resolve()):
            raise UsageError(f"--models {name}: nothing of that name in {repository.top}")
    if given:
        return tuple(given)
    if arguments.rebuild_command is None:
        return tuple(name for name in _OWN_MODELS if (repository.top / name).is_dir()) or _OWN_MODELS
    return ("models",) if (repository.top / "models").is_dir() else ()


def _mapped(arguments: argparse.Namespace) -> Mapped:
    if arguments.mapping is None:
        return Mapped()
    try:
        return load_mapping(arguments.mapping)
    except OutsideError as error:
        raise UsageError(f"--mapping: {error}") from None


def _policy(path: Path | None) -> ComparisonPolicy:
    try:
        return ComparisonPolicy() if path is None else load_policy(path)
    except PolicyError as error:
        raise UsageError(f"--policy: {error}") from None


def _backup_folder(path: Path | None, config: Path) -> Path | None:
    if path is None:
        return None
    folder = path.resolve()
    if folder.is_relative_to(config):
        raise UsageError(f"--backup {path}: lies in the configuration that is backed up; give a folder elsewhere")
    return folder


def ask_for(tag: str, database: Path) -> None:
    """Have the tag typed. Raises UsageError where nobody is there to type it, or something else was."""
    if not sys.stdin.isatty():
        raise UsageError(
            "execute asks for the tag to be typed, and there is no terminal here: add --yes to go on without"
        )
    sys.stderr.write(f"{database} will be rebuilt with the code of {tag}. Type the tag to go on: ")
    sys.stderr.flush()
    if sys.stdin.readline().strip() != tag:
        raise UsageError("that is not the tag; nothing was changed")


def backup_of(arguments: argparse.Namespace) -> Backup:
    """The backup folder of --backup."""
    return Backup(arguments.backup.resolve())
