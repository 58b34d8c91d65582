"""The slices of one campaign, which ran on several machines, become one night and one corpus."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from pathlib import Path

from scale.nightly import folders
from scale.nightly.corpus import Before, add_to_history, all_told, entry_of, merge_failures, read_history
from scale.nightly.inputs import covered, offer, prune
from scale.nightly.ledger import Result, read_ledger
from scale.nightly.night import coverage_point, covered_now, line_of, night_of
from scale.nightly.records import Ledger, Night, Recheck
from scale.nightly.report import write_summary
from scale.nightly.state import State, alone_in, input_of, read_state, results_of, without_result, write_state
from scale.status import UsageError


def merge_slices(slices: Sequence[Path], corpus: Path, output: Path, command: str, say: Callable[[str], None]) -> Night:
    """Merge the slices' results into the corpus as it was before the night, and write the one summary.

    In whatever order the folders are given, and however often it is done, it comes to the same.

    Raises:
        UsageError: a folder holds no campaign, or one of another night, engine code or census; nothing was changed.
    """
    with alone_in(corpus, "--corpus"), alone_in(output, "--output"):
        states = [_state(folder) for folder in slices]
        _check_same(slices, states)
        state = _begun(states, corpus, output)
        results, state = _offered(slices, states, corpus, state)
        prune(corpus)
        before = Before(state.ledger, state.rechecks or (), state.started, state.commit)
        came, _ = merge_failures(corpus, before, results)
        earlier = [one for one in read_history(corpus) if one.started != state.started]
        night = night_of(
            state, results, came, covered_now(corpus), earlier,
            problems=_problems(slices, states, results), interrupted=any(one.finished is None for one in states), command=command,
        )  # fmt: skip
        write_summary(night, output, corpus)
        all_told(corpus)
        add_to_history(corpus, line_of(night, len(covered(corpus).labels)))
        write_state(output, state.model_copy(update={"finished": night.ended}))
        say(f"{len(slices)} slices, {len(results)} units merged into {corpus}")
        return night


def _state(folder: Path) -> State:
    found = read_state(folder)
    if found is None:
        raise UsageError(f"{folder}: no campaign.json there: is it the --output folder of a slice?")
    return found


def _check_same(slices: Sequence[Path], states: Sequence[State]) -> None:
    first = states[0]
    for folder, state in zip(slices, states, strict=True):
        other = [
            name
            for name, same in {
                "engines": state.engines == first.engines,
                "engine code": state.sources == first.sources,
                "commit": state.commit == first.commit,
                "seed": state.seed == first.seed,
                "census, scenario or policy": _given(state) == _given(first),
                "number of slices": state.part[1] == first.part[1],
                "failures known before": _keys(state) == _keys(first),
            }.items()
            if not same
        ]
        if other:
            raise UsageError(
                f"{folder}: not of the same campaign as {slices[0]}: other {', '.join(other)}; nothing was merged"
            )
    parts = [state.part[0] for state in states]
    if len(set(parts)) < len(parts):
        raise UsageError(
            f"slices {', '.join(map(str, sorted(parts)))} were given: each has to be given once; nothing was merged"
        )


def _begun(states: Sequence[State], corpus: Path, output: Path) -> State:
    """The campaign of all slices. What was there before is what the first merge into this folder found."""
    head = min(states, key=lambda state: state.part[0])
    known: dict[str, Recheck] = {check.key: check for state in states for check in state.rechecks or ()}
    found = read_state(output)
    started = min(state.started for state in states)
    if found is not None and found.started != started:
        raise UsageError(f"{output}: holds the campaign of {found.started}; give another folder with --output")
    met, commit = covered(corpus), head.commit
    entries = folders.adopted(corpus, read_ledger(corpus).entries, lambda path: entry_of(path, started, commit))
    ledger = Ledger(entries=tuple(entries)) if found is None else found.ledger
    if {entry.key for entry in ledger.entries} != _keys(head):
        raise UsageError(
            f"{corpus}: not the corpus that the slices began with: other failures are known there; nothing was merged. "
            "Give the corpus as it was before the night"
        )
    fresh = head.model_copy(
        update={
            "started": started,
            "part": (1, 1),
            "ledger": ledger,
            "labels": len(met.labels),
            "pairs": met.pairs,
            "inputs": met.inputs,
            "rechecks": tuple(known.values()),
            "seconds": max(state.seconds for state in states),
            "workers": sum(state.workers for state in states),
            "coverage": (),
            "finished": None,
        }
    )
    if found is not None:
        before = {name: getattr(found, name) for name in ("labels", "pairs", "inputs")}
        fresh = fresh.model_copy(update=before)
    write_state(output, fresh)
    return fresh


def _offered(slices: Sequence[Path], states: Sequence[State], corpus: Path, state: State) -> tuple[list[Result], State]:
    """All results, and the campaign with its coverage: units' inputs are taken in as they ended on the slices' clocks."""
    ended: list[tuple[float, Result]] = []
    for folder, part in zip(slices, states, strict=True):
        begun = dt.datetime.fromisoformat(part.started)
        for one in results_of(folder):
            after = (dt.datetime.fromisoformat(one.result.started) - begun).total_seconds() + one.result.seconds
            ended.append((min(after, part.seconds), one))
    ended.sort(key=lambda pair: (pair[0], pair[1].result.unit.number, pair[1].result.unit.seed))
    for number, (after, one) in enumerate(ended):
        if not one.result.unit.canary:
            offer(corpus, one.folder)
        here = state.model_copy(update={"seconds": after})
        point = coverage_point(here, [each for _, each in ended[: number + 1]], covered_now(corpus))
        state = state.model_copy(update={"coverage": (*state.coverage, point)})
    return [one for _, one in ended], state


def _problems(slices: Sequence[Path], states: Sequence[State], results: Sequence[Result]) -> list[str]:
    """Slices that never came, and units that left nothing."""
    parts = {state.part[0] for state in states}
    whole = states[0].part[1]
    absent = [f"Slice {part}/{whole} gave no result" for part in range(1, whole + 1) if part not in parts]
    return absent + [f"{folder.name}: {problem}" for folder in slices for problem in without_result(folder, results)]


def _given(state: State) -> dict[str, object]:
    """What decides the worlds; of files the names, since another machine has them in another folder."""
    files = ("census", "scenario", "policy")
    return {name: Path(str(value)).name if name in files else value for name, value in input_of(state).items()}


def _keys(state: State) -> set[str]:
    return {entry.key for entry in state.ledger.entries}
