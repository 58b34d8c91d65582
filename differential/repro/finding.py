"""Finding: one world on which something failed, as data; what every kind of bundle has in common."""

from __future__ import annotations

import traceback
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from importlib import import_module
from pathlib import Path
from typing import Any, ClassVar, Protocol, Self, TypeVar

from differential.reduction import Observed, Verdict
from differential.repro.sides import versions_of
from differential.side import Side
from fixtures.world import World

TEMPLATES = Path(__file__).with_name("template")
_MOST_ERROR = 2_000


class Recheck(Protocol):
    """The check that reductions and replays repeat: fit for `reduce_world`. many: one call takes many worlds."""

    @property
    def many(self) -> bool: ...

    def __call__(self, worlds: Sequence[World]) -> Sequence[Verdict]: ...


@dataclass(frozen=True)
class Rerun:
    """What came of running a finding once more.

    found: it as it shows now, or another failure of the same world; None when the world passes, which `passed` then tells, or
    when nothing can be said, because of `refused`.
    """

    found: Finding | None = None
    passed: str = ""
    refused: str | None = None


@dataclass(frozen=True, kw_only=True)
class Finding(ABC):
    """One world on which something failed.

    kind: of finding, as repro.json names it. suite: the folder that pytest is given to replay it. template: the test in its bundle.

    test: what failed, such as `sql_vs_polars` or `I19`. error: what an engine raised, as `TypeName: message`; trace: its traceback.
    profile, hypothesis_seed: of the session, for the record. given: the census is a user's own; masked: with masked ssn by now;
    anonymous: with nothing of its people left; stayed: in words, what of them the failure needs. command: the whole command that
    finds it again. versions: library name to version. timeout: seconds that an attached engine may take.
    """

    kind: ClassVar[str]
    suite: ClassVar[str]
    template: ClassVar[Path]

    test: str
    world: World
    error: str | None = None
    trace: str | None = None
    profile: str | None = None
    hypothesis_seed: int | None = None
    given: bool = False
    masked: bool = False
    anonymous: bool = False
    stayed: tuple[str, ...] = ()
    command: str | None = None
    versions: Mapping[str, str] = field(default_factory=dict)
    commit: str | None = None
    timeout: float | None = None

    @property
    def signature(self) -> str:
        """Sanitised: the same for the same failure in another world."""
        return self.observed.signature

    @property
    @abstractmethod
    def observed(self) -> Observed:
        """The failure as the reducer sees it."""

    @property
    @abstractmethod
    def sides(self) -> tuple[Side, ...]:
        """What a replay runs."""

    @property
    @abstractmethod
    def identity(self) -> Mapping[str, Any]:
        """Keys of the record and their values: two findings that agree in them are the same failure."""

    @property
    @abstractmethod
    def words(self) -> tuple[str, ...]:
        """What the bundle is called after the test's name; never text of a user's own."""

    @abstractmethod
    def check(self) -> Recheck:
        """The check that reductions and replays repeat."""

    @abstractmethod
    def on(self, world: World) -> Self:
        """The same failure as it shows on another world, which is run once more. An engine that raises is the failure."""

    @abstractmethod
    def rerun(self) -> Rerun:
        """Run the world once more, for a replay. Never raises for what an engine does."""

    @abstractmethod
    def title(self) -> tuple[str, list[tuple[str, str]]]:
        """The head of the report: a line, and rows of (what, value)."""

    @abstractmethod
    def told(self, *, withheld: bool) -> list[list[str]]:
        """The paragraphs of the report that tell the failure. withheld: nothing about people, only where it lies."""

    @abstractmethod
    def record(self, *, withheld: bool) -> dict[str, Any]:
        """What repro.json holds of this kind alone, as plain values; what is withheld of people leaves no trace in it."""

    @classmethod
    @abstractmethod
    def from_record(cls, record: Mapping[str, Any], common: Mapping[str, Any]) -> Self:
        """The finding that a record describes. common: the fields of every kind. Raises RecordError naming the key."""

    def with_engines(self, engines: Mapping[str, str]) -> Self:
        """The same finding with other SPECs in the place of those that `engines` names."""
        sides = {one.name: getattr(self, one.name) for one in fields(self) if isinstance(getattr(self, one.name), Side)}
        moved = {name: replace(side, engine=engines.get(side.engine, side.engine)) for name, side in sides.items()}
        return replace(self, **moved)

    def described(self, side: Side) -> str:
        """A side for the report; of one under another Python also which libraries that had."""
        found = versions_of(side, self.versions)
        return side.describe() + (
            f"  ({', '.join(f'{name} {number}' for name, number in found.items())})" if found else ""
        )

    @property
    def names_people(self) -> bool:
        """Whether texts about it may hold a user's own people: an engine's message may quote whom it was given."""
        return self.given and not self.anonymous

    def error_text(self, *, withheld: bool) -> str | None:
        """What the engine raised, as far as it may be written down."""
        if self.error is None:
            return None
        return self.error.partition(":")[0] if withheld or self.names_people else self.error[:_MOST_ERROR]

    def error_lines(self, *, withheld: bool) -> list[str]:
        """The error in the report."""
        lines = [f"error: {self.error_text(withheld=withheld) or 'unknown error'}"]
        return [*lines, "  its traceback is in error.txt"] if self.trace and not self.given else lines


def describe_error(error: BaseException) -> tuple[str, str]:
    """An exception as `TypeName: message`, and its traceback, that of a worker process included."""
    return f"{type(error).__name__}: {error}", "".join(traceback.format_exception(error))


F = TypeVar("F", bound=type[Finding])
_kinds: dict[str, type[Finding]] = {}
_homes: dict[str, str] = {}


def announce(kind: str, module: str) -> None:
    """Say which module registers a kind of finding, so that it is imported when a bundle of that kind is read."""
    _homes[kind] = module


def register(cls: F) -> F:
    """Make a kind of finding known, so that its bundles can be read and replayed."""
    _kinds[cls.kind] = cls
    return cls


def kind_named(name: object) -> type[Finding] | None:
    """The kind of finding of that name, if it was registered or announced."""
    if not isinstance(name, str):
        return None
    if name not in _kinds and name in _homes:
        import_module(_homes[name])
    return _kinds.get(name)
