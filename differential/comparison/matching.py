"""Which row of one table belongs to which row of the other.

Every column is coded as whole numbers over both tables at once (equal values, equal codes), so keys and rows of any types
are compared as integers: exactly, without hashing rows and without sorting text.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Positions: TypeAlias = npt.NDArray[np.int64]
Columns: TypeAlias = Sequence[pa.ChunkedArray]

_LARGE = 1 << 62


@dataclass(frozen=True)
class Matching:
    """Positions of rows: `left[i]` of the left table belongs to `right[i]` of the right one.

    only_left, only_right: rows whose key the other side lacks. surplus_left, surplus_right: rows left over where both
    sides have the key, one side more often.
    """

    left: Positions
    right: Positions
    only_left: Positions
    only_right: Positions
    surplus_left: Positions
    surplus_right: Positions

    @property
    def in_order(self) -> bool:
        """Every row of both tables is matched with the row at its own position."""
        return not self.unmatched and bool(np.array_equal(self.left, self.right))

    @property
    def unmatched(self) -> int:
        """Number of rows without a partner, on both sides."""
        return len(self.only_left) + len(self.only_right) + len(self.surplus_left) + len(self.surplus_right)


def match_rows(
    left_key: Columns, right_key: Columns, left_all: Columns, right_all: Columns, sizes: tuple[int, int]
) -> Matching:
    """Match rows by key. Columns are `comparable`, pairwise of one type; sizes are the numbers of rows.

    Rows that share a key are matched first with rows equal in every column, the rest in canonical order, so that the
    result does not depend on the order of the rows. Without key columns nothing is matched.
    """
    none = np.empty(0, np.int64)
    if not left_key:
        return Matching(none, none, np.arange(sizes[0]), np.arange(sizes[1]), none, none)
    left_codes, right_codes = code_rows(left_key, right_key, sizes)
    repeated = np.union1d(_repeated(left_codes), _repeated(right_codes))
    if not len(repeated):
        left, right = pair(left_codes, right_codes)
        return Matching(left, right, _others(left, sizes[0]), _others(right, sizes[1]), none, none)
    single_left, single_right = ~np.isin(left_codes, repeated), ~np.isin(right_codes, repeated)
    left, right = _pair_within(np.flatnonzero(single_left), np.flatnonzero(single_right), left_codes, right_codes)
    more_left, more_right = _match_repeated(
        np.flatnonzero(~single_left), np.flatnonzero(~single_right), left_codes, right_codes, left_all, right_all
    )
    left, right = np.concatenate([left, more_left]), np.concatenate([right, more_right])
    order = np.argsort(left)
    left, right = left[order], right[order]
    rest_left, rest_right = _others(left, sizes[0]), _others(right, sizes[1])
    known_left = np.isin(left_codes[rest_left], right_codes)
    known_right = np.isin(right_codes[rest_right], left_codes)
    return Matching(
        left, right, rest_left[~known_left], rest_right[~known_right], rest_left[known_left], rest_right[known_right]
    )


def code_rows(left: Columns, right: Columns, sizes: tuple[int, int]) -> tuple[Positions, Positions]:
    """One whole number per row, equal exactly where all columns are equal, on either side; null equals null."""
    codes, radix = np.zeros(sum(sizes), np.int64), 1
    for one, other in zip(left, right, strict=True):
        column = pa.chunked_array([*one.chunks, *other.chunks], one.type)
        digits, count = _code(column)
        if count <= 1:
            continue
        if radix * count >= _LARGE:
            distinct, codes = np.unique(codes, return_inverse=True)
            radix = len(distinct)
        codes, radix = codes * count + digits, radix * count
    return codes[: sizes[0]], codes[sizes[0] :]


def pair(left: Positions, right: Positions) -> tuple[Positions, Positions]:
    """Positions of equal codes, the k-th of a code with the k-th, ordered by the position on the left."""
    if np.array_equal(left, right):
        positions = np.arange(len(left))
        return positions, positions
    keys = [np.stack(_sorted_occurrences(codes)) for codes in (left, right)]
    (left_order, left_codes, left_turn), (right_order, right_codes, right_turn) = keys
    times = int(max(left_turn.max(initial=0), right_turn.max(initial=0))) + 1
    both = np.concatenate([left_codes, right_codes])
    if times > 1:
        both = np.unique(both, return_inverse=True)[1] * times + np.concatenate([left_turn, right_turn])
    left_keys, right_keys = both[: len(left)], both[len(left) :]
    place = np.searchsorted(right_keys, left_keys)
    inside = place < len(right_keys)
    found = np.zeros(len(left_keys), bool)
    found[inside] = right_keys[place[inside]] == left_keys[inside]
    partner = np.full(len(left), -1, np.int64)
    partner[left_order[found]] = right_order[place[found]]
    positions = np.flatnonzero(partner >= 0)
    return positions, partner[positions]


def _code(column: pa.ChunkedArray) -> tuple[Positions, int]:
    """Each value's place among the distinct values, null being one of them, and how many there are."""
    encoded = column.dictionary_encode("encode").combine_chunks()
    if isinstance(encoded, pa.ChunkedArray):  # pyarrow before 19 leaves an empty column chunked
        return np.empty(0, np.int64), 0
    return encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64), len(encoded.dictionary)


def _sorted_occurrences(codes: Positions) -> tuple[Positions, Positions, Positions]:
    """Positions in the order of codes, the codes in that order, and which occurrence of its code each one is, from 0."""
    order = np.argsort(codes, kind="stable")
    ordered = codes[order]
    starts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]])) if len(codes) else np.empty(0, int)
    run = np.diff(np.append(starts, len(codes)))
    return order, ordered, np.arange(len(codes)) - np.repeat(starts, run)


def _repeated(codes: Positions) -> Positions:
    """The codes that occur more than once."""
    ordered = np.sort(codes)
    return np.unique(ordered[1:][ordered[1:] == ordered[:-1]])


def _others(positions: Positions, size: int) -> Positions:
    free = np.ones(size, bool)
    free[positions] = False
    return np.flatnonzero(free)


def _pair_within(
    left: Positions, right: Positions, left_codes: Positions, right_codes: Positions
) -> tuple[Positions, Positions]:
    """`pair` for some of the rows, in the order given, with positions in the whole tables."""
    one, other = pair(left_codes[left], right_codes[right])
    return left[one], right[other]


def _match_repeated(
    left: Positions,
    right: Positions,
    left_codes: Positions,
    right_codes: Positions,
    left_all: Columns,
    right_all: Columns,
) -> tuple[Positions, Positions]:
    """Match rows whose key occurs more than once: equal rows first, then what remains of each key in canonical order."""
    some_left = [column.take(pa.array(left)) for column in left_all]
    some_right = [column.take(pa.array(right)) for column in right_all]
    row_left, row_right = code_rows(some_left, some_right, (len(left), len(right)))
    same_left, same_right = pair(row_left, row_right)
    rest_left, rest_right = _others(same_left, len(left)), _others(same_right, len(right))
    rest_left = rest_left[_ranks(some_left, rest_left)]
    rest_right = rest_right[_ranks(some_right, rest_right)]
    pair_left, pair_right = _pair_within(rest_left, rest_right, left_codes[left], right_codes[right])
    return left[np.concatenate([same_left, pair_left])], right[np.concatenate([same_right, pair_right])]


def _ranks(columns: Columns, rows: Positions) -> Positions:
    """The order of some rows by all columns."""
    if not columns or not len(rows):
        return np.arange(len(rows))
    table = pa.table(list(columns), names=[f"c{index}" for index in range(len(columns))]).take(pa.array(rows))
    keys = [(name, "ascending") for name in table.column_names]
    return np.asarray(pc.sort_indices(table, sort_keys=keys).to_numpy(), np.int64)
