"""Atlas: what has been met so far, pair by pair, and how small; it says which worlds are worth keeping."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from fixtures.edge_facts import Flags
from fixtures.world import World
from scale.nightly.inputs.corpus import size_class
from scale.nightly.inputs.index import Entry
from scale.nightly.inputs.labels import LABELS, Counts, flags_from, labels_in, pairs_in, together

_NEVER = 99


class Atlas:
    """counts: for each pair of labels the worlds that showed it, labels alone on the diagonal; the corpus's inputs included.
    here: of them, those of this unit."""

    def __init__(self, entries: Iterable[Entry] = ()) -> None:
        size = (len(LABELS), len(LABELS))
        self.counts: Counts = np.zeros(size, np.int64)
        self.here: Counts = np.zeros(size, np.int64)
        self._smallest = np.full(size, _NEVER, np.int8)
        for entry in entries:
            places = np.flatnonzero(flags_from(entry.labels))
            block = np.ix_(places, places)
            self.counts[block] += 1
            self._smallest[block] = np.minimum(self._smallest[block], size_class(entry.employees, entry.years))

    def meet(self, worlds: Sequence[World], flags: Flags) -> list[int]:
        """Count these worlds in; the indexes of those that show what nothing had shown, or nothing so small."""
        met = together(flags)
        self.counts += met
        self.here += met
        classes = [size_class(len(world.census), len(world.scenario.years)) for world in worlds]
        shown = flags.sum(axis=1)
        wanted = []
        for index in sorted(self._candidates(flags, classes), key=lambda at: (classes[at], -int(shown[at]))):
            places = np.flatnonzero(flags[index])
            block = np.ix_(places, places)
            if (self._smallest[block] > classes[index]).any():
                self._smallest[block] = np.minimum(self._smallest[block], classes[index])
                wanted.append(index)
        return wanted

    def _candidates(self, flags: Flags, classes: Sequence[int]) -> list[int]:
        """Worlds that beat what there was before any of them: one product for each size class, and few are left."""
        sizes, plain = np.array(classes), flags.astype(np.float32)
        found = np.zeros(len(sizes), bool)
        for size in np.unique(sizes):
            mine = sizes == size
            beaten = (self._smallest > size).astype(np.float32)
            found[mine] = np.einsum("ij,ij->i", plain[mine] @ beaten, plain[mine]) > 0
        return np.flatnonzero(found).tolist()

    @property
    def labels(self) -> Mapping[str, int]:
        """Labels that this unit has met, with the worlds that showed them."""
        met = np.diag(self.here)
        return {name: int(met[place]) for place, name in enumerate(LABELS) if met[place]}

    @property
    def met(self) -> tuple[int, int]:
        """How many labels and pairs of labels this unit has met."""
        return labels_in(self.here), pairs_in(self.here)
