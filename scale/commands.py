"""The commands of `python -m scale`, by name. Each is imported when it is asked for: together they take seconds."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pkgutil import resolve_name

from scale.status import Status


@dataclass(frozen=True)
class Command:
    """One command. help: one line. options, action: `module:function` of what adds its options to a parser, and what does it."""

    help: str
    options: str
    action: str

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add its options."""
        resolve_name(self.options)(parser)

    def run(self, arguments: argparse.Namespace) -> Status:
        """Do it and say how it ended; raises UsageError, KeyboardInterrupt."""
        return Status(resolve_name(self.action)(arguments))


COMMANDS: dict[str, Command] = {
    "sweep": Command(
        "measure time and memory over a matrix of cells, and judge how they grow",
        "scale.options:add_sweep_options",
        "scale.sweep.command:sweep",
    ),
    "compare": Command(
        "base and candidate on this machine, in turn: slower or not",
        "scale.compare.options:add_options",
        "scale.compare.command:run_compare_command",
    ),
    "gate": Command(
        "hold the evidence to the release criteria: go or no-go", "scale.gate:add_arguments", "scale.gate:run"
    ),
    "rollback": Command(
        "rehearse going back to an earlier release: validate, execute, restore",
        "scale.rollback.options:add_arguments",
        "scale.rollback.command:run",
    ),
    "nightly": Command(
        "fuzz for hours, triage what is found, and hand over only news",
        "scale.nightly.command:add_options",
        "scale.nightly.command:run_nightly",
    ),
    "ci": Command("parity, properties, sweep and gate in one go", "scale.ci:add_arguments", "scale.ci:run"),
}
