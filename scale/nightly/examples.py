"""Where Hypothesis keeps failing examples, so that units on several machines share them: its own classes, chosen by a text.

    FOLDER                         a folder, also on a shared disk
    redis://HOST:PORT/N            a Redis server (extra `redis`); rediss:// with TLS. REDIS_USERNAME and REDIS_PASSWORD of the
                                   environment are used; a password in the text would end in records and summaries
    github:OWNER/NAME[:ARTIFACT]   the newest artifact of that repository's workflows; only read

Several are joined by commas: each is read, and each but GitHub's is written. Writes are not deferred to a thread, as Hypothesis's
BackgroundWriteDatabase does: a unit writes on failures only, and its process may be killed right afterwards.
"""

from __future__ import annotations

import os
import re
import sys
import time
import warnings
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from hypothesis.database import (
    DirectoryBasedExampleDatabase,
    ExampleDatabase,
    GitHubArtifactDatabase,
    MultiplexedDatabase,
    ReadOnlyDatabase,
)
from hypothesis.errors import HypothesisWarning

from scale.measuring.run import ROOT
from scale.options import usable
from scale.status import UsageError

EXAMPLES = "examples"
"""Their folder in a corpus, where nothing else is asked for."""
LOCAL = ".hypothesis/examples"
"""Hypothesis's own folder: written to beside GitHub's, which nobody can write to."""
SERVER_SECONDS = 5.0
"""A server in the same network answers in milliseconds; each call to one that hangs costs a unit so long."""
PAUSE_SECONDS = 60.0
"""A source that failed is not asked for so long: a unit loses a twelfth of its time to a dead server, not all of it."""
OLDEST_DAYS = 180
"""An example of a folder that failed so long ago: one that still does is kept anew when it is met."""
_GITHUB = re.compile(r"github:(?P<owner>[\w.-]+)/(?P<name>[\w.-]+)(:(?P<artifact>[^/,:]+))?")


def database(spec: str | None) -> ExampleDatabase | None:
    """The database that `spec` names; None: nothing is kept. No server is spoken to yet.

    One that fails later, such as a server that goes away, counts as empty until it is back, and standard error says so once.

    Raises:
        UsageError: a text that names nothing, or an extra that is not installed.
    """
    parts = _parts(spec)
    found = [_one(part) for part in parts]
    if parts and all(part.startswith("github:") for part in parts):
        found.insert(0, DirectoryBasedExampleDatabase(LOCAL))
    if not found:
        return None
    return found[0] if len(found) == 1 else MultiplexedDatabase(*found)


def check(spec: str | None) -> list[str]:
    """Ask every source once, before a night begins. Returns what people should know, a sentence each.

    Raises:
        UsageError: as `database`; a folder that cannot be written to; a server that does not answer.
    """
    told: list[str] = []
    for part in _parts(spec):
        if _is_redis(part):
            _check_server(part)
        elif part.startswith("github:"):
            told += _check_artifact(part)
        else:
            usable(Path(part), "--examples")
    return told


def forget_old(folder: Path) -> int:
    """Remove examples that were written more than OLDEST_DAYS ago from a folder of Hypothesis's; returns how many."""
    before, gone = time.time() - 86_400 * OLDEST_DAYS, 0
    for path in folder.glob("*/*"):
        with suppress(FileNotFoundError):  # others may write there too
            if path.is_file() and path.stat().st_mtime < before:
                path.unlink()
                gone += 1
                with suppress(OSError):  # it holds others
                    path.parent.rmdir()
    return gone


def usable_here(spec: str | None) -> str | None:
    """What of `spec` means the same on this machine as on the one that gave it: everything but folders that are not there."""
    kept = [
        part for part in _parts(spec) if _is_redis(part) or part.startswith("github:") or Path(part).absolute().is_dir()
    ]
    return ",".join(kept) or None


class Forgiving(ExampleDatabase):
    """Another database, whose failures cost no more than its examples."""

    def __init__(self, inner: ExampleDatabase, name: str, failures: tuple[type[Exception], ...]) -> None:
        super().__init__()
        self._inner, self._name, self._failures = inner, name, failures
        self._silent_until = float("-inf")
        self._told = False

    def __repr__(self) -> str:
        return f"Forgiving({self._inner!r})"

    def save(self, key: bytes, value: bytes) -> None:
        self._tried(lambda: self._inner.save(key, value), None)

    def fetch(self, key: bytes) -> Iterable[bytes]:
        yield from self._tried(lambda: list(self._inner.fetch(key)), [])

    def delete(self, key: bytes, value: bytes) -> None:
        self._tried(lambda: self._inner.delete(key, value), None)

    def move(self, src: bytes, dest: bytes, value: bytes) -> None:
        self._tried(lambda: self._inner.move(src, dest, value), None)

    def _tried(self, act: Callable[[], Any], otherwise: Any) -> Any:
        if time.monotonic() < self._silent_until:
            return otherwise
        try:
            return act()
        except self._failures as error:
            self._silent_until = time.monotonic() + PAUSE_SECONDS
            if not self._told:
                self._told = True
                sys.stderr.write(f"{self._name}: {error}; the examples there are left out until it is back\n")
            return otherwise


def _one(part: str) -> ExampleDatabase:
    if _is_redis(part):
        client, error = _client(part)
        from hypothesis.extra.redis import RedisExampleDatabase

        # data of another program under our keys, or a server that is still loading, are RedisErrors too
        return Forgiving(RedisExampleDatabase(client), _shown(part), (error, OSError))
    if part.startswith("github:"):
        shared = ReadOnlyDatabase(_artifact(part))
        return Forgiving(shared, part, (OSError, ValueError, KeyError))
    return DirectoryBasedExampleDatabase(part)


def _artifact(part: str) -> GitHubArtifactDatabase:
    found = _GITHUB.fullmatch(part)
    assert found is not None
    return GitHubArtifactDatabase(found["owner"], found["name"], found["artifact"] or "hypothesis-example-db")


def _parts(spec: str | None) -> list[str]:
    """The single sources, each of a kind that there is. A folder with a comma in its name is taken as it is."""
    if spec is None:
        return []
    parts = [spec] if Path(spec).is_dir() else [part.strip() for part in spec.split(",")]
    for part in parts:
        if _is_redis(part) and _shown(part) != part:
            raise UsageError(
                f"--examples {_shown(part)}: a password there is shown in logs and summaries; leave it out and set "
                "REDIS_PASSWORD (and REDIS_USERNAME) in the environment"
            )
        known = not part or re.match(r"[a-z]+:", part) is None
        if not part or not (known or _valid(part)):
            raise UsageError(
                f"--examples {_shown(part) or spec}: expected a folder, redis://HOST:PORT/N or github:OWNER/NAME[:ARTIFACT], "
                "or several of them joined by commas"
            )
    return parts


def _valid(part: str) -> bool:
    if not _is_redis(part):
        return _GITHUB.fullmatch(part) is not None
    with suppress(ValueError):
        address = urlsplit(part)
        number = address.path.strip("/")
        return bool(address.hostname) and (address.port or 1) > 0 and (not number or number.isdigit())
    return False


def _is_redis(part: str) -> bool:
    return part.startswith(("redis://", "rediss://"))


def _shown(part: str) -> str:
    """Without a password."""
    return re.sub(r"//[^/@]*@", "//...@", part)


def _client(part: str) -> tuple[Any, type[Exception]]:
    """A client that does not wait long or try again, and what it raises."""
    try:
        from redis import Redis, RedisError
        from redis.backoff import NoBackoff
        from redis.retry import Retry
    except ImportError:
        raise UsageError(
            "--examples redis://...: the Redis client is not installed here: "
            f"run `{sys.executable} -m pip install '.[redis]'` in {ROOT}"
        ) from None
    limits = {"socket_timeout": SERVER_SECONDS, "socket_connect_timeout": SERVER_SECONDS}
    who = {name: os.environ.get(f"REDIS_{name.upper()}") or None for name in ("username", "password")}
    return Redis.from_url(part, **limits, **who, retry=Retry(NoBackoff(), 0)), RedisError


def _check_server(part: str) -> None:
    client, failure = _client(part)
    try:
        client.ping()
    except (failure, OSError) as error:
        raise UsageError(
            f"--examples {_shown(part)}: the server does not answer: {error}; start it, or leave it out"
        ) from None
    finally:
        client.close()


def _check_artifact(part: str) -> list[str]:
    if not os.environ.get("GITHUB_TOKEN"):
        return [
            f"--examples {part}: GitHub gives artifacts to a token only, and GITHUB_TOKEN is not set: nothing is read"
        ]
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        try:
            list(_artifact(part).fetch(b""))
        except (OSError, ValueError, KeyError) as error:
            return [f"--examples {part}: {error}; nothing is read from there"]
    return [f"--examples {part}: {one.message}" for one in said if issubclass(one.category, HypothesisWarning)]
