"""A campaign from its first unit to its summary, over units that run nothing; real ones have tests of their own."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from differential.planted import FAULTS
from differential.session import REGRESSIONS
from scale.nightly import campaign as module
from scale.nightly import canary, folders
from scale.nightly.campaign import Request, run_campaign
from scale.nightly.ledger import read_ledger
from scale.nightly.night import status_of_night
from scale.nightly.pool import LocalPool
from scale.nightly.records import RESULT, SUMMARY, Night, Recheck, Unit, UnitResult, UnitSettings
from scale.nightly.slices import merge_slices
from scale.nightly.state import UNITS, alone_in, read_state, results_of, to_be_run_again, without_result, write_state
from scale.nightly.testing import WHEN, found, interrupted_after
from scale.nightly.testing_unit import SCRIPT
from scale.records import read_record, write_record
from scale.status import Status, UsageError

FAKE = (sys.executable, "-m", "scale.nightly.testing_unit")
CAUGHT = {"canary": {"found": ["the canary"]}}
SECONDS = 1.5


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LEAST_SECONDS", 0.3)
    monkeypatch.setattr("scale.nightly.plan.SHORTEST_UNIT", 0.6)
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)


@pytest.fixture
def night(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Night]:
    """Run a night over one corpus: its name, what happens in units, and how its request differs."""

    def run(name: str, script: dict[str, object] | None = None, **changes: object) -> Night:
        path = tmp_path / f"{name}.json"
        path.write_text(json.dumps(CAUGHT | (script or {})))
        monkeypatch.setenv(SCRIPT, str(path))
        return run_campaign(replace(request_in(tmp_path, name), **changes), LocalPool(2, FAKE), _silent)  # type: ignore[arg-type]

    return run


def request_in(folder: Path, name: str) -> Request:
    return Request(
        engines=("sql", "polars"), minutes=SECONDS / 60, seed=5, part=(1, 1), corpus=folder / "corpus",
        output=folder / name, settings=UnitSettings(), command="python -m scale nightly",
    )  # fmt: skip


def _silent(line: str) -> None:
    """Says nothing."""


def test_a_clean_night(night: Callable[..., Night], tmp_path: Path) -> None:
    found = night("first")

    assert (found.status, found.reasons) == ("clean", ())
    assert status_of_night(found) == Status.PASS
    results = results_of(tmp_path / "first")
    assert found.worlds == sum(one.result.worlds for one in results if not one.result.unit.canary) > 0
    assert found.canary is not None and found.canary.caught
    assert found.coverage and found.coverage[-1].seconds <= SECONDS * 2
    assert {path.name for path in (tmp_path / "first").iterdir()} >= {SUMMARY, "summary.md", "summary.html", UNITS}
    assert read_record(tmp_path / "first" / SUMMARY, Night) == found


def test_a_failure_is_news_once(night: Callable[..., Night], tmp_path: Path) -> None:
    first = night("first", {"1": {"found": ["a"], "flaky": ["f"]}})
    assert first.status == "news" and status_of_night(first) == Status.FAIL
    assert [one.key for one in first.new] == ["a"] and [one.key for one in first.flaky] == ["f"]
    bundle = next(one.bundle for one in read_ledger(tmp_path / "corpus").entries if one.key == "a")
    assert (tmp_path / "corpus" / str(bundle) / "report.md").read_text() == "# a\n"
    assert len(list((tmp_path / "first" / "issues").glob("*.md"))) == 2, "one for each"

    second = night("second", {"1": {"found": ["a"]}})
    assert second.status == "clean" and status_of_night(second) == Status.PASS
    assert [one.key for one in second.known] == ["a"] and second.known[0].count == 2
    assert len(second.earlier) == 1 and second.earlier[0].new == 1


def test_another_fault_each_night(night: Callable[..., Night]) -> None:
    birds = [night(name).canary for name in ("first", "second")]

    assert birds[0] and birds[1] and birds[0].fault != birds[1].fault


@pytest.mark.parametrize(("what", "said"), [
    ({"canary": {}}, "The canary was missed"),
    ({"canary": {"die": 9}}, "The canary was missed"),
    ({"1": {"die": int(signal.SIGSEGV)}}, "its process was ended by signal 11"),
])  # fmt: skip
def test_a_night_that_proves_nothing_has_failed(
    night: Callable[..., Night], what: dict[str, object], said: str
) -> None:
    found = night("first", what)

    assert found.status == "failed" and status_of_night(found) == Status.FAIL
    assert any(said in reason for reason in found.reasons), found.reasons


def test_a_finished_campaign_and_another_one_are_left_as_they_are(night: Callable[..., Night], tmp_path: Path) -> None:
    night("first")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file() and path.name != ".lock"}

    with pytest.raises(UsageError, match="a finished campaign"):
        night("first")

    assert {path: path.read_bytes() for path in before} == before


def test_an_unfinished_one_of_other_engines_is_left_as_it_is(night: Callable[..., Night], tmp_path: Path) -> None:
    _interrupted(night, "first")

    with pytest.raises(UsageError, match="other engines, engine code"):
        night("first", engines=("polars", "oracle"))

    state = read_state(tmp_path / "first")
    assert state is not None and state.engines == ("sql", "polars")


def test_two_campaigns_never_share_a_corpus(night: Callable[..., Night], tmp_path: Path) -> None:
    with alone_in(tmp_path / "corpus", "--corpus"), pytest.raises(UsageError, match="another campaign is using it"):
        night("first")


def _interrupted(night: Callable[..., Night], name: str) -> Night:
    """Ctrl-C while the first units run."""
    with interrupted_after(1.2):
        return night(name, minutes=10.0)


def test_an_interrupted_night_keeps_what_it_has_and_goes_on(night: Callable[..., Night], tmp_path: Path) -> None:
    first = _interrupted(night, "first")
    assert first.status == "interrupted" and status_of_night(first) == Status.INTERRUPTED
    assert "or it had not been caught when" in (tmp_path / "first" / "summary.md").read_text()
    assert first.canary is None and not (tmp_path / "first" / "issues").exists(), "not missed: it had no time"
    units = {one.folder.name: one.result.worlds for one in results_of(tmp_path / "first")}
    kept = {name: worlds for name, worlds in units.items() if "canary" not in name}
    assert kept and all(kept.values()) and len(kept) < len(units)

    second = night("first", minutes=(first.seconds + SECONDS) / 60)

    after = {one.folder.name: one.result.worlds for one in results_of(tmp_path / "first")}
    assert kept.items() <= after.items() and len(after) > len(kept)
    assert second.started == first.started and second.seconds > first.seconds
    assert second.worlds > first.worlds
    assert (second.status, second.reasons) == ("clean", ()) and second.canary is not None and second.canary.caught


def test_what_an_interruption_ended_is_run_again_where_no_other_unit_does_it(tmp_path: Path) -> None:
    names = ("canary", "ended", "cut", "never began")
    first = [
        Unit(number=number, what="corpus", seed=1, engines=("sql",), seconds=9, canary=not number)
        for number in range(4)
    ]
    rotation = Unit(number=4, what="oracle", seed=1, engines=("sql",), seconds=9)
    for unit, status in zip([*first, rotation], ("running", "pass", "running", None, "running"), strict=True):
        folder = tmp_path / UNITS / unit.name
        folder.mkdir(parents=True)
        if status is not None:
            write_record(folder / RESULT, UnitResult(unit=unit, status=status, started=WHEN, worlds=5))

    assert to_be_run_again(tmp_path, first, 1) == [], "nothing was interrupted"
    assert [names[number] for number in to_be_run_again(tmp_path, first, 2)] == ["canary", "cut", "never began"]
    left = [one.folder.name for one in results_of(tmp_path)]
    assert left == ["0001-corpus", "0002-corpus-interrupted-1", "0004-oracle"]
    assert without_result(tmp_path, results_of(tmp_path)) == []
    assert to_be_run_again(tmp_path, first, 3) == [0, 2, 3], "those that did not begin the second time either"


def test_a_canary_that_was_caught_before_the_interruption_stays_caught(tmp_path: Path) -> None:
    unit = Unit(number=0, what="corpus", seed=1, engines=("sql",), seconds=9, canary=True)
    (tmp_path / UNITS / unit.name).mkdir(parents=True)
    caught = UnitResult(unit=unit, status="running", started=WHEN, found=(found("a"),))
    write_record(tmp_path / UNITS / unit.name / RESULT, caught)

    assert to_be_run_again(tmp_path, [unit], 2) == [] and len(results_of(tmp_path)) == 1

    met = caught.model_copy(update={"found": (found("a", "known"),)})
    write_record(tmp_path / UNITS / unit.name / RESULT, met)
    assert to_be_run_again(tmp_path, [unit], 2) == [0], "what is open without its fault catches none"


def test_a_known_failure_whose_bundle_is_gone_gets_another(night: Callable[..., Night], tmp_path: Path) -> None:
    night("first", {"1": {"found": ["a"]}})
    (entry,) = read_ledger(tmp_path / "corpus").entries
    shutil.rmtree(tmp_path / "corpus" / str(entry.bundle))

    second = night("second", {"1": {"found": ["a"]}}, minutes=4 / 60)

    known = [_asked(unit)["known"] for unit in sorted((tmp_path / "second" / UNITS).iterdir())]
    assert known[1] == [] and known[-1] == ["a"], "until there is one again"
    assert (second.new, [one.key for one in second.known]) == ((), ["a"])
    (entry,) = read_ledger(tmp_path / "corpus").entries
    assert (tmp_path / "corpus" / str(entry.bundle) / "report.md").exists()


def test_a_known_failure_without_a_bundle_is_only_counted_where_there_is_no_room_for_one(
    night: Callable[..., Night], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    night("first", {"1": {"found": ["a"]}})
    monkeypatch.setattr(folders, "MOST_BUNDLES", 0)

    night("second")

    assert read_ledger(tmp_path / "corpus").entries[0].bundle is None
    assert _asked(tmp_path / "second" / UNITS / "0001-sql_vs_polars")["known"] == ["a"]


def test_rechecks_and_the_canary_are_told_what_they_need(
    night: Callable[..., Night], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    night("first", {"1": {"found": ["sql, polars|x"]}})
    asked: list[object] = []

    def recheck(*given: object) -> list[Recheck]:
        asked.append((given[2], given[-1]))
        return []

    monkeypatch.setattr(module, "recheck", recheck)
    monkeypatch.setattr(module, "usable_cores", lambda: 1)
    monkeypatch.setattr(canary, "choose", lambda _: FAULTS["P12"])

    night("second")

    assert asked == [(1, ("sql", "polars"))], "cores here, and the engines that bundles may start"
    (folder,) = (tmp_path / "second" / UNITS).glob("*-canary")
    assert _asked(folder)["known"] == ["sql, differential.planted:P12|x"], "what is open without its fault"
    night("third", engines=("polars", "sql"))
    (folder,) = (tmp_path / "third" / UNITS).glob("*-canary")
    asked_unit = json.loads((folder / "job.json").read_text())["unit"]
    assert asked_unit["engines"] == ["differential.planted:P12", "sql"], "in the order of the night's keys"


def test_units_are_of_kinds_that_the_engines_have(
    night: Callable[..., Night], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "others_of", lambda _: ("legacy",))

    night("first", minutes=4 / 60)

    assert (tmp_path / "first" / UNITS / "0003-legacy").is_dir()


def _asked(unit: Path) -> dict[str, Any]:
    settings: dict[str, Any] = json.loads((unit / "job.json").read_text())["settings"]
    return settings


def test_what_was_found_before_a_crash_is_told_by_the_next_night_in_another_folder(
    night: Callable[..., Night], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(module, "write_summary", _disk_full)
        with pytest.raises(OSError, match="disk full"):
            night("first", {"1": {"found": ["a"]}})

    second = night("second")

    assert ([one.key for one in second.new], second.status) == (["a"], "news")
    assert len(list((tmp_path / "second" / "issues").glob("*.md"))) == 1
    assert night("third").new == ()


def _disk_full(*_: object) -> None:
    raise OSError("disk full")


_CAMPAIGN = """
import sys
from pathlib import Path
import scale.nightly.plan as plan
from scale.nightly import campaign, test_campaign
from scale.nightly.pool import LocalPool
from dataclasses import replace
plan.LONGEST_UNIT = 0.6
request = replace(test_campaign.request_in(Path(sys.argv[1]), "killed"), minutes=10)
campaign.run_campaign(request, LocalPool(2, test_campaign.FAKE), print)
"""


def test_a_killed_campaign_loses_nothing_that_was_saved(night: Callable[..., Night], tmp_path: Path) -> None:
    script = tmp_path / "killed.json"
    script.write_text(json.dumps(CAUGHT | {"1": {"found": ["a"]}}))
    with psutil.Popen(
        [sys.executable, "-c", _CAMPAIGN, str(tmp_path)], env={**os.environ, SCRIPT: str(script)}
    ) as process:
        deadline = time.monotonic() + 60
        while not any(entry.key == "a" for entry in read_ledger(tmp_path / "corpus").entries):
            assert time.monotonic() < deadline
            time.sleep(0.02)
        process.kill()
    kept = {one.folder.name: one.result.worlds for one in results_of(tmp_path / "killed")}
    state = read_state(tmp_path / "killed")
    assert state is not None

    found = night("killed", minutes=(state.seconds + SECONDS) / 60)

    after = {one.folder.name: one.result for one in results_of(tmp_path / "killed")}
    assert all(after[name].worlds >= worlds for name, worlds in kept.items())
    assert [one.key for one in found.new] == ["a"], "found before the kill, and still news: nobody has read it"
    assert found.new[0].count == 1, "counted once"
    assert len({name.partition("-")[0] for name in after}) == len(after)


def test_slices_become_one_night_in_any_order(night: Callable[..., Night], tmp_path: Path) -> None:
    night("before", {"1": {"found": ["old"]}})
    shutil.copytree(min(REGRESSIONS.iterdir()), tmp_path / "corpus" / "repros" / "put there by hand")
    parts = []
    for number in (1, 2):
        corpus = tmp_path / f"corpus-{number}"
        _copy(tmp_path / "corpus", corpus)
        script = {"1": {"found": [f"of {number}", "both", "old"]}}
        night(f"slice-{number}", script, part=(number, 2), corpus=corpus)
        parts.append(tmp_path / f"slice-{number}")

    found = []
    for name, order in (("a", parts), ("b", parts[::-1])):
        _copy(tmp_path / "corpus", tmp_path / name)
        for _ in range(2):  # merging again comes to the same
            merged = merge_slices(order, tmp_path / name, tmp_path / f"night-{name}", "command", _silent)
            found.append((merged.model_dump(exclude={"ended", "slowest"}), read_ledger(tmp_path / name)))

    assert all(one == found[0] for one in found)
    assert not any(entry.untold for entry in found[0][1].entries)
    assert [one["key"] for one in found[0][0]["new"]] == ["both", "of 1", "of 2"]
    assert [one["key"] for one in found[0][0]["known"]] == ["old"]
    assert [one["test"] for one in found[0][0]["fixed"]] == ["sql_vs_polars"], "mended long ago"
    assert found[0][0]["canary"]["caught"] and len(found[0][0]["earlier"]) == 1
    assert found[0][0]["workers"] == 4 and len(found[0][0]["coverage"]) == len(found[0][0]["units"]) >= 4
    worlds = [point["worlds"] for point in found[0][0]["coverage"]]
    assert worlds == sorted(worlds) and worlds[-1] == found[0][0]["worlds"]


def test_a_slice_that_never_came_is_told(night: Callable[..., Night], tmp_path: Path) -> None:
    night("one", part=(1, 3), minutes=0.5 / 60)
    night("three", part=(3, 3), minutes=0.5 / 60)

    merged = merge_slices([tmp_path / "three", tmp_path / "one"], tmp_path / "c", tmp_path / "o", "command", _silent)

    assert (merged.status, merged.reasons) == ("failed", ("Slice 2/3 gave no result",))


def test_slices_of_other_nights_are_not_mixed(night: Callable[..., Night], tmp_path: Path) -> None:
    night("one")

    with pytest.raises(UsageError, match="each has to be given once"):
        merge_slices([tmp_path / "one", tmp_path / "one"], tmp_path / "c", tmp_path / "o", "command", _silent)
    night("other", seed=6, part=(2, 2))
    night("half", part=(1, 2))
    with pytest.raises(UsageError, match="other seed; nothing was merged"):
        merge_slices([tmp_path / "half", tmp_path / "other"], tmp_path / "c", tmp_path / "o", "command", _silent)
    censuses = {"here": "/a/people.csv", "same": "/b/people.csv", "others": "/b/others.csv"}
    for name, census in censuses.items():
        night(name, part=(1 if name == "here" else 2, 2), settings=UnitSettings(census=census))
    here, same, others = (tmp_path / name for name in censuses)
    assert merge_slices([here, same], tmp_path / "c", tmp_path / "merged", "command", _silent).units
    state = read_state(same)
    assert state is not None
    write_state(same, state.model_copy(update={"commit": "another"}))
    with pytest.raises(UsageError, match="other commit; nothing was merged"):
        merge_slices([here, same], tmp_path / "c", tmp_path / "o", "command", _silent)
    with pytest.raises(UsageError, match="other census, scenario or policy"):
        merge_slices([here, others], tmp_path / "c", tmp_path / "o", "command", _silent)
    night("known", {"1": {"found": ["a"]}}, corpus=tmp_path / "other corpus")
    with pytest.raises(UsageError, match="not the corpus that the slices began with"):
        merge_slices([tmp_path / "half"], tmp_path / "other corpus", tmp_path / "o", "command", _silent)
    with pytest.raises(UsageError, match=r"nothing: no campaign\.json"):
        merge_slices([tmp_path / "nothing"], tmp_path / "c", tmp_path / "o", "command", _silent)


def _copy(source: Path, place: Path) -> None:
    shutil.copytree(source, place, ignore=shutil.ignore_patterns(".lock"))
