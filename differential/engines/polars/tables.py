"""The output tables, in canonical order and exact types. Source: docs/simulation.md, section 6."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from differential.engines.polars import families
from differential.engines.polars.arrow import decimals, looked_up, plain, strings, uuids
from differential.engines.polars.draws import fold, u64
from differential.engines.polars.texts import hire_text, promotion_text
from differential.schemas import EVENT_TYPES, EVENTS_SCHEMA, MONEY, RATE, STATE_SCHEMA
from fixtures.world import World

_ROWS_A_CHUNK = 1 << 21
"""Bounds the working set, and keeps the text of one chunk far below the 2 GiB of an Arrow string array."""
_HIGH_MASK, _VERSION = 0xFFFFFFFFFFFF0FFF, 0x8000
_LOW_MASK, _VARIANT = 0x3FFFFFFFFFFFFFFF, 0x8000000000000000
_STATUS = pa.array(["continuous_active", "experienced_termination", "new_hire_active", "new_hire_termination"])
_EMPLOYMENT = pa.array(["active", "terminated"])
_TYPES = pa.array(EVENT_TYPES)


@dataclass(frozen=True)
class Year:
    """One year's outcome. people: PEOPLE_COLUMNS by `row`. events: in sequence. state: by `row`. texts: by number."""

    offset: int
    people: pl.DataFrame
    events: pl.DataFrame
    state: pl.DataFrame
    texts: list[str]


PEOPLE_COLUMNS = ("world", "employee_id", "employee_ssn", "event_key", "birth", "hire")


def render(worlds: Sequence[World], years: Sequence[Year]) -> tuple[pa.Table, pa.Table, tuple[tuple[int, int], ...]]:
    """Events, state, and their rows per world, world by world and year by year."""
    if not years:
        return EVENTS_SCHEMA.empty_table(), STATE_SCHEMA.empty_table(), tuple((0, 0) for _ in worlds)
    people = pl.concat([year.people for year in years])
    sizes = np.array([year.people.height for year in years], np.int64)
    starts = np.cumsum(sizes) - sizes
    columns = _People(worlds, people, np.repeat([year.offset for year in years], sizes))
    events = _canonical(_located([year.events for year in years], starts), columns)
    state = _canonical(_located([year.state for year in years], starts), columns)
    texts = _Texts(years)
    bounds = zip(_per_world(events, columns, len(worlds)), _per_world(state, columns, len(worlds)), strict=True)
    return (
        _chunked(events, lambda part: _event_table(part, columns, texts), EVENTS_SCHEMA),
        _chunked(state, lambda part: _state_table(part, columns), STATE_SCHEMA),
        tuple((int(event), int(row)) for event, row in bounds),
    )


class _People:
    """Facts of the person-years behind the rows, as arrays to look up by person-year."""

    def __init__(self, worlds: Sequence[World], people: pl.DataFrame, offset: npt.NDArray[np.int64]) -> None:
        starts = np.array([world.scenario.start_year for world in worlds], np.int32)
        self.world = people["world"].to_numpy()
        self.offset = offset
        self.year = starts[self.world] + offset.astype(np.int32)
        # Text columns cross once per person-year, not once per event.
        self.ids, self.ssns = strings(people["employee_id"]), strings(people["employee_ssn"])
        self.scenarios = pa.array([world.scenario.scenario_id for world in worlds], pa.string())
        self.plans = pa.array([world.scenario.plan_design_id for world in worlds], pa.string())
        self.birth, self.hire = people["birth"].to_numpy(), people["hire"].to_numpy()
        keys = people.select("event_key", pl.Series("year", self.year.astype(np.uint64)))
        self.year_key = keys.select(fold(pl.col("event_key"), pl.col("year"))).to_series()

    def identity(self, rows: npt.NDArray[np.int64]) -> list[pa.Array]:
        """scenario_id, plan_design_id, employee_id, employee_ssn of these person-years."""
        world = self.world[rows]
        return [
            looked_up(world, self.scenarios), looked_up(world, self.plans), looked_up(rows, self.ids), looked_up(rows, self.ssns)
        ]  # fmt: skip


class _Texts:
    """The texts that rows carry by number, of all years under each other."""

    def __init__(self, years: Sequence[Year]) -> None:
        sizes = np.array([len(year.texts) for year in years], np.int64)
        self.start = np.zeros(max(year.offset for year in years) + 1, np.int64)
        self.start[[year.offset for year in years]] = np.cumsum(sizes) - sizes
        self.texts = pa.array([text for year in years for text in year.texts], pa.string())

    def payloads(self, part: pl.DataFrame, columns: _People) -> pa.Array:
        """The payload of each event: its numbered text, or one made of its own values for hires and promotions."""
        code, rows, detail = (part[name].to_numpy() for name in ("code", "person", "detail"))
        index = self.start[columns.offset[rows]] + detail
        own = [self.texts]
        count = len(self.texts)
        for kind in (families.HIRE, families.PROMOTION):
            places = np.flatnonzero(code == kind)
            index[places] = count + np.arange(len(places))
            count += len(places)
            own.append(strings(self._own(part[places], columns.birth[rows[places]], kind)))
        return looked_up(index, pa.concat_arrays(own))

    @staticmethod
    def _own(events: pl.DataFrame, birth: npt.NDArray[np.int32], kind: int) -> pl.Series:
        if kind == families.HIRE:
            return (
                events.with_columns(pl.Series("birth", birth))
                .select(hire_text("amount", "birth", "detail"))
                .to_series()
            )
        return events.select(promotion_text("level", "detail")).to_series()


def _located(frames: list[pl.DataFrame], starts: npt.NDArray[np.int64]) -> pl.DataFrame:
    """The frames of all years with `person`, the place of their person-year."""
    return pl.concat(
        frame.with_columns((pl.col("row").cast(pl.Int64) + int(start)).alias("person"))
        for frame, start in zip(frames, starts, strict=True)
    )


def _canonical(rows: pl.DataFrame, columns: _People) -> pl.DataFrame:
    """World by world; the rows come year by year, and inside a year in order, which a stable sort keeps."""
    if not rows.height or columns.world.min() == columns.world.max():
        return rows
    return rows[np.argsort(columns.world[rows["person"].to_numpy()], kind="stable")]


def _per_world(rows: pl.DataFrame, columns: _People, worlds: int) -> npt.NDArray[np.int64]:
    return np.bincount(columns.world[rows["person"].to_numpy()], minlength=worlds)


def _chunked(rows: pl.DataFrame, table: Callable[[pl.DataFrame], pa.Table], schema: pa.Schema) -> pa.Table:
    parts = [table(rows.slice(start, _ROWS_A_CHUNK)) for start in range(0, rows.height, _ROWS_A_CHUNK)]
    return pa.concat_tables(parts) if parts else schema.empty_table()


def _event_table(part: pl.DataFrame, columns: _People, texts: _Texts) -> pa.Table:
    rows = part["person"].to_numpy()
    types = part["code"].to_numpy() - np.uint8(1)
    arrays = [
        _event_ids(part, columns.year_key),
        *columns.identity(rows),
        looked_up(types, _TYPES),
        pa.array(columns.year[rows]),
        plain(part["day"].cast(pl.Date), pa.date32()),
        plain(part["sequence"], pa.int32()),
        texts.payloads(part, columns),
        decimals(part["amount"], MONEY),
        decimals(part["previous"], MONEY),
        decimals(part["rate"], RATE),
        decimals(part["previous_rate"], RATE),
        plain(part["level"], pa.int32()),
        plain(part["age"], pa.int32()),
        plain(part["tenure"], pa.int32()),
    ]
    return pa.Table.from_arrays(arrays, schema=EVENTS_SCHEMA)


def _event_ids(part: pl.DataFrame, year_key: pl.Series) -> pa.Array:
    words = (
        part.select("code").with_columns(year_key.gather(part["person"]).alias("year_key"))
        .select(fold(pl.col("year_key"), pl.col("code").cast(pl.UInt64)).alias("high"))
        .with_columns(fold(pl.col("high"), u64(0)).alias("low"))
        .select(
            (pl.col("high") & u64(_HIGH_MASK)) | u64(_VERSION),
            (pl.col("low") & u64(_LOW_MASK)) | u64(_VARIANT),
        )
    )  # fmt: skip
    return uuids(words["high"].to_numpy(), words["low"].to_numpy())


def _state_table(part: pl.DataFrame, columns: _People) -> pa.Table:
    rows = part["person"].to_numpy()
    left = part["end"].is_not_null().to_numpy()
    status = left + 2 * part["is_hire"].to_numpy().astype(np.int64)
    day = pa.date32()
    scenario, plan, employee, ssn = columns.identity(rows)
    arrays = [
        scenario, plan, employee, ssn,
        pa.array(columns.birth[rows]).cast(day),
        pa.array(columns.year[rows]),
        pa.array(~left),
        pa.array(columns.hire[rows]).cast(day),
        plain(part["end"].cast(pl.Date), day),
        looked_up(left.astype(np.int64), _EMPLOYMENT),
        looked_up(status, _STATUS),
        plain(part["level"], pa.int32()),
        decimals(part["pay"], MONEY),
        decimals(part["prorated"], MONEY),
        plain(part["age"], pa.int32()),
        plain(part["tenure"], pa.int32()),
        plain(part["eligible_on"].is_not_null(), pa.bool_()),
        plain(part["eligible_on"].cast(pl.Date), day),
        plain(part["enrolled"], pa.bool_()),
        decimals(part["rate"], RATE),
        plain(part["enrolled_on"].cast(pl.Date), day),
        plain(part["opted_out"], pa.bool_()),
        decimals(part["contribution"], MONEY),
        decimals(part["match"], MONEY),
        decimals(part["core"], MONEY),
        decimals(part["balance"], MONEY),
    ]  # fmt: skip
    return pa.Table.from_arrays(arrays, schema=STATE_SCHEMA)
