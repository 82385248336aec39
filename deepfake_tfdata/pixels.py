"""What rooms that know nothing of each other must agree on about pixels and views of them."""

from collections.abc import Sequence
from typing import Any

# About zero after any backbone's normalisation: bars, padding and what lies outside a crop have it.
MID_GREY = 128
# Red, green and blue in luma (ITU-R BT.601), which JPEG and standard-definition video use.
LUMA = (0.299, 0.587, 0.114)
# The numbers of a view, which says what a detector looks at in native frames, in this order; rectangles are
# in pixels of the frame. The picture: all that there is; nothing else is read. The window: what fills the
# result, in fractions, too, and mirrored where left > right. The retention: the share of its pixels, per
# axis, that the picture is first reduced to (1: all). The hidden rectangle: the result is grey wherever it
# would show; as large as nothing it hides nothing. Then saturation (1: as it is), contrast around mid grey
# (1: as it is) and brightness (grey levels to add).
VIEW = (
    *("picture_top", "picture_left", "picture_bottom", "picture_right"),
    *("top", "left", "bottom", "right"),
    "retention",
    *("hidden_top", "hidden_left", "hidden_bottom", "hidden_right"),
    *("saturation", "contrast", "brightness"),
)
NOTHING = (0.0, 0.0, 0.0, 0.0)  # a rectangle
# The input of a detector of one region; with several, inputs have the regions' names.
FRAMES = "frames"


def view_numbers(
    picture: Sequence[Any], window: Sequence[Any], retention: Any = 1.0, hidden: Sequence[Any] = NOTHING
) -> list[Any]:
    """The numbers of VIEW, with the tones as they are, of numbers or of tensors.

    Args:
        picture, window, hidden: top, left, bottom, right.
        retention: as in VIEW.
    """
    return [*picture, *window, retention, *hidden, 1.0, 1.0, 0.0]


def view_name(frames: str) -> str:
    """The name of the view that goes with native frames of that name."""
    return "view" if frames == FRAMES else f"{frames}_view"
