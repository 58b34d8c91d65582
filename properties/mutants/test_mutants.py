"""Mutants: every operator changes what it should, planting changes nothing else, and the list of equivalent ones is kept."""

from __future__ import annotations

import fcntl
from dataclasses import replace
from pathlib import Path

import pytest

from differential.comparison import compare_runs
from differential.engines import get_engine
from differential.pool import gather
from differential.run import Run
from differential.variant import Variant
from fixtures.strategies import worlds
from fixtures.world import World
from properties import mutants as package
from properties.mutants.campaign import Campaign, CampaignError, Outcome, fingerprint, run_campaign
from properties.mutants.catalogue import POLARS_PACKAGE, SAMPLE, SQL_RULES, all_mutants, sample
from properties.mutants.equivalent import EquivalentError, equivalents, keys
from properties.mutants.mutant import Mutant
from properties.mutants.planting import planted
from properties.mutants.python_sites import python_sites
from properties.mutants.sql_sites import sql_sites

SQL = [
    ("SELECT a WHERE b < 3", ["a WHERE b <= 3", "a WHERE b > 3", "a WHERE b < 4", "a WHERE b < 2", "a"]),
    ("SELECT a * 2 - c", ["a + 2 - c", "a * 3 - c", "a * 1 - c", "a * 2 + c"]),
    ("SELECT a WHERE b AND NOT c", ["a WHERE b OR NOT c", "a WHERE b", "a WHERE NOT c", "a WHERE b AND c", "a"]),
    ("SELECT a BETWEEN b AND c", []),
    ("SELECT least(a, b)", ["greatest(a, b)"]),
    ("SELECT coalesce(a, b.c)", ["(a)"]),
    ("SELECT a IS NULL", ["a IS NOT NULL"]),
    ("SELECT CASE WHEN a THEN b ELSE c END", ["CASE WHEN NOT (a) THEN b ELSE c END", "CASE WHEN a THEN c ELSE b END"]),
    ("SELECT x.* EXCLUDE (y) FROM x", []),
    ("SELECT a >> 30", ["a >> 31", "a >> 29"]),
    ("SELECT a::DECIMAL(18, 2)", []),
    ("SELECT t.a FROM t LEFT JOIN u USING (a, b)", [
        "t.a FROM t JOIN u USING (a, b)", "t.a FROM t LEFT JOIN u USING (a)", "t.a FROM t LEFT JOIN u USING (b)"]),
    ("SELECT sum(a) OVER (PARTITION BY b ORDER BY c DESC)", [
        "sum(a) OVER (ORDER BY c DESC)", "sum(a) OVER (PARTITION BY b)", "sum(a) OVER (PARTITION BY b ORDER BY c)"]),
]  # fmt: skip
PYTHON = [
    ("x = a <= b", ["x = a < b", "x = a > b"]),
    ("x = (a > 1) & b", ["x = (a >= 1) & b", "x = (a < 1) & b", "x = (a > 2) & b", "x = (a > 0) & b", "x = (a > 1) | b"]),
    ("x = ~a", ["x = a"]),
    ("x = pl.max_horizontal(a, b)", ["x = pl.min_horizontal(a, b)"]),
    ("x = pl.when(a).then(b).otherwise(c)", ["x = pl.when(a).then(c).otherwise(b)"]),
    ('x = a.join(b, how="left")', ['x = a.join(b, how="inner")']),
    ("x = a.filter(b)", ["x = a"]),
    ("x = a if b else c", ["x = c if b else a"]),
    ("x: int = y", []),
    ('def f(a: int = 1) -> list[int]:\n    """A doc of 3."""\n    raise ValueError(7)', [
        'def f(a: int = 2) -> list[int]:\n    """A doc of 3."""\n    raise ValueError(7)',
        'def f(a: int = 0) -> list[int]:\n    """A doc of 3."""\n    raise ValueError(7)']),
    ("@cache(3)\ndef f():\n    return g(a, strict=False)", ["@cache(3)\ndef f():\n    return g(a, strict=True)"]),
    ("x = zip(a, b, strict=True)", []),
]  # fmt: skip


@pytest.fixture(scope="module")
def some() -> list[World]:
    return gather(worlds(), 40, 5)


@pytest.mark.parametrize(("text", "wanted"), SQL)
def test_sql_operators(text: str, wanted: list[str]) -> None:
    made = {_plain(text[: s.start] + s.new + text[s.end :]) for s in sql_sites(text)}
    assert made == {_plain(f"SELECT {one}") for one in wanted}


@pytest.mark.parametrize(("text", "wanted"), PYTHON)
def test_python_operators(text: str, wanted: list[str]) -> None:
    made = {text[: s.start] + s.new + text[s.end :] for s in python_sites(text)}
    extra = {"x = (a > 1)", "x = b", "x = a > 1"} if "&" in text else set()
    assert set(wanted) <= made <= {*wanted, *extra}


def test_sample_has_every_file_and_both_engines() -> None:
    chosen = sample()
    files = {path for folder, kind in ((SQL_RULES, "sql"), (POLARS_PACKAGE, "py")) for path in _files(folder, kind)}
    assert len(chosen) == SAMPLE == len({mutant.id for mutant in chosen})
    assert {mutant.file for mutant in chosen} == files
    assert chosen == sample()


def test_planting_without_a_change_changes_nothing(some: list[World]) -> None:
    """The copy of the rules and the second import of the package are as good as the first."""
    for name in ("SQL_0500", "POLARS_0500"):
        mutant = all_mutants()[name]
        with planted(replace(mutant, new=mutant.old)) as engine:
            run = (engine or get_engine(mutant.engine)).run(some, Variant())
        assert _equal(run, get_engine(mutant.engine).run(some, Variant()))


@pytest.mark.parametrize(("file", "line", "change"), [
    ("year/career.sql", "AS merit_bp", "merit_above_bp ELSE merit_here_bp -> merit_here_bp ELSE merit_above_bp"),
    ("pay.py", 'pl.col("level") + pl.col("promoted")', "+ -> -"),
])  # fmt: skip
def test_a_mutant_shows_and_is_taken_out_again(some: list[World], file: str, line: str, change: str) -> None:
    mutant = _find(file, line, change)
    clean = get_engine(mutant.engine).run(some, Variant())
    assert not _equal(get_engine(mutant.spec).run(some, Variant()), clean)
    assert _equal(get_engine(mutant.engine).run(some, Variant()), clean)


def test_a_mutant_goes_along_into_other_processes(some: list[World]) -> None:
    """The code that goes on from saved tables runs in another process only."""
    mutant = _find(
        "restore.py", 'pl.col("is_active")', '_frame(state).filter(chosen & pl.col("is_active")) -> _frame(state)'
    )
    engine = get_engine(mutant.spec)
    assert _equal(engine.run(some, Variant()), get_engine("polars").run(some, Variant()))
    with pytest.raises(Exception, match=r"SavedStateError|active people"):
        engine.run(some, Variant(resume=1))


def test_a_spec_without_a_mutant_is_no_attribute() -> None:
    for name in ("SQL_99999", "SQL_1", "POLARS", "nonsense"):
        with pytest.raises(AttributeError):
            getattr(package, name)


def test_the_list_of_equivalent_mutants_is_in_force() -> None:
    assert all(equivalents(all_mutants().values()).values())


def test_entries_of_the_list_go_by_text(tmp_path: Path) -> None:
    known = list(all_mutants().values())
    file, line, change, nth = next(key for key in keys(known) if key[3] == 2)
    path = tmp_path / "list.yaml"
    entry = f"- file: {file}\n  line: {line!r}\n  change: {change!r}\n  reason: none shows\n"
    path.write_text(entry + entry + f"  nth: {nth}\n")
    assert len(equivalents(known, path)) == 2

    for wrong, said in (
        (entry.replace("change: '", "change: 'no "), "has no mutant"),
        (entry + entry, "listed twice"),
        (entry.replace("reason: none shows", "why: none"), "reason is missing"),
        (entry.replace("none shows", "''"), "reason says why"),
        ("a: b\n", "expected a list"),
    ):
        path.write_text(wrong)
        with pytest.raises(EquivalentError, match=said):
            equivalents(known, path)


def test_a_campaign_goes_on_from_its_file(tmp_path: Path) -> None:
    path = tmp_path / "mutants.json"
    one, other = sample()[:2]
    campaign = Campaign.at(path)
    campaign.keep(_outcome(one, "killed"))
    campaign.keep(replace(_outcome(other, "survived"), fingerprint="of an older source"))

    again = Campaign.at(path)
    assert again.done(one) and not again.done(other)
    run_campaign([one], again)  # has its outcome: no process is started
    assert list(Campaign.at(path).outcomes) == [one.id]
    assert again.score == 1.0 and "mutation score 100.0%" in again.text()

    path.write_text("{}")
    with pytest.raises(CampaignError, match="not the file of a campaign"):
        Campaign.at(path)


def test_a_file_takes_one_campaign_at_a_time(tmp_path: Path) -> None:
    path = tmp_path / "mutants.json"
    with (tmp_path / ".mutants.json.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(CampaignError, match="another campaign is writing it"):
            run_campaign([], Campaign.at(path))
    run_campaign([], Campaign.at(path))


def test_survivors_are_told_with_file_line_and_change() -> None:
    mutant = sample()[0]
    campaign = Campaign()
    campaign.keep(_outcome(mutant, "survived"))
    campaign.keep(replace(_outcome(mutant, "equivalent"), id="another"))
    assert campaign.score == 0.0
    assert f"{mutant.file}:{mutant.line}" in campaign.text() and mutant.change in campaign.text()


def _plain(text: str) -> str:
    return " ".join(text.split()).replace("( ", "(").replace(" )", ")")


def _files(folder: Path, kind: str) -> set[str]:
    """Files with something in them that can be changed."""
    return {
        mutant.file
        for mutant in all_mutants().values()
        if Path(mutant.file).is_relative_to(folder) and mutant.file.endswith(kind)
    }


def _find(file: str, line: str, change: str) -> Mutant:
    return next(m for m in all_mutants().values() if m.file.endswith(file) and line in m.source and m.change == change)


def _outcome(mutant: Mutant, status: str) -> Outcome:
    return Outcome(
        mutant.id, mutant.file, mutant.line, mutant.source, mutant.kind, mutant.change, status,  # type: ignore[arg-type]
        fingerprint=fingerprint(mutant),
    )  # fmt: skip


def _equal(left: Run, right: Run) -> bool:
    return all(one.equal for one in compare_runs(left, right))
