"""The plot of a conversion."""

from collections.abc import Mapping, Sequence
from typing import Any

from deepfake_tfdata.reports.plots.canvas import CLASSES, GREY, Plot, canvas, styled, whole_numbers


@styled
def face_size_histogram(counts: Mapping[str, Sequence[int]], edges: Sequence[float], frame_size: int) -> Plot:
    """How many videos of each class have faces of which size, on a logarithmic axis.

    Args:
        counts: by class, of each bin.
        edges: of the bins, pixels, rising.
        frame_size: side of what the network gets, pixels.
    """
    figure, axes = canvas("Face sizes", "side of the face box, pixels", "videos")
    for label, name, colour in CLASSES:
        style: dict[str, Any] = {"fill": True, "alpha": 0.35} if label else {"linewidth": 1.4}
        members = counts[name]
        axes.stairs(members, edges, color=colour, label=f"{name} ({sum(members)})", **style)
    axes.axvline(frame_size, linestyle="--", color=GREY, linewidth=1, label="the network's input")
    axes.set_xscale("log", base=2)
    octaves = edges[:: max(1, len(edges) // 6)]
    axes.set_xticks(octaves, [f"{edge:.0f}" for edge in octaves])
    axes.yaxis.set_major_locator(whole_numbers())
    axes.legend()
    return Plot(figure, "Face sizes", [{"from_pixels": edges[:-1], "to_pixels": edges[1:], **counts}])
