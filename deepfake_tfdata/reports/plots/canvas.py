"""What all plots share: widths, type sizes, colours, and how a figure becomes files."""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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


@dataclass(frozen=True)
class Plot:
    """A figure as files in memory.

    Attributes:
        png: for a screen.
        svg: for paper; its text is text.
        numbers: CSV of what is drawn.
    """

    png: bytes
    svg: bytes
    numbers: str


def canvas(title: str, x_label: str, y_label: str, height: float = _HEIGHT) -> tuple[Figure, Axes]:
    """An empty plot as wide as a column, `height` inches high."""
    figure = Figure(figsize=(SINGLE, height), layout="constrained")
    axes = figure.add_subplot()
    axes.set(title=title, xlabel=x_label, ylabel=y_label)
    return figure, axes


def whole_numbers() -> MaxNLocator:
    """Ticks for what is counted."""
    return MaxNLocator("auto", steps=[1, 2, 5, 10], integer=True)


def finished(figure: Figure, title: str, *tables: Columns) -> Plot:
    """The files of a figure.

    Args:
        figure: as it is drawn.
        title: for who can't see the SVG.
        tables: the numbers that are drawn, columns by name, all with the same names.
    """
    png = _saved(figure, format="png", dpi=_DOTS_AN_INCH)
    figure.set_layout_engine("none")  # the layout stays that of the PNG, and is not worked out again
    svg = _saved(figure, format="svg", metadata={"Title": title, "Date": None})
    return Plot(png, svg, _csv(tables))


def _saved(figure: Figure, **options: Any) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, **options)
    return buffer.getvalue()


def _csv(tables: Sequence[Columns]) -> str:
    """One table under the others; a column with one value has it in every row."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(tables[0])
    for table in tables:
        columns = np.broadcast_arrays(*(np.asarray(column, object) for column in table.values()))
        writer.writerows(zip(*(np.atleast_1d(column).tolist() for column in columns), strict=True))
    return text.getvalue()
