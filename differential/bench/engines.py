"""Engines: many worlds at once, one alone, a large census by level and by switch."""

from __future__ import annotations

import resource
import statistics
from collections.abc import Sequence
from typing import Any

from differential import workers
from differential.bench.figures import Figure, in_turn, seconds
from differential.comparison import compare_runs
from differential.engines import get_engine
from differential.pool import gather
from differential.run import Run
from differential.variant import SWITCHES, Variant
from fixtures.populations import generate
from fixtures.scenario import Scenario
from fixtures.strategies import worlds as generated_worlds
from fixtures.world import World

PAIR = ("sql", "polars")
WORLDS, EMPLOYEES, YEARS = 256, 20, 3
LARGE_EMPLOYEES, LARGE_YEARS = 50_000, 5
LARGE_ROUNDS = 3


def _fixed_worlds() -> list[World]:
    scenario = Scenario(end_year=2024 + YEARS)
    return [World(generate(EMPLOYEES, seed=seed), scenario.replace(random_seed=seed)) for seed in range(WORLDS)]


def _both(worlds: Sequence[World]) -> tuple[Run, Run]:
    left, right = (get_engine(name).run(worlds, Variant()) for name in PAIR)
    return left, right


def many_worlds() -> list[Figure]:
    """256 worlds of 20 people and 3 years, one thread an engine; and worlds as the ci profile meets them."""
    worlds = _fixed_worlds()
    runs = _both(worlds)
    assert all(comparison.equal for comparison in compare_runs(*runs)), "the engines differ; mend that first"
    sql, polars, compared = in_turn(
        [
            lambda: get_engine("sql").run(worlds, Variant()),
            lambda: get_engine("polars").run(worlds, Variant()),
            lambda: compare_runs(*runs),
        ],
        rounds=5,
    )
    each = 1000 / WORLDS
    draw = seconds(lambda: gather(generated_worlds(), WORLDS, 1)) * each
    drawn = gather(generated_worlds(), WORLDS, 1)
    ran = in_turn([lambda: compare_runs(*_both(drawn))], rounds=3)[0] * 1000 / len(drawn)
    return [
        Figure("256 worlds x 20 x 3: sql", sql * each, "ms/world"),
        Figure("256 worlds x 20 x 3: polars", polars * each, "ms/world"),
        Figure("256 worlds x 20 x 3: comparing", compared * each, "ms/world"),
        Figure("256 worlds x 20 x 3: all", (sql + polars + compared) * each, "ms/world", 3),
        Figure("generated worlds: drawing", draw, "ms/world"),
        Figure("generated worlds: drawn, run and compared", draw + ran, "ms/world", 10),
    ]


def one_world() -> list[Figure]:
    """One world of 20 people and 3 years, alone, through both engines."""
    world = _fixed_worlds()[:1]
    sql, polars = in_turn([lambda name=name: get_engine(name).run(world, Variant()) for name in PAIR], rounds=7)  # type: ignore[misc]
    return [
        Figure("20 x 3 alone: sql", sql * 1000, "ms"),
        Figure("20 x 3 alone: polars", polars * 1000, "ms"),
        Figure("20 x 3 alone: both", (sql + polars) * 1000, "ms", 500),
    ]


def measure_large(engine: str, level: str) -> dict[str, Any]:
    """In a process of its own: wall seconds, seconds of event generation and peak resident bytes of one large run."""
    world = World(generate(LARGE_EMPLOYEES, seed=1), Scenario(end_year=2024 + LARGE_YEARS))
    found: dict[str, Any] = {}

    def run() -> None:
        done = get_engine(engine).run([world], Variant(level=level))
        assert done.proof is not None
        found["events"] = done.proof.seconds["event_generation"]

    found["seconds"] = seconds(run)
    found["rss"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return found


def _large(wanted: Sequence[tuple[str, str]], rounds: int) -> dict[tuple[str, str], dict[str, float]]:
    taken: dict[tuple[str, str], list[dict[str, float]]] = {key: [] for key in wanted}
    for _ in range(rounds):
        for key in wanted:
            taken[key].append(workers.call("differential.bench.engines:measure_large", *key, fresh=True))
    return {
        key: {name: statistics.median(one[name] for one in found) for name in found[0]} for key, found in taken.items()
    }


def large() -> list[Figure]:
    """50 000 people x 5 years, one thread, each run in a process of its own."""
    found = _large([(name, level) for name in PAIR for level in ("high", "legacy")], LARGE_ROUNDS)
    figures = []
    for name in PAIR:
        high, legacy = found[name, "high"], found[name, "legacy"]
        figures += [
            Figure(f"50 000 x 5: {name} high", high["seconds"], "s", 8),
            Figure(f"50 000 x 5: {name} high, peak memory", high["rss"] / 2**30, "GiB", 1.5),
            Figure(f"50 000 x 5: {name} high, event generation", high["events"], "s"),
            Figure(f"50 000 x 5: {name} legacy", legacy["seconds"], "s"),
            Figure(f"50 000 x 5: {name}, legacy over high", legacy["seconds"] / high["seconds"], "x", 2, at_least=True),
        ]
    ahead = found["sql", "high"]["events"] / found["polars", "high"]["events"]
    figures.append(Figure("50 000 x 5: event generation, sql over polars", ahead, "x", 2, at_least=True))
    return figures


def switches() -> list[Figure]:
    """What each switch brings at 50 000 x 5: all switches but this one, over all of them."""
    levels = {switch: "+".join(other for other in SWITCHES if other != switch) for switch in SWITCHES}
    found = _large([(name, level) for name in PAIR for level in ("high", *levels.values())], 1)
    return [
        Figure(
            f"50 000 x 5: {name} without {switch}, over high",
            found[name, level]["seconds"] / found[name, "high"]["seconds"],
            "x",
        )
        for name in PAIR
        for switch, level in levels.items()
    ]
