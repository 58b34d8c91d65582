"""One world as one readable text file: the rules that differ from the defaults, and the census as lines of CSV.

{
 "format": 1,
 "scenario": {"end_year": 2025, "promotion": {"base_hazard": 1}},
 "census": ["employee_id,employee_ssn,...", "E0001,SSN-000000001,..."]
}
"""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from differential.repro.spreadsheet import census_from_lines, census_to_csv
from fixtures.census import CensusError
from fixtures.scenario import Scenario, ScenarioError
from fixtures.world import World, WorldError

FORMAT = 1
_DEFAULT = Scenario()
MOST_BYTES = 1_000_000
"""Of one input: generated worlds take 1 to 12 kB."""


class InputError(ValueError):
    """An input that cannot be read; the message names the file and what is wrong with it."""


def input_text(world: World) -> str:
    """The world as text that `read_input` makes an equal one of."""
    rows = census_to_csv(world.census).removesuffix("\n").split("\n")
    told = {"format": FORMAT, "scenario": _changed(world.scenario), "census": rows}
    return json.dumps(told, indent=1, ensure_ascii=False, default=_plain) + "\n"


def read_input(path: Path) -> World:
    """The world of a file. Raises InputError naming file and key or row."""
    try:
        if path.stat().st_size > MOST_BYTES:
            raise InputError(f"{path}: larger than {MOST_BYTES} bytes; no world of the corpus is")
        told = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, ValueError, RecursionError) as error:
        raise error if isinstance(error, InputError) else InputError(f"{path}: cannot be read: {error}") from None
    if not isinstance(told, dict) or told.get("format") != FORMAT:
        raise InputError(f"{path}: key format: this version reads {FORMAT}; is it an input of the corpus?")
    scenario, census = told.get("scenario"), told.get("census")
    if not isinstance(scenario, dict):
        raise InputError(f"{path}: key scenario: expected keys and values")
    if not isinstance(census, list) or not all(isinstance(row, str) for row in census):
        raise InputError(f"{path}: key census: expected lines of CSV")
    try:
        return World(census_from_lines(census, path), Scenario.create(**scenario))
    except ScenarioError as error:
        raise InputError(f"{path}: {error}") from None
    except (CensusError, WorldError, TypeError) as error:
        raise InputError(str(error) if str(path) in str(error) else f"{path}: {error}") from None


def _changed(scenario: Scenario) -> dict[str, Any]:
    """As Scenario.to_dict(only_changed=True), which turns all defaults into decimals first: ten times the time."""
    blocks = [name for name in Scenario.model_fields if getattr(scenario, name) != getattr(_DEFAULT, name)]
    changed = scenario.model_dump(include=set(blocks))
    for name in blocks:
        block, default = getattr(scenario, name), getattr(_DEFAULT, name)
        if isinstance(block, BaseModel):
            same = [key for key in type(block).model_fields if getattr(block, key) == getattr(default, key)]
            changed[name] = {key: value for key, value in changed[name].items() if key not in same}
    return changed


def _plain(value: object) -> object:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, dt.date):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} in a scenario")
