"""run_lifecycle: a campaign of lives, and what came of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from hypothesis import HealthCheck, Phase, Verbosity, seed, settings
from hypothesis.reporting import with_reporter
from hypothesis.stateful import run_state_machine_as_test

from differential.engines import get_engine
from differential.run import capabilities_of
from differential.seeds import draws_from_seeds_alone
from differential.side import legacy_flag
from properties.check import Violation
from properties.lifecycle.clean import CleanRuns
from properties.lifecycle.context import Context
from properties.lifecycle.machine import DatabaseLife, EnoughError
from properties.lifecycle.palette import make_palette
from properties.lifecycle.shorten import shorten
from properties.lifecycle.step import has_run_years
from properties.lifecycle.tally import expected_uses

SHRINK_SECONDS = 20.0
MORE_ROUNDS = 4
"""Rounds of a quarter of the lives each, where the lives asked for did not use every rule."""


@dataclass(frozen=True)
class LifecycleOutcome:
    """examples, steps: lives and steps until the first failure. uses: what was done, and how often; unused: what should have been.

    failure: text for people, None where nothing broke; signature: the same for the same failure; violation: its first place.
    refused: why nothing can be said: a proof that does not bear what was asked, or no engine with a database.
    """

    engines: tuple[str, ...]
    examples: int
    steps: int
    uses: Mapping[str, int]
    unused: tuple[str, ...] = ()
    failure: str | None = None
    signature: str | None = None
    violation: Violation | None = None
    refused: str | None = None

    @property
    def passed(self) -> bool:
        """Nothing broke and nothing was refused. Whether enough was done says `unused`."""
        return self.failure is None and self.refused is None


def run_lifecycle(
    engines: Sequence[str],
    *,
    examples: int,
    steps: int,
    seed: int,
    until_used: bool = False,
    shrink_seconds: float = SHRINK_SECONDS,
    timeout: float | None = None,
    progress: Callable[[str], None] | None = None,
) -> LifecycleOutcome:
    """Draw lives of database files, up to `steps` steps each, under a seed; equal arguments draw equal lives.

    engines: SPECs; those without Capabilities.database are left out. The first of the others makes the clean runs that the
    file is held to, so that with several of them each has to agree with it. until_used: go on for up to twice as many lives
    while some rule was not used. shrink_seconds: for making a failing life shorter.
    timeout: seconds for one run in a worker process.
    """
    able = _with(engines, "database")
    if not able:
        return LifecycleOutcome(tuple(engines), 0, 0, {}, refused=f"no engine with a database: {', '.join(engines)}")
    with legacy_flag(False):
        context = context_of(able, seed, timeout, progress)
        _campaign(context, examples, steps, seed)
        for more in range(1, MORE_ROUNDS + 1):
            if not until_used or context.failure or context.refused or expected_uses(able) <= set(context.uses):
                break
            _campaign(context, max(1, examples // 4), steps, seed + more)
        failure = context.failure and shorten(context, context.failure, context.actions, shrink_seconds)
    return LifecycleOutcome(
        engines=able,
        examples=context.examples,
        steps=context.steps,
        uses=dict(sorted(context.uses.items())),
        unused=tuple(sorted(expected_uses(able) - set(context.uses))),
        failure=failure.describe() if failure else None,
        signature=failure.signature if failure else None,
        violation=failure.violation if failure else None,
        refused=context.refused,
    )


def context_of(
    engines: tuple[str, ...],
    base: int,
    timeout: float | None = None,
    progress: Callable[[str], None] | None = None,
) -> Context:
    """The worlds of a campaign, their clean runs, and what the engines can do."""
    palette = make_palette(base)
    clean = CleanRuns(engines[0], timeout)
    clean.prepare(palette.worlds())
    return Context(
        engines=engines,
        going_on=tuple(spec for spec in engines if has_run_years(spec)),
        resuming=_with(engines, "resume"),
        many_worlds=_with(engines, "many_worlds"),
        palette=palette,
        clean=clean,
        timeout=timeout,
        progress=progress,
    )


def _campaign(context: Context, examples: int, steps: int, base: int) -> None:
    context.most = context.examples + examples
    machine = type("DatabaseLifeInContext", (DatabaseLife,), {"context": context})
    how = settings(
        settings.get_profile("default"),
        max_examples=examples,
        stateful_step_count=steps,
        derandomize=False,  # the seed decides
        database=None,
        deadline=None,
        print_blob=False,
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.generate,),  # a failing life is made short by shorten()
        verbosity=Verbosity.quiet,
    )
    with suppress(EnoughError), with_reporter(_silent), draws_from_seeds_alone():
        run_state_machine_as_test(seed(base)(machine), settings=how)


def _with(engines: Sequence[str], capability: str) -> tuple[str, ...]:
    return tuple(spec for spec in engines if getattr(capabilities_of(get_engine(spec)), capability))


def _silent(text: object) -> None:
    """Hypothesis's own listing of the steps is left out: the failure has a better one."""
