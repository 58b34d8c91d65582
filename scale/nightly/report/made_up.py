"""Nights that nobody ran: plausible, the same each time, for tests of what is made of them and for looking at it."""

from __future__ import annotations

import math
import random
from pathlib import Path

from differential.schemas import EVENT_TYPES
from fixtures.edges import EDGE_LABELS
from scale.nightly.records import (
    Canary,
    CoveragePoint,
    EarlierNight,
    Known,
    Night,
    NightStatus,
    SlowWorld,
    UnitLine,
    UnitStatus,
)
from scale.reports.made_up import MACHINE

STARTED = "2026-01-08T02:17:05+00:00"
COMMIT = "0123456789ab"
_LABELS = (*EVENT_TYPES, *EDGE_LABELS)
_ROTATION = ("sql_vs_polars", "sql_vs_polars", "invariants", "sql_vs_polars", "oracle", "levels")


def clean_night(earlier: int = 6) -> Night:
    """An hour on two workers: known failures, a fixed one, nothing new. earlier: nights before it."""
    dice = random.Random(7)
    bird = UnitLine(name="0000-levels-canary", what="levels", status="fail", seconds=12.9, worlds=700, host="host-1")
    units = (bird, *(_unit(number) for number in range(1, 40)))
    return Night(
        status="clean", reasons=(), started=STARTED, ended="2026-01-08T03:20:11+00:00", minutes=60, workers=2,
        engines=("sql", "polars"), seed=8_131_277_301, seconds=3_600.0, worlds=412_345, employees=6_185_175,
        compared=300_000, compared_seconds=4_102.0,
        known=(
            failure(
                "sql,polars sql_vs_polars|fct_workforce|-|balance_cents|value", "balance_cents of the state table",
                count=1_311, tonight=204,
            ),
            failure(
                "polars I19", "I19: contributions add up to the year's total", count=12, tonight=0, untested="no engine polars",
            ),
        ),
        fixed=(
            failure(
                "sql,polars sql_vs_polars|fct_yearly_events|raise|pay|value", "pay of raise", state="retired",
                retired_commit=COMMIT, tonight=0,
            ),
        ),
        canary=Canary(fault="S03 in sql", sentence="Exits on 31 December count in the next year.", caught=True, seconds=12.3),
        units=units,
        labels={name: int(12_000 * math.exp(-dice.uniform(0, 9))) + 1 for name in _LABELS},
        pairs=7_341, pairs_before=7_329, inputs=231, inputs_before=227,
        coverage=tuple(_point(at) for at in range(41)),
        slowest=tuple(_slow(at) for at in range(5)),
        versions={"duckdb": "2.0.0", "hypothesis": "6.170.15", "polars": "1.44.2", "python": "3.13.1"},
        commit=COMMIT, sources={"sql": "a" * 64, "polars": "b" * 64}, machine=MACHINE,
        command="python -m scale nightly --minutes 60 --workers 2 --corpus nightly-corpus --output nightly-results",
        earlier=tuple(_earlier(at, earlier) for at in range(earlier)),
    )  # fmt: skip


def bad_night() -> Night:
    """Flaky, new, a missed canary, units that gave no result, labels that were never met: everything at once."""
    new = (
        failure(
            "sql,polars sql_vs_polars|fct_workforce|-|level_id|value", "level_id of the state table", employees=3, years=2,
            tonight=4,
        ),
        failure(
            "sql,polars sql_vs_polars|fct_yearly_events|eligibility|level_id|value", "level_id of eligibility", employees=1,
            years=1, tonight=31, bundle="repros/sql_vs_polars-eligibility-level_id-cfe535",
        ),
        failure("polars M05", "M05: the order of rows changes the result", employees=None, years=None, tonight=1, bundle=None),
    )  # fmt: skip
    flaky = failure(
        "polars threads|fct_yearly_events|exit|-|rows", "rows of exit on 4 threads", state="flaky", employees=12, years=3,
        tonight=1, bundle="flaky/threads-exit-rows-1a2b3c4d",
    )  # fmt: skip
    missed = Canary(
        fault="S03 in sql", sentence="Exits on 31 December count in the next year.", caught=False,
        reason="unit 0000-sql_vs_polars-canary ran 9000 worlds in 90 s and found nothing",
    )  # fmt: skip
    units = (*clean_night().units, _unit(40, "hung"), _unit(41, "refused"), _unit(42, "lost"))
    return clean_night().model_copy(
        update={
            "status": "failed",
            "reasons": (
                "The canary was missed: S03 in sql. It found nothing.",
                "Unit 0040-oracle: hung: no batch for 600 s",
                "Failures: 3 new, 1 flaky",
            ),
            "new": new,
            "flaky": (flaky,),
            "fixed": (),
            "canary": missed,
            "units": units,
            "never": _LABELS[20:23],
            "coverage": tuple(one.model_copy(update={"labels": one.labels - 3}) for one in clean_night().coverage),
        }
    )


def interrupted_night() -> Night:
    """Ended after 23 minutes, while two units ran; a slice, and the first night of its corpus."""
    whole = clean_night(0)
    return whole.model_copy(
        update={
            "status": "interrupted", "reasons": ("It was interrupted before its time was used up",), "part": (2, 4),
            "seconds": 1_404.0, "canary": None, "known": (), "fixed": (), "units": (*whole.units[:14], _unit(14, "running")),
            "coverage": whole.coverage[:15], "worlds": 161_204, "pairs_before": 0, "inputs_before": 0,
        }
    )  # fmt: skip


def empty_night() -> Night:
    """Nothing ran."""
    return Night(
        status="failed", reasons=("No world was compared",), started=STARTED, ended=STARTED, minutes=60, workers=2,
        engines=("sql",), seed=0, seconds=0.0, worlds=0, employees=0, compared=0, compared_seconds=0.0, never=_LABELS,
    )  # fmt: skip


def hostile_night(name: str) -> Night:
    """A bad night whose every free text is `name`, in as many rows as the tables show and more."""
    night = bad_night()
    many = tuple(
        failure(f"{name} {at}", name, employees=at, years=1, tonight=at, bundle=name).model_copy(
            update={"engines": (name, name), "test": name, "command": f"pytest --replay {name}", "untested": name}
        )
        for at in range(300)
    )
    units = tuple(
        one.model_copy(update={"name": name, "what": name, "reason": name, "host": name}) for one in night.units
    )
    slow = tuple(one.model_copy(update={"seconds": {name: 1.0}, "input": name}) for one in night.slowest)
    bird = Canary(fault=name, sentence=name, caught=False, reason=name)
    return night.model_copy(
        update={
            "reasons": (name,) * 50, "new": many, "known": many, "fixed": many, "flaky": many[:200], "canary": bird,
            "units": units * 10, "never": (name,) * 40, "slowest": slow, "engines": (name,), "sources": {name: name},
            "versions": {name: name}, "command": name, "labels": {f"{name} {at}": at for at in range(200)},
        }
    )  # fmt: skip


def write_corpus(corpus: Path, night: Night, report: str) -> None:
    """The bundles that a night names, each with this report."""
    for one in (*night.new, *night.flaky):
        if one.bundle is not None:
            (corpus / one.bundle).mkdir(parents=True, exist_ok=True)
            (corpus / one.bundle / "repro.json").write_text("{}", encoding="utf-8")
            (corpus / one.bundle / "report.md").write_text(f"# {one.test}\n\n```text\n{report}```\n", encoding="utf-8")


def failure(key: str, headline: str, **changes: object) -> Known:
    """A failure of the ledger."""
    engines, _, rest = key.partition(" ")
    told = Known(
        key=key, test=rest.partition("|")[0], engines=tuple(engines.split(",")), headline=headline, state="known",
        first="2026-01-03T02:17:05+00:00", last=STARTED, commit=COMMIT, count=31, bundle="repros/x-00000000", employees=2, years=1,
        fastest=4.2, chunk_seed=77, tonight=31, command="pytest differential --replay nightly-corpus/repros/x-00000000",
    )  # fmt: skip
    return told.model_copy(update=changes)


def _unit(number: int, status: UnitStatus = "pass") -> UnitLine:
    what = _ROTATION[number % len(_ROTATION)]
    reason = {
        "hung": "no batch for 600 s",
        "refused": "engine mine: not found",
        "lost": "its worker died three times",
    }.get(status, "")
    return UnitLine(
        name=f"{number:04d}-{what}", what=what, status=status, seconds=180.0, worlds=0 if reason else 10_308, reason=reason,
        host="host-1",
    )  # fmt: skip


def _point(at: int) -> CoveragePoint:
    pairs = 7_329 + round(12 * (1 - math.exp(-at / 12)) / (1 - math.exp(-40 / 12)))
    return CoveragePoint(seconds=90.0 * at, worlds=10_308 * at, labels=154 + (at > 3) + (at > 22), pairs=pairs)


def _slow(at: int) -> SlowWorld:
    return SlowWorld(
        fingerprint=f"{at:x}" * 64,
        employees=2_049 - at,
        years=40,
        seconds={"sql": 2.1 - at / 10, "polars": 0.4},
        input=None,
    )


def _earlier(at: int, nights: int) -> EarlierNight:
    statuses: tuple[NightStatus, ...] = ("clean", "news", "clean", "interrupted", "clean", "failed")
    return EarlierNight(
        started=f"2026-01-{2 + at % 26:02d}T02:17:05+00:00", commit=COMMIT, status=statuses[at % 6], worlds=400_000 + 1_000 * at,
        seconds=3_600.0, labels=154, pairs=7_329 - round(300 * (0.5 ** (1 + at) - 0.5**nights)), new=int(at % 6 == 1), known=2,
        fixed=0, flaky=0, canary=at % 6 != 5,
    )  # fmt: skip
