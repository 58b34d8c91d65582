"""Could we go back? Everything that can be known without changing anything, with the legacy writers tried on a slice."""

from __future__ import annotations

import datetime as dt
import os
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from scale.rollback.compare import Agreement, compare
from scale.rollback.durable import free_bytes, size_text
from scale.rollback.git import GitError
from scale.rollback.rebuild import RebuildError
from scale.rollback.record import Check
from scale.rollback.request import Request
from scale.rollback.steps import Steps
from scale.rollback.tables import TablesError, census_of_tables, write_ahead_log
from scale.rollback.trees import listing
from scale.rollback.trial import Trial
from scale.status import Verdict

_ROOM = 50_000_000
"""Bytes that have to stay free beside everything that is counted."""
_NAMES_SHOWN = 5


def validate(request: Request, steps: Steps, locks: Sequence[int] = ()) -> list[Check]:
    """Look at everything; returns what was found. Nothing of the repository, the database or the configuration is changed.

    Raises OutOfTimeError.
    """
    checks = steps.checks
    with steps("look", "repository, configuration, database and space"):
        checks += [
            *_tag(request),
            *_repository(request),
            *_configuration(request),
            *_database(request),
            *_space(request),
        ]
    if any(check.verdict != "pass" and check.verdict != "info" for check in checks):
        checks.append(_check("legacy", "insufficient", "not run: what it needs is not there"))
        return checks
    checks += list(_slice(request, steps, locks))
    checks += policy_checks(request)
    return checks


def policy_checks(request: Request) -> list[Check]:
    """Entries of the policy that are past their end date excuse nothing any more."""
    today = dt.datetime.now(dt.UTC).date()
    return [
        _check("policy", "fail", f"{request.policy.source}: {entry.name} is past its end date {entry.until}; remove it")
        for entry in request.policy.entries
        if entry.until < today
    ]


def _check(name: str, verdict: Verdict, text: str) -> Check:
    return Check(name=name, verdict=verdict, text=text)


def _tag(request: Request) -> Iterator[Check]:
    repository, tag = request.repository, request.tag
    commit = repository.commit_of_tag(tag)
    if commit is None:
        yield _check(
            "tag",
            "fail",
            f"there is no tag {tag}; tags: {repository.tags()}. Tag the release to go back to: git tag {tag} COMMIT, or "
            "fetch it: git fetch --tags",
        )
        return
    same = "; it is what is checked out, so that only the flag differs" if commit == repository.head() else ""
    yield _check("tag", "pass", f"{tag} is commit {commit[:12]}{same}")
    if left_out := repository.left_out(commit):
        yield _check(
            "tag", "info", f"{tag} has {' and '.join(left_out)}: not in the drill's checkout and not backed up"
        )


def _repository(request: Request) -> Iterator[Check]:
    repository = request.repository
    head = repository.head()
    if head is None:
        yield _check("repository", "fail", f"{repository.top}: nothing is committed yet")
        return
    changed = repository.uncommitted()
    told = f"on {repository.branch()} at {head[:12]}"
    if changed:
        more = f" and {len(changed) - _NAMES_SHOWN} more" if len(changed) > _NAMES_SHOWN else ""
        told += f"; not committed, and left alone: {', '.join(changed[:_NAMES_SHOWN])}{more}"
    models = request.sources.model_files()
    where = ", ".join(request.models) or "all files of the repository"
    if models:
        yield _check("repository", "pass", f"{told}; models: {len(models)} files in {where}")
    else:
        yield _check("repository", "fail", f"{told}; no files in {where}: --models says where the models lie")


def _configuration(request: Request) -> Iterator[Check]:
    found = listing(request.config)
    files = [name for name in found if (request.config / name).is_file()]
    unreadable = [name for name in files if not _readable(request.config / name)]
    dangling = [name for name in found if not (request.config / name).exists()]
    if not files:
        yield _check("configuration", "fail", f"{request.config}: no files there")
    elif unreadable:
        yield _check(
            "configuration", "fail", f"{request.config / unreadable[0]}: cannot be read; check its permissions"
        )
    elif dangling:
        yield _check(
            "configuration", "fail", f"{request.config / dangling[0]}: a link that leads nowhere; mend or remove it"
        )
    else:
        yield _check("configuration", "pass", f"{len(files)} files")
    if links := [name for name in found if (request.config / name).is_symlink()]:
        yield _check("configuration", "info", f"{links[0]} is a link: it is backed up, what it leads to is not")


def _readable(path: Path) -> bool:
    try:
        with path.open("rb"):
            return True
    except OSError:
        return False


def _database(request: Request) -> Iterator[Check]:
    database = request.database
    try:
        counted = census_of_tables(database, request.names)
    except (TablesError, OSError) as error:
        yield _check("database", "fail", str(error))
        return
    told = ", ".join(f"{rows} rows of {table}" for table, rows in counted.items())
    whose = "" if request.names.scenario is None else f" of scenario {'/'.join(request.names.scenario)}"
    if not all(counted.values()):
        advice = "there would be nothing to compare; is it the database of this configuration?"
        yield _check("database", "insufficient", f"{database.name} has {told}{whose}: {advice}")
        return
    yield _check("database", "pass", f"{database.name} ({size_text(database.stat().st_size)}) has {told}{whose}")
    if log := write_ahead_log(database):
        text = (
            f"{log.name} lies beside it ({size_text(log.stat().st_size)}): it was not closed; execute folds it in first"
        )
        yield _check("database", "info", text)
    if database.stat().st_nlink > 1:
        yield _check("database", "info", f"{database.name} has a second name (hard link), which keeps the old database")


def needed(request: Request) -> dict[Path, int]:
    """Bytes that execute needs, by folder: of the backup with the checkout, and beside the database, where it is made anew."""
    size = request.database.stat().st_size
    sources = request.sources
    config = sum(_size(request.config / name) for name in listing(request.config))
    models = sum(_size(request.repository.top / name) for name in sources.model_files())
    commit = request.repository.commit_of_tag(request.tag)
    checkout = request.repository.size_of(commit) if commit else 0
    backup = request.backup or request.database.parent
    return _sum([(backup, size + 2 * config + models + checkout), (request.database.parent, 2 * size)])


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0


def _sum(parts: list[tuple[Path, int]]) -> dict[Path, int]:
    """What is needed on each file system, named by the first folder on it."""
    found: dict[int, tuple[Path, int]] = {}
    for folder, size in parts:
        there = folder
        while not there.exists():
            there = there.parent
        named, before = found.get(there.stat().st_dev, (folder, _ROOM))
        found[there.stat().st_dev] = (named, before + size)
    return dict(found.values())


def _space(request: Request) -> Iterator[Check]:
    if not request.database.is_file():
        return
    for folder, size in needed(request).items():
        free = free_bytes(folder)
        told = f"{folder}: {size_text(size)} needed, {size_text(free)} free"
        there = next(place for place in (folder, *folder.parents) if place.exists())
        if not os.access(there, os.W_OK):
            yield _check("space", "fail", f"{there}: cannot be written to; check its permissions")
        yield _check("space", "pass" if free >= size else "fail", told + ("" if free >= size else "; make room"))


def _slice(request: Request, steps: Steps, locks: Sequence[int]) -> Iterator[Check]:
    """The current engine, its legacy writers, and the tag's legacy writers, each on a slice, and each held to the first."""
    with tempfile.TemporaryDirectory(prefix="workforce-parity-rollback-", ignore_cleanup_errors=True) as folder:
        trial = Trial(request, Path(folder), steps.deadline, locks)
        try:
            with steps("try current", "current engine on a slice"):
                now = trial.run("current", trial.current, legacy=False)
        except (RebuildError, TablesError, GitError, OSError) as error:
            yield _check("legacy", "insufficient", f"the current engine gave nothing to compare with: {error}")
            return
        for label, name, checkout in (
            ("legacy", "current legacy", trial.current),
            ("tag", f"legacy of {request.tag}", trial.tagged),
        ):
            try:
                with steps(f"try {label}", f"{name} on the same slice"):
                    agreement = compare(now, trial.run(name, checkout, legacy=True), request.names, request.policy)
            except (RebuildError, TablesError, GitError, OSError) as error:
                yield _check("legacy", "fail", f"{name}: {error}")
            else:
                yield agreement_check("legacy", f"{name} on a slice", agreement, request)


def agreement_check(name: str, what: str, agreement: Agreement, request: Request) -> Check:
    """A comparison as a check. Tables without rows prove nothing."""
    if not all(agreement.rows.values()):
        return _check(
            name, "insufficient", f"{what}: no rows in {' and '.join(t for t, n in agreement.rows.items() if not n)}"
        )
    told = ", ".join(f"{rows} rows of {table}" for table, rows in agreement.rows.items())
    if agreement.equal:
        return _check(name, "pass", f"{what}: equal, {told}")
    if agreement.accepted:
        return _check(name, "pass", f"{what}: equal under {request.policy.source}, {told}")
    more = f"; and in {len(agreement.parted) - 2} more tables and years" if len(agreement.parted) > 2 else ""
    text = f"{what}: differs: {'; '.join(agreement.parted[:2])}{more}"
    if request.may_differ:
        return _check(name, "info", text)
    return _check(name, "fail", f"{text} (where other results are meant: --results-may-differ)")
