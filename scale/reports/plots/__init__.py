"""The pictures of a report, as PNG files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from matplotlib.figure import Figure

from scale.policy import Policy
from scale.records import Comparison, Sweep
from scale.reports.cells import cell_views, main_series
from scale.reports.document import Picture
from scale.reports.plots.ratios import ratios
from scale.reports.plots.residuals import residuals
from scale.reports.plots.scaling import scaling
from scale.reports.plots.stages import stages
from scale.reports.plots.style import looks, message, save, styled
from scale.reports.plots.threads import thread_efficiency
from scale.reports.plots.work import throughput, years
from scale.reports.targets import beside_series, targets

FOLDER = "plots"


def draw_sweep(sweep: Sweep, folder: Path, policy: Policy) -> list[Picture]:
    """Write every plot that the sweep has data for into `folder`/plots."""
    with styled():
        return [_saved(name, picture, folder) for name, picture in of_sweep(sweep, policy) if picture]


def draw_comparison(comparison: Comparison, folder: Path, policy: Policy) -> list[Picture]:
    """Write the plot of ratios into `folder`/plots, if a cell has a ratio."""
    with styled():
        picture = ratios(comparison, policy)
        return [_saved("ratios", picture, folder)] if picture else []


def of_sweep(sweep: Sweep, policy: Policy) -> Iterator[tuple[str, Figure | None]]:
    """Every plot by its name; None where the sweep has no data for it."""
    views = cell_views(sweep)
    series = main_series(views)
    look = looks([*(view.cell.engine for view in views), *(one.engine for one in sweep.series)])
    marks = beside_series(targets(views), series)
    yield "time_over_employees", scaling(sweep.series, series, look, marks, "employees", "seconds")
    yield "memory_over_employees", scaling(sweep.series, series, look, marks, "employees", "memory")
    yield "throughput", throughput(series, look)
    yield "time_over_years", scaling(sweep.series, [], look, [], "years", "seconds")
    yield "time_per_year", years(views, look)
    yield "stages", stages(series, look)
    yield "thread_efficiency", thread_efficiency(views, look, sweep.machine.cores, policy)
    yield "residuals", residuals(sweep.series, look)


def _saved(name: str, picture: Figure, folder: Path) -> Picture:
    file = PurePosixPath(FOLDER) / f"{name}.png"
    save(picture, folder / file)
    return Picture(file, message(picture))
