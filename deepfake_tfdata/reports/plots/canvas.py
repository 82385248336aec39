"""What all plots share: widths, type sizes, colours, and how a figure becomes files."""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

# Inches: a column of a paper, and both with the gap between them. A figure is drawn in the size that it is
# printed in, so that its type is that of the paper; a phone's screen is as wide as a column.
SINGLE, DOUBLE = 3.5, 7.16
_HEIGHT = 3.0
_DOTS_AN_INCH = 220

# Told apart with every common colour blindness: M. Okabe and K. Ito, Color Universal Design (2008).
BLUE, VERMILION = "#0072B2", "#D55E00"
COLOURS = (BLUE, VERMILION, "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
CLASSES = ((0, "real", BLUE), (1, "fake", VERMILION))
GREY = "#666666"
SHADE = "#E4E7EB"

# Points. Text stays text in an SVG, to be found and edited; its ids are not drawn by chance.
_STYLE: Any = {
    "font.family": "sans-serif",
    "font.size": 8,
    "axes.titlesize": 9,
    "axes.labelsize": 8,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "legend.fontsize": 7,
    "legend.edgecolor": "none",
    "lines.linewidth": 1.4,
    "lines.markersize": 4,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "svg.fonttype": "none",
    "svg.hashsalt": "deepfake_tfdata",
}
# A decorator of every function that draws: the one style, while it draws.
styled = matplotlib.rc_context(_STYLE)

# By name; one with one value has it in every row.
Columns = Mapping[str, Sequence[Any] | np.ndarray]


@dataclass(frozen=True, eq=False)
class Plot:
    """A figure and the files of it, of which each is made when it is first asked for.

    Attributes:
        figure: as it is drawn.
        title: for who can't see the SVG.
        tables: the numbers that are drawn, columns by name, all with the same names.
    """

    figure: Figure
    title: str
    tables: Sequence[Columns]

    @cached_property
    def png(self) -> bytes:
        """For a screen."""
        png = self._saved(format="png", dpi=_DOTS_AN_INCH)
        self.figure.set_layout_engine("none")  # the layout stays, and is not worked out again
        return png

    @cached_property
    def svg(self) -> bytes:
        """For paper; its text is text."""
        return self._saved(format="svg", metadata={"Title": self.title, "Date": None})

    @cached_property
    def numbers(self) -> str:
        """CSV of what is drawn."""
        return _csv(self.tables)

    @styled
    def _saved(self, **options: Any) -> bytes:
        buffer = io.BytesIO()
        self.figure.savefig(buffer, **options)
        return buffer.getvalue()


def canvas(title: str, x_label: str, y_label: str, height: float = _HEIGHT) -> tuple[Figure, Axes]:
    """An empty plot as wide as a column, `height` inches high."""
    figure = Figure(figsize=(SINGLE, height), layout="constrained")
    axes = figure.add_subplot()
    axes.set(title=title, xlabel=x_label, ylabel=y_label)
    return figure, axes


def whole_numbers() -> MaxNLocator:
    """Ticks for what is counted."""
    return MaxNLocator("auto", steps=[1, 2, 5, 10], integer=True)


def _csv(tables: Sequence[Columns]) -> str:
    """One table under the others; a column with one value has it in every row."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(tables[0])
    for table in tables:
        columns = np.broadcast_arrays(*(np.asarray(column, object) for column in table.values()))
        writer.writerows(zip(*(np.atleast_1d(column).tolist() for column in columns), strict=True))
    return text.getvalue()
