"""check-engine as text: a mark and a line a step, what was found below it, and the commands that come next."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from differential.checking.steps import Step, passed
from differential.engines import is_built_in

_MARKS = {"ok": ("ok", "32"), "failed": ("FAILED", "31;1"), "missing": ("MISSING", "31;1"), "left out": ("-", "2")}
_WIDTH = max(len(mark) for mark, _ in _MARKS.values())


def step_lines(step: Step, *, color: bool) -> list[str]:
    """A line for the step, and indented ones for what it found."""
    mark, paint = _MARKS[step.status]
    shown = f"\x1b[{paint}m{mark.ljust(_WIDTH)}\x1b[0m" if color else mark.ljust(_WIDTH)
    return [f"{shown}  {step.title}", *(f"{' ' * _WIDTH}    {line}" for line in step.lines)]


def summary_lines(spec: str, steps: Sequence[Step]) -> list[str]:
    """How it stands, and the commands to run next."""
    quoted = shlex.quote(spec)
    wrong = sum(step.status in ("failed", "missing") for step in steps)
    if not passed(steps):
        return [
            "",
            f"{wrong} of {len(steps)} steps found something. docs/engines.md says what an engine is; mend it and run this again:",
            f"  python -m differential check-engine {quoted}",
        ]
    other = "" if is_built_in(spec) else "--engine sql "
    return [
        "",
        "It can be compared. Not looked at here: worlds at the edges, thousands of them, and the invariants. Next:",
        f"  pytest differential {other}--engine {quoted} --hypothesis-profile quick",
        f"  pytest properties --engine {quoted} --hypothesis-profile quick",
        f"  pytest differential {other}--engine {quoted}",
    ]
