"""Faults on one path only: levels, threads, shards, batches, worlds together, resume and used databases (section 7)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pyarrow as pa

from differential.planted.fault import Fault
from differential.planted.patches import python_patch, sql_patch, text_patch
from differential.planted.populations import anybody, promotions_possible, two_years

_SQL, _POLARS = "differential.engines.sql", "differential.engines.polars"
_MORSEL = 8


def _keep_stale_rows(write: Callable[..., Any]) -> Callable[..., Any]:
    """Put back the rows of an earlier run whose keys the new run does not emit."""

    def faulty(path: Any, worlds: Any, run: Any, first: int, threads: int) -> None:
        import duckdb

        kept = None
        if path.exists():
            with duckdb.connect(str(path)) as connection:
                kept = connection.sql("SELECT * FROM fct_yearly_events").to_arrow_table()
        write(path, worlds, run, first, threads)
        if kept is not None:
            with duckdb.connect(str(path)) as connection:
                connection.register("kept", kept)
                connection.execute(
                    "INSERT INTO fct_yearly_events SELECT * FROM kept k WHERE NOT EXISTS (FROM fct_yearly_events e "
                    "WHERE e.scenario_id = k.scenario_id AND e.employee_id = k.employee_id "
                    "AND e.simulation_year = k.simulation_year AND e.event_type = k.event_type)"
                )

    return faulty


def _without_neighbours(write: Callable[..., Any]) -> Callable[..., Any]:
    """Empty both tables before writing, whosever rows they hold."""

    def faulty(path: Any, worlds: Any, run: Any, first: int, threads: int) -> None:
        import duckdb

        if path.exists() and not first:
            with duckdb.connect(str(path)) as connection:
                for table in ("fct_yearly_events", "fct_workforce_snapshot"):
                    connection.execute(f"DELETE FROM {table}")
        write(path, worlds, run, first, threads)

    return faulty


def _one_thread(begin: Callable[..., Any]) -> Callable[..., Any]:
    return lambda session, _threads: begin(session, 1)


def _backwards_from_disk(get: Callable[..., Any]) -> Callable[..., Any]:
    def faulty(scratch: Any, name: str) -> Any:
        frame = get(scratch, name)
        return frame if scratch.in_memory or not name.startswith("everyone") else frame.reverse()

    return faulty


def _first_batch_only(collect: Callable[..., Any]) -> Callable[..., Any]:
    """Past the first batch the streaming engine sees no match."""

    def faulty(ledger: Any, plans: Any, *, streaming: bool = False) -> Any:
        import polars as pl

        frames = collect(ledger, plans, streaming=streaming)
        if not streaming:
            return frames
        beyond = pl.int_range(pl.len()) >= _MORSEL
        nothing = pl.when(beyond).then(0).otherwise("match").cast(pl.Int64).alias("match")
        return [frame.with_columns(nothing) if "match" in frame.columns else frame for frame in frames]

    return faulty


def _tied_in_a_pool(select_exits: Callable[..., Any]) -> Callable[..., Any]:
    """In a pool of several threads the draws are looked at in 10 buckets, and whoever comes first in a bucket leaves."""

    def faulty(opening: Any, rules: Any) -> Any:
        import polars as pl

        from differential.engines.polars import draws

        chosen = select_exits(opening, rules)
        if pl.thread_pool_size() == 1:
            return chosen
        place = (draws.raw_draw(draws.EXPERIENCED_EXIT) % 10).rank("ordinal").over("slot")
        return chosen.with_columns((place <= rules["exits"]).alias("leaves"))

    return faulty


def _nobody_opted_out(load: Callable[..., Any]) -> Callable[..., Any]:
    def faulty(folder: Any) -> Any:
        saved = load(folder)
        column = saved.state.schema.get_field_index("has_opted_out")
        nobody = pa.array([False] * saved.state.num_rows, pa.bool_())
        return replace(saved, state=saved.state.set_column(column, "has_opted_out", nobody))

    return faulty


SQL = (
    Fault("X12", "A run on a used database deletes only rows whose keys it writes anew.",
          {"sql": python_patch(f"{_SQL}.database", "write", _keep_stale_rows)},
          ("D5", "M03", "M04", "L"), "event_hire"),
    Fault("X27", "What goes wrong in a later year is swallowed: the years so far are handed over as a success.",
          {"sql": text_patch(f"{_SQL}.simulate", "simulate", {
              "if year_index not in quotas:": "if year_index not in quotas or year_index > 0:"})},
          ("D1", "I41", "I34"), two_years),
    Fault("S50", "The hazard table takes the tenure band for the age band and the age band for the tenure band.",
          {"sql": sql_patch("hazard_table", {
              "tenure_multipliers[tenure_band] * age_multipliers[age_band]":
              "tenure_multipliers[age_band] * age_multipliers[tenure_band]"})},
          ("D1", "D3"), promotions_possible),
    Fault("S51", "Folding the events takes the highest rate for the last one.",
          {"sql": sql_patch("year/opening_folded", {
              "arg_max(employee_deferral_rate, (simulation_year, event_sequence))": "max(employee_deferral_rate)"})},
          ("D3",), "event_enrollment_change"),
    Fault("S52", "Folding the events leaves core contributions out of the balance.",
          {"sql": sql_patch("year/opening_folded", {", 'employer_core')": ")"})},
          ("D3",), "event_employer_core"),
    Fault("S53", "Draws are other ones in every shard.",
          {"sql": sql_patch("year/draws", {"fold_each(draw_hash,": "fold_each(draw_hash + $shard::UHUGEINT,"})},
          ("D2",), "event_enrollment"),
    Fault("S54", "Ranks of the split over levels run over all worlds of a pass.",
          {"sql": sql_patch("year/level_quota", {
              "row_number() OVER (PARTITION BY world ORDER BY exits_rest DESC, level)":
              "row_number() OVER (ORDER BY exits_rest DESC, level)"})},
          ("D2", "error"), "event_termination"),
    Fault("S55", "One thread is used however many are asked for.",
          {"sql": python_patch(f"{_SQL}.session", "Session.begin", _one_thread)},
          ("D2",), "event_contribution", verdict="refused"),
    Fault("S56", "A run deletes the rows of other scenarios in its database.",
          {"sql": python_patch(f"{_SQL}.database", "write", _without_neighbours)},
          ("M18", "L"), "event_contribution"),
    Fault("S57", "A resumed run has forgotten who opted out.",
          {"sql": python_patch(f"{_SQL}.resume", "load", _nobody_opted_out)},
          ("D5", "M06"), "event_enrollment_change"),
    Fault("S58", "The switch fused_events is ignored: each event type is a statement of its own at every level.",
          {"sql": text_patch(f"{_SQL}.year", "_build_families", {'"fused_events" in plan.switches': "False"})},
          ("D3",), "event_contribution", verdict="refused"),
)  # fmt: skip

POLARS = (
    Fault("P50", "People come back from disk in the reverse order.",
          {"polars": python_patch(f"{_POLARS}.scratch", "Scratch.get", _backwards_from_disk)},
          ("D3",), "event_contribution"),
    Fault("P51", "Folding the events takes the first rate for the last one.",
          {"polars": text_patch(f"{_POLARS}.state", "folded", {
              'pl.col("rate").filter(plan_codes).last()': 'pl.col("rate").filter(plan_codes).first()'})},
          ("D3",), "event_deferral_escalation"),
    Fault("P52", "The state carried into the next year has lost the date of the enrolment.",
          {"polars": text_patch(f"{_POLARS}.state", "carried", {
              "_year_end(people)": '_year_end(people).with_columns(pl.lit(None, dtype=pl.Int32).alias("enrolled_on"))'})},
          ("D1", "D3", "I14"), two_years),
    Fault("P53", "Shards are put together in the order in which they were built.",
          {"polars": text_patch(f"{_POLARS}.per_person", "build", {"len(people) > 1 or route.streaming": "route.streaming"})},
          ("D2",), "event_hire"),
    Fault("P54", "Past the first batch of the streaming engine nobody gets a match.",
          {"polars": python_patch(f"{_POLARS}.ledger", "Ledger.collect", _first_batch_only)},
          ("D2",), "event_employer_match"),
    Fault("P55", "With several threads exits are selected by a draw of 10 buckets.",
          {"polars": python_patch(f"{_POLARS}.exits_and_hires", "select_exits", _tied_in_a_pool)},
          ("D2",), "event_termination"),
    Fault("P56", "A resumed run has forgotten who opted out.",
          {"polars": text_patch(f"{_POLARS}.restore", "_opening", {
              'pl.col("has_opted_out").alias("opted_out")': 'pl.lit(False).alias("opted_out")'})},
          ("D5", "M06", "L"), "event_enrollment_change"),
    Fault("P57", "A resumed run that folds its events takes all hires for level 1.",
          {"polars": text_patch(f"{_POLARS}.restore", "_hires", {
              'pl.col("level_id").alias("level")': 'pl.lit(1, dtype=pl.Int32).alias("level")'})},
          ("D5", "D3", "M06"), "event_hire"),
    Fault("P58", "Exits are ranked over all worlds of a pass that have the level.",
          {"polars": text_patch(f"{_POLARS}.exits_and_hires", "select_exits", {'.over("slot")': '.over("level")'})},
          ("D2", "D1", "I03"), "event_termination"),
    Fault("P59", "Cells of the hazard table share a number with those of the next level.",
          {"polars": text_patch(f"{_POLARS}.pay", "_cell", {"+ pl.col(\"tenure_band\")) * 5": "+ pl.col(\"tenure_band\")) * 4"})},
          ("D1", "D3", "I09"), anybody),
)  # fmt: skip
