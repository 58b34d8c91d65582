"""What a worker sends back of a comparison: held to what was asked for, and written as this machine's own record."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from scale.cluster.parcel import ParcelError, unpack
from scale.cluster.task import Answer
from scale.compare.request import RESULT, CompareRequest, one_code
from scale.log import Log
from scale.measuring import commit_of
from scale.measuring.run import ROOT
from scale.records import Code, Comparison, read_record, write_record
from scale.status import UsageError, Verdict, gravest

LOG = "log.jsonl"


class NotMeasuredError(Exception):
    """There is no result that can be taken. verdict: what the comparison comes to."""

    def __init__(self, verdict: Verdict, message: str) -> None:
        super().__init__(message)
        self.verdict: Verdict = verdict


def accepted(
    answer: Answer, last: str, request: CompareRequest, codes: tuple[Code, Code], lost: Sequence[str]
) -> Comparison:
    """Write compare.json and the log of the worker's answer, with our own names for what was compared; returns the record.

    last: line that the command printed last. codes: of base and candidate, computed here. lost: hosts that were lost before.

    Raises:
        NotMeasuredError: it holds no comparison, or one of something else; nothing was written.
        UsageError: the output cannot be written.
    """
    host = answer.there.name
    try:
        with TemporaryDirectory(prefix=".cluster-", dir=request.output) as draft:
            there = Path(draft) / "there"
            try:
                unpack(answer.parcel, there)
                found = read_record(there / RESULT, Comparison)
            except (ParcelError, UsageError):
                raise NotMeasuredError(
                    "insufficient", f"no result from {host}, status {answer.status}: {last}"
                ) from None
            if against := list(objections(found, answer, request, codes)):
                raise NotMeasuredError("insufficient", f"the result of {host} was refused: {'; '.join(against)}")
            done = as_asked(found, request, codes).model_copy(update={"host": host, "lost": list(lost)})
            if (there / LOG).exists():
                with (request.output / LOG).open("ab") as log:
                    log.write((there / LOG).read_bytes())
            facts = {"host": host, "worker": answer.worker, "lost": done.lost, "command": done.command}
            Log(request.output / LOG, done.run_id).write(
                "accepted", **facts, base=done.base, candidate=done.candidate, verdict=done.verdict
            )
            write_record(request.output / RESULT, done)
    except OSError as error:
        raise UsageError(
            f"--output {request.output}: what {host} measured cannot be written: {error.strerror}; make room and compare again"
        ) from None
    return done


def objections(found: Comparison, answer: Answer, request: CompareRequest, codes: tuple[Code, Code]) -> Iterator[str]:
    """Why that is not the comparison that was asked for, each in words."""
    for side, ours, theirs in zip(("base", "candidate"), codes, (found.base, found.candidate), strict=True):
        if ours.fingerprint != theirs.fingerprint:
            yield (
                f"its {side} was other code than here ({theirs.fingerprint[:12]}, here {ours.fingerprint[:12]}): do the same "
                f"modules come first on PYTHONPATH there, and was nothing edited meanwhile?"
            )
    if found.machine.fingerprint != answer.there.machine.fingerprint:
        yield "its machine became another one while it measured"
    if [one.cell for one in found.cells] != list(request.cells):
        yield "it has other cells"
    if found.policy != request.policy.fingerprint:
        yield "it was judged by another policy"


def as_asked(found: Comparison, request: CompareRequest, codes: tuple[Code, Code]) -> Comparison:
    """The record with the codes, commits and command of this machine: a worker may have no git, and has a copy of the base.

    Whether both sides are one code hangs on the commits, so that is judged here.
    """
    base, candidate = codes
    same = one_code(base, candidate)
    late: list[Verdict] = ["timeout"] if found.verdict == "timeout" else []
    nothing: list[Verdict] = ["insufficient"] if same else []
    return found.model_copy(
        update={
            "command": request.command,
            "commit": commit_of(ROOT),
            "base": base,
            "candidate": candidate,
            "advisory": same,
            "verdict": gravest([*(check.verdict for check in found.checks), *late, *nothing]),
        }
    )
