"""All planted faults by id."""

from __future__ import annotations

from differential.planted import careers, money, paths, plan, tables, workforce
from differential.planted.everywhere import EVERYWHERE
from differential.planted.fault import Fault, PatchError
from differential.planted.harness import HARNESS_FAULTS

__all__ = ["FAULTS", "Fault", "PatchError"]

_THEMES = (workforce, careers, plan, money, tables, paths)
_ALL: tuple[Fault, ...] = (
    *(fault for theme in _THEMES for fault in (*theme.SQL, *theme.POLARS)),
    *EVERYWHERE,
    *HARNESS_FAULTS,
)

FAULTS: dict[str, Fault] = {
    fault.id: fault for fault in sorted(_ALL, key=lambda fault: ("XSPB".index(fault.id[0]), fault.id))
}
assert len(FAULTS) == len(_ALL), "two faults have one id"
