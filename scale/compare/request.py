"""What a comparison was asked for: two sides, the cells, and the limits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from scale.measuring import engine_code
from scale.policy import Policy
from scale.records import Cell, Code
from scale.status import UsageError

RESULT = "compare.json"


@dataclass(frozen=True)
class Side:
    """Where one side's code is (root: a checkout of this project) and under which name its engine goes, by the candidate's name."""

    root: Path
    specs: Mapping[str, str]

    def cell(self, cell: Cell) -> Cell:
        """The cell as this side runs it."""
        return cell.model_copy(update={"engine": self.specs[cell.engine]})

    def code(self) -> Code:
        """Its code; of several engines all names and fingerprints together."""
        codes = [engine_code(spec, self.root) for spec in self.specs.values()]
        return Code(
            spec=", ".join(code.spec for code in codes),
            commit=codes[0].commit,
            fingerprint=" ".join(code.fingerprint for code in codes),
        )


@dataclass(frozen=True)
class CompareRequest:
    """Cells name the candidate's engines. timeout: seconds for all. results_may_differ: other tables on the two sides are meant.
    same_code: base and candidate may be one code, to see how steady the machine is; such a comparison proves nothing."""

    base: Side
    candidate: Side
    cells: tuple[Cell, ...]
    output: Path
    policy: Policy
    command: str
    timeout: float | None = None
    memory_limit: int | None = None
    results_may_differ: bool = False
    same_code: bool = False

    def check(self) -> tuple[Code, Code]:
        """Both sides' code. Raises UsageError where it is one and the same.

        A release need not change an engine: the same code at two commits is compared, and has to come out equal.
        """
        base, candidate = self.base.code(), self.candidate.code()
        if one_code(base, candidate) and not self.same_code:
            raise UsageError(
                f"base ({self.base.root}: {base.spec}) and candidate ({self.candidate.root}: {candidate.spec}) are the same code "
                f"(fingerprint {base.fingerprint[:12]}): comparing them proves nothing; --same-code does it all the same, to see "
                "how steady this machine is"
            )
        return base, candidate


def one_code(base: Code, candidate: Code) -> bool:
    """Whether both sides are the same code of the same commit, or of no commit that could tell them apart."""
    return base.fingerprint == candidate.fingerprint and base.commit == candidate.commit
