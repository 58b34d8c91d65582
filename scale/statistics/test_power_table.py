"""The tables print, and hold what docs/statistics.md quotes from them."""

from __future__ import annotations

import pytest

from scale.policy import Policy
from scale.statistics import power_table


def test_the_tables_print(capsys: pytest.CaptureFixture[str]) -> None:
    power_table.main(["--trials", "2"])

    lines = capsys.readouterr().out.splitlines()
    assert sum(line.startswith("### ") for line in lines) == 4
    tables = [line for line in lines if line.startswith("| ")]
    assert len(tables) == 2 * (1 + len(power_table._CASES)) + (1 + 4) + (1 + 4)


def test_a_regression_row_has_the_shares_of_its_kind() -> None:
    clean, *_, large = power_table.regression_rows(20, Policy.load())

    assert clean[0] == "+0%" and clean[-1] == "0.0 %"
    assert large[0] == "+20%" and large[-1] == "100.0 %"
