"""Deterministic draws: docs/simulation.md, section 4."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from typing import TypeVar

EXIT_SELECTION = 1
EXIT_DATE = 2
HIRE_DATE = 3
HIRE_AGE = 4
HIRE_BIRTH_DAY = 5
HIRE_PAY = 6
NEW_HIRE_EXIT_SELECTION = 7
NEW_HIRE_EXIT_DATE = 8
PROMOTION = 9
OPT_OUT = 10
OPT_OUT_DATE = 11
VOLUNTARY = 12
VOLUNTARY_DATE = 13
VOLUNTARY_RATE = 14

MILLION = 1_000_000
_MASK = 0xFFFFFFFFFFFFFFFF

T = TypeVar("T")


def mix(z: int) -> int:
    """SplitMix64's finaliser on a 64-bit word."""
    z ^= z >> 30
    z = z * 0xBF58476D1CE4E5B9 & _MASK
    z ^= z >> 27
    z = z * 0x94D049BB133111EB & _MASK
    return z ^ (z >> 31)


def fold(h: int, word: int) -> int:
    """Absorb one 64-bit word into the state h."""
    return mix((h + 0x9E3779B97F4A7C15 + word) & _MASK)


def draw(seed: int, key: int, year: int, stream: int) -> int:
    """The 64-bit draw of one person, year and stream.

    The engine folds the same words in the same order, but keeps the states after seed and key, and after year, which
    all draws of a person, or of a year of theirs, share: `fold(person_year.draws, stream)` is this function's value.
    """
    return fold(fold(fold(fold(0, seed), key), year), stream)


def text_key(text: str) -> int:
    """The first 8 bytes, big endian, of SHA-256 of the text in UTF-8."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")


def happens(drawn: int, ppm: int) -> bool:
    """Whether something with a probability of `ppm` parts per million happens."""
    return drawn % MILLION < ppm


def smallest(candidates: Iterable[T], k: int, rank: Callable[[T], tuple[int, str]]) -> list[T]:
    """The k candidates with the smallest (draw, employee_id); Python orders text as its UTF-8 bytes do."""
    return sorted(candidates, key=rank)[:k]
