"""Making a failing life short: steps are left out and made plain as long as it fails in the same way.

Hypothesis could do this too, but it tries hundreds of lives, most of them as long as the first, and a life costs seconds.
Here the likeliest simplifications come first, and each trial ends at the first thing that breaks.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from properties.lifecycle.context import Context
from properties.lifecycle.failure import Failure
from properties.lifecycle.holding import RefusedError
from properties.lifecycle.life import Action, ImpossibleError, Life
from properties.lifecycle.palette import UNCHANGED
from properties.lifecycle.step import Way

Actions = Sequence[Action]


def shorten(context: Context, failure: Failure, actions: Actions, seconds: float) -> Failure:
    """The smallest failure with the same signature that was found in so many seconds; `failure` itself if none was."""
    until = time.monotonic() + seconds
    progress = True
    while progress:
        progress = False
        for candidate in _smaller(actions):
            if time.monotonic() > until:
                return failure
            found = _fails(context, candidate)
            if found is not None and found.signature == failure.signature:
                failure, actions, progress = found, candidate, True
                break
    return failure


def _fails(context: Context, actions: Actions) -> Failure | None:
    """The failure of a life of these steps in a file of its own; None where it lives, or where a step cannot be done."""
    with tempfile.TemporaryDirectory(prefix="parity-life-") as folder:
        life = Life(context, Path(folder))
        try:
            for action in actions:
                life.do(action)
        except (ImpossibleError, RefusedError):
            return None
        except Exception as error:  # noqa: BLE001 - as in the machine: what an engine raises is a failure
            return Failure.of(error, life)
    return None


def _smaller(actions: Actions) -> Iterator[Actions]:
    """Lives without deaths, in whole runs, with a step less, and with a plainer step. The last step failed, so it stays."""
    if any(action.step == Life.kill for action in actions):
        yield [_undying(action) for action in actions]
    whole = [_whole(action) for action in actions if action.step not in (Life.go_on, Life.rerun)]
    if whole != list(actions):
        yield whole
    for size in (len(actions) // 2, 1):
        for start in range(len(actions) - 1 - size, -1, -1) if size else ():
            yield [*actions[:start], *actions[start + size :]]
    for position, action in enumerate(actions):
        for plainer in _plainer(action):
            yield [*actions[:position], plainer, *actions[position + 1 :]]


def _undying(action: Action) -> Action:
    """Other rules in place of a run of them that is killed."""
    if action.step != Life.kill:
        return action
    kept = {name: action.arguments[name] for name in ("name", "change", "way")}
    return Action(Life.change, {**kept, "company": 0, "years": None})


def _whole(action: Action) -> Action:
    return Action(action.step, {**action.arguments, "years": None}) if "years" in action.arguments else action


def _plainer(action: Action) -> Iterator[Action]:
    given = action.arguments
    for name, plain in (("company", 0), ("change", UNCHANGED), ("count", 1)):
        if given.get(name, plain) != plain:
            yield Action(action.step, {**given, name: plain})
    way = given.get("way")
    if isinstance(way, Way):
        for plain_way in (Way(way.engine), replace(way, fresh=False), replace(way, threads=1, shards=1)):
            if plain_way != way:
                yield Action(action.step, {**given, "way": plain_way})
