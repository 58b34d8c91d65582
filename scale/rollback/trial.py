"""Rebuilds on a slice, in a folder of their own: nothing of the user's is written to."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from scale.rollback.durable import copy_file
from scale.rollback.process import Deadline
from scale.rollback.rebuild import Job
from scale.rollback.request import Request
from scale.rollback.tables import empty, write_ahead_log


class Trial:
    """Runs on a slice in a folder of their own."""

    def __init__(self, request: Request, folder: Path, deadline: Deadline, locks: Sequence[int]) -> None:
        self._request, self._folder, self._deadline, self._locks = request, folder, deadline, locks
        self._number = 0

    @property
    def current(self) -> Path:
        """A built-in engine runs from the working tree as it is; a command gets the last commit, as it may write where it runs."""
        if self._request.rebuilder.fills:
            return self._request.repository.top
        return self._exported(self._request.repository.head() or "")

    @property
    def tagged(self) -> Path:
        return self._exported(self._request.repository.commit_of_tag(self._request.tag) or "")

    def _exported(self, commit: str) -> Path:
        folder = self._folder / f"code-{commit[:12]}"
        if not folder.exists():
            self._request.repository.export(commit, folder)
        return folder

    def run(self, name: str, checkout: Path, *, legacy: bool) -> Path:
        """Rebuild a slice; returns its database. Raises RebuildError, TablesError, GitError, OSError, OutOfTimeError."""
        request = self._request
        self._number += 1
        scratch = self._folder / f"run-{self._number}"
        scratch.mkdir()
        database = scratch / request.database.name
        if not request.rebuilder.fills:
            for path in (request.database, write_ahead_log(request.database)):
                if path is not None:
                    copy_file(path, scratch / path.name)
            empty(database, request.names)
        with config_copy(request.config, scratch) as config:
            job = Job(
                checkout=checkout,
                database=database,
                config=config,
                legacy=legacy,
                people=request.people,
                scratch=scratch,
                log=self._folder / f"{self._number}-{name.replace('/', '-')}.log",
                tag=request.tag,
                deadline=self._deadline,
                locks=self._locks,
            )
            request.rebuilder.rebuild(job)
        return database


@contextmanager
def config_copy(config: Path, scratch: Path) -> Iterator[Path]:
    """The configuration for a rebuild to read: a copy, with links followed, so that nothing it does to it reaches the user's."""
    copied = scratch / "configuration"
    shutil.copytree(config, copied)
    try:
        yield copied
    finally:
        shutil.rmtree(copied, ignore_errors=True)
