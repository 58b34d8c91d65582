"""rollback.json: what a drill did, how long each step took, and how it ended. The gate reads it. It names no machine and no path
of its own; texts of checks name the files they are about."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from scale.records import Record
from scale.status import Status, Verdict, gravest

TARGET_SECONDS = 600.0
"""How long going back may take: 10 minutes."""
Result = Literal["pass", "fail", "timeout", "insufficient", "interrupted"]
ActionName = Literal["validate", "execute", "restore"]
STATUS: dict[Result, Status] = {
    "pass": Status.PASS,
    "fail": Status.FAIL,
    "timeout": Status.TIMEOUT,
    "insufficient": Status.INSUFFICIENT,
    "interrupted": Status.INTERRUPTED,
}

_TOLD: dict[Result, str] = {
    "pass": "passed",
    "fail": "FAILED",
    "timeout": "TIMED OUT",
    "insufficient": "proved NOTHING",
    "interrupted": "was INTERRUPTED",
}


class StepTime(Record):
    """One step of an action and the wall seconds it took; an interrupted one has them too."""

    name: str
    seconds: float


class Check(Record):
    """One thing that was looked at. `info` is told and does not decide."""

    name: str
    verdict: Verdict
    text: str


class Action(Record):
    """One command of the drill. started, finished: ISO 8601 in UTC. seconds: of all steps, without waiting for a confirmation.

    result: `interrupted` also where the process was killed and a later command found its traces. message: why it did not pass.
    """

    action: ActionName
    started: str
    finished: str
    seconds: float
    result: Result
    message: str = ""
    steps: list[StepTime] = Field(default_factory=list)
    checks: list[Check] = Field(default_factory=list)


class Rollback(Record):
    """rollback.json. A drill is `execute`, most often followed by `restore`; `validate` alone rehearses nothing.

    tag, tag_commit: gone back to. commit: of the repository when it began, with `+` for uncommitted changes. engine: name of a
    built-in one, or None for a system with a rebuild command. versions: of libraries that rebuilt. target: seconds that execute may
    take. finished, seconds, result: of the drill as a whole; seconds are those of execute (of validate where there was no more).
    agreement: how the rebuilt tables compare with the backup. hashes: name of a table to the SHA-256 of its rows in canonical
    order after execute; left out above 5 million rows. rows: of those tables. database: SHA-256 of the file `before` and `after`.
    """

    schema_version: Literal[1] = 1
    kind: Literal["rollback"] = "rollback"
    tag: str
    tag_commit: str | None
    commit: str | None
    engine: str | None
    versions: dict[str, str] = Field(default_factory=dict)
    target: float = TARGET_SECONDS
    finished: str
    seconds: float
    result: Result
    agreement: Literal["equal", "within the policy", "differs", "not compared"] = "not compared"
    hashes: dict[str, str] = Field(default_factory=dict)
    rows: dict[str, int] = Field(default_factory=dict)
    database: dict[str, str] = Field(default_factory=dict)
    actions: list[Action]

    @property
    def rehearsed(self) -> bool:
        """Whether it went back, and did not only look whether it could."""
        return any(action.action == "execute" for action in self.actions)

    @property
    def within_target(self) -> bool:
        return self.seconds <= self.target

    @property
    def told(self) -> str:
        """The drill in a sentence. One that only looked, did not pass, or took too long reads so."""
        went = _TOLD[self.result]
        if not self.rehearsed:
            return f"only validated ({went}) on {self.finished}, to {self.tag}: nothing was rehearsed"
        late = "" if self.within_target else f", OVER its target of {self.target:.0f} s"
        restored = [one for one in self.actions if one.action == "restore"]
        forward = (
            f", forward again in {restored[-1].seconds:.0f} s" if restored and restored[-1].result == "pass" else ""
        )
        hashes = "".join(f"; {name} {value[:12]}" for name, value in sorted(self.hashes.items()))
        tables = f"; tables {self.agreement}" if self.agreement != "equal" else ""
        return f"the last one {went} on {self.finished}: to {self.tag} in {self.seconds:.0f} s{late}{forward}{tables}{hashes}"

    def after(self, action: Action, **facts: object) -> Rollback:
        """The drill with one more action."""
        actions = [*self.actions, action]
        whole = next((one for one in reversed(actions) if one.action == "execute"), action)
        return self.model_copy(
            update={
                **facts,
                "actions": actions,
                "finished": action.finished,
                "seconds": whole.seconds,
                # a command that was run again counts as it ended last
                "result": worst(list({one.action: one.result for one in actions}.values())),
            }
        )


def verdict_of(checks: list[Check]) -> Result:
    """What several checks come to together."""
    found = gravest(check.verdict for check in checks)
    return found if found in ("pass", "fail", "timeout") else "insufficient"


def worst(results: list[Result]) -> Result:
    """The gravest of several results."""
    order: tuple[Result, ...] = ("fail", "timeout", "interrupted", "insufficient", "pass")
    return next(result for result in order if result in results)
