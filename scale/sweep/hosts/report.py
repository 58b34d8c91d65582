"""summary.md of a sweep on a cluster, and its lines for a terminal: which host measured what, and what each came to."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from scale.records import write_text
from scale.reports.document import Block, Document, Items, Mark, Text, section, table
from scale.reports.markdown import markdown
from scale.reports.units import plural, size
from scale.sweep.hosts.record import ClusterSweep
from scale.sweep.progress import duration

SUMMARY = "summary.md"
_APART = (
    "Each scenario was measured whole on one host and is judged alone. Figures of different hosts are never compared, and the gate "
    "reads the sweep of one machine."
)


def write_summary(sweep: ClusterSweep, folder: Path) -> None:
    """Write summary.md into the folder."""
    machines = {one.machine.fingerprint: one.machine for one in sweep.measured}
    blocks: list[Block] = [Text(_APART)]
    for part in (
        section(
            "Which host measured what",
            table(
                "scenario|verdict|host|machine|>time|results",
                [
                    (
                        one.scenario,
                        Mark(one.verdict),
                        one.host,
                        one.machine.fingerprint,
                        duration(one.seconds),
                        one.folder,
                    )
                    for one in sweep.measured
                ],
            ),
        ),
        section("Not measured, and measured again", Items(tuple(_open(sweep))) if list(_open(sweep)) else None),
        section(
            "Machines",
            table(
                "machine|processor|>cores|>memory|system|Python",
                [
                    (name, one.processor, str(one.cores), size(one.memory), one.system, one.python)
                    for name, one in machines.items()
                ],
            ),
        ),
    ):
        blocks += part
    write_text(folder / SUMMARY, markdown(Document(headline(sweep), sweep.verdict, tuple(blocks))))


def headline(sweep: ClusterSweep) -> str:
    """The verdict, in one line."""
    return f"Sweep on a cluster: {sweep.verdict}"


def cluster_text(sweep: ClusterSweep, folder: Path) -> list[str]:
    """For the terminal."""
    done = f"{len(sweep.measured)} of {plural(len(sweep.scenarios), 'scenario')}"
    hosts = plural(len({one.machine.fingerprint for one in sweep.measured}), "kind") + " of machine"
    width = max((len(one.scenario) for one in sweep.measured), default=0)
    return [
        f"{headline(sweep)}; {done} measured on {hosts}",
        *(
            f"  {one.scenario:{width}}  {one.verdict:12}  {one.host}, {duration(one.seconds)}: "
            f"{folder / one.folder / 'report.html'}"
            for one in sweep.measured
        ),
        *(f"  {line}" for line in _open(sweep)),
        f"summary: {folder / SUMMARY}",
    ]


def _open(sweep: ClusterSweep) -> Iterator[str]:
    for scenario, why in sweep.missing.items():
        yield f"{scenario}: not measured: {'the time was over' if why == 'time' else why}"
    for scenario, hosts in sweep.lost.items():
        yield f"{scenario}: begun again whole, since {', '.join(hosts)} was lost while it measured"
