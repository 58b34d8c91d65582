"""Random draws: SplitMix64 as Polars expressions over UInt64. Source: docs/simulation.md, section 4."""

from __future__ import annotations

import hashlib
from functools import lru_cache

import polars as pl

EXPERIENCED_EXIT, EXPERIENCED_EXIT_DATE = 1, 2
HIRE_DATE, HIRE_AGE, HIRE_BIRTH_DAY, HIRE_PAY = 3, 4, 5, 6
NEW_HIRE_EXIT, NEW_HIRE_EXIT_DATE = 7, 8
PROMOTION = 9
OPT_OUT, OPT_OUT_DATE = 10, 11
VOLUNTARY, VOLUNTARY_DATE, VOLUNTARY_RATE = 12, 13, 14

PPM = 1_000_000
_GAMMA, _FIRST, _SECOND = 0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB
_MASK = (1 << 64) - 1


@lru_cache(maxsize=4096)
def literal(value: int | bool | None, dtype: pl.DataType) -> pl.Expr:
    """`pl.lit`, made once: a year's plans hold about a thousand, and making one costs as much as running it on a few rows."""
    return pl.lit(value, dtype=dtype)


_U64 = pl.UInt64()


def u64(value: int) -> pl.Expr:
    """A UInt64 literal: next to a signed one Polars would compute in Float64."""
    return literal(value, _U64)


def fold(state: pl.Expr, word: pl.Expr) -> pl.Expr:
    """`fold(h, w)` of section 4; both UInt64. Polars wraps modulo 2^64; `//` by a power of two is the right shift."""
    z = state + u64(_GAMMA) + word
    z = (z ^ (z // u64(1 << 30))) * u64(_FIRST)
    z = (z ^ (z // u64(1 << 27))) * u64(_SECOND)
    return z ^ (z // u64(1 << 31))


def fold_number(state: int, word: int) -> int:
    """The same fold of two Python integers, for words that are constants of a world."""
    z = (state + _GAMMA + word) & _MASK
    z = ((z ^ (z >> 30)) * _FIRST) & _MASK
    z = ((z ^ (z >> 27)) * _SECOND) & _MASK
    return z ^ (z >> 31)


@lru_cache(maxsize=65_536)
def text_key(text: str) -> int:
    """The first 8 bytes, big endian, of SHA-256 of the text in UTF-8."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")


@lru_cache(maxsize=32)
def raw_draw(stream: int) -> pl.Expr:
    """The 64-bit draw of a stream, from the column `year_key` (seed, key and year folded already)."""
    return fold(pl.col("year_key"), u64(stream))


def draw(stream: int, modulus: pl.Expr) -> pl.Expr:
    """`draw mod modulus` as Int64; the modulus is a positive integer expression below 2^63."""
    return (raw_draw(stream) % modulus.cast(pl.UInt64)).cast(pl.Int64)


def draw_day(stream: int, days: pl.Expr) -> pl.Expr:
    """`draw mod days` as Int32, to be added to the first day."""
    return (raw_draw(stream) % days.cast(pl.UInt64)).cast(pl.Int32)


def happens(stream: int, ppm: pl.Expr) -> pl.Expr:
    """Whether the stream's event happens "with p ppm"."""
    return (raw_draw(stream) % u64(PPM)).cast(pl.Int64) < ppm
