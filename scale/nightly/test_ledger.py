"""The rules by which results change the ledger."""

from __future__ import annotations

import datetime as dt
import itertools
from pathlib import Path
from typing import Literal

import pytest

from scale.nightly import corpus as module
from scale.nightly import folders
from scale.nightly.corpus import Before, add_to_history, all_told, merge_failures, number_of_next, read_history
from scale.nightly.ledger import LEDGER, Merged, Result, merged, read_ledger, write_ledger
from scale.nightly.records import EarlierNight, Found, Known, Ledger, Recheck
from scale.nightly.testing import WHEN, found, result, write_result
from scale.status import UsageError

LATER = "2026-03-02T02:00:00+00:00"


def after(*results: Result, base: Ledger | None = None, rechecks: tuple[Recheck, ...] = (), when: str = WHEN) -> Merged:
    return merged(base or Ledger(), rechecks, results, when, "abc")


def ledger_of(came: Merged) -> Ledger:
    return Ledger(entries=tuple(one.model_copy(update={"tonight": 0}) for one in came.entries.values()))


def known_of(*findings: Found) -> Ledger:
    """The ledger after a night that found these, each with its bundle."""
    entries = ledger_of(after(result(0, *findings))).entries
    return Ledger(entries=tuple(one.model_copy(update={"bundle": f"repros/{one.key}"}) for one in entries))


def test_what_was_not_known_is_new_and_counted() -> None:
    came = after(result(0, found("a", worlds=2), found("b")), result(1, found("a", "known", worlds=5, size=None)))

    assert came.new == ("a", "b") and came.known == () and came.flaky == ()
    assert (came.entries["a"].count, came.entries["a"].tonight) == (7, 7)
    assert came.entries["a"].commit == "abc"


def test_what_was_known_is_counted_and_no_news() -> None:
    came = after(result(0, found("a", "known", worlds=4, size=None)), base=known_of(found("a", worlds=3)), when=LATER)

    assert came.new == () and came.known == ("a",)
    assert (came.entries["a"].count, came.entries["a"].tonight) == (7, 4)
    assert (came.entries["a"].first, came.entries["a"].last) == (WHEN, LATER)


def test_the_smallest_repro_wins_whatever_the_order() -> None:
    sizes = [(5, 1), (2, 3), (2, 2), (3, 1)]
    results = [result(number, found("a", size=size)) for number, size in enumerate(sizes)]

    for order in itertools.permutations(results):
        came = after(*order)
        assert (came.entries["a"].employees, came.entries["a"].years) == (2, 2)
        assert came.bundles["a"] == results[2].folder / "repros" / "a"


def test_a_larger_repro_leaves_the_known_one_where_it_is() -> None:
    came = after(result(0, found("a", size=(9, 1))), base=known_of(found("a", size=(2, 2))))

    assert came.bundles == {}


@pytest.mark.parametrize("status", [0, 1, 125])
def test_a_repro_that_was_run_again(status: Literal[0, 1, 125]) -> None:
    check = Recheck(key="a", status=status, note="no such engine")

    came = after(base=known_of(found("a")), rechecks=(check,), when=LATER)

    entry = came.entries["a"]
    assert entry.state == ("retired" if status == 0 else "known")
    assert (entry.retired_commit, entry.retired) == (("abc", LATER) if status == 0 else (None, None))
    assert entry.untested == ("no such engine" if status == 125 else None)
    assert came.fixed == (("a",) if status == 0 else ())
    assert came.known == (() if status == 0 else ("a",))


def test_a_retired_failure_that_is_met_again_is_news() -> None:
    mended = ledger_of(after(base=known_of(found("a")), rechecks=(Recheck(key="a", status=0),)))

    came = after(result(0, found("a")), base=mended, when=LATER)

    assert came.new == ("a",) and came.entries["a"].state == "known" and came.entries["a"].retired is None


def test_the_repro_of_a_failure_that_comes_back_is_one_that_fails() -> None:
    """The one that passed is smaller, and would be taken for mended the next night."""
    passes = Recheck(key="a", status=0)
    base = known_of(found("a", size=(1, 1)))
    mended = ledger_of(after(base=base, rechecks=(passes,)))

    for came in (
        after(result(0, found("a", size=(2, 1))), base=mended, when=LATER),
        after(result(0, found("a", size=(2, 1))), base=base, rechecks=(passes,)),
    ):
        assert "a" in came.bundles and (came.entries["a"].employees, came.entries["a"].years) == (2, 1)
    flaky = after(result(0, found("a", "flaky", size=(4, 1), bundle="flaky/a")), base=mended, when=LATER)
    assert "a" in flaky.bundles and flaky.entries["a"].state == "flaky"


def test_a_known_failure_without_a_bundle_takes_the_next_one() -> None:
    base = Ledger(
        entries=tuple(one.model_copy(update={"bundle": None}) for one in known_of(found("a", size=(1, 1))).entries)
    )

    came = after(result(0, found("a", size=(3, 1))), result(1, found("a", size=(2, 1))), base=base)

    assert came.new == () and came.known == ("a",)
    assert came.entries["a"].employees == 2 and came.bundles["a"].parts[-3].startswith("0001-")
    one_flaky = after(result(0, found("a", "flaky", bundle="flaky/a")), base=base)
    assert one_flaky.bundles == {}, "a sighting that did not repeat is no repro"


def test_what_nobody_was_told_of_is_news_again(tmp_path: Path) -> None:
    """The night ended in a crash: its failures are in the corpus, and in no summary."""
    first = result(0, found("a"), found("f", "flaky", bundle="flaky/f"), folder=tmp_path / "output")
    write_result(first)
    merge_failures(tmp_path / "corpus", Before(Ledger(), (), WHEN, "abc"), [first])
    crashed = read_ledger(tmp_path / "corpus")
    assert [one.untold for one in crashed.entries] == [True, True]

    came, _ = merge_failures(tmp_path / "corpus", Before(crashed, (), LATER, "abc"), [])
    assert (came.new, came.flaky) == (("a",), ("f",))
    all_told(tmp_path / "corpus")
    came, _ = merge_failures(tmp_path / "corpus", Before(read_ledger(tmp_path / "corpus"), (), LATER, "abc"), [])
    assert (came.new, came.flaky) == ((), ())


def test_one_that_passed_its_recheck_and_is_met_the_same_night_is_not_fixed() -> None:
    came = after(result(0, found("a")), base=known_of(found("a")), rechecks=(Recheck(key="a", status=0),))

    assert came.fixed == () and came.known == ("a",) and came.entries["a"].state == "known"


def test_a_flaky_failure_is_told_as_flaky_until_it_repeats() -> None:
    flaky = after(result(0, found("a", "flaky", size=(1, 1), bundle="flaky/a")))
    assert flaky.flaky == ("a",) and flaky.new == ()

    again = after(result(0, found("a", "flaky", bundle="flaky/a")), base=ledger_of(flaky))
    assert again.flaky == ("a",)

    repeating = after(result(0, found("a", size=(4, 4))), base=ledger_of(flaky))
    assert repeating.new == ("a",) and repeating.entries["a"].state == "known"
    assert repeating.bundles["a"].parts[-2:] == ("repros", "a"), "the repro replaces the outputs, though it is larger"

    rerun = after(base=ledger_of(flaky), rechecks=(Recheck(key="a", status=1),))
    assert rerun.new == ("a",) and rerun.entries["a"].state == "known"


def test_a_flaky_failure_whose_world_fails_of_something_else_has_not_repeated() -> None:
    flaky = ledger_of(after(result(0, found("a", "flaky", bundle="flaky/a"))))

    came = after(base=flaky, rechecks=(Recheck(key="a", status=1, another=True),), when=LATER)

    assert came.new == () and came.entries["a"].state == "flaky" and came.entries["a"].last == LATER


def test_a_canary_is_never_a_known_failure() -> None:
    came = after(result(0, found("a"), canary=True))

    assert came.entries == {} and came.new == ()


def test_the_chunk_that_failed_soonest_is_kept() -> None:
    came = after(result(0, found("a", after=9.0)), result(1, found("a", "known", after=2.0, size=None)))

    assert (came.entries["a"].fastest, came.entries["a"].chunk_seed) == (2.0, 20)


def test_merging_again_changes_nothing(tmp_path: Path) -> None:
    corpus, output = tmp_path / "corpus", tmp_path / "output"
    first = [result(0, found("a", size=(5, 2)), found("f", "flaky", bundle="flaky/f"), folder=output)]
    for one in first:
        write_result(one)
    before = Before(Ledger(), (), WHEN, "abc")
    merge_failures(corpus, before, first)
    more = [*first, result(1, found("a", size=(2, 2)), folder=output)]
    write_result(more[1])

    states = []
    for _ in range(3):
        merge_failures(corpus, before, more)
        states.append(
            {str(file.relative_to(corpus)): file.read_bytes() for file in corpus.rglob("*") if file.is_file()}
        )

    assert states[0] == states[1] == states[2]
    names = sorted(states[0])
    assert [name.partition("/")[0] for name in names] == ["flaky", LEDGER, "repros"]
    assert states[0][names[2]] == b"a 2 x 2\n"


def test_a_failure_that_repeats_after_all_leaves_no_outputs_behind(tmp_path: Path) -> None:
    corpus = tmp_path / "corpus"
    flaky, repeats = (
        result(0, found("a", "flaky", bundle="flaky/a"), folder=tmp_path / "output"),
        result(1, found("a"), folder=tmp_path / "output"),
    )
    for number, one in enumerate((flaky, repeats)):
        write_result(one)
        merge_failures(corpus, Before(Ledger(), (), WHEN, "abc"), [flaky, repeats][: number + 1])

    (entry,) = read_ledger(corpus).entries
    assert [str(path.relative_to(corpus)) for path in corpus.glob("*/*")] == [entry.bundle]


def test_a_mended_failure_moves_and_is_forgotten_in_time(tmp_path: Path) -> None:
    corpus, output = tmp_path / "corpus", tmp_path / "output"
    one = result(0, found("a"), folder=output)
    write_result(one)
    merge_failures(corpus, Before(Ledger(), (), WHEN, "abc"), [one])
    known = read_ledger(corpus)
    mended = Before(known, (Recheck(key="a", status=0),), LATER, "def")

    for _ in range(2):  # the second merge finds the bundle moved already
        merge_failures(corpus, mended, [])
        (entry,) = read_ledger(corpus).entries
        assert entry.bundle is not None and entry.bundle.startswith("retired/")
        assert (corpus / entry.bundle / "report.md").exists() and not list((corpus / "repros").iterdir())

    much_later = dt.datetime.fromisoformat(LATER) + dt.timedelta(days=folders.RETIRED_DAYS + 1)
    _, told = merge_failures(corpus, Before(read_ledger(corpus), (), much_later.isoformat(), "x"), [])
    assert read_ledger(corpus).entries == () and "mended 91 days ago" in told[0]
    assert not list((corpus / "retired").iterdir())


def test_the_number_of_bundles_is_limited_and_entries_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folders, "MOST_BUNDLES", 2)
    one = result(
        0, *(found(name, size=(rows, 1)) for name, rows in (("a", 2), ("b", 30), ("c", 4))), folder=tmp_path / "output"
    )
    write_result(one)

    _, told = merge_failures(tmp_path / "corpus", Before(Ledger(), (), WHEN, "abc"), [one])

    entries = {entry.key: entry.bundle for entry in read_ledger(tmp_path / "corpus").entries}
    assert entries["b"] is None and entries["a"] and entries["c"]
    assert told == ["b: its bundle was removed, there were more than 2 bundles"]
    assert len(list((tmp_path / "corpus" / "repros").iterdir())) == 2


def test_the_bytes_of_bundles_are_limited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = result(0, found("a", size=(2, 1)), found("b", size=(30, 1)), folder=tmp_path / "output")
    write_result(one)
    monkeypatch.setattr(folders, "MOST_BYTES", folders.size_of(one.folder / "repros" / "a"))

    merge_failures(tmp_path / "corpus", Before(Ledger(), (), WHEN, "abc"), [one])

    assert [entry.bundle is None for entry in read_ledger(tmp_path / "corpus").entries] == [False, True]


def test_bundles_put_there_by_hand_are_adopted_once(tmp_path: Path) -> None:
    (tmp_path / "repros" / "mine").mkdir(parents=True)
    (tmp_path / "repros" / "junk").mkdir()

    def read(path: Path) -> Known | None:
        one = found("by hand").model_dump(include={"key", "test", "engines", "headline"})
        known = Known(**one, state="known", first=WHEN, last=WHEN, commit=None, count=0, bundle=None)
        return known if path.name == "mine" else None

    entries = folders.adopted(tmp_path, [], read)

    assert [entry.bundle for entry in entries] == ["repros/mine"]
    assert folders.adopted(tmp_path, entries, read) == entries


def test_a_bundle_that_is_gone_is_none_and_one_that_was_moved_is_found(tmp_path: Path) -> None:
    gone, moved = known_of(found("gone"), found("moved")).entries
    (tmp_path / "retired" / "moved").mkdir(parents=True)
    (tmp_path / "repros" / "mine").mkdir(parents=True)

    entries = folders.adopted(
        tmp_path, [gone, moved], lambda _: gone.model_copy(update={"employees": 9, "bundle": None})
    )

    assert [(one.key, one.bundle, one.employees) for one in entries] == [
        ("gone", "repros/mine", 9),
        ("moved", "retired/moved", 3),
    ]
    (alone,) = folders.adopted(tmp_path, [gone], lambda _: None)
    assert (alone.bundle, alone.employees, alone.years) == (None, None, None)


def test_a_bundle_put_there_by_hand_makes_a_failure_known_again(tmp_path: Path) -> None:
    (entry,) = known_of(found("a")).entries
    (tmp_path / "repros" / "mine").mkdir(parents=True)
    for state in ("retired", "flaky"):
        (tmp_path / state / "a").mkdir(parents=True)
        old = entry.model_copy(update={"state": state, "bundle": f"{state}/a", "retired": WHEN})
        (one,) = folders.adopted(tmp_path, [old], lambda _: entry)
        assert (one.state, one.bundle, one.retired, one.untold) == ("known", "repros/mine", None, False)


def test_a_bundle_that_a_killed_merge_left_is_news(tmp_path: Path) -> None:
    (entry,) = known_of(found("a")).entries
    (tmp_path / "repros" / folders.name_of("a", tmp_path / "a")).mkdir(parents=True)

    (one,) = folders.adopted(tmp_path, [], lambda _: entry)

    assert one.untold and after(base=Ledger(entries=(one,))).new == ("a",)


def test_mended_failures_take_no_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folders, "MOST_BUNDLES", 1)
    (entry,) = known_of(found("a")).entries

    assert folders.has_room([entry.model_copy(update={"state": "retired"})]) and not folders.has_room([entry])


def test_what_has_no_bundle_and_is_not_met_is_forgotten_in_time(tmp_path: Path) -> None:
    (entry,) = known_of(found("a")).entries
    without = Ledger(entries=(entry.model_copy(update={"bundle": None}),))
    for days, kept in ((folders.UNTESTED_DAYS, 1), (folders.UNTESTED_DAYS + 1, 0)):
        when = (dt.datetime.fromisoformat(WHEN) + dt.timedelta(days=days)).isoformat()
        merge_failures(tmp_path, Before(without, (), when, "x"), [])
        assert len(read_ledger(tmp_path).entries) == kept


def test_nights_are_numbered_beyond_those_that_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_NIGHTS", 3)
    numbers = []
    for day in range(1, 7):
        numbers.append(number_of_next(read_history(tmp_path)))
        night = EarlierNight(
            started=f"2026-03-{day:02d}T02:00:00+00:00", commit=None, status="clean", worlds=1, seconds=1.0, labels=1, pairs=1,
            new=0, known=0, fixed=0, flaky=0, canary=True,
        )  # fmt: skip
        for _ in range(2):
            add_to_history(tmp_path, night)

    assert numbers == [0, 1, 2, 3, 4, 5] and len(read_history(tmp_path)) == 3


def test_a_ledger_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / LEDGER).write_text("{")

    with pytest.raises(UsageError, match=r"ledger\.json"):
        read_ledger(tmp_path)

    write_ledger(tmp_path, [])
    assert read_ledger(tmp_path) == Ledger()
