"""Building the per-person families of a year: in shards, and in one plan or one per family (section 7)."""

from __future__ import annotations

import polars as pl

from differential.engines.polars.draws import u64
from differential.engines.polars.families import Family, event_rows, families, in_sequence, outcome
from differential.engines.polars.ledger import Ledger, Route
from differential.engines.polars.parameters import Parameters, Rules
from differential.engines.polars.texts import TextNumbers

Built = tuple[list[pl.DataFrame], list[pl.DataFrame]]


def build(
    everyone: pl.DataFrame,
    rules: Rules,
    parameters: Parameters,
    hazards: pl.DataFrame | None,
    route: Route,
    ledger: Ledger,
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Everyone of the year with their OUTCOME, by row, and their events in sequence."""
    shards = _shards(everyone, route, ledger)
    members = families(rules, parameters, hazards)
    numbers = TextNumbers(len(parameters.start), parameters.levels)
    make = _in_one_plan if route.has("fused_events") else _family_by_family
    people, events = make(shards, members, rules, numbers, route, ledger)
    united = pl.concat(people)
    if len(people) > 1 or route.streaming:
        united = united.sort("row")
    return united, in_sequence(pl.concat(events))


def _in_one_plan(
    shards: list[pl.DataFrame], members: list[Family], rules: Rules, numbers: TextNumbers, route: Route, ledger: Ledger
) -> Built:
    """All families of a shard in one plan; a second one lists the events that its outcome holds."""
    ledger.taken.add("fused_events")
    plans = [shard.lazy() for shard in shards]
    for rule, _ in members:
        plans = [rule(plan) for plan in plans]
    people = ledger.collect([outcome(plan, rules) for plan in plans], streaming=route.streaming)
    codes = tuple(code for _, of_family in members for code in of_family)
    listed = [event_rows(part.lazy(), rules, codes, numbers) for part in people]
    return people, ledger.collect(listed, streaming=route.streaming)


def _family_by_family(
    shards: list[pl.DataFrame], members: list[Family], rules: Rules, numbers: TextNumbers, route: Route, ledger: Ledger
) -> Built:
    """Each family of a shard in a plan of its own, on what the families before it left; then its events in another."""
    people, events = shards, []
    for rule, codes in members:
        people = ledger.collect([rule(part.lazy()) for part in people], streaming=route.streaming)
        if codes:
            listed = [event_rows(part.lazy(), rules, codes, numbers) for part in people]
            events += ledger.collect(listed, streaming=route.streaming)
    return ledger.collect([outcome(part.lazy(), rules) for part in people]), events


def _shards(everyone: pl.DataFrame, route: Route, ledger: Ledger) -> list[pl.DataFrame]:
    shard = (pl.col("key") % u64(route.shards)).cast(pl.Int64)
    whole = route.shards == 1
    parts = [everyone] if whole else [everyone.filter(shard == index) for index in range(route.shards)]
    ledger.shard_rows.update({index: part.height for index, part in enumerate(parts)})
    return parts
