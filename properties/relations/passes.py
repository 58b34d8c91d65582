"""Passes: an engine over many worlds at once, and which of them make it raise."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from differential.engines import get_engine
from differential.run import capabilities_of
from differential.variant import VariantError
from differential.workers import WorkerError
from fixtures.world import World

T = TypeVar("T")


@dataclass(frozen=True)
class Raised:
    """What an engine raised on one world."""

    world: World
    message: str


def run_all(run: Callable[[Sequence[World]], T], worlds: Sequence[World]) -> list[tuple[Sequence[World], T] | Raised]:
    """`run` over all worlds at once. Where it raises, over halves, until one world that makes it raise is alone, or halves of which
    neither raises; other parts that raise after that are left out, since one is enough to tell.

    Raises:
        VariantError: the variant does not exist, whatever the world.
    """
    done: list[tuple[Sequence[World], T] | Raised] = []
    waiting: list[Sequence[World]] = [worlds]
    raising: Sequence[World] = ()
    message, halves_left = "", 1
    while waiting:
        part = waiting.pop()
        try:
            done.append((part, run(part)))
            halves_left -= 1
        except (KeyboardInterrupt, VariantError):
            raise
        except Exception as error:  # noqa: BLE001 - whatever an engine raises is a finding about that engine
            if halves_left <= 0:
                continue  # the one that is told is settled
            raising, message = part, f"{type(error).__name__}: {error}".splitlines()[0][:500]
            # each further try of an engine that hangs would take as long again
            hung = isinstance(error, WorkerError) and error.kind == "hung"
            middle = 0 if hung else len(part) // 2
            halves_left = 2 if middle else 0
            waiting += [part[middle:], part[:middle]] if middle else []
    if raising:
        together = f" (in a pass over {len(raising)} worlds)" if len(raising) > 1 else ""
        done.append(Raised(raising[0], message + together))
    return done


def has_axis(engine: str, axis: str) -> bool:
    """Whether the engine has an axis of Capabilities, a level by name (`levels:low`), or the method run_years."""
    found = get_engine(engine)
    if axis == "run_years":
        return callable(getattr(found, "run_years", None))
    name, _, value = axis.partition(":")
    has = getattr(capabilities_of(found), name)
    return value in has if value else bool(has)
