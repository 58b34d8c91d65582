"""Figures as people read them."""

from __future__ import annotations

import math

import pytest

from scale.reports.units import count, number, percent, seconds, short_count, size


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (seconds(0.1234), "0.123 s"),
        (seconds(1.2), "1.20 s"),
        (seconds(1234.5), "1,234 s"),
        (seconds(0.00004), "0.0000 s"),
        (seconds(None), "-"),
        (size(999), "999 B"),
        (size(1_500_000), "1.50 MB"),
        (size(48e9), "48.0 GB"),
        (percent(0.1234, 1), "12.3 %"),
        (percent(math.nan), "-"),
        (number(1e-20, 2), "1.0e-20"),
        (number(math.inf), "-"),
        (number(0.99961, 4), "0.9996"),
        (count(1234567.0), "1,234,567"),
        (short_count(1_000_000), "1M"),
        (short_count(1_500), "1.5k"),
    ],
)
def test_shown(shown: str, expected: str) -> None:
    assert shown == expected
