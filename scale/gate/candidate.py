"""The candidate: the checkout that the gate runs in. Evidence counts only if it is about this code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from scale.gate.record import Finding
from scale.measuring.identity import commit_of, engine_code
from scale.records import Code
from scale.status import UsageError

_SHORTEST = 7
"""Characters below which an abbreviated commit names nothing."""


@dataclass(frozen=True)
class Candidate:
    """commit: `+` at its end for uncommitted changes, None outside git. codes: of the engines, as their sources are now. problems:
    engines whose code cannot be told, with the reason."""

    commit: str | None
    codes: dict[str, Code] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)


def candidate_of(engines: Sequence[str], root: Path) -> Candidate:
    """The code in `root`, and of each engine as it would run from there."""
    codes: dict[str, Code] = {}
    problems: dict[str, str] = {}
    for spec in engines:
        try:
            codes[spec] = engine_code(spec, root)
        except (UsageError, OSError) as error:
            problems[spec] = str(error)
    return Candidate(commit_of(root), codes, problems)


def same_commit(one: str, other: str) -> bool:
    """Whether two names, abbreviated or not, are of one commit."""
    return min(len(one), len(other)) >= _SHORTEST and (one.startswith(other) or other.startswith(one))


def commit_findings(source: str, commit: str | None, candidate: str | None, again: str) -> list[Finding]:
    """Objections to a file of evidence by the commit it names. again: the command that makes it anew."""

    def objection(text: str, advice: str) -> list[Finding]:
        return [Finding(verdict="insufficient", text=text, source=source, advice=advice)]

    if candidate is None:
        return objection(
            "the gate does not run in a git checkout, so that nobody can tell which commit is to be released",
            "Run the gate in a clone of the repository, at the commit to be released.",
        )
    if commit is None:
        return objection(f"{source} names no commit", f"In a git checkout run `{again}`.")
    if commit.endswith("+"):
        return objection(
            f"{source} was made at {commit.removesuffix('+')} with uncommitted changes",
            f"Commit the changes, then run `{again}`.",
        )
    if candidate.endswith("+"):
        return objection(
            f"the candidate {candidate.removesuffix('+')} has uncommitted changes, which {source} does not know",
            "Commit or remove the changes, and run the gate on the commit to be released.",
        )
    if not same_commit(commit, candidate):
        return objection(
            f"{source} is of commit {commit}, the candidate is {candidate}", f"At {candidate} run `{again}`."
        )
    return []


def code_findings(
    source: str, engines: Sequence[str], sources: Mapping[str, str], candidate: Candidate, again: str
) -> list[Finding]:
    """Objections to a file of evidence by the engines' code. sources: the fingerprints that it names, by SPEC.

    The commit alone says nothing of an engine that is attached from elsewhere.
    """
    found = []
    for spec in engines:
        advice = f"Run `{again}`."
        if spec in candidate.problems:
            text = f"the code of engine {spec} cannot be told: {candidate.problems[spec]}"
            advice = "Run the gate where the engine can be imported."
        elif spec not in sources:
            text = f"{source} does not say which code of engine {spec} it ran"
        elif spec in candidate.codes and candidate.codes[spec].fingerprint != sources[spec]:
            text = f"{source} is of other code of engine {spec} than the candidate's"
        else:
            continue
        found.append(Finding(verdict="insufficient", text=text, source=source, advice=advice))
    return found
