"""Which units a campaign consists of, and which faults take turns as its canary."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from differential.cases import PARITY_TESTS
from differential.engines import get_engine
from differential.planted import FAULTS
from scale.nightly import canary
from scale.nightly.keys import key_of
from scale.nightly.ledger import merged
from scale.nightly.options import add_campaign_options, campaign_request
from scale.nightly.plan import MOST_SEEDS, OTHERS, SHORTEST_UNIT, Campaign, first_units, others_of, unit_at
from scale.nightly.records import Found, Known, Ledger, Unit
from scale.nightly.testing import WHEN, found, result
from scale.status import UsageError

HOUR = Campaign(
    ("sql", "polars"),
    seed=7,
    part=(1, 1),
    seconds=3600,
    canary=("sql_vs_polars", ("polars", "differential.planted:X05")),
)


def known(*seconds: float) -> list[Known]:
    results = [result(number, found(f"k{number}", after=after)) for number, after in enumerate(seconds)]
    return list(merged(Ledger(), (), results, WHEN, None).entries.values())


def test_first_come_the_canary_the_corpus_and_seeds_that_failed_fastest_first() -> None:
    units = first_units(HOUR, known(9.0, 1.0, 5.0, 2.0, 3.0, 4.0, 6.0), corpus=True)

    assert [unit.number for unit in units] == list(range(2 + MOST_SEEDS))
    assert units[0].canary and units[0].engines == ("polars", "differential.planted:X05")
    assert units[1].what == "corpus"
    assert [unit.chunk_seed for unit in units[2:]] == [10, 20, 30, 40, 50, 60]
    assert not any(unit.canary for unit in units[1:])


def test_other_slices_begin_with_fuzzing() -> None:
    assert first_units(replace(HOUR, part=(2, 3)), known(1.0), corpus=True) == ()


def test_seven_of_ten_units_compare_engines_and_an_hour_takes_each_other_kind() -> None:
    units = [unit_at(HOUR, (), number) for number in range(40)]
    counted = Counter(unit.what for unit in units)

    assert counted["sql_vs_polars"] == 28
    assert set(counted) == {"sql_vs_polars", *OTHERS}
    # one engine under two Pythons is compared before an upgrade, by hand
    compared = {*PARITY_TESTS} - {"library_versions"}
    assert {*OTHERS} - {"invariants", "relations", "lifecycle", "environment"} | {"sql_vs_polars"} == compared


def test_one_engine_alone_is_held_to_everything_else() -> None:
    units = [unit_at(replace(HOUR, engines=("polars",)), (), number) for number in range(24)]

    assert Counter(unit.what for unit in units) == Counter(dict.fromkeys(OTHERS, 2))


def test_a_unit_follows_from_the_campaign_and_its_number() -> None:
    first = first_units(HOUR, [], corpus=True)

    assert unit_at(HOUR, first, 1) == first[1]
    assert unit_at(HOUR, first, 17) == unit_at(HOUR, first, 17)
    seeds = [unit_at(replace(HOUR, part=part), (), number).seed for part in ((1, 2), (2, 2)) for number in range(50)]
    assert len(set(seeds)) == 100


@pytest.mark.parametrize(("minutes", "seconds"), [(1, SHORTEST_UNIT), (30, 90), (60, 180), (600, 180)])
def test_units_are_short_beside_the_night(minutes: float, seconds: float) -> None:
    assert unit_at(replace(HOUR, seconds=60 * minutes), (), 3).seconds == seconds


def test_canaries_take_turns() -> None:
    ids = [canary.choose(night).id for night in range(len(canary.candidates()))]

    assert len(set(ids)) == len(ids) >= 100
    assert canary.choose(len(ids)).id == ids[0]


def test_every_canary_has_engines_and_a_unit_that_is_meant_to_find_it() -> None:
    for fault_id in canary.candidates():
        what, engines = canary.unit_of(FAULTS[fault_id])
        assert what in {"sql_vs_polars", "levels", "several_years", "invariants"}
        assert [get_engine(spec) for spec in engines]
        assert sum("planted" in spec for spec in engines) == 1


def test_a_fault_of_the_suite_itself_is_no_canary() -> None:
    with pytest.raises(ValueError, match="X28"):
        canary.unit_of(FAULTS["X28"])


def test_a_canary_is_caught_by_a_finding_only() -> None:
    fault = FAULTS["X05"]
    unit = Unit(number=0, what="sql_vs_polars", seed=1, engines=("polars", "x"), seconds=9, canary=True)

    caught = canary.judged(fault, unit, result(0, found("b", after=7.0), found("a", after=3.0), canary=True).result)
    assert caught.caught and caught.seconds == 3.0 and caught.reason == "a"

    for missed, said in (
        (None, "left no result"),
        (result(0, canary=True).result, "100 worlds in 60 s and found nothing"),
        (result(0, canary=True, status="error").result, "is error"),
        (result(0, canary=True, status="running").result, "is running"),
    ):
        verdict = canary.judged(fault, unit, missed)
        assert not verdict.caught and said in verdict.reason


@pytest.mark.parametrize(("found_", "said"), [
    (found("a", "known"), "is open without the fault too"),
    (found("a", "flaky", bundle="flaky/a"), "did not repeat"),
    (found("a|sql_vs_polars|error|PatchError|raised"), "could not be planted"),
])  # fmt: skip
def test_what_is_not_the_faults_doing_catches_no_canary(found_: Found, said: str) -> None:
    fault = FAULTS["X05"]
    unit = Unit(number=0, what="sql_vs_polars", seed=1, engines=("sql", "x"), seconds=9, canary=True)

    alone = canary.judged(fault, unit, result(0, found_, canary=True).result)
    assert not alone.caught and said in alone.reason
    assert canary.judged(fault, unit, result(0, found_, found("b"), canary=True).result).caught


def test_the_canarys_unit_knows_what_is_open_without_its_fault() -> None:
    pairs = {"P12": ("sql", "differential.planted:P12"), "S42": ("differential.planted:S42", "polars")}
    for id_, engines in pairs.items():
        assert canary.unit_of(FAULTS[id_]) == ("sql_vs_polars", engines)
        assert canary.unit_of(FAULTS[id_], ("polars", "sql")) == ("sql_vs_polars", engines[::-1])
        assert canary.unit_of(FAULTS[id_], ("mine:engine", "polars")) == ("sql_vs_polars", engines[::-1])
    unit = Unit(number=0, what="sql_vs_polars", seed=1, engines=pairs["S42"], seconds=9, canary=True)
    signature = "sql_vs_polars|fct_yearly_events|raise|-|missing_left"
    entries = [_open(engines, signature) for engines in (("sql", "polars"), ("sql", "mine:engine"), ("polars",))]

    keys = canary.known_to(unit, [*entries, entries[0].model_copy(update={"state": "retired"})])

    assert keys == [f"differential.planted:S42, polars|{signature}", f"polars|{signature}"]
    everywhere = Unit(
        number=0, what="invariants", seed=1, engines=("differential.planted:B04_sql",), seconds=9, canary=True
    )
    assert canary.known_to(everywhere, [_open(("sql",), "I31|x|-")]) == ["differential.planted:B04_sql|I31|x|-"]


def _open(engines: tuple[str, ...], signature: str) -> Known:
    return Known(
        key=key_of(engines, signature), test="sql_vs_polars", engines=engines, headline="x", state="known", first=WHEN, last=WHEN,
        commit=None, count=1, bundle="repros/a",
    )  # fmt: skip


def test_kinds_that_say_nothing_of_the_engines_take_no_turn(tmp_path: Path) -> None:
    """A program has one way to run, and no database: units of threads would be refused, and the night have failed."""
    program = tmp_path / "run_sim.sh"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)

    assert others_of(("sql", "polars")) == OTHERS
    assert others_of((f"command:{program}", f"sql@{sys.executable}")) == tuple(
        one for one in OTHERS if one not in ("environment", "lifecycle")
    )
    alone = others_of((f"command:{program}",))
    assert {"invariants", "relations", "same_seed"} <= set(alone) and not {
        "threads",
        "levels",
        "legacy",
        "lifecycle",
    } & set(alone)
    taken = {unit_at(replace(HOUR, others=alone), (), number).what for number in range(200)}
    assert taken == {"sql_vs_polars", *alone}


def test_seeds_of_other_engines_and_kinds_are_not_drawn_again() -> None:
    (one,) = known(1.0)
    others = [one.model_copy(update={"engines": ("sql", "mine:engine")}), one.model_copy(update={"what": "threads"})]
    campaign = replace(HOUR, canary=None, others=("invariants",))

    assert len(first_units(campaign, [one], corpus=False)) == 1
    assert first_units(campaign, others, corpus=False) == ()


def test_slices_have_one_seed(tmp_path: Path) -> None:
    parser = argparse.ArgumentParser()
    add_campaign_options(parser)

    with pytest.raises(UsageError, match="the same --seed"):
        campaign_request(parser.parse_args(["--slice", "1/2", "--corpus", str(tmp_path / "corpus")]))


def test_a_relative_engine_means_the_same_file_in_a_unit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Units start in the project's folder, wherever the campaign was started."""
    program = tmp_path / "run_sim.sh"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.chdir(tmp_path)
    parser = argparse.ArgumentParser()
    add_campaign_options(parser)

    asked = parser.parse_args(
        ["--engine", "sql", "--engine", "command:./run_sim.sh", "--corpus", str(tmp_path / "corpus")]
    )

    assert campaign_request(asked).engines == ("sql", f"command:{program}")
