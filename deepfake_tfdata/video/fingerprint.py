"""What a picture looks like in 256 bits: pictures that look alike differ in few of them."""

import cv2
import numpy as np

_SIDE, _LOW = 64, 16
# Grey levels. A picture with less contrast, black or faded, looks like every other such.
_MIN_CONTRAST = 4.0


def perceptual_hash(picture: np.ndarray) -> bytes | None:
    """The signs of the lowest frequencies of a picture, around their median.

    C. Zauner, Implementation and Benchmarking of Perceptual Image Hash Functions (2010), section 3.2.1. It
    hardly changes with size, compression and colour. The usual 64 bits do not part talking heads in one pose.

    Args:
        picture: uint8 [H, W], grey.

    Returns:
        256 bits; None where there is hardly anything to see.
    """
    small = cv2.resize(picture, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA).astype(np.float32)
    if small.std() < _MIN_CONTRAST:
        return None
    # Without the first row and column: they hold what lies in one direction, such as a gradient of light.
    low = cv2.dct(small)[1 : _LOW + 1, 1 : _LOW + 1].ravel()
    return np.packbits(low > np.median(low)).tobytes()
