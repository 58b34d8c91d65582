"""Failing examples that units share: through a folder always, through a real Redis server where one is installed."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis.database import DirectoryBasedExampleDatabase, GitHubArtifactDatabase
from hypothesis.errors import HypothesisWarning

from differential.session import ROOT
from scale.nightly import examples
from scale.nightly.examples import check, database, forget_old, usable_here
from scale.status import UsageError

SERVER = shutil.which("redis-server")
needs_server = pytest.mark.skipif(
    SERVER is None, reason="redis-server is not installed (Debian: apt install redis-server)"
)
KEY, VALUE = b"key", b"value"

UNIT = """
import sys
from hypothesis import settings
from differential.pool import Chunk, gather, shrink
from fixtures.strategies import worlds
from scale.nightly.examples import database

settings.register_profile("unit", database=database(sys.argv[1]))
settings.load_profile("unit")
seed = int(sys.argv[2])
drawn = gather(worlds(), 40, seed)
fails = lambda world: len(world.census) >= 3
if sys.argv[3] == "find":
    failing = next(world for world in drawn if fails(world))
    best, _ = shrink(worlds(), Chunk(tuple(drawn), seed, 40), failing, fails)
    print(best.fingerprint)
else:
    print(drawn[0].fingerprint)
"""
"""What a unit does with a failure, in a process of its own: `find` shrinks and keeps one, `replay` tells what it draws first."""


def unit(spec: str, seed: int, what: str) -> str:
    command = [sys.executable, "-c", UNIT, spec, str(seed), what]
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True, timeout=120).stdout.strip()


def test_examples_of_long_ago_are_forgotten(tmp_path: Path) -> None:
    kept = DirectoryBasedExampleDatabase(tmp_path)
    for value in (b"old", b"new"):
        kept.save(KEY, value)
    kept.save(b"another", b"old")
    ago = time.time() - 86_400 * (examples.OLDEST_DAYS + 1)
    for path in tmp_path.glob("*/*"):
        if path.read_bytes() != b"new":
            os.utime(path, (ago, ago))

    assert forget_old(tmp_path) >= 2

    assert [*kept.fetch(KEY)] == [b"new"] and not [*kept.fetch(b"another")]
    assert forget_old(tmp_path) == 0 == forget_old(tmp_path / "none")
    kept.save(b"another", b"again")
    assert [*kept.fetch(b"another")] == [b"again"]


class Server:
    """A Redis server of this test's own: on the loopback interface, without persistence."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self._folder = folder
        self.start()

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        options = {"--port": str(self.port), "--bind": "127.0.0.1", "--save": "", "--appendonly": "no"}
        words = [word for pair in options.items() for word in pair]
        self.process = subprocess.Popen(
            [str(SERVER), *words, "--dir", str(self._folder)], stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT
        )
        until = time.monotonic() + 20
        while True:
            try:
                return socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            except OSError:
                assert time.monotonic() < until, "redis-server does not answer"
                time.sleep(0.05)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    started = Server(tmp_path)
    yield started
    started.kill()


def test_what_one_unit_found_another_replays_first_from_a_folder(tmp_path: Path) -> None:
    folder = str(tmp_path / "examples")
    alone = unit(str(tmp_path / "other"), 2, "replay")
    found = unit(folder, 1, "find")

    assert unit(folder, 2, "replay") == found != alone


@needs_server
def test_what_one_unit_found_another_replays_first_from_a_server(server: Server) -> None:
    found = unit(server.url, 1, "find")

    assert unit(server.url, 2, "replay") == found
    assert unit(server.url.replace("/0", "/1"), 2, "replay") != found


@needs_server
def test_a_server_that_vanishes_costs_its_examples_and_nothing_else(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = database(f"{tmp_path / 'here'},{server.url}")
    assert kept is not None
    kept.save(KEY, VALUE)
    server.kill()
    begun = time.monotonic()
    for number in range(50):
        kept.save(KEY, str(number).encode())

    assert VALUE in set(kept.fetch(KEY))
    assert len(list(kept.fetch(KEY))) == 51
    assert time.monotonic() - begun < examples.SERVER_SECONDS
    assert capsys.readouterr().err.count("left out until it is back") == 1

    server.start()
    monkeypatch.setattr(examples, "PAUSE_SECONDS", 0.0)
    again = database(server.url)
    assert again is not None
    again.save(KEY, b"back")
    assert list(again.fetch(KEY)) == [b"back"]


@needs_server
def test_a_server_that_hangs_is_waited_for_once(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    import signal

    monkeypatch.setattr(examples, "SERVER_SECONDS", 0.3)
    kept = database(server.url)
    assert kept is not None
    server.process.send_signal(signal.SIGSTOP)
    begun = time.monotonic()
    for _ in range(20):
        assert list(kept.fetch(KEY)) == []

    assert 0.2 < time.monotonic() - begun < 1.5


@needs_server
def test_a_server_that_answers_is_told_nothing_about(server: Server) -> None:
    assert check(server.url) == []


def test_a_server_that_is_not_there_is_told_at_the_start() -> None:
    with pytest.raises(UsageError, match=r"redis://127\.0\.0\.1:1/0: the server does not answer"):
        check("redis://127.0.0.1:1/0")


def test_a_password_is_taken_from_the_environment_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is asked for is written into records, summaries and the texts of issues."""
    with pytest.raises(UsageError, match="REDIS_PASSWORD") as raised:
        check("redis://:secret@127.0.0.1:1/0")
    assert "secret" not in str(raised.value)

    monkeypatch.setenv("REDIS_PASSWORD", "secret")
    client, _ = examples._client("redis://127.0.0.1:1/0")
    assert client.get_connection_kwargs()["password"] == "secret" and client.get_connection_kwargs()["username"] is None


def test_a_missing_client_is_told_with_the_command_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "redis", None)

    with pytest.raises(UsageError, match=r"pip install '\.\[redis\]'"):
        database("redis://127.0.0.1:6379/0")


@pytest.mark.parametrize(
    "spec", ["github:owner", "redis://", "redis://host:port/0", "redis://host/name", "http://host/", "a,,b", ""]
)
def test_a_text_that_names_nothing_is_refused(spec: str) -> None:
    with pytest.raises(UsageError, match="expected a folder, redis://HOST:PORT/N or github:OWNER/NAME"):
        database(spec)


def test_a_folder_that_cannot_be_written_to_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(UsageError, match=r"--examples .*file: cannot be written"):
        check(str(tmp_path / "file"))


class Artifact(GitHubArtifactDatabase):
    """GitHub with one example under the key, or away."""

    away = False

    def fetch(self, key: bytes) -> Iterator[bytes]:  # noqa: ARG002
        if self.away:
            raise FileNotFoundError("another unit replaced the artifact")
        yield b"of the artifact"


def test_an_artifact_is_read_beside_the_folder_that_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(examples, "GitHubArtifactDatabase", Artifact)
    kept = database(f"{tmp_path},github:team/suite:examples")
    assert kept is not None
    kept.save(KEY, VALUE)

    assert set(kept.fetch(KEY)) == {VALUE, b"of the artifact"}
    assert set(DirectoryBasedExampleDatabase(tmp_path).fetch(KEY)) == {VALUE}
    monkeypatch.setattr(Artifact, "away", True)
    assert set(kept.fetch(KEY)) == {VALUE}


def test_an_artifact_alone_is_given_a_folder_to_write_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(examples, "GitHubArtifactDatabase", Artifact)
    monkeypatch.setattr(examples, "LOCAL", str(tmp_path / "local"))
    kept = database("github:team/suite")
    assert kept is not None
    kept.save(KEY, VALUE)

    assert set(DirectoryBasedExampleDatabase(tmp_path / "local").fetch(KEY)) == {VALUE}


def test_an_artifact_that_cannot_be_had_is_told_and_stops_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def fetch(self: Any, key: bytes) -> Iterator[bytes]:
        warnings.warn("Couldn't acquire a new or existing artifact.", HypothesisWarning, stacklevel=1)
        yield from ()

    monkeypatch.delenv("GITHUB_TOKEN", raising=False)
    assert "GITHUB_TOKEN is not set" in check("github:team/suite")[0]

    monkeypatch.setenv("GITHUB_TOKEN", "none")
    monkeypatch.setattr(GitHubArtifactDatabase, "fetch", fetch)
    assert check("github:team/suite") == ["--examples github:team/suite: Couldn't acquire a new or existing artifact."]


def test_nothing_asked_for_is_nothing_kept_and_a_folder_of_another_machine_is_left_out(tmp_path: Path) -> None:
    assert database(None) is None
    assert usable_here(None) is None
    assert (
        usable_here(f"{tmp_path},/no/such/folder,redis://host:1/0,github:a/b")
        == f"{tmp_path},redis://host:1/0,github:a/b"
    )
    assert usable_here("/no/such/folder") is None
