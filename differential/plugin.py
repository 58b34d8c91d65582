"""The pytest plugin: selects tests, carries each record on its report (so it survives pytest-xdist), and prints the matrix."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Generator, Hashable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from differential import options
from differential.budget import costly_runs
from differential.cases import PARITY_TESTS, Case
from differential.matrix import Matrix, matrix_json, matrix_markdown, matrix_text
from differential.parity import CaseRecord
from differential.profiles import register_profiles
from differential.session import ROOT, Session

SESSION = pytest.StashKey[Session]()
RECORD = pytest.StashKey[dict[str, Any]]()
MATRIX = pytest.StashKey[Matrix]()

register_profiles()


class RefusedError(Exception):
    """A comparison that proves nothing: an error of the test, never a pass and never an ordinary failure."""


def pytest_addoption(parser: pytest.Parser) -> None:
    options.add_options(parser)


@pytest.hookimpl(trylast=True)  # after Hypothesis has loaded the profile it was asked for
def pytest_configure(config: pytest.Config) -> None:
    options.load_profile(config)
    if config.option.replay is None and not config.option.help:
        for path in config.option.parity_report:
            if path.suffix not in (".json", ".md"):
                raise pytest.UsageError(f"--parity-report {path}: expected a file ending in .json or .md")
        session = options.make_session(config)
        session.progress = _progress(config)
        config.stash[SESSION] = session
        config.stash[MATRIX] = Matrix(session)


def pytest_cmdline_main(config: pytest.Config) -> int | None:
    """`--replay` runs one bundle and no tests; its exit status is fit for `git bisect run`."""
    if config.option.replay is None:
        return None
    from differential.repro import replay

    options.navigator_options(config.option)
    result = replay(config.option.replay, timeout=config.option.engine_timeout, engines=config.option.engine or ())
    sys.stdout.write(result.report.rstrip() + "\n" + (f"{result.note}\n" if result.note else ""))
    return result.status


def pytest_report_header(config: pytest.Config) -> list[str]:
    session = config.stash.get(SESSION, None)
    return session_header(session) if session else []


def session_header(session: Session) -> list[str]:
    """Two lines: what is compared and how worlds are drawn, and with which libraries."""
    amount = f"{session.minutes:g} minutes" if session.minutes else f"{session.profile.worlds} worlds"
    part = "" if session.part == (1, 1) else f", slice {session.part[0]}/{session.part[1]}"
    return [
        f"parity: engines {', '.join(session.engines)}; profile {session.profile.name} ({amount}, seed {session.seed}{part}); "
        f"census of {len(session.world.census)}, {session.world.scenario.start_year}-{session.world.scenario.end_year}",
        "parity: " + ", ".join(f"{name} {number}" for name, number in session.versions.items()),
    ]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the suite's own tests unless they were asked for, and parity tests that --parity does not name."""
    option = config.option
    named_files = any(Path(str(argument).partition("::")[0]).suffix == ".py" for argument in config.args)
    own_tests = (option.run_all or option.markexpr or named_files) and not (option.engine or option.parity)
    wanted = set(option.parity or PARITY_TESTS) | {"regression"} | ({"coverage"} if not option.parity else set())
    kept: list[pytest.Item] = []
    left_out: list[pytest.Item] = []
    for item in items:
        parity = item.get_closest_marker("parity")
        if item.get_closest_marker("property") is not None:
            kept.append(item)  # the plugin of properties chooses among these
            continue
        if parity is None:
            item.add_marker("suite")
        (kept if (parity.args[0] in wanted if parity else own_tests or not _is_own(item.path)) else left_out).append(
            item
        )
    items[:] = sorted(kept, key=lambda item: item.get_closest_marker("parity") is None)
    config.hook.pytest_deselected(items=left_out)
    if session := config.stash.get(SESSION, None):
        if session.costly:
            costly_runs().expect(_costly_sides(items, session))
        session.shares = sum(item.get_closest_marker("parity") is not None for item in items)


def _costly_sides(items: list[pytest.Item], session: Session) -> Iterator[Hashable]:
    """The runs that the chosen comparisons will need of engines whose runs take minutes."""
    for item in items:
        callspec: Any = getattr(item, "callspec", None)
        case = None if callspec is None else callspec.params.get("case")
        if isinstance(case, Case) and case.inputs == "given" and case.refused is None:
            for side in (side for pair in case.pairs for side in pair if side.capabilities.costly):
                yield side.costs(session.world)


def _is_own(path: Path) -> bool:
    """Whether a test belongs to the suite; a repro's test, wherever it lies, runs when it is asked for."""
    return any(path.is_relative_to(ROOT / folder) for folder in ("fixtures", "differential"))


@pytest.fixture(scope="session")
def parity_session(request: pytest.FixtureRequest) -> Session:
    return request.config.stash[SESSION]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, Any, Any]:
    report = yield
    if call.when == "call" and RECORD in item.stash:
        report.parity_record = item.stash[RECORD]
    if call.excinfo is not None and isinstance(call.excinfo.value, RefusedError):
        report.when = "setup"  # pytest and JUnit call a failure outside the call phase an error
        report.longrepr = str(call.excinfo.value)
    return report


def keep_record(item: pytest.Item, record: CaseRecord | dict[str, Any]) -> None:
    """Attach a test's record to its report, and the facts that help in JUnit to its properties."""
    plain = asdict(record) | {"score": record.score} if isinstance(record, CaseRecord) else record
    item.stash[RECORD] = plain
    shown = {name: plain.get(name) for name in ("left", "right", "worlds", "score", "threshold", "status", "bundle")}
    item.user_properties.extend((f"parity_{name}", str(value)) for name, value in shown.items() if value is not None)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    matrix = _matrix.get("current")
    if matrix is not None and hasattr(report, "parity_record"):
        matrix.add(report.parity_record)


def pytest_sessionstart(session: pytest.Session) -> None:
    _matrix["current"] = session.config.stash.get(MATRIX, None)


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    matrix = session.config.stash.get(MATRIX, None)
    if matrix is None or hasattr(session.config, "workerinput"):
        return
    matrix.exit_status = int(exitstatus)
    matrix.finish(complete=not (session.config.option.parity or session.config.option.keyword or session.shouldstop))
    if matrix.stale and exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
    for path in session.config.option.parity_report:
        write_report(path, matrix_json(matrix) if path.suffix == ".json" else matrix_markdown(matrix))


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    matrix = config.stash.get(MATRIX, None)
    if matrix is None or not matrix.records:
        return
    terminalreporter.section("parity")
    for line in matrix_text(matrix, terminalreporter.hasmarkup):
        terminalreporter.write_line(line)
    for path in config.option.parity_report:
        terminalreporter.write_line(f"report: {path}")


def write_report(path: Path, text: str) -> None:
    """Whole or not at all, so that a reader never sees half a report."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}")
    part.write_text(text, encoding="utf-8")
    part.replace(path)


def _progress(config: pytest.Config) -> Any:
    """A live line: rewritten in place on a terminal, one every ten seconds elsewhere; silent in workers and with -q."""
    if hasattr(config, "workerinput") or config.option.verbose < 0:
        return _silent
    live = sys.stderr.isatty()
    last = [time.monotonic()]

    def show(line: str) -> None:
        now = time.monotonic()
        if now - last[0] < (0.2 if live else 10):
            return
        last[0] = now
        capture = config.pluginmanager.getplugin("capturemanager")
        with capture.global_and_fixture_disabled():
            sys.stderr.write(f"\r\x1b[2K{line}\r" if live else f"\n{line}")
            sys.stderr.flush()

    return show


def _silent(line: str) -> None:
    """Where nobody watches: workers of pytest-xdist, and -q."""


_matrix: dict[str, Matrix | None] = {}
