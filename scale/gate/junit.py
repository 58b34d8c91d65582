"""The decision as JUnit XML: one test case a criterion, for readers that take the strict xunit2 form (Jenkins, GitLab)."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

from scale.gate.record import Criterion, Decision
from scale.status import Verdict

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that no XML document may hold, escaped or not."""
_LONGEST = 20_000
"""Characters of one test case's text; the decision file has it whole."""


def junit_xml(decision: Decision) -> str:
    """A failure is a criterion that fails; everything else that is no pass is an error, so that no reader counts it as passed."""
    failures = [one for one in decision.criteria if _kind(one.verdict) == "failure"]
    errors = [one for one in decision.criteria if _kind(one.verdict) == "error"]
    counts = {"tests": str(len(decision.criteria)), "failures": str(len(failures)), "errors": str(len(errors))}
    root = ET.Element("testsuites")
    suite = ET.SubElement(
        root,
        "testsuite",
        {
            "name": "release gate",
            **counts,
            "skipped": "0",
            "time": f"{sum(one.seconds for one in decision.criteria):.3f}",
            "timestamp": decision.time.removesuffix("Z").partition("+")[0],
            "hostname": "unknown",
        },
    )
    for one in decision.criteria:
        _case(suite, one)
    ET.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _case(suite: ET.Element, one: Criterion) -> None:
    case = ET.SubElement(
        suite, "testcase", {"classname": "scale.gate", "name": _legal(one.title), "time": f"{one.seconds:.3f}"}
    )
    kind = _kind(one.verdict)
    if kind is not None:
        first = one.objections[0].text if one.objections else "no evidence"
        found = ET.SubElement(case, kind, {"message": _legal(f"{one.verdict}: {first}")[:1000], "type": one.verdict})
        found.text = _legal("\n".join(_lines(one)))[:_LONGEST]
    else:
        ET.SubElement(case, "system-out").text = _legal("\n".join(_lines(one)))[:_LONGEST]


def _lines(one: Criterion) -> list[str]:
    told = [f"{found.verdict}: {found.text} ({found.source})" for found in one.evidence]
    return [*told, *(f"recommended: {advice}" for advice in one.recommendations)]


def _kind(verdict: Verdict) -> str | None:
    if verdict == "pass":
        return None
    return "failure" if verdict in ("fail", "timeout") else "error"


def _legal(text: str) -> str:
    return _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", text)
