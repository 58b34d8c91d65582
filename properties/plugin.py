"""The pytest plugin of properties: selects checks, carries each record on its report, prints the table."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from differential.plugin import SESSION, write_report
from differential.session import ROOT
from properties import options

if TYPE_CHECKING:
    from properties.report import PropertyRecord, PropertyReport
    from properties.session import PropertySession

RECORD = pytest.StashKey[dict[str, Any]]()
CATALOGUE = ROOT / "properties" / "test_properties.py"
_STATE = pytest.StashKey["_State"]()


class _State:
    """Made on first use: a run of differential alone needs nothing of this."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._session: PropertySession | None = None
        self.report: PropertyReport | None = None

    @property
    def session(self) -> PropertySession:
        if self._session is None:
            from properties.report import PropertyReport

            self._session = options.make_property_session(self._config, self._config.stash[SESSION])
            self.report = PropertyReport(self._session)
        return self._session


def pytest_addoption(parser: pytest.Parser) -> None:
    options.add_options(parser)


@pytest.hookimpl(trylast=True)  # after differential's, which makes the session
def pytest_configure(config: pytest.Config) -> None:
    if SESSION not in config.stash:
        return
    options.check_options(config)
    config.stash[_STATE] = _State(config)
    if config.option.rules or config.option.results:
        _ = config.stash[_STATE].session  # refuse files that cannot be used before anything runs


def pytest_cmdline_main(config: pytest.Config) -> int | None:
    """`--self-test` plants faults and runs no tests."""
    if not config.option.self_test:
        return None
    return options.self_test(config)


def property_session(config: pytest.Config) -> PropertySession | None:
    """The session of properties; None where there is none, such as under --help."""
    state = config.stash.get(_STATE, None)
    return state.session if state else None


def pytest_report_header(config: pytest.Config) -> list[str]:
    state = config.stash.get(_STATE, None)
    if state is None or not config.option.results:
        return []
    outside = state.session.outside
    assert outside is not None
    return [f"properties: tables of {outside.path}", *(f"properties: {note}" for note in outside.notes)]


@pytest.hookimpl(trylast=True)  # after differential has counted its shares of a time budget
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out properties' own tests unless they were asked for, and checks that --check does not name."""
    option = config.option
    named_files = any(Path(str(argument).partition("::")[0]).suffix == ".py" for argument in config.args)
    own_tests = (option.run_all or option.markexpr or named_files) and not (
        option.engine or option.parity or option.check or option.results or option.self_test
    )
    kept: list[pytest.Item] = []
    left_out: list[pytest.Item] = []
    for item in items:
        marker = item.get_closest_marker("property")
        if marker is None:
            # an item of the catalogue without a check is what pytest makes of none, such as those of --results without it
            none = item.path == CATALOGUE
            wanted = (own_tests and not none) or not item.path.is_relative_to(ROOT / "properties")
        else:
            wanted = not option.parity and (not option.check or marker.args[0] in option.check)
        (kept if wanted else left_out).append(item)
    items[:] = kept
    config.hook.pytest_deselected(items=left_out)
    groups = {marker.kwargs["group"] for item in kept if (marker := item.get_closest_marker("property"))}
    session = config.stash.get(SESSION, None)
    if groups and session is not None and (own := property_session(config)) is not None:
        # other environments take as long as they take, whatever the budget
        session.shares += sum(not group.startswith("environment") for group in groups)
        own.groups = session.shares
        own.relation_ids = tuple(id_ for id_ in own.relation_ids if not option.check or id_ in option.check)
        if not hasattr(config, "workerinput"):  # under pytest-xdist other processes do the other groups
            own.selected = frozenset(groups)


@pytest.fixture(scope="session")
def properties(request: pytest.FixtureRequest) -> PropertySession:
    own = property_session(request.config)
    assert own is not None
    if own.outside is None:
        _ = own.ahead  # begins what a second process does
    return own


def keep_record(item: pytest.Item, record: PropertyRecord) -> None:
    """Attach a check's record to its report, and the facts that help in JUnit to its properties."""
    from properties.report import property_record

    plain = property_record(record)
    item.stash[RECORD] = plain
    shown = {name: plain[name] for name in ("check", "engine", "worlds", "broken", "status", "bundle")}
    item.user_properties.extend((f"property_{name}", str(value)) for name, value in shown.items() if value is not None)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, Any, Any]:
    report = yield
    if call.when == "call" and RECORD in item.stash:
        report.property_record = item.stash[RECORD]
    return report


def pytest_sessionstart(session: pytest.Session) -> None:
    _current["state"] = session.config.stash.get(_STATE, None)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    state = _current.get("state")
    if state is not None and hasattr(report, "property_record"):
        _ = state.session
        assert state.report is not None
        state.report.add(report.property_record)


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    found = _report(session.config)
    if found is None or hasattr(session.config, "workerinput"):
        return
    from properties.report import report_json, report_markdown

    found.exit_status = int(exitstatus)
    found.finish()
    if found.stale and exitstatus == pytest.ExitCode.OK:
        session.exitstatus = found.exit_status = pytest.ExitCode.TESTS_FAILED
    for path in session.config.option.properties_report:
        write_report(path, report_json(found) if path.suffix == ".json" else report_markdown(found))


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    found = _report(config)
    if found is None:
        return
    from properties.report import report_text

    terminalreporter.section("properties")
    for line in report_text(found, terminalreporter.hasmarkup):
        terminalreporter.write_line(line)
    for path in config.option.properties_report:
        terminalreporter.write_line(f"report: {path}")


def _report(config: pytest.Config) -> PropertyReport | None:
    state = config.stash.get(_STATE, None)
    return state.report if state is not None and state.report is not None and state.report.records else None


_current: dict[str, _State | None] = {}
