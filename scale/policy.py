"""The thresholds of the sweep, the comparison and the gate: policy.yaml, and what a user's file changes in it.

Values are attributes (`policy.linear.r2_minimum`), reasons are asked for by key (`policy.reason("linear.r2_minimum")`). A file
gives `{value, reason}` for each key; a user's file gives only what differs. Fractions are of 1, GB is 10^9 and MB 10^6 bytes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from fixtures.strict_yaml import load_yaml
from scale.status import UsageError

GB = 10**9
"""Bytes in the policy's GB."""
MB = 10**6
"""Bytes in the policy's MB."""
DEFAULT_FILE = Path(__file__).with_name("policy.yaml")

_Fraction = Annotated[float, Field(gt=0, lt=1)]
_Score = Annotated[float, Field(ge=0, le=1)]
_Positive = Annotated[float, Field(gt=0)]
_Number = Annotated[float, Field(ge=0)]
_Ratio = Annotated[float, Field(gt=1)]
_Scalar = str | int | float | bool


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class Sufficiency(_Section):
    """What has to be measured before anything can pass. The lower limits are those below which the statistics do not exist."""

    sizes_minimum: Annotated[int, Field(ge=4)]
    runs_minimum: Annotated[int, Field(ge=3)]
    size_ratio_minimum: _Ratio
    year_ratio_minimum: _Ratio
    overhead_ratio_minimum: _Ratio
    extra_rounds_when_inconclusive: Annotated[int, Field(ge=0)]


class Linear(_Section):
    """Straight line over sizes."""

    r2_minimum: _Fraction
    r2_excellent: _Fraction
    r2_good: _Fraction
    r2_acceptable: _Fraction
    p_value_below: _Fraction
    slope_above: _Number
    level: _Fraction

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if not self.r2_acceptable <= self.r2_good <= self.r2_excellent:
            raise ValueError("r2_acceptable, r2_good and r2_excellent have to rise in this order")
        return self


class Power(_Section):
    """Exponent p of a + b n^p."""

    upper_end_at_most: _Positive
    lower_end_above: _Positive
    level: _Fraction
    resamples: Annotated[int, Field(ge=200)]


class Models(_Section):
    """Ranking of growth models."""

    difference_indistinguishable: _Positive


class Memory(_Section):
    """Memory of the process tree."""

    peak_below_gb: _Positive
    peak_at_most_gb_at_50000: _Positive
    growth_below_gb_per_1000: _Positive
    cv_below: _Fraction
    baseline_ratio_at_most: Annotated[float, Field(ge=1)]
    leak_warm_up_runs: Annotated[int, Field(ge=0)]
    leak_runs_minimum: Annotated[int, Field(ge=6)]
    leak_runs: Annotated[int, Field(ge=6)]
    leak_limit_mb_per_run: _Positive
    leak_p_value_below: _Fraction


class Time(_Section):
    """Wall time."""

    cv_below: _Fraction


class Threads(_Section):
    """Efficiency: speed-up over threads."""

    efficiency_minimum: _Fraction
    efficiency_target: _Fraction

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.efficiency_target < self.efficiency_minimum:
            raise ValueError("efficiency_target has to be at least efficiency_minimum")
        return self


class Regression(_Section):
    """Base against candidate."""

    pairs_initial: Annotated[int, Field(ge=5)]
    screening_difference_above: _Fraction
    pairs_confirmation: Annotated[int, Field(ge=5)]
    pairs_confirmation_most: Annotated[int, Field(ge=5)]
    p_value_below: _Fraction
    median_difference_above: _Fraction
    geometric_mean_above: _Fraction

    @model_validator(mode="after")
    def _screening(self) -> Self:
        if self.screening_difference_above > self.median_difference_above:
            raise ValueError(
                "screening_difference_above has to be at most median_difference_above, or slower cells slip through"
            )
        return self


class Monitor(_Section):
    """The cost of watching."""

    overhead_at_most: _Fraction


class Beside(_Section):
    """Targets that are shown and never decide."""

    high_over_legacy_target: _Positive
    polars_over_sql_events_target: _Positive


class Parity(_Section):
    """Least scores of the comparison's parity tests."""

    sql_vs_polars: _Score
    library_versions: _Score
    threads: _Score
    several_years: _Score
    same_seed: _Score
    levels: _Score
    legacy: _Score
    shards: _Score
    batch: _Score
    oracle: _Score


class Bounds(_Section):
    """S1 to S5 of docs/checks.md; S3 is memory.baseline_ratio_at_most."""

    s1_exponent_at_most: _Positive
    s1_size_ratio_minimum: _Ratio
    s2_growth_per_year_at_most: _Number
    s4_growth_per_year_at_most: _Number
    s5_extra_statements_per_year_at_most: Annotated[int, Field(ge=0)]


class History(_Section):
    """Nightly medians."""

    nights_minimum: Annotated[int, Field(ge=8)]
    trend_nights: Annotated[int, Field(ge=8)]
    trend_change_above: _Fraction
    trend_p_value_below: _Fraction
    segment_minimum: Annotated[int, Field(ge=3)]
    change_p_value_below: _Fraction
    change_above: _Fraction
    permutations: Annotated[int, Field(ge=199)]

    @model_validator(mode="after")
    def _reachable(self) -> Self:
        if self.change_p_value_below <= 1 / (self.permutations + 1):
            raise ValueError("permutations are too few: no p-value below change_p_value_below could ever be found")
        if self.nights_minimum < 2 * self.segment_minimum:
            raise ValueError("nights_minimum has to be at least twice segment_minimum")
        return self


class Policy(BaseModel):
    """All thresholds. source: file they come from. changed: keys whose value differs from the default, sorted. reasons: by key."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sufficiency: Sufficiency
    linear: Linear
    power: Power
    models: Models
    memory: Memory
    time: Time
    threads: Threads
    regression: Regression
    monitor: Monitor
    beside: Beside
    parity: Parity
    bounds: Bounds
    history: History
    source: str
    changed: tuple[str, ...]
    reasons: Mapping[str, str]

    @staticmethod
    def load(path: Path | None = None) -> Policy:
        """The default policy, with the keys of `path` in place of its own.

        Raises UsageError that names file and key: an unknown or repeated key, a value of the wrong type or out of range, a reason
        that is missing.
        """
        default = _default()
        if path is None:
            return default
        return _build(str(path), _entries(str(path), load_yaml(path, UsageError)), default)

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the values (reasons and file names aside): equal where two policies decide alike."""
        values = {key: float(value) for key, value in _flat(self)}
        return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()

    def value(self, key: str) -> int | float:
        """The value of a key such as `linear.r2_minimum`. Raises KeyError."""
        return dict(_flat(self))[key]

    def reason(self, key: str) -> str:
        """Why a key such as `linear.r2_minimum` has its value. Raises KeyError."""
        return self.reasons[key]


_SECTIONS: Mapping[str, type[_Section]] = {
    name: field.annotation
    for name, field in Policy.model_fields.items()
    if isinstance(field.annotation, type) and issubclass(field.annotation, _Section)
}


@cache
def _default() -> Policy:
    return _build(str(DEFAULT_FILE), _entries(str(DEFAULT_FILE), load_yaml(DEFAULT_FILE, UsageError)), None)


def _flat(policy: Policy) -> Iterator[tuple[str, int | float]]:
    for name in _SECTIONS:
        for key, value in getattr(policy, name):
            yield f"{name}.{key}", value


def _entries(source: str, data: object) -> dict[str, tuple[_Scalar, str]]:
    """{section.key: (value, reason)} of a file; the form is checked here, types and ranges by the sections."""
    if data is None:
        return {}
    if not isinstance(data, dict):
        raise UsageError(f"{source}: expected sections such as `linear:`, got {data!r:.60}")
    entries = {}
    for section, keys in data.items():
        if section not in _SECTIONS:
            raise UsageError(f"{source}: unknown section {section!r:.60}; known are {', '.join(_SECTIONS)}")
        if not isinstance(keys, dict):
            raise UsageError(f"{source}: {section}: expected keys, each with a value and a reason, got {keys!r:.60}")
        known = _SECTIONS[section].model_fields
        for key, entry in keys.items():
            if key not in known:
                raise UsageError(f"{source}: {section}.{key}: unknown key; known are {', '.join(known)}")
            entries[f"{section}.{key}"] = _entry(f"{source}: {section}.{key}", entry)
    return entries


def _entry(where: str, entry: object) -> tuple[_Scalar, str]:
    if not isinstance(entry, dict) or set(entry) != {"value", "reason"}:
        raise UsageError(f"{where}: expected {{value: ..., reason: ...}} and nothing else, got {entry!r:.60}")
    value, reason = entry["value"], entry["reason"]
    if not isinstance(value, (str, int, float)):
        raise UsageError(f"{where}: expected a number, got {value!r:.60}")
    if not isinstance(reason, str) or not reason.strip():
        raise UsageError(f"{where}: reason: expected a sentence that says why, got {reason!r:.60}")
    return value, reason.strip()


def _build(source: str, entries: Mapping[str, tuple[_Scalar, str]], default: Policy | None) -> Policy:
    values: dict[str, _Scalar] = dict(_flat(default)) if default else {}
    values.update({key: value for key, (value, _) in entries.items()})
    reasons = {**(default.reasons if default else {}), **{key: reason for key, (_, reason) in entries.items()}}
    sections = {name: _section(source, name, values) for name in _SECTIONS}
    changed = [
        key
        for key in entries
        if default and getattr(sections[key.split(".")[0]], key.split(".")[1]) != default.value(key)
    ]
    return Policy.model_validate({**sections, "source": source, "changed": tuple(sorted(changed)), "reasons": reasons})


def _section(source: str, name: str, values: Mapping[str, _Scalar]) -> _Section:
    own = {key.split(".")[1]: value for key, value in values.items() if key.startswith(f"{name}.")}
    try:
        return _SECTIONS[name].model_validate(own)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join([name, *(str(part) for part in first["loc"])])
        given = f", got {first['input']!r:.60}" if first["loc"] and first["type"] != "missing" else ""
        raise UsageError(f"{source}: {key}: {first['msg'].removeprefix('Value error, ')}{given}") from None
