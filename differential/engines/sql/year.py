"""One simulated year of all worlds: which statements run, in which tables, under which switches.

docs/simulation.md, section 5, is in rules/year/*.sql, one stage a file; a stage reads the stages before it by name. With
tuned_io the stages are common table expressions of one statement; without it each is a table in a file on disk.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from differential.engines.sql.session import RULES, Session, compose, rule
from differential.schemas import EVENT_TYPES

FAMILIES = tuple(f"events/{code:02}_{name}" for code, name in enumerate(EVENT_TYPES, 1))
WORKFORCE_STAGES = ("opening", "level_quota", "people", "hired", "roster")
PERSON_STAGES = (
    "draws", "person", "promotion_candidate", "hazard_of_person", "career", "enrollment", "escalation", "pay_days",
    "plan_days", "money", "person_year",
)  # fmt: skip
assert all((RULES / f"{family}.sql").exists() for family in FAMILIES)


@dataclass
class Branches:
    """Which way was gone where a switch decides, noted there; a branch that looks at no switch leaves its mark all the same.

    on, off: switches by whose path, or by whose absence's path, at least one branch went.
    """

    on: set[str] = field(default_factory=set)
    off: set[str] = field(default_factory=set)

    @property
    def taken(self) -> frozenset[str]:
        """Switches that every branch went by."""
        return frozenset(self.on - self.off)

    @property
    def mixed(self) -> tuple[str, ...]:
        """What a proof says of switches that were followed in one place and not in another."""
        return tuple(f"{switch}: taken at some branches only" for switch in sorted(self.on & self.off))


@dataclass(frozen=True)
class Plan:
    """How the statements of a year are laid out: the switches asked for, shards, and threads for them; and how it was done.

    branches: which ways were gone, filled as the statements run.
    """

    switches: frozenset[str]
    shards: int
    threads: int
    branches: Branches = field(default_factory=Branches, compare=False)

    @property
    def tuned_io(self) -> bool:
        return "tuned_io" in self.switches

    def stage_rule(self, stage: str, year_index: int) -> str:
        """The statement of a stage; two of them have alternatives."""
        on, off = self.branches.on, self.branches.off
        if stage == "opening":
            if not year_index:
                return rule("year/opening_census")
            if "incremental_state" in self.switches:
                on.add("incremental_state")
                return rule("year/opening_carried")
            off.add("incremental_state")
            return rule("year/opening_folded")
        if stage == "hazard_of_person":
            if "hazard_cache" in self.switches:
                on.add("hazard_cache")
                return rule("year/hazard_cached")
            off.add("hazard_cache")
            return rule("year/hazard_inline")
        return rule(f"year/{stage}")


@dataclass(frozen=True)
class YearTables:
    """Where a year's rows are: for each of `person_year` and `event_row`, the query that yields it."""

    relations: Mapping[str, str]
    shard_rows: tuple[int, ...]


def build_year(session: Session, plan: Plan, year_index: int) -> YearTables:
    """Build everyone's year in `person_year` and the event families' rows in `event_row`."""
    if plan.shards == 1:
        _build_stages(session, plan, year_index, WORKFORCE_STAGES + PERSON_STAGES, "person_year", shard=0)
        relations = _build_families(session, plan, suffix="")
        return YearTables(relations, (_count(session, "person_year"),))
    _build_stages(session, plan, year_index, WORKFORCE_STAGES, "roster", shard=0)

    def build_shard(shard: int) -> tuple[Mapping[str, str], int]:
        with session.beside() as cursor:
            suffix = f"_{shard}"
            _build_stages(cursor, plan, year_index, PERSON_STAGES, f"person_year{suffix}", shard, suffix)
            return _build_families(cursor, plan, suffix), _count(cursor, f"person_year{suffix}")

    with ThreadPoolExecutor(max_workers=min(plan.shards, plan.threads)) as pool:
        parts = list(pool.map(build_shard, range(plan.shards)))
    united = {
        "person_year": _union(f"FROM person_year_{shard}" for shard in range(plan.shards)),
        "event_row": _union(part["event_row"] for part, _ in parts),
    }
    return YearTables(united, tuple(rows for _, rows in parts))


def _build_stages(
    session: Session, plan: Plan, year_index: int, stages: tuple[str, ...], target: str, shard: int, suffix: str = ""
) -> None:
    """Run the stages into table `target`: as one statement, or one table a stage, its name with `suffix`."""
    values = {"year_index": year_index, "shards": plan.shards, "shard": shard}
    queries = {stage: plan.stage_rule(stage, year_index) for stage in stages}
    last = stages[-1]
    if plan.tuned_io:
        plan.branches.on.add("tuned_io")
        body = queries.pop(last)
        session.fill(target, compose(queries, body), values)
        return
    plan.branches.off.add("tuned_io")
    for stage, query in queries.items():
        name = target if stage == last else f"{stage}{suffix}"
        session.fill(name, _suffixed(query, stages, suffix), values)


def _suffixed(query: str, names: Iterable[str], suffix: str) -> str:
    """The query reading the tables NAME + suffix under their plain names."""
    if not suffix:
        return query
    used = {name: f"FROM {name}{suffix}" for name in names if re.search(rf"(FROM|JOIN) {name}\b", query)}
    return compose(used, query)


def _build_families(session: Session, plan: Plan, suffix: str) -> Mapping[str, str]:
    """Make the families' rows from table `person_year` + suffix; returns the queries that yield them."""
    families = [rule(family) for family in FAMILIES]
    if "fused_events" in plan.switches and plan.tuned_io and not suffix:
        # nothing to unite and nothing to keep: the rows are made in the statement that reads them
        plan.branches.on.add("fused_events")
        return {"event_row": _union(families)}
    table = f"event_row{suffix}"
    if "fused_events" in plan.switches:
        plan.branches.on.add("fused_events")
        session.fill(table, _suffixed(_union(families), ["person_year"], suffix))
    else:
        plan.branches.off.add("fused_events")
        first, *others = [_suffixed(family, ["person_year"], suffix) for family in families]
        session.fill(table, first)
        for query in others:
            session.run(f"INSERT INTO {table}\n{query}")
    return {"event_row": f"FROM {table}"}


def _union(queries: Iterable[str]) -> str:
    return "\nUNION ALL\n".join(queries)


def _count(session: Session, table: str) -> int:
    return int(session.rows(f"SELECT count(*) FROM {table}")[0][0])


def statement(tables: YearTables, name: str, used: Iterable[str]) -> str:
    """rules/NAME.sql over the year's rows."""
    relations = {relation: tables.relations[relation] for relation in used if relation in tables.relations}
    return compose(relations, rule(name))
