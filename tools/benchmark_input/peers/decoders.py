"""Python's ways to libjpeg-turbo: one JPEG to uint8 [H, W, 3]."""

import io
from collections.abc import Callable

import numpy as np

Decoder = Callable[[bytes], np.ndarray]


def decoder_named(name: str) -> Decoder:
    """The decoder 'simplejpeg', 'opencv' or 'pillow'; its library is imported here."""
    return {"simplejpeg": _simplejpeg, "opencv": _opencv, "pillow": _pillow}[name]()


def _simplejpeg() -> Decoder:
    import simplejpeg

    return simplejpeg.decode_jpeg


def _opencv() -> Decoder:
    import cv2

    cv2.setNumThreads(1)
    return lambda image: cv2.imdecode(np.frombuffer(image, np.uint8), cv2.IMREAD_COLOR_RGB)


def _pillow() -> Decoder:
    from PIL import Image

    return lambda image: np.asarray(Image.open(io.BytesIO(image)))
