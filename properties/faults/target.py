"""Target: a faulty engine, and what it is to be held against."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

from differential.planted import FAULTS
from differential.planted.fault import HARNESS, Fault

OTHER = {"sql": "polars", "polars": "sql", "oracle": "sql"}
"""The clean engine that a faulty one is compared with."""


@dataclass(frozen=True)
class Target:
    """What is to be found out.

    id, sentence: of the fault. base: the built-in engine under it. spec: the engine that has it. other: the engine that it is
    compared with; judge: the third one, where the first two have the same fault. detectors: which checks should notice it.
    refused: comparisons must come to no verdict. blind: comparisons show nothing, since all engines have the fault.
    """

    id: str
    sentence: str
    base: str
    spec: str
    other: str
    judge: str | None = None
    detectors: tuple[str, ...] = ()
    refused: bool = False
    blind: bool = False

    @classmethod
    def of_fault(cls, fault: Fault) -> Target:
        """A fault of the catalogue."""
        module = "differential.planted"
        common = {"id": fault.id, "sentence": fault.sentence, "detectors": fault.detectors}
        refused = fault.verdict == "refused"
        if fault.everywhere:
            return cls(
                **common,  # type: ignore[arg-type]
                base="sql",
                spec=f"{module}:{fault.id}_sql",
                other=f"{module}:{fault.id}_polars",
                judge=f"{module}:{fault.id}_oracle",
                blind=True,
            )
        base = fault.engine
        spec = base if HARNESS in fault.plantings else f"{module}:{fault.id}"
        return cls(**common, base=base, spec=spec, other=OTHER[base], refused=refused)  # type: ignore[arg-type]

    @classmethod
    def control(cls, engine: str) -> Target:
        """No fault at all: the clean engine, on which every check must be silent."""
        return cls(
            f"clean {engine}", "No fault: whatever notices it gives a false alarm.", engine, engine, OTHER[engine]
        )

    def planted_here(self) -> AbstractContextManager[Any]:
        """A fault of the suite itself is planted in the process that compares; others are in the engine."""
        fault = FAULTS.get(self.id)
        return fault.plantings[HARNESS]() if fault and HARNESS in fault.plantings else nullcontext()


def targets_of(ids: Sequence[str] | None = None) -> list[Target]:
    """The targets of these faults, or of the whole catalogue. Raises KeyError for an unknown id."""
    unknown = [name for name in ids or () if name not in FAULTS]
    if unknown:
        raise KeyError(f"no fault {', '.join(unknown)} in the catalogue (differential/planted)")
    return [Target.of_fault(FAULTS[name]) for name in (FAULTS if ids is None else ids)]
