"""Proof of path: whether two runs really differ in what a comparison claims, and in nothing else that matters.

Source: docs/simulation.md, section 7. A comparison whose proofs do not bear its claim is refused, never passed: two sides
that took one path agree whatever is wrong with it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

import pyarrow as pa
import pyarrow.compute as pc

from differential.run import Proof, Run

Fact = Literal[
    "engine", "threads", "switches", "shards", "legs", "batch_size", "forced_legacy", "database", "pid", "company"
]
Reason = tuple[str, str]
_VARIANT: frozenset[Fact] = frozenset({"threads", "switches", "shards", "legs", "batch_size", "forced_legacy"})
_PATH: frozenset[Fact] = _VARIANT | frozenset[Fact]({"engine"})
_LIBRARIES = {"sql": "duckdb", "polars": "polars"}
_PEOPLE_A_SHARD = 20
_PLANNED = {"hires": ("hire",), "exits": ("termination",), "new_hire_exits": ("termination",)}


@dataclass(frozen=True)
class Claim:
    """What a parity test says about its two sides.

    differ: facts that must differ. same: facts that must not. whole: the tables hold all that the proofs planned (not so
    for the prefix of a longer run). Facts are read from the proofs: `shards` is their number (an empty one among many
    people is refused), `legs` the number of distinct processes of a resumed run (1 in one go), the others are the
    proof's fields. other_libraries: at least one library that both proofs name has another version on the other side.
    """

    name: str
    differ: frozenset[Fact]
    same: frozenset[Fact]
    whole: bool = True
    other_libraries: bool = False


def _axis(name: str, *facts: Fact) -> Claim:
    """One engine on both sides, and only these facts of the variant differ."""
    return Claim(name, frozenset(facts), _PATH.difference(facts))


CLAIMS: Mapping[str, Claim] = {
    claim.name: claim
    for claim in (
        # an attached engine may know other switches or none, so between engines nothing has to be the same
        Claim("sql_vs_polars", frozenset({"engine"}), frozenset()),
        Claim("oracle", frozenset({"engine"}), frozenset()),
        Claim("library_versions", frozenset(), _PATH, other_libraries=True),
        _axis("threads", "threads"),
        _axis("levels", "switches"),
        _axis("shards", "shards"),
        _axis("batch", "batch_size"),
        _axis("resume", "legs"),
        # the flag also takes the switches away, unless the other side runs at level legacy already
        Claim("legacy", frozenset({"forced_legacy"}), _PATH.difference({"forced_legacy", "switches"})),
        _axis("same_seed"),
        Claim("new_process", frozenset({"pid"}), _PATH),
        Claim("company", frozenset({"company"}), _PATH, whole=False),
        Claim("used_database", frozenset({"database"}), _PATH),
        Claim("prefix", frozenset(), _PATH, whole=False),
    )
}
"""By name. `same_seed` and `prefix` name no fact that must differ: that they are two runs shows in their memory."""


@dataclass(frozen=True)
class ClaimOutcome:
    """status: `ok`, `refused` or `unproven`; reasons: (code, text for people), empty when ok.

    Codes: no_proof, inputs, differ (a fact that must differ does not), same (one that must not does), database, fallback,
    empty (a table empty where the quotas are not), shared (both sides hand back the same memory), library (a built-in
    engine whose proof lists no version of its library or executed nothing), versions (the same
    libraries on both sides), legacy (the flag left switches on),
    shards (an empty one among many people).
    """

    status: Literal["ok", "refused", "unproven"]
    reasons: tuple[Reason, ...] = ()

    @property
    def ok(self) -> bool:
        return self.status == "ok"

    def describe(self) -> str:
        """One line per reason."""
        return "\n".join(text for _, text in self.reasons) or "ok"


def check_claim(claim: Claim, left: Run, right: Run) -> ClaimOutcome:
    """Hold the proofs of two runs to a claim. A run without proof is unproven; any contradiction is refused."""
    mine, yours = left.proof, right.proof
    if mine is None or yours is None:
        bare = [side for side, proof in (("left", mine), ("right", yours)) if proof is None]
        return ClaimOutcome(
            "unproven", (("no_proof", f"no proof on the {' and the '.join(bare)}: what ran cannot be told"),)
        )
    reasons = [*_between(claim, left, mine, right, yours)]
    for side, run, proof in (("left", left, mine), ("right", right, yours)):
        reasons += [(code, f"{side} ({proof.engine}): {text}") for code, text in _of_one(claim, run, proof)]
    return ClaimOutcome("refused" if reasons else "ok", tuple(reasons))


def facts(proof: Proof) -> dict[Fact, object]:
    """What claims are held to, read from a proof."""
    return {
        "engine": proof.engine,
        "threads": proof.threads,
        "switches": "+".join(sorted(proof.switches)) or "none",
        "shards": max(1, len(proof.shard_rows)),
        "legs": max(1, len(set(proof.legs))),
        "batch_size": proof.batch_size,
        "forced_legacy": proof.forced_legacy,
        "database": proof.database and os.path.realpath(proof.database),
        "pid": proof.pid,
        "company": proof.company,
    }


def _between(claim: Claim, left: Run, mine: Proof, right: Run, yours: Proof) -> Iterator[Reason]:
    """What two proofs say against each other."""
    if mine.inputs != yours.inputs:
        yield "inputs", _inputs_text(mine.inputs, yours.inputs)
    here, there = facts(mine), facts(yours)
    for fact in sorted(claim.differ):
        if here[fact] == there[fact]:
            yield "differ", f"{claim.name} claims that {fact} differs, but both sides ran with {fact} {here[fact]}"
    for fact in sorted(claim.same):
        if here[fact] != there[fact]:
            yield "same", f"{claim.name} claims one {fact}, but the sides ran with {here[fact]} and {there[fact]}"
    if claim.other_libraries and not differing_versions(mine, yours):
        yield "versions", _versions_text(claim.name, mine, yours)
    if here["database"] is not None and here["database"] == there["database"]:
        yield "database", f"both sides left their tables in one database file, {mine.database}"
    for name, one, other in (("events", left.events, right.events), ("state", left.state, right.state)):
        if same_memory(one, other):
            yield "shared", f"both sides hand back the very same {name} in memory: one run was compared with itself"


def differing_versions(left: Proof, right: Proof) -> dict[str, tuple[str, str]]:
    """The libraries that both proofs name and whose versions differ, by name."""
    both = sorted(left.versions.keys() & right.versions.keys())
    return {
        name: (left.versions[name], right.versions[name])
        for name in both
        if left.versions[name] != right.versions[name]
    }


def _versions_text(claim: str, left: Proof, right: Proof) -> str:
    both = [f"{name} {left.versions[name]}" for name in sorted(left.versions.keys() & right.versions.keys())]
    ran = f"both sides ran with {', '.join(both)}" if both else "the proofs name no library in common"
    return f"{claim} claims other versions of the engine's libraries, but {ran}"


def _of_one(claim: Claim, run: Run, proof: Proof) -> Iterator[Reason]:
    """What one side's proof says against itself and its tables."""
    if len(proof.inputs) != len(run):
        yield "inputs", f"the proof names {len(proof.inputs)} inputs, the run has {len(run)} worlds"
    for fallback in proof.fallbacks:
        yield "fallback", f"did something else than asked: {fallback}"
    if proof.forced_legacy and proof.switches:
        yield "legacy", f"the legacy flag decided, yet these switches ran: {', '.join(sorted(proof.switches))}"
    library = _LIBRARIES.get(proof.engine)
    if library and library not in proof.versions:
        yield "library", f"the proof lists no version of {library}"
    if library and run.events.num_rows and not proof.statements:
        yield "library", "there are events, but no statement or plan was executed"
    built = sum(rows > 0 for rows in proof.shard_rows)
    if built < 2 <= len(proof.shard_rows) and sum(proof.shard_rows) >= _PEOPLE_A_SHARD * len(proof.shard_rows):
        yield "shards", f"{len(proof.shard_rows)} shards were claimed, but all people were in {built} of them"
    if claim.whole:
        yield from _unmade(run, proof)


def _unmade(run: Run, proof: Proof) -> Iterator[Reason]:
    """Planned people of whom the tables show nobody at all."""
    planned = {what: count for what, count in proof.planned.items() if count > 0}
    if planned and not run.state.num_rows:
        yield "empty", f"{_counts(planned)} were planned, but the state table is empty"
    if "event_type" not in run.events.column_names:
        return
    made = set(pc.unique(run.events["event_type"]).to_pylist())
    for what, count in planned.items():
        missing = [event for event in _PLANNED.get(what, ()) if event not in made]
        if missing:
            yield "empty", f"{_counts({what: count})} were planned, but there is no {missing[0]} event"


def same_memory(left: pa.Table, right: pa.Table) -> bool:
    """Whether two tables are one object, or all their data lies in the same buffers at the same places."""
    mine, yours = _places(left), _places(right)
    return len(mine) > 0 and mine == yours


def _places(table: pa.Table) -> list[tuple[int, int, int]]:
    """Address of each buffer with data, with offset and length of its chunk."""
    return [
        (buffer.address, chunk.offset, len(chunk))
        for column in table.columns
        for chunk in column.chunks
        if len(chunk)
        for buffer in chunk.buffers()
        if buffer is not None and buffer.size
    ]


def _inputs_text(left: tuple[str, ...], right: tuple[str, ...]) -> str:
    if len(left) != len(right):
        return f"the sides ran {len(left)} and {len(right)} worlds"
    other = [index for index, (one, two) in enumerate(zip(left, right, strict=True)) if one != two]
    return f"the sides ran other inputs: {len(other)} of {len(left)} worlds differ (first: world {other[0]})"


def _counts(planned: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {what.replace('_', ' ')}" for what, count in planned.items())
