"""What the tests of the reports share: sweeps that hold little, and readers of what was written."""

from __future__ import annotations

from collections.abc import Iterator
from html.parser import HTMLParser

from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.transforms import BboxBase

from scale.records import Run, Sweep
from scale.reports.made_up import sweep

HOSTILE = "my|pkg.<script>:$f$_漢字_`a`*b*_a_name_that_goes_on_and_on"
"""An engine's name as a stranger may choose it."""
_VOID = {"meta", "img", "br", "link"}


def without_runs() -> Sweep:
    """Planned, and nothing done."""
    return sweep().model_copy(update={"runs": [], "leaks": [], "series": [], "checks": [], **_UNFINISHED})


def one_size() -> Sweep:
    """One cell with one run of it, and no fit."""
    whole = sweep(("sql",))
    cell, names = whole.planned[0]
    return whole.model_copy(
        update={
            "planned": [(cell, names)],
            "repetitions": 1,
            "runs": whole.runs[1:2],
            "series": [],
            "leaks": [],
            "checks": [],
        }
    )


def only_failures() -> Sweep:
    """No run gave a result."""
    whole = sweep()
    return whole.model_copy(
        update={"runs": [failed(run) for run in whole.runs], "series": [], "leaks": [], "checks": []}
    )


def interrupted() -> Sweep:
    """The first 12 runs (and the warm-ups) of 40."""
    whole = sweep()
    runs = [run for run in whole.runs if run.warm_up] + [run for run in whole.runs if not run.warm_up][:12]
    return whole.model_copy(
        update={
            "planned": whole.planned[:20],
            "repetitions": 2,
            "runs": runs,
            "series": [],
            "leaks": [],
            "checks": [],
            **_UNFINISHED,
        }
    )


def several_engines() -> Sweep:
    """Four engines, one with a hostile name, and one of them out of memory in two cells of the series."""
    whole = sweep(("sql", HOSTILE, "third", "fourth"))
    gone = {("sql", 20_000), ("third", 1_000)}
    runs = [
        failed(run) if (run.cell.engine, run.cell.employees) in gone and run.cell.years == 5 else run
        for run in whole.runs
    ]
    series = [
        one.model_copy(update={"points": [point for point in one.points if (one.engine, int(point.x)) not in gone]})
        for one in whole.series
    ]
    return whole.model_copy(update={"runs": runs, "series": series})


def failed(run: Run) -> Run:
    """The run as if it had been ended for its memory."""
    bare = Run(cell=run.cell, round=run.round, warm_up=run.warm_up, status="memory", started=run.started, load=run.load)
    return bare.model_copy(update={"error": "ended at 20.4 GB"})


_UNFINISHED = {"complete": False, "finished": None, "verdict": "insufficient"}


class Page(HTMLParser):
    """Reads a page, and raises AssertionError where tags do not nest."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.styles = ""
        self.feed(html)
        self.close()
        assert not self.open, f"never closed: {self.open}"

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in _VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"</{tag}> closes another tag"

    def handle_data(self, data: str) -> None:
        if self.open[-1:] == ["style"]:
            self.styles += data
        else:
            self.words.append(data)


def outside(drawn: Figure) -> Iterator[str]:
    """Texts that reach beyond the edges of the picture, where they are cut off. The figure has to be laid out."""
    ticks = {label for axes in drawn.axes for axis in (axes.xaxis, axes.yaxis) for label in axis.findobj(Text)}
    for text in drawn.findobj(Text):
        assert isinstance(text, Text)
        if text not in ticks and text.get_text().strip() and _beyond(text.get_window_extent(), drawn):
            yield text.get_text()
    for axes in drawn.axes:
        for axis in (axes.xaxis, axes.yaxis):  # as drawn: a tick beyond the axis has a label too, and is not drawn
            box = axis.get_tightbbox()
            if box is not None and _beyond(box, drawn):
                yield f"the {axis.axis_name} axis"


def _beyond(box: BboxBase, drawn: Figure) -> bool:
    edges = drawn.bbox
    return box.x0 < edges.x0 - 1 or box.x1 > edges.x1 + 1 or box.y0 < edges.y0 - 1 or box.y1 > edges.y1 + 1
