"""Bundles on disk: written whole or not at all.

A bundle is a folder: census.csv, scenario.yaml (what differs from the defaults), repro.json, report.md, and test_repro.py, which is
the same in every bundle of its kind; error.txt, the traceback, where an engine raised. A reduced bundle keeps the failure as it
was found in `unreduced/`, unless that would hold people's data.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from differential.comparison.text import MASK
from differential.reduction import Reduction
from differential.reduction.measure import weight
from differential.reduction.privacy import CELLS_UP_TO, masked_ssn
from differential.repro.finding import Finding
from differential.repro.reading import CENSUS, RECORD, SCENARIO, Bundle, BundleError, load_bundle
from differential.repro.record import read_record, record_of
from differential.repro.report import replay_command, report
from differential.repro.spreadsheet import census_to_csv, is_escaped

REPORT, TEST, ERROR = "report.md", "test_repro.py", "error.txt"
UNREDUCED = "unreduced"
_MOST_SIBLINGS = 1_000


def write_bundle(folder: Path, finding: Finding, reduction: Reduction | None = None, *, mask: bool) -> Path:
    """Write `<folder>/<name>/` and return its path; without a reduction, the failure as found (called before any shrinking).

    mask: a given census is not written as it is; before its people's data are replaced, only where the failure lies is.
    Social security numbers of a given census never are, masked or not. An existing bundle stays unless this is the same
    failure, smaller; then there is `<name>-2`. Raises OSError naming the file.
    """
    secrets: list[str] = []
    if finding.given and not finding.masked:
        secrets = finding.world.census.table["employee_ssn"].to_pylist()
        finding = replace(finding, world=masked_ssn(finding.world), masked=True)
    withheld = mask and _names_people(finding, reduction)
    folder.mkdir(parents=True, exist_ok=True)
    with _alone(folder):
        path, write = _place(folder, finding, reduced=reduction is not None)
        if write:
            _write(folder, path, finding, reduction, secrets, withheld=withheld, private=mask and finding.given)
        if reduction is not None:
            _remove_superseded(folder, finding, path)
    return path


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Workers of pytest-xdist write to one folder; only one of them at a time looks for a place and takes it."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _write(
    folder: Path,
    path: Path,
    finding: Finding,
    reduction: Reduction | None,
    secrets: list[str],
    *,
    withheld: bool,
    private: bool,
) -> None:
    """The whole bundle into a hidden folder, then in its place at once."""
    part = Path(tempfile.mkdtemp(prefix=".part-", dir=folder))
    try:
        for name, text in _files(path, finding, reduction, withheld=withheld).items():
            (part / name).write_text(_without(secrets, text), encoding="utf-8")
        earlier = _earlier(path, private=private) if reduction is not None else None
        if earlier is not None:
            # one test a bundle: pytest would take two files of one name for the same module
            shutil.copytree(earlier, part / UNREDUCED, ignore=shutil.ignore_patterns(TEST))
        part.chmod(0o755)
        _exchange(part, path)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def report_text(path: Path) -> str:
    """The report of a bundle as it is printed, without the Markdown around it."""
    text = (path / REPORT).read_text(encoding="utf-8")
    return text.partition("```text\n")[2].rpartition("```")[0]


def bundle_name(finding: Finding) -> str:
    """Stable and readable, from the test and what failed; text of a user's own appears only in its hash."""
    parts = [re.sub(r"[^a-z0-9_]+", "-", finding.test.lower()).strip("-")[:40], *finding.words]
    digest = hashlib.sha256(json.dumps(list(finding.identity.values()), sort_keys=True).encode()).hexdigest()
    return "-".join([*parts, digest[:6]])


def smallest_known(folder: Path, finding: Finding) -> Bundle | None:
    """The reduced bundle of the same failure that is no larger than this one, if there is one and it can be read."""
    for path, record in _known(folder, finding):
        if record.get("reduced") and not _smaller(finding, path, record):
            try:
                return load_bundle(path)
            except BundleError:
                continue
    return None


def forget_unreduced(folder: Path, finding: Finding) -> None:
    """Remove the copy of this failure that was saved before shrinking; for when a smaller bundle of it is known."""
    for path, record in list(_known(folder, finding)):
        if not record.get("reduced"):
            shutil.rmtree(path, ignore_errors=True)


def _files(path: Path, finding: Finding, reduction: Reduction | None, *, withheld: bool) -> dict[str, str]:
    command = finding.command if withheld else replay_command(finding, path)
    text = report(finding, reduction, command=command, withheld=withheld)
    if not withheld and is_escaped(finding.world.census):
        text += "\nIn census.csv, ids like formulas start with an apostrophe; a replay reads them right.\n"
    files = {
        REPORT: f"# {finding.test}\n\n```text\n{text.replace('```', '` ` `')}```\n",
        RECORD: json.dumps(record_of(finding, reduction, withheld=withheld), indent=2) + "\n",
        SCENARIO: finding.world.scenario.to_yaml(only_changed=True),
    }
    if not withheld:
        files |= {CENSUS: census_to_csv(finding.world.census), TEST: finding.template.read_text(encoding="utf-8")}
    if finding.trace is not None and not finding.given:  # a traceback may quote whom the engine was given
        files[ERROR] = finding.trace
    return files


def _names_people(finding: Finding, reduction: Reduction | None) -> bool:
    """Whether given people would be written whom the failure has not been shown to need, or more of them than anyone checks."""
    if not finding.given or finding.anonymous:
        return False
    return reduction is None or not reduction.verified or len(finding.world.census) > CELLS_UP_TO


def _without(secrets: list[str], text: str) -> str:
    """The text with every ssn of the census starred out, wherever an engine may have put it."""
    for secret in secrets:
        for written in (secret, json.dumps(secret)[1:-1]):  # as it stands in repro.json
            if written in text:
                text = text.replace(written, MASK)
    return text


def _siblings(folder: Path, name: str) -> Iterator[Path]:
    yield folder / name
    yield from (folder / f"{name}-{number}" for number in range(2, _MOST_SIBLINGS))


def _known(folder: Path, finding: Finding) -> Iterator[tuple[Path, dict[str, Any]]]:
    """The bundles of the same failure, with their records."""
    for path in _siblings(folder, bundle_name(finding)):
        _restore(path)
        if not path.exists():
            return
        record = _read_quietly(path)
        if record is not None and _is_of(finding.identity, record):
            yield path, record


def _place(folder: Path, finding: Finding, *, reduced: bool) -> tuple[Path, bool]:
    """Where the failure belongs, and whether it is to be written there: in place of a larger bundle of the same failure, of
    the one saved before shrinking, or beside all."""
    known = list(_known(folder, finding))
    wanted = [(path, record) for path, record in known if bool(record.get("reduced")) == reduced]
    for path, record in wanted:
        if _smaller(finding, path, record):
            return path, True
        if not reduced or record.get("world") == finding.world.fingerprint:
            return path, not record.get("verified") and reduced
    if reduced:
        for path, record in known:
            if not record.get("reduced"):
                return path, True
    for path in _siblings(folder, bundle_name(finding)):
        if not path.exists():
            return path, True
    raise OSError(f"{folder}: a thousand repros named {bundle_name(finding)}; remove some")


def _remove_superseded(folder: Path, finding: Finding, path: Path) -> None:
    for other, record in list(_known(folder, finding)):
        if other != path and not record.get("reduced"):
            shutil.rmtree(other, ignore_errors=True)


def _smaller(finding: Finding, path: Path, known: dict[str, Any]) -> bool:
    size = (len(finding.world.census), len(finding.world.scenario.years))
    other = (known.get("employees"), known.get("years"))
    if not all(isinstance(value, int) for value in other):
        return False
    if size != other:
        return size < other
    try:
        return weight(finding.world) < weight(load_bundle(path).finding.world)
    except BundleError:
        return bool(known.get("withheld"))


def _is_of(identity: Mapping[str, Any], record: Mapping[str, Any]) -> bool:
    """Whether a record has this identity; the `text` and `versions` of a side are for people only."""
    kept = {key: record.get(key) for key in identity}
    plain = {
        key: {name: item for name, item in value.items() if name not in ("text", "versions")}
        if isinstance(value, dict)
        else value
        for key, value in kept.items()
    }
    return plain == dict(identity)


def _read_quietly(path: Path) -> dict[str, Any] | None:
    try:
        return read_record((path / RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def _earlier(path: Path, *, private: bool) -> Path | None:
    """The failure as it was found, to be kept beside the reduced one: what is there now, or what that kept itself.

    private: only where nothing of people is left in it.
    """
    for kept in (path / UNREDUCED, path):
        record = _read_quietly(kept)
        if record is not None and not record.get("reduced") and (not private or record.get("anonymous")):
            return kept
    return None


def _exchange(part: Path, path: Path) -> None:
    """Put the new folder in place of the old. Whatever interrupts this, one of the two is there or is restored (`_restore`)."""
    if not path.exists():
        part.rename(path)
        return
    old = path.with_name(f".old-{path.name}")
    shutil.rmtree(old, ignore_errors=True)
    path.rename(old)
    try:
        part.rename(path)
    except BaseException:
        old.rename(path)
        raise
    shutil.rmtree(old, ignore_errors=True)


def _restore(path: Path) -> None:
    """A run that was killed between two renames left the old folder under its hidden name."""
    old = path.with_name(f".old-{path.name}")
    if old.is_dir() and not path.exists():
        with contextlib.suppress(OSError):
            old.rename(path)
