"""The versions of what makes clips of videos: other ones may give other bytes."""

import av
import cv2
import PIL

# Counted up with every change here or in clips/ that gives other bytes for the same video and clip spec.
ALGORITHM = 2


def versions() -> dict[str, str]:
    """Of this room's own code and of the libraries that decode, detect, resize and encode."""
    decoder = ".".join(map(str, av.library_versions["libavcodec"]))
    return {
        "algorithm": str(ALGORITHM),
        "av": av.__version__,
        "libavcodec": decoder,
        "opencv": cv2.__version__,
        "pillow": PIL.__version__,
    }
