"""Covering arrays: few variants that together hold every value of each axis and every pair of values."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

Row = dict[str, Any]


def covering_rows(axes: Mapping[str, Sequence[Any]]) -> list[Row]:
    """Rows (one value per axis) that cover all pairs of values of any two axes. Greedy, and the same for the same axes.

    Each row takes the first pair not yet covered and fills the other axes with the values that cover most of what is left.
    """
    names = list(axes)
    if len(names) == 1:
        return [{names[0]: value} for value in axes[names[0]]]
    missing = [
        ((a, i), (b, j))
        for a, b in itertools.combinations(names, 2)
        for i in range(len(axes[a]))
        for j in range(len(axes[b]))
    ]
    left = dict.fromkeys(missing)
    rows: list[Row] = []
    while left:
        chosen = dict(next(iter(left)))
        for name in names:
            if name not in chosen:
                gains = [_gain(chosen, name, value, left, names) for value in range(len(axes[name]))]
                chosen[name] = gains.index(max(gains))
        for pair in itertools.combinations([(name, chosen[name]) for name in names], 2):
            left.pop(pair, None)
        rows.append({name: axes[name][chosen[name]] for name in names})
    return rows


def _gain(chosen: dict[str, int], name: str, value: int, left: Mapping[Any, None], names: Sequence[str]) -> int:
    order = names.index
    pairs = (
        tuple(sorted(((other, index), (name, value)), key=lambda item: order(item[0])))
        for other, index in chosen.items()
    )
    return sum(pair in left for pair in pairs)
