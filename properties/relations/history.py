"""M02-M06, M08, M18-M20: the same world by another path; the proofs show that it was another."""

from __future__ import annotations

from differential.cases import MANY_THREADS, MORSEL
from differential.variant import Variant
from fixtures.world import World
from properties.check import Check
from properties.relations import ways
from properties.relations.relation import PathRelation, Way

_RUN_YEARS = ("database", "run_years")


def _several_years(world: World) -> World | None:
    return world if len(world.scenario.years) > 1 else None


M02 = PathRelation(
    Check(
        "M02",
        "twice",
        "The same world and seed twice, in fresh databases and in another process, gives the same tables.",
        {
            "two fresh databases": "tables(file 1) = tables(file 2), as multisets, all columns",
            "another process": "run(here) = run(new process with another hash seed)",
        },
    ),
    (
        Way("two fresh databases", "used_database", ways.fresh_database, ways.fresh_database, ("database",)),
        Way("another process", "new_process", ways.plain, ways.as_side(history="new_process")),
    ),
)

M03 = PathRelation(
    Check(
        "M03",
        "re-run",
        "A run on top of its own database leaves what a run in a fresh one does.",
        {"re-run": "tables(run, run again) = run"},
    ),
    (Way("re-run", "used_database", ways.plain, ways.after(ways.itself), ("database",)),),
)

M04 = PathRelation(
    Check(
        "M04",
        "re-run under other rules",
        "A run on the database of runs with other rules, more years or more people leaves nothing of them.",
        {
            "after others": "tables(run(A, a year longer), then run(census + 2), then run(B)) = run(B)",
            "zero rates after usual ones": "tables(run(usual rates), then run(every rate 0)) = run(every rate 0)",
        },
    ),
    (
        Way(
            "after others", "used_database", ways.plain, ways.after(ways.with_other_rules, ways.with_more_people),
            ("database",),
        ),
        Way(
            "zero rates after usual ones", "used_database", ways.plain, ways.after(ways.with_usual_rates), ("database",),
            of=ways.with_zero_rates,
        ),
    ),
)  # fmt: skip

M05 = PathRelation(
    Check(
        "M05",
        "prefix",
        "A run of fewer years is the beginning of a run of more.",
        {"prefix": "rows(y0..yn+2) up to yn = rows(y0..yn)"},
    ),
    (Way("prefix", "prefix", ways.plain, ways.as_side(history="prefix")),),
)

M06 = PathRelation(
    Check(
        "M06",
        "legs",
        "Years run in parts, also an early year again after later ones, come to what they are in one go.",
        {
            "resumed after a year": "run(y0), then a new process (y0+1..yn) = run(y0..yn)",
            "year by year": "tables(run(y0), run(y0+1), ..) = run(y0..yn)",
            "an early year again": "tables(run(y0..yn), run(y0), run(y0+1..yn)) = run(y0..yn)",
        },
    ),
    (
        Way(
            "resumed after a year",
            "resume",
            ways.plain,
            ways.as_side(Variant(resume=1)),
            ("resume",),
            of=_several_years,
        ),
        Way("year by year", "used_database", ways.plain, ways.year_by_year, _RUN_YEARS, of=_several_years),
        Way("an early year again", "used_database", ways.plain, ways.early_year_again, _RUN_YEARS, of=_several_years),
    ),
)

M08 = PathRelation(
    Check(
        "M08",
        "entry points",
        "Whether the tables are handed back or left in a database, in one run or by years: they are the same.",
        {
            "through a database": "tables(file) = run",
            "by years, without a past": "run_years(all years) into a file = run",
        },
    ),
    (
        Way("through a database", "used_database", ways.plain, ways.fresh_database, ("database",)),
        Way("by years, without a past", "used_database", ways.plain, ways.all_years, _RUN_YEARS),
    ),
)

M18 = PathRelation(
    Check(
        "M18",
        "neighbours",
        "Other scenarios run before, after or beside a scenario leave it alone.",
        {
            "beside, in one pass": "run(others, A, others) less others = run(A)",
            "before and after, in one database": "tables(run(B), run(A), run(C)) of A = run(A)",
        },
    ),
    (
        Way("beside, in one pass", "company", ways.plain, ways.as_side(history="crowded"), ("many_worlds",), of=ways.two_years),
        Way(
            "before and after, in one database", "used_database", ways.plain,
            ways.between(ways.neighbour("before"), ways.neighbour("after-it")), ("database",), of=ways.two_years,
        ),
    ),
)  # fmt: skip

M19 = PathRelation(
    Check(
        "M19",
        "threads and shards",
        "More threads or shards change nothing.",
        {"threads": f"run({MANY_THREADS} threads) = run(1 thread)", "shards": "run(4 shards) = run(1 shard)"},
    ),
    (
        Way(
            "threads",
            "threads",
            ways.plain,
            ways.as_side(Variant(threads=MANY_THREADS)),
            ("threads",),
            of=ways.two_years,
        ),
        Way("shards", "shards", ways.plain, ways.as_side(Variant(shards=4)), ("shards",), of=ways.two_years),
    ),
)

_LEVELS = ("legacy", "low", "medium")


M20 = PathRelation(
    Check(
        "M20",
        "levels",
        "No optimisation level changes anything, nor the legacy flag or the size of internal batches.",
        {
            **{f"level {level}": f"run(level {level}) = run(level high)" for level in _LEVELS},
            "legacy flag": "run(FEATURE_FLAG_LEGACY_EVENTS) = run",
            "batch size": "run(the least batch size) = run",
        },
    ),
    (
        *(
            Way(
                f"level {level}",
                "levels",
                ways.plain,
                ways.as_side(Variant(level=level)),
                (f"levels:{level}",),
                of=ways.two_years,
            )
            for level in _LEVELS
        ),
        Way("legacy flag", "legacy", ways.plain, ways.as_side(legacy_flag=True), ("legacy_flag",), of=ways.two_years),
        Way(
            "batch size",
            "batch",
            ways.plain,
            ways.as_side(Variant(batch_size=MORSEL)),
            ("batch_size",),
            of=ways.two_years,
        ),
    ),
)
