"""What validate and execute are asked for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from differential.comparison import ComparisonPolicy
from differential.identity import commit_of
from scale.rollback.backup import Sources
from scale.rollback.git import Repository
from scale.rollback.rebuild import Rebuilder
from scale.rollback.record import Action, Rollback
from scale.rollback.tables import Names


@dataclass(frozen=True)
class Request:
    """database, config: resolved, so that links are followed. models: paths in the repository. backup: folder of the backup, where
    it is known. people: in a slice. timeout, target: seconds. may_differ: other results are announced, told, and do not fail.
    """

    repository: Repository
    database: Path
    config: Path
    tag: str
    rebuilder: Rebuilder
    names: Names
    models: tuple[str, ...]
    policy: ComparisonPolicy
    may_differ: bool
    people: int
    timeout: float | None
    target: float
    backup: Path | None = None

    @property
    def sources(self) -> Sources:
        """What is backed up."""
        away = (self.config, *([self.backup] if self.backup else []))
        return Sources(self.database, self.config, self.repository, self.models, away)

    @property
    def engine(self) -> str | None:
        """Name of a built-in engine, for the record."""
        return self.rebuilder.name if self.rebuilder.scenario is not None else None

    def record(self, action: Action, **facts: object) -> Rollback:
        """rollback.json with its first action."""
        blank = Rollback(
            tag=self.tag,
            tag_commit=self.repository.commit_of_tag(self.tag),
            commit=commit_of(self.repository.top),
            engine=self.engine,
            target=self.target,
            finished=action.finished,
            seconds=action.seconds,
            result=action.result,
            actions=[],
        )
        return blank.after(action, **facts)
