"""The life of a database: every step on clean engines, and faults that each break the clause they must."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from tempfile import mkdtemp
from unittest import mock

import pytest

from differential.engines.polars import PolarsEngine, legs
from differential.engines.polars.simulate import Saved
from properties.lifecycle import expected_uses, run_lifecycle
from properties.lifecycle.clean import CleanRuns
from properties.lifecycle.holding import CLAUSES, BrokenError, RefusedError
from properties.lifecycle.life import Life
from properties.lifecycle.palette import CHANGES, NAMES, make_palette
from properties.lifecycle.run import context_of
from properties.lifecycle.step import MOMENTS, Moment, Way

BASE, OTHER, CAPITAL = NAMES
HERE = "properties.lifecycle.testing:"
Script = Callable[[Life, str], None]


@pytest.fixture
def life_of(tmp_path: Path) -> Callable[..., Life]:
    def make(*engines: str) -> Life:
        return Life(context_of(engines, 1), Path(mkdtemp(dir=tmp_path)))

    return make


def test_the_palette_differs_where_it_says() -> None:
    palette = make_palette(1)
    clean = CleanRuns("polars")
    clean.prepare(palette.worlds())
    for name in NAMES:
        plain = {change: palette.world(name, 0, change) for change in CHANGES}
        digests = {change: clean.content(world, 0, 9).digest for change, world in plain.items()}
        assert len(set(digests.values())) == len(CHANGES), "each change of rules changes the rows"
        assert clean.infeasible(plain["infeasible"])


def test_every_step_once(life_of: Callable[..., Life]) -> None:
    life = life_of("sql", "polars")
    sql, polars = Way("sql"), Way("polars")
    life.add(BASE, 0, "unchanged", sql, 1)
    life.go_on(BASE, 1, Way("polars", "legacy", shards=3))
    life.add_own_table()
    life.add(OTHER, 1, "unchanged", polars, None)
    life.add(CAPITAL, 2, "unchanged", Way("sql", "low", threads=2), 1)
    life.back_up()
    life.go_on(BASE, 1, Way("sql", "medium", fresh=True))
    life.rerun(BASE, 0, 1, polars)
    life.run_over_gap(BASE, Way("sql", "legacy"))
    life.run_over_gap(BASE, Way("polars", "legacy"))
    life.restore()
    life.change(OTHER, 0, "all rates zero", polars, None)
    life.change(OTHER, 0, "a year later", polars, None)
    life.change(OTHER, 0, "infeasible", sql, None)
    life.run_together([BASE, OTHER, CAPITAL], sql)
    life.run_again(BASE, polars)
    life.run_in_two_legs(BASE, 1, polars)
    life.kill(BASE, Moment("before", "COMMIT"), "another seed", sql)
    life.kill(BASE, 30, "fewer people", polars)
    life.finish()
    assert expected_uses(["sql", "polars"]) <= set(life.context.uses)
    assert life.steps[0] == "run 2025 of base/main (sql, high): company 1, unchanged"
    assert life.steps[6] == "run 2027 of base/main (sql, medium) in a new process"


@pytest.mark.parametrize("moment", MOMENTS, ids=Moment.describe)
def test_a_kill_happens_at_its_moment(life_of: Callable[..., Life], moment: Moment) -> None:
    life = life_of("polars")
    life.add(BASE, 0, "unchanged", Way("polars"), 1)
    life.kill(BASE, moment, "unchanged", Way("polars"))
    assert life.context.uses["kill in write"] == 1
    assert life.slots[BASE].years == (2 if moment.when == "after" and moment.word == "COMMIT" else 1)


def _two_names(life: Life, spec: str) -> None:
    for name in NAMES:
        life.add(name, 0, "unchanged", Way(spec), None)


def _fewer_years(life: Life, spec: str) -> None:
    life.add(BASE, 0, "unchanged", Way(spec), None)
    life.change(BASE, 0, "fewer years", Way(spec), None)


def _year_by_year(life: Life, spec: str) -> None:
    life.add(BASE, 0, "unchanged", Way(spec), 1)
    life.go_on(BASE, 1, Way(spec))
    life.rerun(BASE, 0, 1, Way(spec))


def _with_own_table(life: Life, spec: str) -> None:
    life.add(BASE, 0, "unchanged", Way("polars"), 1)
    life.add_own_table()
    life.go_on(BASE, 1, Way(spec))


def _killed(life: Life, spec: str) -> None:
    life.add(BASE, 0, "unchanged", Way(spec), None)
    life.kill(BASE, Moment("after", "DELETE"), "another seed", Way(spec))


@pytest.mark.parametrize(
    ("engine", "script", "check", "clause"),
    [
        ("no_transaction", _killed, "M06", "between"),
        ("forgets_plan", _two_names, "M18", "beside"),
        ("ignores_case", _two_names, "M18", "beside"),
        ("deletes_nothing", _fewer_years, "M04", "rows"),
        ("keeps_later_years", _year_by_year, "M06", "rows"),
        ("changes_the_past", _year_by_year, "I34", "earlier years"),
        ("drops_own_table", _with_own_table, "M18", "own table"),
        ("leaves_strays", _fewer_years, "M18", "strays"),
    ],
)
def test_a_faulty_file_breaks_its_clause(
    life_of: Callable[..., Life], engine: str, script: Script, check: str, clause: str
) -> None:
    script(life_of("polars"), HERE + "clean")  # the control
    with pytest.raises(BrokenError) as broken:
        script(life_of("polars"), HERE + engine)
    assert (broken.value.violation.check, broken.value.violation.clause) == (check, clause)


def test_stale_rows_are_found(life_of: Callable[..., Life]) -> None:
    life = life_of("sql")
    with pytest.raises(BrokenError, match="M04 rows"):
        _fewer_years(life, "differential.planted:X12")


def test_a_resume_from_the_census_is_found(life_of: Callable[..., Life]) -> None:
    life = life_of("polars")
    life.add(BASE, 0, "unchanged", Way("polars"), 1)
    with (
        mock.patch.object(legs, "restore", lambda simulation, *_: Saved(opening=simulation.opening)),
        pytest.raises(BrokenError, match="M06"),
    ):
        life.go_on(BASE, 1, Way("polars"))


def test_a_run_over_a_gap_that_gives_a_result_is_found(life_of: Callable[..., Life]) -> None:
    life = life_of("polars")
    life.add(BASE, 0, "unchanged", Way("polars"), 1)
    with (
        mock.patch("differential.engines.polars.restore._check_headcounts"),
        pytest.raises(BrokenError, match="gap"),
    ):
        life.run_over_gap(BASE, Way("polars", "legacy"))


def test_a_run_that_returns_other_rows_than_it_leaves_is_found(life_of: Callable[..., Life]) -> None:
    life, run = life_of("polars"), PolarsEngine.run

    def short(self: PolarsEngine, *args: object) -> object:
        return run(self, *args).map(lambda events, state: (events.slice(1), state))  # type: ignore[arg-type]

    with mock.patch.object(PolarsEngine, "run", short), pytest.raises(BrokenError, match="returned"):
        life.add(BASE, 0, "unchanged", Way("polars"), None)


def test_a_proof_that_names_another_engine_is_refused(life_of: Callable[..., Life]) -> None:
    with pytest.raises(RefusedError, match="engine: asked says_other_name, the proof says sql"):
        life_of("polars").add(BASE, 0, "unchanged", Way(HERE + "says_other_name"), None)
    outcome = run_lifecycle([HERE + "says_other_name"], examples=2, steps=3, seed=0)
    assert outcome.refused and not outcome.failure and not outcome.passed


def test_a_file_that_cannot_be_opened_is_told(life_of: Callable[..., Life]) -> None:
    life = life_of("polars")
    life.add(BASE, 0, "unchanged", Way("polars"), None)
    life.path.write_bytes(b"not a database")
    with pytest.raises(BrokenError, match="opens"):
        life.back_up()


def test_a_failing_life_gets_short() -> None:
    outcome = run_lifecycle([HERE + "deletes_nothing"], examples=10, steps=8, seed=0, shrink_seconds=10)
    assert outcome.signature is not None and outcome.signature.startswith("lifecycle|M0"), outcome.failure
    assert outcome.failure is not None and outcome.violation is not None
    lines = outcome.failure.splitlines()
    assert lines[0] == f"{outcome.violation.check} rows: {CLAUSES['rows']}"
    assert lines[3].startswith("  1. run ") and lines.index("", 3) <= 6, outcome.failure


def test_an_engine_that_only_runs_has_the_rules_for_that() -> None:
    uses = expected_uses([HERE + "run_only"])
    assert "run next" not in uses and {"run all again", "change rules", "kill in write"} <= uses
    outcome = run_lifecycle([HERE + "run_only"], examples=2, steps=5, seed=0)
    assert outcome.passed and "run next" not in outcome.uses


def test_an_engine_without_a_database_is_refused() -> None:
    outcome = run_lifecycle(["oracle"], examples=1, steps=1, seed=0)
    assert outcome.refused == "no engine with a database: oracle"


def test_equal_seeds_draw_equal_lives() -> None:
    first, second = (run_lifecycle([HERE + "run_only"], examples=1, steps=5, seed=3) for _ in range(2))
    without = {"kill in run"}
    counts = [{use: n for use, n in one.uses.items() if use not in without} for one in (first, second)]
    assert counts[0] == counts[1] and first.steps == second.steps
