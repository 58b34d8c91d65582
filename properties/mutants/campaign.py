"""A campaign: a sample of mutants through the detectors, saved after each, so that it can be interrupted and gone on with."""

from __future__ import annotations

import fcntl
import hashlib
import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from properties.faults.kill import Kill
from properties.faults.run import control_all, kill_all, workers_of
from properties.faults.target import OTHER, Target
from properties.mutants.catalogue import all_mutants
from properties.mutants.equivalent import equivalents
from properties.mutants.mutant import Mutant

RUN_SECONDS = 60.0
"""For one run of a mutant over a chunk of worlds; the clean engines take about one."""
Status = Literal["killed", "survived", "equivalent", "trouble"]


class CampaignError(ValueError):
    """A file of an earlier campaign that cannot be gone on with; the message says what to do."""


@dataclass(frozen=True)
class Outcome:
    """What became of one mutant, as plain values. by: the check that noticed it. fingerprint: of the mutated text."""

    id: str
    file: str
    line: int
    source: str
    kind: str
    change: str
    status: Status
    by: str | None = None
    text: str = ""
    seconds: float = 0.0
    fingerprint: str = ""


@dataclass
class Campaign:
    """Outcomes by mutant id, and the file they are kept in."""

    path: Path | None = None
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    seconds: float = 0.0

    @classmethod
    def at(cls, path: Path | None) -> Campaign:
        """A campaign that keeps its outcomes in this file, and goes on from what is in it. Raises CampaignError."""
        if path is not None and not path.absolute().parent.is_dir():
            raise CampaignError(f"{path}: its folder does not exist; make it first")
        if path is None or not path.exists():
            return cls(path)
        try:
            known = json.loads(path.read_text(encoding="utf-8"))
            found = {one["id"]: Outcome(**one) for one in known["mutants"]}
            return cls(path, found, float(known["seconds"]))
        except (ValueError, KeyError, TypeError) as error:
            raise CampaignError(
                f"{path}: not the file of a campaign ({error}); give another one or remove it"
            ) from None

    def done(self, mutant: Mutant) -> bool:
        """Whether this very change has an outcome already."""
        known = self.outcomes.get(mutant.id)
        return known is not None and known.fingerprint == fingerprint(mutant) and known.status in ("killed", "survived")

    def forget_others(self) -> None:
        """Drop outcomes of changes that the sources no longer have."""
        known = all_mutants()
        self.outcomes = {
            name: one
            for name, one in self.outcomes.items()
            if name in known and one.fingerprint == fingerprint(known[name])
        }

    def keep(self, outcome: Outcome) -> None:
        """Add an outcome and save all."""
        self.outcomes[outcome.id] = outcome
        self.save()

    def save(self) -> None:
        """Write the file in one step, so that an interruption leaves the old one or the new one."""
        if self.path is None:
            return
        part = self.path.with_name(f".{self.path.name}.part")
        part.write_text(json.dumps(self.to_json(), indent=1) + "\n", encoding="utf-8")
        part.replace(self.path)

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "score": self.score,
            "seconds": round(self.seconds, 1),
            "counts": self.counts,
            "mutants": [asdict(one) for one in sorted(self.outcomes.values(), key=lambda one: one.id)],
        }

    @property
    def counts(self) -> dict[str, int]:
        """How many of each status."""
        statuses = [one.status for one in self.outcomes.values()]
        return {name: statuses.count(name) for name in ("killed", "survived", "equivalent", "trouble")}

    @property
    def score(self) -> float:
        """Killed among those that are not equivalent; 0 where there are none. Trouble counts as not killed."""
        counts = self.counts
        judged = counts["killed"] + counts["survived"] + counts["trouble"]
        return counts["killed"] / judged if judged else 0.0

    def text(self) -> str:
        """The score, and what survived, with file, line and change."""
        counts = self.counts
        left = [one for one in self.outcomes.values() if one.status in ("survived", "trouble")]
        lines = []
        for one in sorted(left, key=lambda one: (one.file, one.line, one.id)):
            lines += [f"{one.id}  {one.file}:{one.line}  [{one.kind}] {one.change}", f"    {one.source}"]
            lines += [f"    {one.text}"] if one.status == "trouble" else []
        by = sorted({one.by or "" for one in self.outcomes.values() if one.status == "killed"})
        killers = ", ".join(f"{name} {sum(one.by == name for one in self.outcomes.values())}" for name in by)
        told = ", ".join(f"{count} {name}" for name, count in counts.items() if count)
        lines += [
            "",
            f"killed by: {killers or 'nothing'}",
            f"mutation score {self.score:.1%} of those not equivalent ({told}), {self.seconds:.0f} s",
        ]
        return "\n".join(lines).lstrip("\n") + "\n"


def run_campaign(
    mutants: Sequence[Mutant],
    campaign: Campaign,
    *,
    workers: int = 2,
    also_equivalent: bool = False,
    progress: Callable[[str], None] | None = None,
) -> Campaign:
    """Run the mutants that have no outcome yet, in processes of their own, each until the first check notices it.

    also_equivalent: run those on the list of equivalent ones too; one that is killed does not belong there.
    Raises EquivalentError for a list with a stale entry, CampaignError for a file that another campaign writes now.
    """
    with _alone(campaign.path):
        return _run(mutants, campaign, workers, progress or (lambda _line: None), also_equivalent=also_equivalent)


def _run(
    mutants: Sequence[Mutant], campaign: Campaign, workers: int, tell: Callable[[str], None], *, also_equivalent: bool
) -> Campaign:
    reasons = equivalents(all_mutants().values())
    listed = [mutant for mutant in mutants if mutant.id in reasons and not also_equivalent]
    for mutant in listed:
        campaign.outcomes[mutant.id] = _outcome(mutant, "equivalent", text=reasons[mutant.id])
    campaign.forget_others()
    waiting = {mutant.id: mutant for mutant in mutants if mutant not in listed and not campaign.done(mutant)}
    campaign.save()
    tell(f"{len(mutants)} mutants: {len(listed)} equivalent, {len(waiting)} to run")
    if not waiting:
        return campaign
    targets = [Target(m.id, m.change, m.engine, m.spec, OTHER[m.engine]) for m in waiting.values()]
    before, started = campaign.seconds, time.monotonic()
    with workers_of(workers) as pool:
        controls = control_all(pool, sorted({mutant.engine for mutant in waiting.values()}))
        for clean in controls:
            tell(f"{clean.id}: {clean.problem or 'no false alarm'} ({clean.seconds:.0f} s)")
        kills = kill_all(pool, targets, controls, first_only=True, reduce=False, timeout=RUN_SECONDS)
        for number, kill in enumerate(kills, 1):
            campaign.seconds = before + time.monotonic() - started
            outcome = _of_kill(waiting[kill.id], kill)
            campaign.keep(outcome)
            tell(f"{number}/{len(waiting)}  {outcome.id} {outcome.status} {outcome.by or ''} ({outcome.seconds:.0f} s)")
    return campaign


@contextmanager
def _alone(path: Path | None) -> Iterator[None]:
    """One campaign a file: each writes all that it knows, and would undo what another one has written."""
    if path is None:
        yield
        return
    with path.with_name(f".{path.name}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise CampaignError(f"{path}: another campaign is writing it; give this one a file of its own") from None
        yield


def fingerprint(mutant: Mutant) -> str:
    """Of the mutated file: another one when the source or the change is another."""
    return hashlib.sha256(mutant.text().encode()).hexdigest()[:16]


def _of_kill(mutant: Mutant, kill: Kill) -> Outcome:
    if kill.trouble:
        return _outcome(mutant, "trouble", text=kill.trouble, seconds=kill.seconds)
    if kill.first is None:
        return _outcome(mutant, "survived", seconds=kill.seconds)
    return _outcome(mutant, "killed", by=kill.first, text=kill.found[kill.first].text, seconds=kill.seconds)


def _outcome(mutant: Mutant, status: Status, *, by: str | None = None, text: str = "", seconds: float = 0.0) -> Outcome:
    return Outcome(
        mutant.id, mutant.file, mutant.line, mutant.source, mutant.kind, mutant.change, status, by, text, seconds,
        fingerprint(mutant),
    )  # fmt: skip
