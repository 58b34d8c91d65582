"""What a world shows: event types and edge labels, as rows of flags, and the pairs of them that occur together."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow.compute as pc

import fixtures.edges
from differential.run import Run
from differential.schemas import EVENT_TYPES
from fixtures.edge_facts import Flags
from fixtures.edges import EDGE_LABELS, label_flags
from fixtures.world import World

LABELS: tuple[str, ...] = (*EVENT_TYPES, *EDGE_LABELS)
"""Event types, then edge labels: the columns of all flags here."""
PLACES: Mapping[str, int] = {name: place for place, name in enumerate(LABELS)}
Counts = npt.NDArray[np.int64]


def flags_of(worlds: Sequence[World], run: Run) -> Flags:
    """A row for each world of the run, a column for each of LABELS: what its tables show, and what its input is."""
    found = np.zeros((len(worlds), len(LABELS)), bool)
    bounds = [events for events, _ in run.bounds or ((run.events.num_rows, run.state.num_rows),)]
    owner = np.repeat(np.arange(len(worlds)), bounds)
    for place, name in enumerate(EVENT_TYPES):
        of_type = pc.fill_null(pc.equal(run.events["event_type"], name), False).to_numpy(zero_copy_only=False)
        found[owner[of_type], place] = True
    found[:, len(EVENT_TYPES) :] = label_flags(worlds, run)
    return found


def names_of(row: Flags) -> tuple[str, ...]:
    """The names of one row of flags, in the order of LABELS."""
    return tuple(LABELS[place] for place in np.flatnonzero(row))


def flags_from(names: Collection[str]) -> Flags:
    """One row of flags; names that are none of LABELS any more are left out."""
    row = np.zeros(len(LABELS), bool)
    row[[PLACES[name] for name in names if name in PLACES]] = True
    return row


def together(flags: Flags) -> Counts:
    """For each pair of labels the number of worlds that show both; on the diagonal, that show the one."""
    # float32 for the BLAS product, which is exact up to 2^24 worlds
    plain = flags.astype(np.float32)
    counts: Counts = np.rint(plain.T @ plain).astype(np.int64)
    return counts


def pairs_in(counts: Counts) -> int:
    """How many pairs of two different labels have occurred."""
    return int(np.count_nonzero(np.triu(counts, 1)))


def labels_in(counts: Counts) -> int:
    """How many labels have occurred."""
    return int(np.count_nonzero(np.diag(counts)))


@cache
def definition() -> str:
    """Fingerprint of what the labels are and how they are decided: flags made under another one have to be made anew."""
    digest = hashlib.sha256("\n".join(LABELS).encode())
    folder = Path(fixtures.edges.__file__).parent
    for file in sorted([folder / "edges.py", folder / "edge_facts.py", *(folder / "edge_labels").glob("*.py")]):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:16]
