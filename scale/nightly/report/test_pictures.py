"""The pictures of a night: axes with units, nothing cut off, and no claim that the data do not bear."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

from scale.nightly.records import Night
from scale.nightly.report.made_up import bad_night, clean_night, empty_night, interrupted_night
from scale.nightly.report.pictures import coverage, trend
from scale.reports.plots.style import message, save, styled
from scale.reports.testing import outside


@pytest.fixture(autouse=True)
def style() -> object:
    with styled():
        yield


def drawn(picture: Figure | None) -> Figure:
    assert picture is not None
    return picture


def test_coverage_says_what_the_night_added() -> None:
    picture = drawn(coverage(clean_night()))

    assert message(picture) == "12 pairs of labels met for the first time; all 156 labels known"
    upper, lower = picture.axes
    assert (upper.get_ylabel(), lower.get_ylabel()) == ("labels known, of 156", "pairs of labels known")
    assert lower.get_xlabel() == "time of the campaign (minutes)"
    drawn_points = [[np.asarray(line.get_ydata()) for line in axes.get_lines()] for axes in (upper, lower)]
    assert [(values[0], values[-1]) for values, _ in drawn_points] == [(154, 156), (7_329, 7_341)]
    assert [level[0] for _, level in drawn_points] == [156, 7_329]
    assert "153 of 156" in message(drawn(coverage(bad_night())))
    assert coverage(empty_night()) is None


def test_the_trend_shows_every_night_and_how_it_went() -> None:
    picture = drawn(trend(clean_night(6)))

    (axes,) = picture.axes
    assert message(picture) == "Pairs of labels known after 7 nights: 7,341 (+157 since the first)"
    lines = {str(line.get_label()): line for line in axes.get_lines()}
    marks = {name: np.asarray(line.get_xdata()).size for name, line in lines.items() if not name.startswith("_")}
    assert marks == {"clean (4)": 4, "news (1)": 1, "failed (1)": 1, "interrupted (1)": 1}
    assert trend(clean_night(0)) is None


@pytest.mark.parametrize(
    "make", [clean_night, bad_night, interrupted_night, lambda: clean_night(1), lambda: clean_night(399)]
)
def test_nothing_is_cut_off(make: Callable[[], Night], tmp_path: Path) -> None:
    for picture in (coverage(make()), trend(make())):
        if picture is not None:
            save(picture, tmp_path / "x.png")
            assert list(outside(picture)) == []
