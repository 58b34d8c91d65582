"""Failing worlds of every size for the quality tests: people with the usual edges, scenarios with noise to be taken away."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from fixtures.census import CENSUS_SCHEMA, Census, employee_key
from fixtures.scenario import Scenario
from fixtures.world import World

NOISE: dict[str, Any] = {
    "cola_rate": "0.0125",
    "random_seed": 977,
    "scenario_id": "noise",
    "eligibility": {"waiting_period_days": 60},
    "employer_core": {"contribution_rate": "0.015"},
    "limits": {
        year: {"elective_deferral": 21_000, "catch_up": 6_500, "compensation": 200_000, "annual_additions": 26_000}
        for year in range(2020, 2041)
    },
}
"""Changed keys that most faults do not need."""


def noisy_world(rows: int, seed: int, years: int = 4, **keys: Any) -> World:
    """A world of so many employees under NOISE and `keys`."""
    draw = np.random.default_rng(seed)
    birth = np.datetime64("1955-01-01") + draw.integers(0, 365 * 46, rows)
    hire = np.maximum(np.datetime64("1995-01-01") + draw.integers(0, 365 * 30, rows), birth + 365 * 18)
    hire = np.minimum(hire, np.datetime64("2024-12-31"))
    leap = draw.random(rows) < 0.02
    hire = np.where(leap & (birth < np.datetime64("1998-01-01")), np.datetime64("2020-02-29"), hire)
    at_cutoff = draw.random(rows) < 0.02
    hire = np.where(at_cutoff & (birth < np.datetime64("1998-01-01")), np.datetime64("2019-03-01"), hire)
    leap_born = draw.random(rows) < 0.02
    birth = np.where(leap_born, np.datetime64("2004-02-29"), birth)
    hire = np.where(leap_born, np.datetime64("2023-05-01"), hire)
    pay = np.round(np.exp(draw.normal(11.2, 0.5, rows)) * 100).astype(np.int64)
    pay = np.where(draw.random(rows) < 0.03, 7_500_000_00, pay)
    pay = np.where(draw.random(rows) < 0.1, 6_400_000, pay)
    rate = np.where(draw.random(rows) < 0.4, draw.integers(1, 20, rows) * 100, 0)
    ids = [f"P{n:06}" for n in draw.permutation(rows)]
    twins = np.flatnonzero(draw.random(rows) < 0.05)
    if len(twins) > 1:
        hire[twins[1:]] = np.maximum(hire[twins[:-1]], birth[twins[1:]] + 365 * 15)
        pay[twins[1:]] = pay[twins[:-1]]
    columns = [
        ids, [f"{100 + n // 1_000_000:03}-{n // 10_000 % 100:02}-{n % 10_000:04}" for n in range(rows)],
        np.array([employee_key(one) for one in ids], np.uint64), birth, hire, [None] * rows, pay, rate.astype(np.int32),
    ]  # fmt: skip
    census = Census(
        pa.table([pa.array(c, f.type) for c, f in zip(columns, CENSUS_SCHEMA, strict=True)], schema=CENSUS_SCHEMA)
    )
    return World(census, Scenario.create(end_year=2025 + years - 1, **{**NOISE, **keys}))
