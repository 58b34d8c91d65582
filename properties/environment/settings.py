"""What of a process's environment is changed, and how a process shows that it was."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from differential.covering import covering_rows
from differential.run import Capabilities
from fixtures.census import Census, Employee
from fixtures.scenario import Scenario
from fixtures.world import World
from properties.environment.locales import locales

Facts = Mapping[str, Any]
Row = Mapping[str, str]
"""Axis to value; an axis that is left out is as in the base."""

ZONES = {"Pacific/Kiritimati": (50_400,), "America/Los_Angeles": (-28_800, -25_200)}
"""Seconds east of Greenwich, in winter and summer."""

BASE: Row = {
    "time zone": "UTC",
    "locale": "C.UTF-8",
    "clock": "true",
    "hash seed": "0",
    "threads": "1",
    "row order": "as given",
    "start method": "exec",
    "folder": "the project's",
    "optimisation": "off",
}
CHECKS = {"threads": "M19", "row order": "M01", "start method": "M08"}
"""The relation that an axis belongs to, where it is not M22."""


_IDS = ("i1", "I1", "ı1", "İ1", "z", "Z", "ä", "ß", "ss", "é", "e\u0301")


def designed_worlds() -> list[World]:
    """Ids that another locale sorts, folds or encodes otherwise; run them beside generated worlds."""
    people = [
        Employee(
            name, f"SSN-{n:09d}", dt.date(1960 + 3 * n, 2, 3), dt.date(2005 + n, 5, 6), 50_000_00 + n, 100 * (n % 3)
        )
        for n, name in enumerate(_IDS, 1)
    ]
    rules = {"total_termination_rate": "0.3", "target_growth_rate": "0.1", "end_year": 2027}
    return [World(Census.from_employees(people), Scenario.create(**rules))]


@dataclass(frozen=True)
class Setting:
    """One value of one axis of the environment."""

    axis: str
    value: str

    @property
    def name(self) -> str:
        return f"{self.axis} {self.value}"

    @property
    def check(self) -> str:
        return CHECKS.get(self.axis, "M22")


def axes() -> dict[str, list[str]]:
    """Every axis with its values, the base's among them where there is only one other."""
    return {
        "start method": ["exec", "fork", "spawn", "forkserver"],
        "time zone": list(ZONES),
        "locale": [locale.name for locale in locales()],
        "hash seed": ["4711", "1"],
        "threads": ["4", "1"],
        "row order": ["reversed", "shuffled"],
        "clock": ["a year back", "true"],
        "folder": ["elsewhere", "the project's"],
        "optimisation": ["on", "off"],
    }


def settings() -> list[Setting]:
    """All values that differ from the base: what is tested."""
    return [Setting(axis, value) for axis, values in axes().items() for value in values if value != BASE[axis]]


def lacking(capabilities: Capabilities) -> list[Setting]:
    """Settings that an engine says it does not have."""
    return [] if capabilities.threads else [one for one in settings() if one.axis == "threads"]


def rows(*, pairwise: bool) -> list[Row]:
    """Few combinations: every value at least once, or every pair of values of two axes."""
    known = axes()
    if pairwise:
        return list(covering_rows(known))
    count = max(len(values) for values in known.values())
    return [
        {
            axis: values[_turn(row, position, len(values), count)]
            for position, (axis, values) in enumerate(known.items())
        }
        for row in range(count)
    ]


def _turn(row: int, position: int, values: int, count: int) -> int:
    """Which value an axis has in a row: in turn, in blocks, or both, so that not all axes keep pace."""
    in_blocks = row * values // count
    return (row, in_blocks, row + in_blocks)[position % 3] % values


def changed(row: Row) -> list[Setting]:
    """The settings of a row that differ from the base."""
    return [Setting(axis, value) for axis, value in row.items() if value != BASE[axis]]


def not_in_force(setting: Setting, facts: Facts, base: Facts) -> str | None:
    """Why a process's facts do not show the setting; None where they do, and differ from those of the base."""
    found, expected = _shown(setting, facts)
    if found not in expected:
        return f"{setting.name} was asked for, the process shows {found!r}"
    if _shown(setting, base)[0] == found:
        return f"{setting.name}: the base shows {found!r} too, so nothing was changed"
    return None


def _shown(setting: Setting, facts: Facts) -> tuple[Any, Sequence[Any]]:
    """What the facts say of an axis, and what they may say under the setting."""
    value = setting.value
    match setting.axis:
        case "time zone":
            return facts["utc offset"], ZONES[value]
        case "locale":
            return (facts["locale"], facts["encoding"]), [(value, "ANSI_X3.4-1968" if value == "C" else "UTF-8")]
        case "clock":
            return facts["years back"], [1]
        case "hash seed":
            return facts["hash"], [facts["hash"]]  # that it differs from the base's is what shows the seed
        case "threads":
            return facts["threads"], [int(value)]
        case "row order":
            return facts["row order"], [value]
        case "start method":
            return facts["start method"], [value]
        case "folder":
            return facts["folder"], [facts["folder asked"]]
        case _:
            return facts["optimisation"], [1]
