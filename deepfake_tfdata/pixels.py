"""What rooms that know nothing of each other must agree on about pixels and views of them."""

# About zero after any backbone's normalisation: bars, padding and what lies outside a crop have it.
MID_GREY = 128
# Red, green and blue in luma (ITU-R BT.601), which JPEG and standard-definition video use.
LUMA = (0.299, 0.587, 0.114)
# The numbers of a view, which says what a detector looks at in native frames, in this order: height and width
# of the clip's frames in pixels; the window that fills the result, in pixels of the frame, in fractions too,
# and mirrored where left > right; then saturation (1: as it is), contrast around mid grey (1: as it is) and
# brightness (grey levels to add).
VIEW = ("height", "width", "top", "left", "bottom", "right", "saturation", "contrast", "brightness")
# The input of a detector of one region; with several, inputs have the regions' names.
FRAMES = "frames"


def view_name(frames: str) -> str:
    """The name of the view that goes with native frames of that name."""
    return "view" if frames == FRAMES else f"{frames}_view"
