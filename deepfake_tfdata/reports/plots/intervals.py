"""Estimates with their intervals: one under the other, or over an axis."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.ticker import NullLocator
from matplotlib.transforms import ScaledTranslation, Transform

from deepfake_tfdata.reports.plots.canvas import (
    BLUE,
    COLOURS,
    GREY,
    SHADE,
    Columns,
    Plot,
    canvas,
    styled,
)

# Inches.
_ROW_HEIGHT, _NOTE_HEIGHT, _FRAME_HEIGHT = 0.36, 0.14, 0.75
_NAME_LENGTH, _NOTE_LENGTH = 38, 68
_MARKERS = "osD^vPX"
_LINES = ("-", "--", "-.", ":")
# Points that the intervals of two series stand apart, so that neither hides the other.
_APART = 3.0
_TICKS = 9


@dataclass(frozen=True)
class Row:
    """An estimate of a forest plot.

    Attributes:
        name: of what is estimated.
        value: the estimate; None where there is none.
        low: end of its interval.
        high: its other end.
        note: in words, below the name, such as a verdict.
    """

    name: str
    value: float | None
    low: float | None
    high: float | None
    note: str = ""


@dataclass(frozen=True)
class Point:
    """An estimate of a curve, at x."""

    x: float
    value: float
    low: float
    high: float


@styled
def forest(
    rows: Sequence[Row], *, title: str, x_label: str, reference: float, margin: float | None = None
) -> Plot:
    """Estimates with their intervals, one under the other, each with its name and its figures above it.

    Args:
        rows: from the top; at least one.
        title: of the plot; may be empty.
        x_label: what is estimated, in which unit.
        reference: where a line is drawn: no difference, or chance.
        margin: half the width of a shaded band around the reference, in which a difference matters to nobody.
    """
    pitch = _ROW_HEIGHT + (_NOTE_HEIGHT if any(row.note for row in rows) else 0)
    figure, axes = canvas(title, x_label, "", height=_FRAME_HEIGHT + pitch * len(rows))
    if margin is not None:
        axes.axvspan(reference - margin, reference + margin, color=SHADE, linewidth=0, zorder=0)
    axes.axvline(reference, color=GREY, linewidth=0.8, zorder=1)
    for place, row in enumerate(rows):
        _draw_row(axes, pitch * place, row)
    axes.set_ylim(pitch * (len(rows) - 1) + 0.12, 0.1 - pitch)
    axes.margins(x=0.06)
    axes.yaxis.set_visible(False)
    axes.spines["left"].set_visible(False)
    numbers: Columns = {
        "name": [row.name for row in rows],
        "estimate": [row.value for row in rows],
        "low": [row.low for row in rows],
        "high": [row.high for row in rows],
        "note": [row.note for row in rows],
        "reference": [reference],
        "margin": [margin],
    }
    return Plot(figure, title, [numbers])


def _draw_row(axes: Axes, place: float, row: Row) -> None:
    """An interval, `place` inches below the first, under its name and figures."""
    across = axes.get_yaxis_transform()
    above = place - (_NOTE_HEIGHT if row.note else 0) - 0.08
    axes.text(0, above, _cut(row.name, _NAME_LENGTH), transform=across, va="bottom", weight="bold", size=7)
    axes.text(1, above, _figures(row), transform=across, va="bottom", ha="right", size=7)
    if row.note:
        axes.text(
            0, place - 0.08, _cut(row.note, _NOTE_LENGTH), transform=across, va="bottom", size=7, color=GREY
        )
    if row.value is not None and row.low is not None and row.high is not None:
        axes.plot([row.low, row.high], [place, place], "|-", color=BLUE, markersize=5, zorder=3)
        axes.plot(row.value, place, "o", color=BLUE, markersize=5, zorder=4)


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 1]}…"


def _figures(row: Row) -> str:
    if row.value is None or row.low is None or row.high is None:
        return "undefined"
    return f"{row.value:.3f} [{row.low:.3f}, {row.high:.3f}]".replace("-", "\N{MINUS SIGN}")


@styled
def curve(
    series: Mapping[str, Sequence[Point]],
    *,
    title: str,
    x_label: str,
    y_label: str,
    reference: float | None = None,
    log2_x: bool = False,
) -> Plot:
    """Estimates with their intervals over an axis, a line a series.

    Args:
        series: by name, points in the order of x.
        title: of the plot; may be empty.
        x_label: of the axis.
        y_label: what is estimated.
        reference: where a level line is drawn: no difference, or chance.
        log2_x: a doubling of x is everywhere as wide.
    """
    figure, axes = canvas(title, x_label, y_label)
    if log2_x:
        axes.set_xscale("log", base=2)
    if reference is not None:
        axes.axhline(reference, color=GREY, linewidth=0.8, zorder=1)
    numbers: list[Columns] = []
    looks = zip(cycle(COLOURS), cycle(_MARKERS), cycle(_LINES), strict=False)
    for place, ((name, points), look) in enumerate(zip(series.items(), looks, strict=False)):
        aside = ScaledTranslation(_APART * (place - (len(series) - 1) / 2) / 72, 0, figure.dpi_scale_trans)
        columns = _columns(points)
        _draw_series(axes, name, columns, look, aside)
        numbers.append({"series": [name], **columns, "reference": [reference]})
    _ticks_at_points(axes, sorted({point.x for points in series.values() for point in points}))
    if len(series) > 1:
        figure.legend(loc="outside lower center", ncols=min(len(series), 3))
    return Plot(figure, title, numbers)


def _columns(points: Sequence[Point]) -> dict[str, list[float]]:
    return {
        "x": [point.x for point in points],
        "estimate": [point.value for point in points],
        "low": [point.low for point in points],
        "high": [point.high for point in points],
    }


def _draw_series(
    axes: Axes, name: str, columns: dict[str, list[float]], look: tuple[str, str, str], aside: Transform
) -> None:
    """A line through the estimates, and their intervals; moved aside once the axes know the data's limits."""
    colour, marker, line = look
    x, value, low, high = columns.values()
    drawn: list[Artist] = [axes.vlines(x, low, high, color=colour, linewidth=1)]
    drawn += axes.plot(x, value, line, marker=marker, color=colour, label=name)
    for artist in drawn:
        artist.set_transform(axes.transData + aside)


def _ticks_at_points(axes: Axes, places: Sequence[float]) -> None:
    """Where there are few points, the axis names just them."""
    if 1 < len(places) <= _TICKS:
        axes.set_xticks(places, [f"{place:g}" for place in places])
        axes.xaxis.set_minor_locator(NullLocator())
