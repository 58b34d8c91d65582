"""The rebuilt database, before it takes the old one's place: is it whole, does it hold, and does it agree with the backup?"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

from differential.comparison import stale_entries
from differential.results import DatabaseError, read_database
from properties.invariants import Tables, judge_tables
from scale.rollback.backup import Backup, Manifest, shown
from scale.rollback.compare import HASH_ROWS, Agreement, compare
from scale.rollback.rebuild import BuiltIn
from scale.rollback.record import Check
from scale.rollback.request import Request
from scale.rollback.tables import TablesError, census_of_tables, fold_in_log
from scale.rollback.validate import agreement_check

_SHOWN = 5
_ADVICE = "; where those are no models, --models says where the models lie"


def verify(request: Request, staging: Path) -> Iterator[Check]:
    """What can be said of the rebuilt database alone. Raises TablesError for one that cannot be read."""
    log = staging.with_name(f"{staging.name}.wal")
    if log.exists():
        fold_in_log(staging)
    counted = census_of_tables(staging, request.names)
    told = ", ".join(f"{rows} rows of {table}" for table, rows in counted.items())
    yield Check(name="rebuilt", verdict="pass" if all(counted.values()) else "fail", text=f"the rebuild left {told}")
    if isinstance(request.rebuilder, BuiltIn):
        yield _invariants(request.rebuilder, staging, sum(counted.values()))


def _invariants(rebuilder: BuiltIn, staging: Path, rows: int) -> Check:
    """The rebuilt rows held to the invariants of docs/checks.md, whatever was there before."""
    if rows > HASH_ROWS:
        return Check(name="invariants", verdict="info", text=f"not held to invariants: more than {HASH_ROWS} rows")
    try:
        ((events, state),) = read_database(staging, [rebuilder.scenario])
    except DatabaseError as error:
        raise TablesError(str(error)) from None
    bounds = [(events.num_rows, state.num_rows)]
    judged = judge_tables(Tables(events, state, bounds, [rebuilder.world]))
    if judged.totals:
        broken = ", ".join(
            f"{check} {clause} ({count} times)" for (check, clause), count in list(judged.totals.items())[:_SHOWN]
        )
        return Check(name="invariants", verdict="fail", text=f"the rebuilt rows break {broken}")
    return Check(name="invariants", verdict="pass", text="the rebuilt rows hold to every invariant that can be checked")


def agree(request: Request, before: Path, after: Path) -> tuple[Agreement, list[Check]]:
    """The rebuilt database held to the one before: what was rebuilt, and what was not to be touched."""
    agreement = compare(before, after, request.names, request.policy)
    checks = [agreement_check("agreement", "the rebuilt tables against the backup", agreement, request)]
    if agreement.strayed:
        text = f"what was not to be rebuilt is not as before: {'; '.join(agreement.strayed[:_SHOWN])}"
        text += " (--rebuilt TABLE names one that the rebuild may write)"
        checks.append(Check(name="other tables", verdict="fail", text=text))
    else:
        text = f"as before: {agreement.untouched} other tables, and all views"
        checks.append(Check(name="other tables", verdict="pass", text=text))
    unneeded = [
        stale.entry.name
        for stale in stale_entries(request.policy, agreement.used, dt.datetime.now(dt.UTC).date())
        if stale.entry.name not in agreement.used.names
    ]
    if unneeded:
        text = f"{request.policy.source}: no difference needed {', '.join(unneeded)}"
        checks.append(Check(name="policy", verdict="info", text=text))
    if agreement.others:
        text = f"written by the rebuild and not compared: {', '.join(agreement.others)}"
        checks.append(Check(name="agreement", verdict="info", text=text))
    return agreement, checks


def untouched(request: Request, backup: Backup, manifest: Manifest, database_sha256: str) -> list[Check]:
    """The rebuild was to write into its own file only: nothing else has changed since it was backed up."""
    found = []
    if database_sha256 != manifest.database.sha256:
        found.append(f"{request.database} itself was written to while the drill ran")
    found += [
        f"{name} was changed while the drill ran: {shown(changes)}{_ADVICE if name == 'models' else ''}"
        for name, changes in backup.changes(manifest, request.sources).items()
    ]
    return [Check(name="untouched", verdict="fail", text=text) for text in found] or [
        Check(name="untouched", verdict="pass", text="database, configuration and models are as they were backed up")
    ]
