"""The steps of an action: told as they begin and end, timed, and held to the time that there is."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, NoReturn

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from scale.log import now
from scale.rollback.durable import size_text
from scale.rollback.process import Deadline
from scale.rollback.record import Action, ActionName, Check, Result, StepTime

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Steps:
    """One action under way. entered: told the name of each step before it begins, to write it down."""

    def __init__(self, action: ActionName, deadline: Deadline, entered: Callable[[str], None] | None = None) -> None:
        self.action: ActionName = action
        self.deadline, self.entered = deadline, entered
        self.times: list[StepTime] = []
        self.checks: list[Check] = []
        self._started = now()
        self._console = Console(stderr=True, soft_wrap=True)
        columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), TimeElapsedColumn())
        self._progress = Progress(
            *columns, console=self._console, transient=True, disable=not self._console.is_terminal
        )

    @contextmanager
    def __call__(self, name: str, what: str) -> Iterator[Callable[[int], None]]:
        """One step; gives what takes the bytes that are done, for the progress of long copies. Raises OutOfTimeError."""
        self.deadline.left()
        if self.entered is not None:
            self.entered(name)
        begin, done = time.perf_counter(), 0
        with self._progress as progress:
            task = progress.add_task(what)

            def tell(count: int) -> None:
                nonlocal done
                done += count
                self.deadline.left()
                progress.update(task, description=f"{what}: {size_text(done)}")

            try:
                yield tell
            finally:
                progress.remove_task(task)
                self.times.append(StepTime(name=name, seconds=time.perf_counter() - begin))
        self.say(f"{what}: {self.times[-1].seconds:.2f} s")

    def say(self, text: str) -> None:
        """Print one line to standard error."""
        self._console.print(text, markup=False, highlight=False)

    @property
    def seconds(self) -> float:
        return sum(step.seconds for step in self.times)

    def finished(self, result: Result, message: str = "") -> Action:
        """The record of the action, which ends now."""
        return Action(
            action=self.action,
            started=self._started,
            finished=now(),
            seconds=self.seconds,
            result=result,
            message=message,
            steps=self.times,
            checks=self.checks,
        )


@contextmanager
def interruptible() -> Iterator[None]:
    """SIGTERM and SIGHUP end the block as Ctrl-C does. In a thread, where signals never come, nothing changes."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupted(_number: int, _frame: FrameType | None) -> NoReturn:
        raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupted) for number in _SIGNALS}
    try:
        yield
    finally:
        _set(before)


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Signals are put off until the block is done; then the first of them takes effect."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    waiting: list[int] = []
    before = {number: signal.signal(number, lambda found, _frame: waiting.append(found)) for number in _SIGNALS}
    try:
        yield
    finally:
        _set(before)
    if waiting:
        signal.raise_signal(waiting[0])


def _set(handlers: dict[signal.Signals, Any]) -> None:
    for number, handler in handlers.items():
        signal.signal(number, signal.SIG_DFL if handler is None else handler)
