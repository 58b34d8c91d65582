"""The pictures: each says what it shows, names its axes, and nothing is cut off or hidden."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import matplotlib.image as mpimg
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.text import Text

from scale.policy import Policy
from scale.records import Sweep
from scale.reports.cells import cell_views
from scale.reports.made_up import comparison, sweep
from scale.reports.plots import draw_comparison, of_sweep
from scale.reports.plots.ratios import MAX_CELLS, ratios
from scale.reports.plots.style import looks, message, save, styled
from scale.reports.plots.threads import thread_efficiency
from scale.reports.testing import HOSTILE, interrupted, one_size, only_failures, outside, several_engines, without_runs

POLICY = Policy.load()
NAMES = {
    "time_over_employees", "memory_over_employees", "throughput", "time_over_years", "time_per_year", "stages",
    "thread_efficiency", "residuals",
}  # fmt: skip


@pytest.fixture(autouse=True)
def style() -> object:
    with styled():
        yield


def drawn(found: Sweep) -> dict[str, Figure]:
    return {name: picture for name, picture in of_sweep(found, POLICY) if picture}


def test_every_picture_is_drawn_with_its_message_and_units() -> None:
    pictures = drawn(sweep())

    assert set(pictures) == NAMES
    assert message(pictures["time_over_employees"]) == "Time grows over employees as n^1.00 in sql, as n^1.00 in polars"
    assert "sql 82 %, polars 71 %" in message(pictures["thread_efficiency"]).replace("\N{NO-BREAK SPACE}", " ")
    labels = {name: (picture.axes[0].get_xlabel(), picture.axes[0].get_ylabel()) for name, picture in pictures.items()}
    assert labels["time_over_employees"] == ("employees (log scale)", "wall time (seconds, log scale)")
    assert labels["memory_over_employees"][1] == "peak memory (MB, log scale)"
    assert all(x and (y or name == "stages") for name, (x, y) in labels.items())


@pytest.mark.parametrize("make", [sweep, several_engines])
def test_nothing_is_cut_off_and_no_legend_lies_over_data(make: Callable[[], Sweep], tmp_path: Path) -> None:
    for name, picture in drawn(make()).items():
        save(picture, tmp_path / f"{name}.png")
        assert mpimg.imread(str(tmp_path / f"{name}.png")).shape[1] >= 1200
        assert list(outside(picture)) == [], name
        assert not any(text.get_parse_math() for text in picture.findobj(Text)), name  # a name may hold dollar signs
        for legend in picture.legends:
            box = legend.get_window_extent()
            assert not box.overlaps(picture.axes[0].get_window_extent()), name
            assert picture.bbox.x0 <= box.x0 and box.x1 <= picture.bbox.x1 and box.y0 >= picture.bbox.y0, name


def test_the_look_outside_sees_a_text_that_is_cut_off(tmp_path: Path) -> None:
    picture = drawn(sweep())["throughput"]
    picture.axes[0].text(1.2, 0.5, "far out", transform=picture.axes[0].transAxes).set_in_layout(False)
    save(picture, tmp_path / "x.png")

    assert list(outside(picture)) == ["far out"]


def test_little_data_gives_fewer_pictures_and_no_error() -> None:
    assert drawn(without_runs()) == {}
    assert drawn(only_failures()) == {}
    assert set(drawn(one_size())) == {"throughput", "time_per_year", "stages"}
    assert "thread_efficiency" not in drawn(interrupted())


def test_an_exponent_that_nothing_bears_is_not_claimed() -> None:
    found = sweep()
    shaky = [one.model_copy(update={"power": {**(one.power or {}), "verdict": "inconclusive"}}) for one in found.series]
    title = message(drawn(found.model_copy(update={"series": shaky}))["time_over_employees"])

    assert title == "Time grows over employees as n^1.00 in sql (inconclusive), as n^1.00 in polars (inconclusive)"
    unfitted = [one.model_copy(update={"power": None, "linear": None}) for one in found.series]
    title = message(drawn(found.model_copy(update={"series": unfitted}))["time_over_employees"])
    assert title == "Time over employees: too little was measured to fit a curve"


def test_a_cell_without_a_result_is_marked_where_it_would_be() -> None:
    texts = {text.get_text() for text in drawn(several_engines())["time_over_employees"].axes[0].texts}

    assert {"sql: out of memory", "third: out of memory"} <= texts


def test_built_in_engines_keep_their_colours_and_no_two_engines_share_one() -> None:
    assert looks(["polars"])["polars"] == looks(["sql", "polars", "oracle", "a"])["polars"]
    found = looks(["sql", "polars", "oracle", "a", "b", HOSTILE])
    assert len({look.color for look in found.values()}) == len({look.marker for look in found.values()}) == 6
    lines = drawn(sweep())["throughput"].axes[0].get_lines()
    assert {to_hex(line.get_color()) for line in lines} == {
        look.color.lower() for look in looks(["sql", "polars"]).values()
    }


def test_thread_counts_beyond_the_cores_are_shaded() -> None:
    views = cell_views(sweep())
    look = looks(["sql", "polars"])

    def shaded(cores: int) -> list[str]:
        picture = thread_efficiency(views, look, cores, POLICY)
        assert picture
        return [text.get_text() for text in picture.axes[0].texts if "not judged" in text.get_text()]

    assert shaded(2) == ["beyond 2 cores:\nnot judged"]
    assert shaded(4) == []
    alone = thread_efficiency(views, look, 1, POLICY)
    assert alone and "not judged: this machine has 1 core" in message(alone)


def test_many_cells_are_cut_to_those_that_changed_most(tmp_path: Path) -> None:
    one = comparison()
    cells = [cell.model_copy(update={"ratio": 1 + at / 100}) for at, cell in enumerate(one.cells * 10)]
    picture = ratios(one.model_copy(update={"cells": cells}), POLICY)

    assert picture and len(picture.axes[0].get_yticks()) == MAX_CELLS
    assert f"The {MAX_CELLS} cells of 60" in " ".join(picture.axes[0].get_title(loc="left").split())
    save(picture, tmp_path / "x.png")
    assert list(outside(picture)) == []
    assert draw_comparison(one.model_copy(update={"cells": []}), tmp_path, POLICY) == []
