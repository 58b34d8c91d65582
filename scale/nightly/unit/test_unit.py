"""A unit of work, run as a campaign runs it, on engines that are wrong in known ways."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from differential import finding
from differential.cases import PARITY_TESTS, Case, all_cases
from differential.parity import CaseRun
from differential.pool import CHUNK, derived_seed, gather
from differential.reduction import Budget
from differential.repro import load_bundle, replay
from differential.run import Run
from differential.session import ROOT
from differential.side import Side, UnsuitableWorldsError
from fixtures.census import Census
from fixtures.populations import generate
from fixtures.strategies import worlds as generated_worlds
from fixtures.world import World
from scale.nightly.corpus import entry_of
from scale.nightly.inputs import covered, offer
from scale.nightly.inputs.text import read_input
from scale.nightly.records import INPUTS, RESULT, Found, Unit, UnitResult, UnitSettings
from scale.nightly.unit import judged, parity, properties, report, source, triage, wider
from scale.nightly.unit import replay as unit_replay
from scale.nightly.unit.run import KINDS, _Running, run_unit
from scale.nightly.unit.settle import session_of
from scale.records import read_record
from scale.status import Status

TESTING = "scale.nightly.unit.testing"
WHEN = "2026-01-01T00:00:00+00:00"
OFTEN, TWOFOLD = f"{TESTING}:often", f"{TESTING}:twofold"


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Batches of few worlds: what is tested is what becomes of them."""
    monkeypatch.setattr(parity.ParityJudge, "first", 96)
    monkeypatch.setattr(properties.InvariantsJudge, "first", 32)
    monkeypatch.setattr(properties.RelationsJudge, "first", 3)
    monkeypatch.setattr(wider, "LIVES", 1)


def unit(what: str = "sql_vs_polars", *engines: str, seconds: float = 0.01, **more: Any) -> Unit:
    return Unit(number=7, what=what, seed=5, engines=engines or ("sql", "polars"), seconds=seconds, **more)


def run(folder: Path, asked: Unit, **settings: Any) -> UnitResult:
    result = run_unit(asked, UnitSettings(**settings), folder)
    assert read_record(folder / RESULT, UnitResult) == result
    return result


def pair_of(result: UnitResult) -> Found:
    (found,) = result.found
    return found


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, UnitResult]:
    folder = tmp_path_factory.mktemp("found")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parity.ParityJudge, "first", 96)
        return folder, run(folder, unit("sql_vs_polars", "polars", OFTEN))


def test_a_planted_fault_is_found_confirmed_and_reduced(found: tuple[Path, UnitResult]) -> None:
    folder, result = found
    one = pair_of(result)

    assert result.status == "fail" and one.shown == "new"
    assert one.key == f"polars, {OFTEN}|sql_vs_polars|fct_workforce_snapshot|-|current_salary|value"
    assert (one.employees, one.years, one.origin) == (2, 1, "drawn")
    assert one.worlds > 1 and 0 < one.after <= result.seconds and 0 < one.after_worlds <= 96
    bundle = load_bundle(folder / str(one.bundle))
    assert len(bundle.finding.world.census) == 2 and bundle.verified
    assert replay(folder / str(one.bundle)).status == 1
    assert one.command == f"pytest differential --replay {one.bundle}"
    by_hand = entry_of(folder / str(one.bundle), WHEN, None)
    assert by_hand is not None and by_hand.key == one.key


def test_a_known_failure_is_counted_and_not_reduced(found: tuple[Path, UnitResult], tmp_path: Path) -> None:
    """Under another seed too the key is the same."""
    key = pair_of(found[1]).key
    asked = unit("sql_vs_polars", "polars", OFTEN).model_copy(update={"seed": 6})

    one = pair_of(run(tmp_path, asked, known=(key,)))

    assert (one.key, one.shown, one.bundle) == (key, "known", None)
    assert one.worlds > 0 and not (tmp_path / "repros").exists()


def test_a_canarys_unit_goes_on_where_it_meets_only_what_is_open_without_its_fault(
    found: tuple[Path, UnitResult], tmp_path: Path
) -> None:
    key = pair_of(found[1]).key

    result = run(tmp_path, unit("sql_vs_polars", "polars", OFTEN, canary=True, seconds=4), known=(key,))

    assert pair_of(result).shown == "known" and result.seconds >= 4


def test_a_chunk_that_failed_is_drawn_again_first(found: tuple[Path, UnitResult], tmp_path: Path) -> None:
    one = pair_of(found[1])
    asked = unit("sql_vs_polars", "polars", OFTEN, chunk_seed=one.chunk_seed).model_copy(update={"seed": 99})

    again = pair_of(run(tmp_path, asked, known=(one.key,)))

    assert (again.key, again.origin, again.chunk_seed) == (one.key, "seed", one.chunk_seed)
    assert again.worlds == one.worlds


def test_two_failures_in_one_unit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parity.ParityJudge, "first", 128)
    monkeypatch.setattr(finding, "shrunk_by_hypothesis", lambda found, *_: found)
    monkeypatch.setattr(triage, "BUDGET", Budget(runs=3, seconds=20))
    result = run(tmp_path, unit("sql_vs_polars", "polars", TWOFOLD))

    columns = {one.key.split("|")[4]: one for one in result.found}
    assert set(columns) == {"current_salary", "account_balance"}
    assert all(one.shown == "new" for one in result.found)
    assert len({one.bundle for one in result.found}) == 2


def end_after_own_inputs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Units end once their judge's own inputs are through, however long that took."""

    def own(self: _Running, *rest: Any) -> None:
        plain(self, *rest)
        monkeypatch.setattr(_Running, "_goes_on", False)

    plain = _Running._own
    monkeypatch.setattr(_Running, "_own", own)


def test_what_shows_in_large_numbers_only_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Drawn worlds are too small for I31, which needs 1 000 dates; B04 draws them unevenly. The corpus stays small."""
    end_after_own_inputs(monkeypatch)
    monkeypatch.setattr(triage, "BUDGET", Budget(runs=2, seconds=20))
    monkeypatch.setattr(finding, "shrunk_by_hypothesis", lambda found, *_: found)

    result = run(tmp_path, unit("invariants", "differential.planted:B04_sql", seconds=600, canary=True))

    assert [(one.test, one.shown) for one in result.found] == [("I31", "new")] and result.found[0].after_worlds > 32
    assert result.inputs and all(
        len(read_input(file).census) < 1_000 for file in (tmp_path / INPUTS).glob("[!i]*.json")
    )


def test_what_shows_in_empty_tables_only_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beside others in a pass, tables without rows are slices of tables with rows, and have their types: X24 shows alone."""
    end_after_own_inputs(monkeypatch)
    monkeypatch.setattr(triage, "BUDGET", Budget(runs=2, seconds=20))
    monkeypatch.setattr(finding, "shrunk_by_hypothesis", lambda found, *_: found)

    one = pair_of(run(tmp_path, unit("sql_vs_polars", "differential.planted:X24", "polars", seconds=600, canary=True)))

    assert (one.shown, one.employees, one.after_worlds) == ("new", 1, 97)


def test_worlds_that_do_not_suit_a_side_are_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They were once told as left over because of others that made an engine raise."""
    session = session_of(unit("several_years", "polars"), UnitSettings(), tmp_path, print)
    worlds, plain = gather(generated_worlds(), 6, 1), CaseRun._run_sides

    def run_sides(self: CaseRun, left: Side, right: Side, some: Sequence[World]) -> tuple[Run, Run]:
        if some[0].census is worlds[0].census:
            raise UnsuitableWorldsError([0], "it ends too late")
        return plain(self, left, right, some)

    monkeypatch.setattr(CaseRun, "_run_sides", run_sides)

    judged = parity.ParityJudge(session, ("several_years",)).judge(source.Batch(tuple(worlds), {}, {}), 60)

    assert (judged.left, judged.worlds, judged.suspects) == (0, 5, [])


def test_the_legacy_units_take_a_thousand_people(tmp_path: Path) -> None:
    session = session_of(unit("legacy", "polars"), UnitSettings(), tmp_path, print)
    judge = parity.ParityJudge(session, ("legacy",))

    assert [len(batch.worlds[0].census) for batch in judge.own] == [1_000]
    judged = judge.judge(judge.own[0], 60)
    assert (judged.worlds, judged.suspects, judged.refused) == (1, [], "")


def test_inputs_of_a_judge_go_through_each_engine_but_those_that_would_take_too_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def rows(batch: source.Batch) -> int:
        return 10**9 if len(batch.worlds[0].census) == 6_000 else 1

    def judge(self: properties.InvariantsJudge, engine: str, worlds: list[World], *rest: Any) -> tuple[set[int], bool]:
        judged_alone.update([engine] if len(worlds) == 1 else [])
        return plain(self, engine, worlds, *rest)

    judged_alone, plain = Counter[str](), properties.InvariantsJudge._judge
    end_after_own_inputs(monkeypatch)
    monkeypatch.setattr(source.Batch, "rows", property(rows))
    monkeypatch.setattr(properties.InvariantsJudge, "_judge", judge)

    # of 64 bits, as those of a night
    asked = unit("invariants", "polars", "oracle", seconds=600).model_copy(update={"seed": 2**64 - 1})
    assert run(tmp_path, asked).status == "pass"

    said = capsys.readouterr().err
    assert said.count("6000 people are left out: they may take") == 1 and "1 people are left out" not in said
    assert judged_alone == {"polars": 2, "oracle": 2}


def test_a_broken_check_is_known_once_its_bundle_is_in_the_corpus(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever puts it there by hand is not told of the same failure as news."""
    monkeypatch.setattr(triage, "BUDGET", Budget(runs=3, seconds=20))
    monkeypatch.setattr(finding, "shrunk_by_hypothesis", lambda found, *_: found)
    result = run(tmp_path, unit("invariants", "differential.planted:P12"))

    assert result.found and {one.shown for one in result.found} == {"new"}
    # in a process of its own: a campaign's has not run the checks, and has to know such bundles all the same
    code = (
        "import sys; from pathlib import Path; from scale.nightly.corpus import entry_of;"
        f"print(*(getattr(entry_of(Path(path), {WHEN!r}, None), 'key', None) for path in sys.argv[1:]), sep='\\n')"
    )
    bundles = [str(tmp_path / str(one.bundle)) for one in result.found]
    done = subprocess.run([sys.executable, "-c", code, *bundles], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.splitlines() == [one.key for one in result.found]


def test_one_engine_under_two_sets_of_libraries_is_a_pair_of_engines(tmp_path: Path) -> None:
    """Here they are one set, which is all that is wrong."""
    result = run(tmp_path, unit("sql_vs_polars", "polars", f"polars@{sys.executable}"))
    assert (
        result.status == "refused" and "library_versions[" in result.reason and "both sides ran with" in result.reason
    )


def test_every_pair_of_sides_has_its_turns_within_a_budget(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A batch that used up the seconds a killed unit may lose would leave most of the fourteen pairs out of a unit.

    A pair that takes ten times as long has batches of its own size.
    """
    clock: list[float] = [0.0]
    met: list[tuple[str, int]] = []
    took: list[float] = []

    def compare(_: parity.ParityJudge, case: Case, pair: int, batch: source.Batch) -> judged.Judged:
        met.append((case.name, pair))
        took.append((0.2 if case.name.endswith("prefix") else 0.02) * len(batch.worlds))
        clock[0] += took[-1]
        return judged.Judged(worlds=len(batch.worlds))

    monkeypatch.setattr(report.Report, "seconds", property(lambda _: clock[0]))
    monkeypatch.setattr(parity.ParityJudge, "compare", compare)
    run(tmp_path, unit("several_years", seconds=180))

    counted = Counter(met)
    assert len(counted) == 14 and min(counted.values()) >= 2 and clock[0] >= 180
    assert max(took[14:]) < 5
    other = run(tmp_path / "other", unit("several_years").model_copy(update={"seed": 6}))
    assert other.status == "pass" and met[-1] != met[0], "a unit of one batch does not always judge the same pair"


def test_a_failure_that_does_not_repeat_is_kept_with_both_outputs(tmp_path: Path) -> None:
    result = run(tmp_path, unit("sql_vs_polars", "polars", "scale.nightly.planted:flaky"))

    one = pair_of(result)
    assert result.status == "fail" and one.shown == "flaky" and not (tmp_path / "repros").exists()
    folder = tmp_path / str(one.bundle)
    assert folder.parent.name == "flaky" and (folder / "repro.json").exists()
    tables = [sorted((folder / part).glob("*flaky*fct_workforce_snapshot.csv")) for part in ("first", "again")]
    (first,), (again,) = ([list(csv.DictReader(path.read_text().splitlines())) for path in paths] for paths in tables)
    wrong = [(a["current_salary"], b["current_salary"]) for a, b in zip(first, again, strict=True) if a != b]
    assert wrong and all(float(a) - float(b) == pytest.approx(0.01) for a, b in wrong)
    told = (folder / "flaky.md").read_text()
    assert told.count("| alone, run") == 3 and told.count("| with its batch, run") == 2
    assert "1 rows of the first run are not in the next" in told or "rows of the first run are not in" in told
    assert replay(folder).status == 0


def test_people_of_a_given_census_stay_private(tmp_path: Path) -> None:
    """Neither inputs nor the tables of a flaky failure hold any of them; ssn are written in no case."""
    people = generate(40, seed=3)
    census = tmp_path / "people.csv"
    write_census(census, people)
    asked = unit("sql_vs_polars", "polars", "scale.nightly.planted:flaky")
    result = run(tmp_path / "masked", asked, census=str(census))
    names = [str(value) for value in people.table["employee_id"].to_pylist()]
    secrets = [str(value) for value in people.table["employee_ssn"].to_pylist()]

    assert {one.shown for one in result.found} <= {"flaky"} and not result.inputs
    for path in (tmp_path / "masked").rglob("*"):
        text = path.read_text(encoding="utf-8") if path.is_file() else ""
        assert not any(name in text for name in (*names, *secrets)), path

    kept = run(tmp_path / "kept", asked, census=str(census), keep_identities=True)
    text = "".join(p.read_text(encoding="utf-8") for p in (tmp_path / "kept").rglob("*") if p.is_file())
    assert any(name in text for name in names) == bool(kept.found) and not kept.inputs
    assert not any(secret in text for secret in secrets)


def write_census(path: Path, people: Census) -> None:
    """As CSV, with ids that are found again in any text."""
    import pyarrow.csv

    table = people.to_source_table()
    ids = [f"PERSON-{number:05d}" for number in range(len(people))]
    ssn = [f"{number:03d}-55-{number:04d}" for number in range(100, 100 + len(people))]
    table = table.set_column(0, "employee_id", [ids]).set_column(1, "employee_ssn", [ssn])
    people.__dict__["table"] = Census.from_frame(table).table
    pyarrow.csv.write_csv(table.select(list(table.column_names)), path)


def test_worlds_beside_one_that_raises_are_judged_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parity.ParityJudge, "first", 128)
    monkeypatch.setattr(triage, "BUDGET", Budget(runs=3, seconds=20))
    result = run(tmp_path, unit("sql_vs_polars", "polars", f"{TESTING}:raising"))

    one = pair_of(result)
    assert one.key.endswith("|-|error|ZeroDivisionError|raised")
    # worlds of three people are one in ten: more of them raise than a batch is judged again for, and that is said
    assert result.worlds > judged.MOST_RAISED and "were not judged" in result.reason


def test_what_cannot_be_judged_is_refused(tmp_path: Path) -> None:
    refused = {
        "unknown engine": run(tmp_path / "1", unit("sql_vs_polars", "nobody", "polars")),
        "nothing to compare": run(tmp_path / "2", unit("sql_vs_polars", "polars")),
        "no inputs to replay": run(tmp_path / "3", unit("corpus")),
        "no kind of unit": run(tmp_path / "4", unit("everything")),
        "unproven": run(tmp_path / "5", unit("sql_vs_polars", "polars", f"{TESTING}:unproven")),
        "none.csv": run(tmp_path / "6", unit(), census=str(tmp_path / "none.csv")),
    }
    for said, result in refused.items():
        assert result.status == "refused" and said in result.reason, result.reason


COMPARED = {case.test for case in all_cases(("polars",))}
"""Without `sql_vs_polars`, which takes two engines, and others that take what is not everywhere."""


@pytest.mark.parametrize("what", [kind for kind in KINDS if kind in COMPARED or kind not in (*PARITY_TESTS, "corpus")])
def test_every_kind_of_unit_runs(what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parity.ParityJudge, "first", 12)
    result = run(tmp_path, unit(what, "polars"))

    assert (result.status, result.reason, result.found) == ("pass", "", ())
    assert result.worlds > 0 and len(result.ticks) == 1
    drawn = what not in ("relations", "lifecycle", "environment")
    assert bool(result.labels) == drawn and bool(result.inputs) == drawn


def test_inputs_feed_the_corpus_which_is_replayed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a unit hands over is what the corpus had not; the next unit hands over less; a fault shows on the replay."""
    corpus = tmp_path / "corpus"
    first = run(tmp_path / "1", unit(seconds=0.01))
    assert {path.stem for path in (tmp_path / "1" / INPUTS).glob("*.json")} == {*first.inputs, "index"}
    offer(corpus, tmp_path / "1")
    met = covered(corpus)
    assert (len(met.labels), met.pairs) == (first.ticks[-1].labels, first.ticks[-1].pairs)

    again = run(tmp_path / "2", unit(seconds=0.01), corpus=str(corpus))
    assert again.worlds == first.worlds and not again.inputs

    replayed = run(tmp_path / "3", unit("corpus", "sql", "polars", seconds=60), corpus=str(corpus))
    assert (replayed.status, replayed.reason, replayed.worlds) == ("pass", "", met.inputs)
    wrong = run(tmp_path / "4", unit("corpus", "polars", OFTEN, seconds=60), corpus=str(corpus))
    assert pair_of(wrong).origin == "corpus" and pair_of(wrong).employees == 2
    monkeypatch.setattr(unit_replay, "TOGETHER", 16)
    cut = run(tmp_path / "5", unit("corpus", "polars", "sql", seconds=0.001), corpus=str(corpus))
    assert (cut.status, cut.worlds) == ("pass", 16)
    assert cut.reason == f"{met.inputs - 16} of {met.inputs} inputs did not run: the time was used up"


def test_a_steered_unit_varies_the_corpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every second chunk; without steering all worlds are those of the plain chunks."""
    monkeypatch.setattr(source, "CHUNK", 32)
    monkeypatch.setattr(parity.ParityJudge, "first", 64)
    run(tmp_path / "1", unit("oracle", "polars", chunk_seed=4))
    offer(tmp_path / "corpus", tmp_path / "1")
    seeds = [derived_seed(5, (1, 1), position) for position in range(3)]
    drawn = {world.fingerprint for seed in seeds for world in gather(generated_worlds(), 32, seed, None)}

    for steer in (True, False):
        folder = tmp_path / str(steer)
        result = run(folder, unit("oracle", "polars"), corpus=str(tmp_path / "corpus"), steer=steer)
        assert result.worlds == 64 and (set(result.inputs) <= drawn) != steer


def test_the_worlds_handed_over_are_those_that_were_drawn(tmp_path: Path) -> None:
    result = run(tmp_path, unit("oracle", "polars", chunk_seed=77))

    drawn = {world.fingerprint for world in gather(generated_worlds(), CHUNK, 77, None)}
    assert result.inputs and set(result.inputs) <= drawn
    for fingerprint in result.inputs:
        assert read_input(tmp_path / INPUTS / f"{fingerprint}.json").fingerprint == fingerprint


@contextmanager
def started(folder: Path, asked: Unit) -> Iterator[subprocess.Popen[bytes]]:
    """A unit in a process of its own, once it has a batch behind it."""
    folder.mkdir()
    job = {"unit": asked.model_dump(mode="json"), "settings": UnitSettings().model_dump(mode="json")}
    (folder / "job.json").write_text(json.dumps(job))
    command = [sys.executable, "-m", "scale.nightly.unit", str(folder / "job.json"), str(folder)]
    process = subprocess.Popen(command, env={**os.environ, "POLARS_MAX_THREADS": "1"}, stderr=subprocess.DEVNULL)
    try:
        until = time.monotonic() + 120
        while not ((folder / RESULT).exists() and read_record(folder / RESULT, UnitResult).worlds):
            assert process.poll() is None and time.monotonic() < until
            time.sleep(0.05)
        yield process
    finally:
        process.kill()
        process.wait()


def test_a_killed_unit_keeps_what_it_did(tmp_path: Path) -> None:
    with started(tmp_path / "unit", unit("sql_vs_polars", "polars", OFTEN, seconds=600)) as process:
        seen = read_record(tmp_path / "unit" / RESULT, UnitResult)
        process.send_signal(signal.SIGKILL)
        process.wait()

    left = read_record(tmp_path / "unit" / RESULT, UnitResult)
    assert left.status == "running" and left.worlds >= seen.worlds > 0 and left.ticks and left.labels


def test_a_unit_that_is_asked_to_end_says_so(tmp_path: Path) -> None:
    """Also when the signal comes in the middle of a query, which DuckDB makes an error of: that is no finding."""
    with started(tmp_path / "unit", unit("sql_vs_polars", "sql", "polars", seconds=600)) as process:
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == Status.INTERRUPTED

    left = read_record(tmp_path / "unit" / RESULT, UnitResult)
    assert left.status == "running" and left.reason.startswith("interrupted after") and left.worlds > 0
    assert not left.found


def test_a_job_that_is_none_ends_with_usage(tmp_path: Path) -> None:
    (tmp_path / "job.json").write_text("{}")
    command = [sys.executable, "-m", "scale.nightly.unit", str(tmp_path / "job.json"), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert done.returncode == Status.USAGE and "job.json: unit" in done.stderr and "Traceback" not in done.stderr
