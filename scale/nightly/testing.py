"""What tests of campaigns share: findings and results that are made up."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from scale.nightly.ledger import Result
from scale.nightly.records import RESULT, Found, Shown, Unit, UnitResult, UnitStatus
from scale.records import write_record

WHEN = "2026-03-01T02:00:00+00:00"


def found(
    key: str, shown: Shown = "new", *, worlds: int = 1, size: tuple[int, int] | None = (3, 2), after: float = 5.0,
    bundle: str | None = None,
) -> Found:  # fmt: skip
    """A finding with this key; size: employees and years of its bundle, None for none."""
    return Found(
        key=key, test="sql_vs_polars", engines=("sql", "polars"), headline=f"headline of {key}", shown=shown, worlds=worlds,
        bundle=bundle or (None if size is None else f"repros/{key}"), employees=size and size[0], years=size and size[1],
        after=after, after_worlds=100, origin="drawn", chunk_seed=int(after * 10), command="pytest ...",
    )  # fmt: skip


def result(
    number: int, *findings: Found, folder: Path = Path("output"), worlds: int = 100, canary: bool = False,
    status: UnitStatus = "pass", what: str = "sql_vs_polars", started: str = WHEN,
) -> Result:  # fmt: skip
    """The result of unit `number`, in a folder of its own."""
    unit = Unit(number=number, what=what, seed=number, engines=("sql", "polars"), seconds=60, canary=canary)
    made = UnitResult(
        unit=unit, status="fail" if findings and status == "pass" else status, started=started, seconds=60.0, worlds=worlds,
        employees=worlds * 5, labels={"hire": worlds}, found=findings,
    )  # fmt: skip
    return Result(made, folder / "units" / unit.name)


@contextmanager
def interrupted_after(seconds: float) -> Iterator[None]:
    """Ctrl-C after so many seconds; also where tests run in the background of a shell, which has them ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGALRM, lambda *_: signal.raise_signal(signal.SIGINT))
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.signal(signal.SIGINT, before)


def write_result(one: Result) -> None:
    """Put it on disk, with a bundle of one file for each finding."""
    for finding in one.result.found:
        if finding.bundle is not None:
            place = one.folder / finding.bundle
            place.mkdir(parents=True)
            (place / "report.md").write_text(f"{finding.key} {finding.employees} x {finding.years}\n")
    write_record(one.folder / RESULT, one.result)
