"""A face over time: what its clips say, and what its frames weigh."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure

from deepfake_tfdata.reports.plots.canvas import BLUE, GREY, SINGLE, VERMILION, Columns, Plot, styled

if TYPE_CHECKING:  # a page of something else knows nothing of verdicts
    from deepfake_tfdata.verdicts.verdict import ScoredClip, SeenFrame

_HEIGHT = 3.2  # inches


@styled
def face_timeline(number: int, clips: Sequence[ScoredClip], frames: Sequence[SeenFrame]) -> Plot:
    """Clips as bars from their first frame to their last, and a stem a frame below.

    Args:
        number: of the face.
        clips: at least one.
        frames: in which it was looked for.
    """
    title = f"Face {number} over time"
    weighed = [frame for frame in frames if frame.attention is not None]
    spoken = [frame for frame in frames if frame.evidence is not None]
    figure = Figure(figsize=(SINGLE, _HEIGHT), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 2))
    calibrated = all(clip.log10_likelihood_ratio is not None for clip in clips)
    values = [clip.log10_likelihood_ratio if calibrated else clip.score for clip in clips]
    label = "log10 LR" if calibrated else "score"
    for clip, value in zip(clips, values, strict=True):
        above.plot([clip.start, clip.end], [value, value], color=VERMILION, lw=3, solid_capstyle="butt")
    above.axhline(0 if calibrated else 0.5, color=GREY, lw=0.8, ls=":")
    above.set(title=title, ylabel=label)
    _pad(above)
    if spoken:
        below.bar([f.seconds for f in spoken], [f.evidence for f in spoken], _width(frames), color=VERMILION)
        below.set(ylabel="logit it adds")
    elif weighed:
        below.bar([f.seconds for f in weighed], [f.attention for f in weighed], _width(frames), color=BLUE)
        below.axhline(1, color=GREY, lw=0.8, ls=":")
        below.set(ylabel="attention")
    missing = [frame.seconds for frame in frames if frame.box is None]
    below.plot(missing, np.zeros(len(missing)), "x", color=GREY, ms=3)
    below.set(xlabel="seconds")
    tables: list[Columns] = [
        {
            "face": [number],
            "what": [what],
            "from": [start for start, _, _ in points],
            "to": [end for _, end, _ in points],
            "value": [value for _, _, value in points],
        }
        for what, points in (
            (label, [(c.start, c.end, v) for c, v in zip(clips, values, strict=True)]),
            ("attention", [(f.seconds, f.seconds, f.attention) for f in weighed]),
            ("logit it adds", [(f.seconds, f.seconds, f.evidence) for f in spoken]),
        )
        if points
    ]
    return Plot(figure, title, tables)


def _pad(axes: object) -> None:
    low, high = axes.get_ylim()  # type: ignore[attr-defined]
    room = 0.1 * max(high - low, 0.5)
    axes.set_ylim(low - room, high + room)  # type: ignore[attr-defined]


def _width(frames: Sequence[SeenFrame]) -> float:
    """Of a bar: most of the time between frames."""
    times = [frame.seconds for frame in frames]
    return 0.7 * float(np.median(np.diff(times))) if len(times) > 1 else 0.1
