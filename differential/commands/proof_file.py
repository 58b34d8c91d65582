"""proof.json: what a program says that it really did."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from differential.run import Infeasible, Proof
from differential.variant import SWITCHES

_Count = Annotated[int, Field(ge=0)]
_Seconds = Annotated[float, Field(ge=0)]


class ProofError(ValueError):
    """A proof.json that cannot be used; the message names the file and the key."""


class Reason(BaseModel):
    """Why the world has no result: code and first year of docs/simulation.md, 5.2."""

    model_config = ConfigDict(extra="forbid", strict=True)

    code: str
    year: int


class ProofFile(BaseModel):
    """The keys of proof.json; those without a default must be there. They are the fields of differential.run.Proof.

    world: the fingerprint from variant.json. infeasible: the world has no result, and the tables no rows.
    """

    model_config = ConfigDict(extra="forbid", strict=True)

    engine: str = Field(min_length=1)
    versions: dict[str, str] = Field(min_length=1)
    world: str
    threads: int = Field(ge=1)
    switches: list[str]
    shard_rows: list[_Count] = []
    batch_size: int | None = None
    forced_legacy: bool = False
    statements: _Count = 0
    rows: dict[str, _Count] = {}
    planned: dict[str, _Count] = {}
    ignored_hires: _Count = 0
    fallbacks: list[str] = []
    legs: list[int] = []
    database: str | None = None
    seconds: dict[str, _Seconds] = {}
    year_seconds: list[_Seconds] = []
    infeasible: Reason | None = None

    def proof(self, pid: int, notes: list[str]) -> Proof:
        """As the suite keeps it. pid: of the process that the suite started; a program need not know its own."""
        return Proof(
            engine=self.engine,
            versions=self.versions,
            pid=pid,
            threads=self.threads,
            switches=frozenset(self.switches),
            inputs=(self.world,),
            shard_rows=tuple(self.shard_rows),
            batch_size=self.batch_size,
            forced_legacy=self.forced_legacy,
            statements=self.statements,
            rows=self.rows,
            planned=self.planned,
            ignored_hires=self.ignored_hires,
            fallbacks=tuple(self.fallbacks),
            legs=tuple(self.legs),
            database=self.database,
            seconds=self.seconds,
            year_seconds=tuple(self.year_seconds),
            notes=tuple(notes),
        )

    def reasons(self) -> dict[int, Infeasible]:
        """As a Run keeps them."""
        return {0: Infeasible(self.infeasible.code, self.infeasible.year)} if self.infeasible else {}


def read_proof(path: Path, world: str) -> ProofFile:
    """Read and check proof.json. world: the fingerprint that it must name. Raises ProofError naming the key."""
    try:
        found = ProofFile.model_validate_json(path.read_text(encoding="utf-8"))
    except UnicodeDecodeError as error:
        raise ProofError(f"{path.name}: is not UTF-8: {error}") from None
    except ValidationError as error:
        raise ProofError(f"{path.name}: " + "; ".join(_explain(one) for one in error.errors()[:5])) from None
    if found.world != world:
        raise ProofError(f"{path.name}: key world: is {found.world!r:.70}, expected the one of variant.json, {world!r}")
    unknown = sorted(set(found.switches) - set(SWITCHES))
    if unknown:
        raise ProofError(
            f"{path.name}: key switches: {unknown[0]!r:.40} is unknown; expected some of {', '.join(SWITCHES)}"
        )
    return found


def _explain(item: object) -> str:
    assert isinstance(item, dict)
    key = ".".join(str(part) for part in item["loc"])
    if item["type"] == "extra_forbidden":
        return f"unknown key {key!r:.60}"
    if item["type"] == "missing":
        return f"key {key} is missing"
    return f"key {key}: {item['msg']}" if key else str(item["msg"])


def example() -> str:
    """The least that proof.json holds, for messages."""
    least = {
        "engine": "mine",
        "versions": {"mine": "1.0"},
        "world": "(from variant.json)",
        "threads": 1,
        "switches": [],
    }
    return json.dumps(least)
