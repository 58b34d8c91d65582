"""The decision for people, in Markdown; never larger than what GitHub takes."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence

from scale.gate.record import CRITERIA, Criterion, Decision, Finding, Source
from scale.status import Verdict

LIMIT = 1_000_000
"""Bytes of summary.md: less than GitHub's 1 MiB for a step."""
COMMENT_LIMIT = 60_000
"""Bytes that fit in a comment, whose limit is 65 536 characters."""
_ROWS = (200, 20, 3, 0)
"""Rows of evidence under each criterion, tried in this order until the whole fits."""
_LONGEST = 1_000
_MARKS: dict[Verdict, str] = {"pass": "✅ pass", "fail": "❌ fail", "timeout": "❌ timeout", "info": "shown"}
_FULL = "deployment_decision.json has them all."


def summary_markdown(decision: Decision, limit: int = LIMIT) -> str:
    """Decision first, then the six criteria, then what keeps any from passing and what to do. limit: bytes."""
    for rows in _ROWS:
        text = "\n".join(_lines(decision, rows)) + "\n"
        if len(text.encode()) <= limit:
            return text
    return clipped(text, limit)


def clipped(text: str, limit: int) -> str:
    """The text, cut after a whole line with a note, in at most `limit` bytes of UTF-8."""
    if len(text.encode()) <= limit:
        return text
    note = f"\nCut here; {_FULL}\n"
    kept = text.encode()[: max(0, limit - len(note.encode()))].decode(errors="ignore")
    cut = kept.rpartition("\n")[0] + note
    return cut if len(cut.encode()) <= limit else ""


def _lines(decision: Decision, rows: int) -> list[str]:
    go = decision.decision == "go"
    failed = [one for one in decision.criteria if one.verdict != "pass"]
    lines = [
        f"# Release gate: {'✅ go' if go else '❌ no-go'}",
        "",
        f"Candidate {_code(decision.commit or 'of no known commit')}, engines {_listed(decision.engines)}; decided {decision.time}"
        f"{'; first release' if decision.first_release else ''}.",
        "All six criteria pass." if go else f"{len(failed)} of {len(CRITERIA)} criteria do not pass.",
        "",
        "| criterion | verdict | evidence |",
        "|---|---|---|",
        *(f"| {one.title} | {_mark(one.verdict)} | {_headline(one)} |" for one in decision.criteria),
    ]
    for one in failed:
        lines += ["", f"## {one.title}: {one.verdict}", "", *_objections(one, rows)]
    lines += [
        "",
        "## Shown beside, never decides",
        "",
        *(f"- {_cell(found.text)}" for found in decision.beside[: max(rows, 3)]),
    ]
    lines += ["", "## Evidence", "", "| file | commit | SHA-256 | problem |", "|---|---|---|---|"]
    lines += [f"| {' | '.join(_source(source))} |" for source in decision.sources]
    lines += ["", *_conditions(decision)]
    return lines


def _source(source: Source) -> tuple[str, ...]:
    digest = source.sha256[:16] if source.sha256 else "-"
    return _cell(source.path or source.name), _cell(source.commit or "-"), digest, _cell(source.problem)


def _headline(one: Criterion) -> str:
    """The gravest objection, or what passes."""
    shown = one.objections or [found for found in one.evidence if found.verdict == "pass"]
    if not shown:
        return "none"
    rest = f" (and {len(shown) - 1} more)" if len(shown) > 1 else ""
    return _cell(shown[0].text) + rest


def _objections(one: Criterion, rows: int) -> list[str]:
    def told(found: Finding) -> str:
        return f"- **{found.verdict}** ({_cell(found.source)}): {_cell(found.text)}"

    shown = one.objections[:rows]
    left = len(one.objections) - len(shown)
    lines = [told(found) for found in shown]
    if left:
        lines.append(f"- {left} more; {_FULL}")
    advice = one.recommendations[: max(1, rows)]
    if advice:
        lines += ["", "Recommended:", "", *(f"- {_cell(text)}" for text in advice)]
    return lines


def _conditions(decision: Decision) -> list[str]:
    lines = []
    if decision.machine is not None:
        here = decision.machine
        lines.append(
            f"Measured on {_cell(here.processor)}, {here.cores} cores, {here.memory / 10**9:.0f} GB, {_cell(here.system)}."
        )
    changed = decision.policy.changed
    if changed:
        lines += ["", f"The policy {_code(decision.policy.source)} changes {len(changed)} thresholds:", ""]
        lines += [f"- {_code(key)}: {value:g} ({_cell(reason)})" for key, (value, reason) in sorted(changed.items())]
    else:
        lines.append("The thresholds are the defaults of scale/policy.yaml.")
    return lines


def _mark(verdict: Verdict) -> str:
    return _MARKS.get(verdict, f"⚠️ {verdict}")


def _cell(text: str) -> str:
    """A stranger's text within a table: one line, no markup of its own but code, not endless."""
    plain = re.sub(r"\s+", " ", re.sub(r"[\x00-\x08\x0b-\x1f\x7f]", "\N{REPLACEMENT CHARACTER}", text)).strip()
    short = plain if len(plain) <= _LONGEST else plain[:_LONGEST] + " ..."
    return html.escape(short, quote=False).replace("|", "\\|").replace("@", "&#64;").replace("[", "\\[")


def _code(text: str) -> str:
    return f"`{_cell(text).replace('`', '')}`"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(_code(name) for name in names) or "none"
