"""What a sweep found, as a document."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from scale.policy import Policy
from scale.records import Check, Code, Machine, Sweep
from scale.reports import document as doc
from scale.reports import fit_tables, tables
from scale.reports.cells import cell_views, progress
from scale.reports.document import Block, Document, Items, Picture, Text, section, table
from scale.reports.terms import SWEEP_TERMS
from scale.reports.threads import workloads
from scale.reports.units import NONE, plural, size

FILES = (
    "results.json: every run with all its figures, and the checks",
    "log.jsonl: what happened when, a line each",
    "plots/: the pictures of this report",
    "report.html, report.md: this report",
)


def sweep_document(sweep: Sweep, policy: Policy, pictures: Sequence[Picture]) -> Document:
    """The report. pictures: already drawn, in the order they are to be shown."""
    views = cell_views(sweep)
    found = workloads(views, sweep.machine.cores, policy)
    reasons = fit_tables.fit_reasons(sweep.series)
    blocks: list[Block] = [Text(sentence) for sentence in summary(sweep)]
    for part in (
        section("What does not pass", tables.open_checks(sweep.checks)),
        section("What passes, and what is shown beside", tables.other_checks(sweep.checks)),
        _about(sweep, policy),
        section("Pictures", *pictures),
        section("Time by cell", tables.time_table(views)),
        section("Memory by cell", tables.memory_table(views)),
        section("Output by cell", tables.output_table(views)),
        section("Scenarios and their targets", tables.scenario_table(views)),
        section("Fits", fit_tables.fit_table(sweep.series), Items(reasons) if reasons else None),
        section("Growth laws", fit_tables.model_table(sweep.series)),
        section("Threads", fit_tables.thread_table(found)),
        section("Repeated runs in one process", tables.leak_table(sweep.leaks)),
        section("Runs without a result", *tables.error_blocks(sweep.runs)),
        section("Cost of watching", tables.monitor_table(sweep)),
        section("Terms", Items(SWEEP_TERMS)),
        section("Files", Items(FILES)),
    ):
        blocks += part
    return Document(headline(sweep), sweep.verdict, tuple(blocks))


def headline(sweep: Sweep) -> str:
    """The verdict, in one line."""
    done, planned = progress(cell_views(sweep))
    short = "" if sweep.complete else f", incomplete: {done} of {plural(planned, 'run')}"
    return f"Sweep: {sweep.verdict}{short}"


def summary(sweep: Sweep) -> Iterator[str]:
    """How many checks came to what, and what is wrong with the sweep as a whole."""
    counts = {verdict: sum(check.verdict == verdict for check in sweep.checks) for verdict in tables.GRAVITY}
    told = ", ".join(f"{number} {verdict}" for verdict, number in counts.items() if number)
    yield f"{plural(len(sweep.checks), 'check')}: {told}." if told else "Nothing was judged."
    views = cell_views(sweep)
    done, planned = progress(views)
    if not sweep.complete:
        yield f"The sweep is incomplete: {done} of {plural(planned, 'run')}. The command below goes on with it."
    bad = [view for view in views if view.runs and not view.counted]
    if bad:
        yield f"{plural(len(bad), 'cell')} of {len(views)} gave no result at all; each is in the tables with its error."


def _about(sweep: Sweep, policy: Policy) -> Iterator[Block]:
    yield doc.Heading("What was measured, and where")
    rows = [
        ("run", sweep.run_id),
        ("time", f"{sweep.started} to {sweep.finished or 'not finished'}"),
        ("commit", commit(sweep.commit)),
        *((f"engine {name}", code_text(code)) for name, code in sweep.code.items()),
        ("runs of each cell", str(sweep.repetitions)),
        *machine_rows(sweep.machine, (run.load for run in sweep.runs)),
        *policy_rows(sweep.policy, policy),
    ]
    yield table("|", rows)
    yield Text("To repeat it:")
    yield doc.Code(sweep.command)


def commit(name: str | None) -> str:
    """The commit in words."""
    if name is None:
        return "unknown (not in git)"
    return f"{name.rstrip('+')} with uncommitted changes" if name.endswith("+") else name


def code_text(code: Code) -> str:
    """Which code an engine was, by commit and fingerprint."""
    return f"{code.spec}, commit {commit(code.commit)}, sources {code.fingerprint[:12]}"


def machine_rows(machine: Machine, loads: Iterable[float]) -> list[tuple[str, str]]:
    """The machine, its libraries, and its load when runs began."""
    found = list(loads)
    load = f"{min(found):.2f} to {max(found):.2f} when runs began" if found else NONE
    return [
        ("machine", f"{machine.processor}, {plural(machine.cores, 'core')}, {size(machine.memory)}, {machine.system}"),
        ("machine's fingerprint", machine.fingerprint[:12]),
        ("load", load),
        (
            "versions",
            ", ".join([f"python {machine.python}", *(f"{name} {v}" for name, v in sorted(machine.libraries.items()))]),
        ),
    ]


def policy_rows(fingerprint: str, policy: Policy) -> list[tuple[str, str]]:
    """Which thresholds it was judged by."""
    if fingerprint != policy.fingerprint:
        told = "not the one at hand: limits drawn in the pictures may be others than those it was judged by"
        return [("policy", f"{fingerprint[:12]}, {told}")]
    changed = f", changed: {', '.join(policy.changed)}" if policy.changed else ", nothing changed"
    return [("policy", f"{fingerprint[:12]}{changed}")]


def open_lines(checks: Sequence[Check]) -> list[str]:
    """The checks that do not pass, for a terminal: verdict, check, evidence, and what to do."""
    lines = []
    for check in tables.gravest_first(checks):
        if check.verdict in ("pass", "info"):
            continue
        lines.append(
            f"{check.verdict}: {check.id} [{doc.one_line(check.engine, 60)}]: {doc.one_line(check.evidence, 300)}"
        )
        if check.advice:
            lines.append(f"    {doc.one_line(check.advice, 300)}")
    return lines
