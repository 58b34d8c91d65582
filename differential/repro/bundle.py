"""Bundles on disk: written whole or not at all, read back with clear errors.

A bundle is a folder: census.csv, scenario.yaml (what differs from the defaults), repro.json, report.md, and test_repro.py, which
is the same in every bundle. A reduced bundle keeps the failure as it was found in `unreduced/`, unless that would hold
people's data.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import re
import shlex
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from differential.reduction import Reduction
from differential.reduction.measure import weight
from differential.reduction.privacy import CELLS_UP_TO, masked_ssn
from differential.repro.failure import Failure
from differential.repro.record import RecordError, failure_from, read_record, record_of
from differential.repro.report import report
from differential.repro.spreadsheet import census_from_csv, census_to_csv, is_escaped
from differential.schemas import EVENT_TYPES, EVENTS_SCHEMA, STATE_SCHEMA
from fixtures.census import CensusError
from fixtures.scenario import Scenario, ScenarioError
from fixtures.world import World, WorldError

CENSUS, SCENARIO, RECORD, REPORT, TEST = "census.csv", "scenario.yaml", "repro.json", "report.md", "test_repro.py"
UNREDUCED = "unreduced"
MOST_BYTES = 256_000_000
_TEMPLATE = Path(__file__).with_name("template") / "test_repro.py.txt"
_COLUMNS = {*EVENTS_SCHEMA.names, *STATE_SCHEMA.names}
_MOST_SIBLINGS = 1_000


class BundleError(ValueError):
    """A bundle that cannot be read; the message names the file and the key."""


@dataclass(frozen=True)
class Bundle:
    """A bundle as read: the failure (without its divergence), its recorded signature, and notes for people."""

    path: Path
    failure: Failure
    signature: str
    verified: bool
    notes: tuple[str, ...] = ()


def write_bundle(folder: Path, failure: Failure, reduction: Reduction | None = None, *, mask: bool) -> Path:
    """Write `<folder>/<name>/` and return its path; without a reduction, the failure as found (called before any shrinking).

    mask: a given census is not written as it is; before its people's data are replaced, only where the failure lies is.
    Social security numbers of a given census never are, masked or not. An existing bundle stays unless this is the same
    failure, smaller; then there is `<name>-2`. Raises OSError naming the file.
    """
    secrets: list[str] = []
    if failure.given and not failure.masked:
        secrets = failure.world.census.table["employee_ssn"].to_pylist()
        failure = replace(failure, world=masked_ssn(failure.world), masked=True)
    withheld = mask and _names_people(failure, reduction)
    folder.mkdir(parents=True, exist_ok=True)
    with _alone(folder):
        path, write = _place(folder, failure, reduced=reduction is not None)
        if write:
            _write(folder, path, failure, reduction, secrets, withheld=withheld, private=mask and failure.given)
        if reduction is not None:
            _remove_superseded(folder, failure, path)
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
    failure: Failure,
    reduction: Reduction | None,
    secrets: list[str],
    *,
    withheld: bool,
    private: bool,
) -> None:
    """The whole bundle into a hidden folder, then in its place at once."""
    part = Path(tempfile.mkdtemp(prefix=".part-", dir=folder))
    try:
        for name, text in _files(path, failure, reduction, withheld=withheld).items():
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


def bundle_name(failure: Failure) -> str:
    """Stable and readable, from the test and the signature; text of a user's own appears only in its hash."""
    _, table, event, column, *_ = [*failure.signature.split("|"), "", "", ""]
    what = event if event in EVENT_TYPES else "error" if table == "-" and event == "error" else "state"
    parts = [
        re.sub(r"[^a-z0-9_]+", "-", failure.test.lower()).strip("-")[:40],
        what,
        *([column] if column in _COLUMNS else []),
    ]
    digest = hashlib.sha256(json.dumps(_identity(failure), sort_keys=True).encode()).hexdigest()
    return "-".join([*parts, digest[:6]])


def load_bundle(path: Path) -> Bundle:
    """Read a bundle's folder. Raises BundleError naming file and key."""
    if not path.is_dir():
        raise BundleError(f"{path}: no such folder; a repro is a folder with {RECORD} in it")
    record_file = _inside(path, RECORD)
    try:
        record = read_record(record_file.read_text(encoding="utf-8"))
        if record.get("withheld"):
            raise BundleError(
                f"{path}: holds no people, because the census was a user's own; run it again: {record.get('command')!s:.300}"
            )
        world = World(census_from_csv(_inside(path, CENSUS)), Scenario.load(_inside(path, SCENARIO)))
        failure = failure_from(record, world)
    except RecordError as error:
        raise BundleError(f"{record_file}: {error}") from None
    except (CensusError, ScenarioError, WorldError) as error:
        raise BundleError(str(error) if str(path) in str(error) else f"{path}: {error}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise BundleError(f"{record_file}: cannot be read: {error}") from None
    edited = record.get("world") != world.fingerprint
    notes = (f"{CENSUS} or {SCENARIO} has been edited since the repro was written",) if edited else ()
    return Bundle(path, failure, str(record.get("signature")), bool(record.get("verified")), notes)


def regressions(folder: Path) -> list[Path]:
    """The bundles in a folder, by name; empty if it does not exist."""
    if not folder.is_dir():
        return []
    return sorted(one for one in folder.iterdir() if one.is_dir() and not one.name.startswith((".", "_")))


def smallest_known(folder: Path, failure: Failure) -> Bundle | None:
    """The reduced bundle of the same failure that is no larger than this one, if there is one and it can be read."""
    for path, record in _known(folder, failure):
        if record.get("reduced") and not _smaller(failure, path, record):
            try:
                return load_bundle(path)
            except BundleError:
                continue
    return None


def forget_unreduced(folder: Path, failure: Failure) -> None:
    """Remove the copy of this failure that was saved before shrinking; for when a smaller bundle of it is known."""
    for path, record in list(_known(folder, failure)):
        if not record.get("reduced"):
            shutil.rmtree(path, ignore_errors=True)


def _files(path: Path, failure: Failure, reduction: Reduction | None, *, withheld: bool) -> dict[str, str]:
    command = failure.command if withheld else f"pytest differential --replay {shlex.quote(str(path))}"
    text = report(failure, reduction, command=command, withheld=withheld)
    if not withheld and is_escaped(failure.world.census):
        text += "\nIn census.csv, ids like formulas start with an apostrophe; a replay reads them right.\n"
    files = {
        REPORT: f"# {failure.test}\n\n```text\n{text.replace('```', '` ` `')}```\n",
        RECORD: json.dumps(record_of(failure, reduction, withheld=withheld), indent=2) + "\n",
        SCENARIO: failure.world.scenario.to_yaml(only_changed=True),
    }
    if not withheld:
        files |= {CENSUS: census_to_csv(failure.world.census), TEST: _TEMPLATE.read_text(encoding="utf-8")}
    return files


def _names_people(failure: Failure, reduction: Reduction | None) -> bool:
    """Whether given people would be written whom the failure has not been shown to need, or more of them than anyone checks."""
    if not failure.given or failure.anonymous:
        return False
    return reduction is None or not reduction.verified or len(failure.world.census) > CELLS_UP_TO


def _without(secrets: list[str], text: str) -> str:
    """The text with every ssn of the census starred out, wherever an engine may have put it."""
    for secret in secrets:
        if secret in text:
            text = text.replace(secret, "*****")
    return text


def _identity(failure: Failure) -> list[Any]:
    return [failure.test, failure.signature, failure.left.to_json(), failure.right.to_json()]


def _siblings(folder: Path, name: str) -> Iterator[Path]:
    yield folder / name
    yield from (folder / f"{name}-{number}" for number in range(2, _MOST_SIBLINGS))


def _known(folder: Path, failure: Failure) -> Iterator[tuple[Path, dict[str, Any]]]:
    """The bundles of the same failure, with their records."""
    for path in _siblings(folder, bundle_name(failure)):
        _restore(path)
        if not path.exists():
            return
        record = _read_quietly(path)
        if record is not None and _identity_of(record) == _identity(failure):
            yield path, record


def _place(folder: Path, failure: Failure, *, reduced: bool) -> tuple[Path, bool]:
    """Where the failure belongs, and whether it is to be written there: in place of a larger bundle of the same failure, of
    the one saved before shrinking, or beside all."""
    known = list(_known(folder, failure))
    wanted = [(path, record) for path, record in known if bool(record.get("reduced")) == reduced]
    for path, record in wanted:
        if _smaller(failure, path, record):
            return path, True
        if not reduced or record.get("world") == failure.world.fingerprint:
            return path, not record.get("verified") and reduced
    if reduced:
        for path, record in known:
            if not record.get("reduced"):
                return path, True
    for path in _siblings(folder, bundle_name(failure)):
        if not path.exists():
            return path, True
    raise OSError(f"{folder}: a thousand repros named {bundle_name(failure)}; remove some")


def _remove_superseded(folder: Path, failure: Failure, path: Path) -> None:
    for other, record in list(_known(folder, failure)):
        if other != path and not record.get("reduced"):
            shutil.rmtree(other, ignore_errors=True)


def _smaller(failure: Failure, path: Path, known: dict[str, Any]) -> bool:
    size = (len(failure.world.census), len(failure.world.scenario.years))
    other = (known.get("employees"), known.get("years"))
    if not all(isinstance(value, int) for value in other):
        return False
    if size != other:
        return size < other
    try:
        return weight(failure.world) < weight(load_bundle(path).failure.world)
    except BundleError:
        return bool(known.get("withheld"))


def _identity_of(record: dict[str, Any]) -> list[Any] | None:
    try:
        sides = [{key: value for key, value in record[side].items() if key != "text"} for side in ("left", "right")]
        return [record["test"], record["signature"], *sides]
    except (AttributeError, KeyError, TypeError):
        return None


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


def _inside(folder: Path, name: str) -> Path:
    """A file of the bundle itself: no link out of it, and not absurdly large."""
    path = folder / name
    if not path.is_file():
        raise BundleError(f"{path}: missing; a repro has {RECORD}, {CENSUS} and {SCENARIO}")
    if not path.resolve().is_relative_to(folder.resolve()):
        raise BundleError(f"{path}: is a link to a file outside the repro")
    if path.stat().st_size > MOST_BYTES:
        raise BundleError(f"{path}: larger than {MOST_BYTES} bytes")
    return path
