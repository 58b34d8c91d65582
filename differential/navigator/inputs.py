"""What it is given: the census in its 16 columns, and its configuration with our scenario's keys written into it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import yaml

from differential.navigator.settings import MODES, Mode
from differential.variant import Variant, VariantError
from fixtures.scenario import Scenario, ScenarioError, read_yaml_mapping
from fixtures.world import World

FIRST_YEAR, LAST_YEAR = 2025, 2035
"""Its census describes 2024, and its parameter tables end with 2035."""
LEAST_SEED, MOST_SEED = 0, 2**31 - 1
CAPPED_PAY = 345_000.0
"""Its census generator's limit of pensionable pay for 2024."""

_UNUSED = (
    "employee_contribution",
    "pre_tax_contribution",
    "roth_contribution",
    "after_tax_contribution",
    "employer_core_contribution",
    "employer_match_contribution",
)
_AUTO = "enrollment.auto_enrollment"
KEYS: Mapping[str, str] = {
    "target_growth_rate": "simulation.target_growth_rate",
    "total_termination_rate": "workforce.total_termination_rate",
    "new_hire_termination_rate": "workforce.new_hire_termination_rate",
    "auto_enrollment.enabled": f"{_AUTO}.enabled",
    "auto_enrollment.scope": f"{_AUTO}.scope",
    "auto_enrollment.hire_date_cutoff": f"{_AUTO}.hire_date_cutoff",
    "auto_enrollment.default_deferral_rate": f"{_AUTO}.default_deferral_rate",
    "auto_enrollment.opt_out_by_age": f"{_AUTO}.opt_out_rates.by_age",
    "auto_enrollment.opt_out_by_income": f"{_AUTO}.opt_out_rates.by_income",
    "deferral_auto_escalation.enabled": "deferral_auto_escalation.enabled",
    "deferral_auto_escalation.effective_day": "deferral_auto_escalation.effective_day",
    "deferral_auto_escalation.increment_amount": "deferral_auto_escalation.increment_amount",
    "deferral_auto_escalation.maximum_rate": "deferral_auto_escalation.maximum_rate",
    "deferral_auto_escalation.hire_date_cutoff": "deferral_auto_escalation.hire_date_cutoff",
    "deferral_auto_escalation.first_escalation_delay_years": "deferral_auto_escalation.first_escalation_delay_years",
    "employer_core.enabled": "employer_core_contribution.enabled",
    "employer_core.contribution_rate": "employer_core_contribution.contribution_rate",
}
"""Our key to its key, where it has one that its code reads."""
_NAMES = ("scenario_id", "plan_design_id")
_RUN = ("start_year", "end_year", "random_seed")


def write_census(world: World, path: Path) -> None:
    """Its census file: 16 columns, money and rates as doubles; what the simulation does not read is zero or null."""
    t = world.census.table
    pay = pc.divide(t["pay_cents"].cast(pa.float64()), 100.0)
    zero = pa.array([0.0] * t.num_rows)
    columns = {
        "employee_id": t["employee_id"],
        "employee_ssn": t["employee_ssn"],
        "employee_birth_date": t["birth_date"],
        "employee_hire_date": t["hire_date"],
        "employee_termination_date": t["termination_date"],
        "employee_gross_compensation": pay,
        "employee_capped_compensation": pc.min_element_wise(pay, pa.scalar(CAPPED_PAY)),
        "employee_deferral_rate": pc.divide(t["deferral_bp"].cast(pa.float64()), 10_000.0),
        **dict.fromkeys(_UNUSED, zero),
        "eligibility_entry_date": t["hire_date"],
        # one of its modes reads this flag, the other the date: they must agree, or the two start from other people
        "active": pc.is_null(t["termination_date"]),
    }
    pq.write_table(pa.table(columns), path)


def configured(base: Mapping[str, Any], world: World, variant: Variant, mode: Mode, census: Path) -> dict[str, Any]:
    """Its configuration: `base` with census, years, seed, threads and mode overwritten, and those keys of our scenario that are
    not at their defaults. A scenario at its defaults leaves every rule as the base has it.

    Raises:
        ScenarioError: a key that it has no way to express, or a year that its parameter tables lack; the message names it.
        VariantError: a level or an axis that no code there reads.
    """
    _refuse_variant(variant)
    scenario = world.scenario
    if scenario.start_year != FIRST_YEAR or scenario.end_year > LAST_YEAR:
        raise ScenarioError(
            f"years {scenario.start_year}-{scenario.end_year}: planwise_navigator starts in {FIRST_YEAR}, from a census of the "
            f"year before, and has parameters to {LAST_YEAR}; use --years {FIRST_YEAR} {min(scenario.end_year, LAST_YEAR)}"
        )
    if not LEAST_SEED <= scenario.random_seed <= MOST_SEED:
        raise ScenarioError(f"random_seed {scenario.random_seed}: planwise_navigator takes {LEAST_SEED} to {MOST_SEED}")
    config: dict[str, Any] = _copied(base)
    values = {
        "simulation.start_year": scenario.start_year,
        "simulation.end_year": scenario.end_year,
        "simulation.random_seed": scenario.random_seed,
        "setup.census_parquet_path": str(census),
        "optimization.e068c_threading.dbt_threads": variant.threads,
        "optimization.event_generation.mode": mode,
        **dict(_rules(scenario)),
    }
    if mode == "polars":
        values["optimization.event_generation.polars.enabled"] = True
        values["optimization.event_generation.polars.max_threads"] = variant.threads
    for key, value in values.items():
        _put(config, key, value)
    if isinstance(threading := _at(config, "orchestrator.threading"), dict) and "thread_count" in threading:
        threading["thread_count"] = variant.threads
    return config


def expressed(scenario: Scenario) -> dict[str, Any]:
    """The rules of a scenario that are written into its configuration, by its own keys. Raises ScenarioError as `configured`."""
    return dict(_rules(scenario))


def read_base(path: Path) -> dict[str, Any]:
    """A configuration file of its own. Raises ScenarioError naming the file."""
    base = read_yaml_mapping(path)
    if not isinstance(base.get("simulation"), dict):
        raise ScenarioError(f"{path}: no configuration of planwise_navigator: it has no block `simulation`")
    return base


def write_config(config: Mapping[str, Any], path: Path) -> None:
    """As YAML, keys in the order of the base."""
    path.write_text(yaml.safe_dump(dict(config), sort_keys=False, allow_unicode=True), encoding="utf-8")


def _rules(scenario: Scenario) -> Iterator[tuple[str, Any]]:
    for key, value in _leaves(scenario.to_dict(only_changed=True)):
        if key in (*_NAMES, *_RUN):
            continue
        if key == "limits" and _only_more_years(scenario):
            continue
        if key not in KEYS:
            raise ScenarioError(
                f"{key}: planwise_navigator takes it from its own tables or code, not from its configuration; leave the key at its "
                f"default (then its own value stands), or set one of {', '.join(KEYS)}"
            )
        yield KEYS[key], _plain(value)


def _leaves(changed: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """`block.key` of each changed key; a mapping by age or by income is one value."""
    for key, value in changed.items():
        block = isinstance(value, dict) and key != "limits"
        yield from (((f"{key}.{name}", item) for name, item in value.items()) if block else [(key, value)])


def _only_more_years(scenario: Scenario) -> bool:
    """Limits that differ from the defaults only in which years they have, as a longer run's do."""
    ours, default = scenario.limits, Scenario().limits
    return all(ours[year] == default[year] for year in set(ours) & set(default))


def _refuse_variant(variant: Variant) -> None:
    """Axes that it lacks. Level `high` is ours for "as configured": no code there reads a level."""
    wrong = [
        (variant.level != "high", f"level {variant.level}"),
        (variant.shards != 1, f"{variant.shards} shards"),
        (variant.resume is not None, "a resumed run"),
        (variant.batch_size is not None, "a batch size"),
        (variant.database is not None, "a database to keep"),
    ]
    found = [what for is_wrong, what in wrong if is_wrong]
    if found:
        raise VariantError(
            f"planwise_navigator cannot be run with {', '.join(found)}: it has modes {' and '.join(MODES)}, and threads"
        )


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return value.isoformat() if hasattr(value, "isoformat") else value


def _copied(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _copied(item) for key, item in value.items()}
    return [_copied(item) for item in value] if isinstance(value, list) else value


def _put(config: dict[str, Any], key: str, value: Any) -> None:
    *blocks, last = key.split(".")
    for block in blocks:
        if not isinstance(config.get(block), dict):
            config[block] = {}
        config = config[block]
    config[last] = value


def _at(config: Mapping[str, Any], key: str) -> Any:
    found: Any = config
    for name in key.split("."):
        found = found.get(name) if isinstance(found, dict) else None
    return found
