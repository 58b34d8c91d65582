"""The years of many worlds, one after another. Source: docs/simulation.md, section 5; switches: section 7."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from differential.engines.polars import state
from differential.engines.polars.exits_and_hires import headcounts, make_hires, select_exits, unite
from differential.engines.polars.ledger import Ledger, Route
from differential.engines.polars.parameters import Parameters, Rules
from differential.engines.polars.pay import hazard_table
from differential.engines.polars.people import FACTS, STATE, first_opening, ignored_hires, stack
from differential.engines.polars.per_person import build
from differential.engines.polars.quotas import Plan, plan_quotas, split_by_level
from differential.engines.polars.scratch import Scratch
from differential.engines.polars.tables import PEOPLE_COLUMNS, Year
from differential.engines.polars.texts import year_texts
from fixtures.world import World

HISTORY = ("order", "offset", "sequence", "code", "day", "amount", "rate", "level")


@dataclass(frozen=True)
class Saved:
    """What a run goes on from: everyone's opening set, or (not incremental) the roster and the history to fold."""

    opening: pl.DataFrame | None = None
    roster: pl.DataFrame | None = None
    history: pl.DataFrame | None = None


class Simulation:
    """Worlds under way. `plan` is made first, from the censuses alone; `years` then makes the rows."""

    def __init__(self, worlds: Sequence[World], route: Route, ledger: Ledger) -> None:
        self.worlds, self.route, self.ledger = worlds, route, ledger
        self.parameters = Parameters(worlds)
        census = stack(worlds)
        first = self.parameters.rules(0)
        self.ignored_hires = ignored_hires(census, first)
        self.opening = first_opening(census, first)
        self.plan = self._plan()
        if self.plan.infeasible:
            self.opening = self.opening.filter(~pl.col("world").is_in(list(self.plan.infeasible)))
        self.parameters.restrict(self.plan.running)

    def _plan(self) -> Plan:
        world = self.parameters.world
        counts = np.bincount(self.opening["world"].to_numpy(), minlength=len(self.worlds))
        return plan_quotas(
            counts,
            growth=world["target_growth_rate"],
            exit_rate=world["total_termination_rate"],
            new_hire_rate=world["new_hire_termination_rate"],
            start=self.parameters.start,
            years=self.parameters.years,
        )

    def years(self, first: int, last: int, scratch: Scratch, saved: Saved | None = None) -> list[Year]:
        """The years first..last - 1 by offset, or up to the last of any world."""
        end = min(last, len(self.plan.running))
        opening, hazards = self._enter(saved, scratch), self._hazards()
        names: list[int] = []
        for offset in range(first, end):
            if not self.plan.running[offset].any():
                break
            begin = time.perf_counter()
            if offset > first and not self.route.has("incremental_state"):
                opening = self._fold(scratch, names)
            running = np.flatnonzero(self.plan.running[offset])
            if len(running) < len(self.worlds):
                opening = opening.filter(pl.col("world").is_in(running))
            opening = self._year(offset, opening, hazards, scratch)
            self.ledger.year_seconds.append(time.perf_counter() - begin)
            names.append(offset)
        if not names:
            self.ledger.taken.update(self.route.switches)  # with no year to make, every path is taken to its end
        return [self._outcome(offset, scratch) for offset in names]

    def _enter(self, saved: Saved | None, scratch: Scratch) -> pl.DataFrame:
        incremental = self.route.has("incremental_state")
        self.ledger.taken.update({"incremental_state"} if incremental else ())
        self.ledger.taken.update({"tuned_io"} if scratch.in_memory else ())
        if saved is None:
            if not incremental:
                scratch.put("roster", self.opening)
            return self.opening
        if incremental:
            assert saved.opening is not None
            return saved.opening
        assert saved.roster is not None
        assert saved.history is not None
        scratch.put("roster", saved.roster)
        scratch.put("history", saved.history)
        return self._fold(scratch, [])

    def _hazards(self) -> pl.DataFrame | None:
        if not self.route.has("hazard_cache"):
            return None
        self.ledger.taken.add("hazard_cache")
        return hazard_table(self.parameters.rules(0), len(self.worlds))

    def _year(self, offset: int, opening: pl.DataFrame, hazards: pl.DataFrame | None, scratch: Scratch) -> pl.DataFrame:
        """Make one year: its people, events and state go to `scratch`; returns the next opening set."""
        timed, incremental = self.ledger.timed, self.route.has("incremental_state")
        with timed("event_generation"):
            rules, everyone = self._everyone(offset, scratch.keep(f"opening_{offset}", opening))
            everyone = scratch.keep(f"everyone_{offset}", everyone)
            people, events = build(everyone, rules, self.parameters, hazards, self.route, self.ledger)
            people = scratch.keep(f"outcome_{offset}", people)
            scratch.put(f"events_{offset}", events)
        with timed("state"):
            plans = [state.state_rows(people.lazy(), rules)] + ([state.carried(people.lazy())] if incremental else [])
            rows, *following = self.ledger.collect(plans)
            scratch.put(f"people_{offset}", people.select(PEOPLE_COLUMNS))
            scratch.put(f"state_{offset}", rows)
            if not incremental:
                scratch.put(f"entered_{offset}", everyone.filter(pl.col("number").is_not_null()).select(*FACTS, *STATE))
                scratch.put(f"history_{offset}", self._history(offset, events, people))
        for name in ("opening", "everyone", "outcome"):
            scratch.drop(f"{name}_{offset}")
        self.ledger.rows.update({"events": events.height, "state": rows.height, "opening": opening.height})
        return following[0] if incremental else opening

    def _everyone(self, offset: int, opening: pl.DataFrame) -> tuple[Rules, pl.DataFrame]:
        """The opening set with those who leave chosen, and the hires, all in order."""
        plan, levels = self.plan, self.parameters.levels
        counts = headcounts(opening, len(self.worlds), levels)
        hires = split_by_level(plan.hires[offset], counts)
        quotas = {
            "exits": split_by_level(plan.exits[offset], counts),
            "new_hire_exits": np.repeat(plan.new_hire_exits[offset], levels).reshape(-1, levels),
        }
        rules = self.parameters.rules(offset, quotas)
        made = make_hires(hires, self.parameters, rules) if hires.any() else None
        (everyone,) = self.ledger.collect([unite(select_exits(opening, rules), made, rules)])
        self.ledger.rows.update({"hires": everyone.height - opening.height})
        return rules, everyone

    def _history(self, offset: int, events: pl.DataFrame, people: pl.DataFrame) -> pl.DataFrame:
        order = people["order"].gather(events["row"])
        return events.with_columns(order, pl.lit(offset, dtype=pl.Int32).alias("offset")).select(HISTORY)

    def _fold(self, scratch: Scratch, offsets: Sequence[int]) -> pl.DataFrame:
        """The opening set of the year after `offsets`, from the census and all events so far."""
        with self.ledger.timed("state"):
            before = scratch.scan(["roster", *(f"entered_{offset}" for offset in offsets)])
            names = [f"history_{offset}" for offset in offsets]
            history = scratch.scan((["history"] if scratch.has("history") else []) + names)
            return self.ledger.collect([state.folded(before, history).sort("order")])[0]

    def _outcome(self, offset: int, scratch: Scratch) -> Year:
        people, events, rows = (scratch.get(f"{name}_{offset}") for name in ("people", "events", "state"))
        scenarios = [world.scenario for world in self.worlds]
        texts = year_texts(scenarios, self.parameters.levels, offset, self.plan.running[offset])
        return Year(offset, people, events, rows, texts)
