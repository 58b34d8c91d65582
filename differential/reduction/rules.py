"""Default rules: scenario keys back to their defaults, blocks first, then single values; what must differ gets plain values."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from functools import partial
from typing import Any

from differential.reduction.search import Edit, Search, attempt
from fixtures.scenario import Scenario
from fixtures.world import World

Path = tuple[str | int, ...]

_BY_LEVEL: tuple[Path, ...] = (("levels",), ("merit_rates",), ("promotion", "increase_pct"))
"""Lists with one entry a level: they change their length together or not at all."""
_YEARS = ("start_year", "end_year")
_DEFAULT: dict[str, Any] = Scenario().to_dict()


def default_rules(search: Search) -> bool:
    """Blocks to their defaults, then values inside those that stay."""
    scenario = search.best.scenario
    blocks = [_reset([(key,)]) for key in _changed(scenario)]
    changed = search.edits("rules", [*blocks, _reset(list(_BY_LEVEL)), _reset_unused_limits])
    scenario = search.best.scenario
    groups = {path[:2] for path in _changed_leaves(scenario) if len(path) > 2}
    leaves = [path for path in _changed_leaves(scenario) if len(path) > 1]
    return search.edits("rules", [_reset([path]) for path in [*sorted(groups, key=str), *leaves]]) or changed


def resets(scenario: Scenario) -> list[Edit]:
    """One edit for each value that differs from the defaults, to set it back."""
    return [_reset([path]) for path in _changed_leaves(scenario) if path[0] not in ("random_seed", "limits")]


def plain_values(search: Search) -> bool:
    """Values that must differ from the defaults: 0, 1, a half or fewer digits."""
    changed = False
    while not search.spent and search.first("values", _plainer_worlds(search.best), runs=2 if search.many else 6):
        changed = True
    return changed


def _plainer_worlds(world: World) -> Iterator[World | None]:
    full = world.scenario.to_dict()
    for path in _changed_leaves(world.scenario):
        for value in plainer(_value(full, path)):
            yield attempt(partial(_with_value, path=path, value=value), world)


def _with_value(world: World, path: Path, value: object) -> World:
    return replace(world, scenario=with_values(world.scenario, {path: value}))


def plainer(value: object) -> Iterator[object]:
    """Simpler values of the same type, the simplest first."""
    if isinstance(value, bool):
        return
    if isinstance(value, dt.date):
        yield from (day for day in (dt.date(value.year, 1, 1), value.replace(day=1)) if day != value)
    elif isinstance(value, int):
        yield from (number for number in (0, 1, 10, 365) if number != value)
    elif isinstance(value, Decimal):
        steps = ("1000", "100", "1") if value > 10 else ("1", "0.5", "0.1", "0.01", "0.001")
        rounded = [(value / Decimal(step)).quantize(Decimal(1)) * Decimal(step) for step in steps]
        yield from (
            number for number in dict.fromkeys([Decimal(0), Decimal(1), Decimal("0.5"), *rounded]) if number != value
        )


def with_values(scenario: Scenario, values: Mapping[Path, object]) -> Scenario:
    """The scenario with values at these paths replaced. Raises ScenarioError when they do not fit."""
    keys: dict[str, Any] = {}
    full = scenario.to_dict()
    for path, value in values.items():
        top = str(path[0])
        keys[top] = _put(keys.get(top, full[top]), path[1:], value)
    return scenario.replace(**keys)


def _put(container: Any, path: Path, value: object) -> Any:
    if not path:
        return value
    head, rest = path[0], path[1:]
    if isinstance(container, Mapping):
        return {**container, head: _put(container[head], rest, value)}
    assert isinstance(head, int)
    items = list(container)
    items[head] = _put(items[head], rest, value)
    return items


def _value(container: Any, path: Path) -> Any:
    for part in path:
        container = container[part]
    return container


def _changed(scenario: Scenario) -> list[str]:
    return [key for key in scenario.to_dict(only_changed=True) if key not in _YEARS]


def _changed_leaves(scenario: Scenario) -> list[Path]:
    """Paths of single values that differ from the defaults; entries of lists only where the lengths agree."""
    full = scenario.to_dict()
    return [path for key in _changed(scenario) for path in _leaves(full[key], _DEFAULT[key], (key,), scenario)]


def _leaves(value: Any, default: Any, path: Path, scenario: Scenario) -> Iterator[Path]:
    if value == default:
        return
    if path == ("limits",):
        for year in scenario.years:
            yield from _leaves(value[year], default.get(year, default[2025]), (*path, year), scenario)
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _leaves(item, default.get(key), (*path, key), scenario)
    elif isinstance(value, (list, tuple)) and isinstance(default, (list, tuple)) and len(value) == len(default):
        for index, item in enumerate(value):
            yield from _leaves(item, default[index], (*path, index), scenario)
    elif isinstance(value, (list, tuple)):
        for index, item in enumerate(value):
            yield from _leaves(item, None if not isinstance(item, Mapping) else {}, (*path, index), scenario)
    else:
        yield path


def _reset(paths: list[Path]) -> Edit:
    """Back to the defaults; of `limits`, the years that the defaults lack are kept as they are."""

    def edit(world: World) -> World | None:
        full = world.scenario.to_dict()
        values = {path: _default_at(path, full) for path in paths}
        changed = {path: value for path, value in values.items() if value is not _NONE and value != _value(full, path)}
        return replace(world, scenario=with_values(world.scenario, changed)) if changed else None

    return edit


def _reset_unused_limits(world: World) -> World | None:
    """Limits of the simulated years only; none at all where these are the default ones."""
    limits, defaults = world.scenario.to_dict()["limits"], _DEFAULT["limits"]
    used = {year: limits[year] for year in world.scenario.years}
    kept = defaults if all(values == defaults.get(year) for year, values in used.items()) else used
    return None if kept == limits else replace(world, scenario=world.scenario.replace(limits=kept))


_NONE = object()


def _default_at(path: Path, full: Mapping[str, Any]) -> object:
    if path == ("limits",):
        needed = range(full["start_year"], full["end_year"] + 1)
        own = {year: full["limits"][year] for year in needed if year not in _DEFAULT["limits"]}
        return {**_DEFAULT["limits"], **own}
    try:
        return _value(_DEFAULT, path)
    except (KeyError, IndexError):
        return _NONE
