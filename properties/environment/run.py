"""run_environment: one base run, a few runs under other environments, and which setting it was where one differs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Literal

import pyarrow as pa

from differential.comparison import compare_runs, content_hash, first_divergence
from differential.engines import get_engine
from differential.run import OwnProcess, Run, capabilities_of
from fixtures.world import World
from properties.check import Violation
from properties.environment.clock import shim
from properties.environment.launch import Answer, launch
from properties.environment.locales import locales
from properties.environment.settings import Row, Setting, changed, lacking, not_in_force, rows, settings

Status = Literal["pass", "fail", "refused", "skipped"]


@dataclass(frozen=True)
class EnvironmentOutcome:
    """One setting. reason: why it failed, was refused (not in force, or nothing ran), or was skipped (the engine lacks the axis).

    text: for people, the first divergence. note: how it was set, where there is more than one way.
    """

    name: str
    status: Status
    reason: str = ""
    violation: Violation | None = None
    note: str = ""
    text: str = ""


@dataclass(frozen=True)
class _Verdict:
    """What one process says. refused: per setting of its row, or for all. broken: how its tables differ from the base's."""

    refused: dict[Setting, str]
    broken: EnvironmentOutcome | None


def run_environment(
    engine: str,
    worlds: Sequence[World],
    *,
    pairwise: bool = False,
    parallel: int = 2,
    timeout: float | None = None,
) -> list[EnvironmentOutcome]:
    """Run the same worlds under every setting; all must give the tables of the base, row for row and byte for byte.

    Settings are combined, so that a process tests many at once; where one of these fails, each of its settings is run alone.
    pairwise: every pair of settings together in some process, instead of each setting in some. parallel: processes at a time.
    timeout: seconds a process. A failure of a combination that no setting alone shows is an outcome of its own.
    """
    found = get_engine(engine)
    if isinstance(found, OwnProcess):
        apart = (
            "the engine runs in a process of its own, so that what is seen of the environment here says nothing of it"
        )
        return [_outcome(one, "skipped", apart) for one in settings()]
    absent = lacking(capabilities_of(found))
    skipped = [EnvironmentOutcome(one.name, "skipped", f"{engine} has no {one.axis}") for one in absent]
    base = launch(engine, worlds, {}, timeout)
    if base.run is None or (why := _unproven(base)) is not None:
        reason = f"the base run gave nothing to compare with: {base.error if base.run is None else why}"
        return [_outcome(one, "refused", reason) for one in settings() if one not in absent] + skipped
    combined = [_without(row, absent) for row in rows(pairwise=pairwise)]
    with ThreadPoolExecutor(max_workers=parallel) as pool:

        def judge(asked: Sequence[Row]) -> list[_Verdict]:
            answers = pool.map(lambda row: launch(engine, worlds, row, timeout), asked)
            return [_verdict(row, answer, base, worlds) for row, answer in zip(asked, answers, strict=True)]

        ledger = _Ledger(judge)
        for row, verdict in zip(combined, judge(combined), strict=True):
            ledger.enter(changed(row), verdict)
    return [*ledger.found.values(), *ledger.together, *skipped]


def _without(row: Row, absent: Sequence[Setting]) -> Row:
    return {axis: value for axis, value in row.items() if Setting(axis, value) not in absent}


@dataclass
class _Ledger:
    """Outcomes as they come in. together: combinations that fail where none of their settings does alone."""

    judge: Callable[[Sequence[Row]], list[_Verdict]]
    found: dict[Setting, EnvironmentOutcome] = field(default_factory=dict)
    together: list[EnvironmentOutcome] = field(default_factory=list)

    def enter(self, row: Sequence[Setting], verdict: _Verdict) -> None:
        """What one combination says of its settings; where it fails, each is run alone.

        Settings that have failed already are left out first, and where the rest passes nothing more is run.
        """
        for one in row:
            if one in verdict.refused:
                self.found.setdefault(one, _outcome(one, "refused", verdict.refused[one]))
            self.found.setdefault(one, _outcome(one, "pass"))
        if verdict.broken is None:
            return
        open_ones = [one for one in row if self.found[one].status == "pass"]
        if any(self.found[one].status == "fail" for one in row):
            (rest,) = self.judge([{one.axis: one.value for one in open_ones}])
            if rest.broken is None:
                return
        alone = self.judge([{one.axis: one.value} for one in open_ones])
        for one, single in zip(open_ones, alone, strict=True):
            if single.broken is not None:
                self.found[one] = replace(single.broken, name=one.name, note=_note(one))
        if not any(self.found[one].status == "fail" for one in row):
            self.together.append(replace(verdict.broken, name=" + ".join(one.name for one in row)))


def _outcome(setting: Setting, status: Status, reason: str = "") -> EnvironmentOutcome:
    return EnvironmentOutcome(setting.name, status, reason, note=_note(setting))


def _note(setting: Setting) -> str:
    if setting.axis == "clock":
        return "by libc, for all libraries" if shim() else "time.time and date.today only: no C compiler here"
    if setting.axis == "locale":
        return next(locale.origin for locale in locales() if locale.name == setting.value)
    return ""


def _verdict(row: Row, answer: Answer, base: Answer, worlds: Sequence[World]) -> _Verdict:
    """Hold one answer to the base."""
    asked = changed(row)
    if not asked:
        return _Verdict({}, None)
    if answer.run is None:
        error = answer.error or "no result"
        violation = Violation(asked[0].check, asked[0].axis, 0, error.splitlines()[0], "a result, as in the base")
        return _Verdict({}, EnvironmentOutcome("", "fail", error, violation))
    why = _unproven(answer)
    if why is not None:
        return _Verdict(dict.fromkeys(asked, why), None)
    reasons = {one: not_in_force(one, answer.facts, base.facts) or _more(one, answer, worlds) for one in asked}
    refused = {one: reason for one, reason in reasons.items() if reason}
    assert base.run is not None
    return _Verdict(refused, _difference(asked[0], answer.run, base.run, worlds))


def _unproven(answer: Answer) -> str | None:
    """Why a run cannot be said to have happened in the process whose facts are known."""
    proof = answer.run.proof if answer.run else None
    if proof is None:
        return "the run has no proof: what ran cannot be told"
    if proof.pid != answer.facts["pid"]:
        return f"the rows were made in process {proof.pid}, the environment was that of {answer.facts['pid']}"
    return None


def _more(setting: Setting, answer: Answer, worlds: Sequence[World]) -> str | None:
    """What takes more than the facts of the process."""
    if setting.axis == "clock" and shim() and answer.facts["clock of libraries"] != 1:
        return "the clock of Python moved, that of the libraries did not"
    if setting.axis == "row order":
        assert answer.run is not None and answer.run.proof is not None
        if answer.run.proof.inputs == tuple(world.fingerprint for world in worlds):
            return "the engine got the censuses in the order of the base"
    return None


def _difference(setting: Setting, found: Run, expected: Run, worlds: Sequence[World]) -> EnvironmentOutcome | None:
    """The first world whose tables are not those of the base."""
    same = (content_hash(one) == content_hash(other) for one, other in _tables(found, expected))
    if all(same) and (found.infeasible, found.bounds) == (expected.infeasible, expected.bounds):
        return None
    for verdict in compare_runs(found, expected):
        if verdict.equal:
            continue
        sides = [list(run.results())[verdict.index] for run in (found, expected)]
        where = first_divergence(sides[0], sides[1], worlds[verdict.index])
        if where is None:
            violation = Violation(setting.check, setting.axis, verdict.index, "other rows", "the rows of the base")
            return EnvironmentOutcome("", "fail", "the rows differ", violation)
        violation = Violation(
            setting.check,
            setting.axis,
            verdict.index,
            found=f"{where.column or 'row'} {where.left}",
            expected=f"{where.column or 'row'} {where.right}",
            employee_id=where.employee_id,
            year=where.year,
            event_type=where.event_type,
        )
        text = where.describe("here", "base")
        return EnvironmentOutcome("", "fail", text.splitlines()[0], violation, text=text)
    return None


def _tables(one: Run, other: Run) -> list[tuple[pa.Table, pa.Table]]:
    return [(one.events, other.events), (one.state, other.state)]
