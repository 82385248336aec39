"""Python's ways to libjpeg-turbo: one JPEG into a uint8 array [H, W, 3]."""

import io
from collections.abc import Callable, Sequence

import numpy as np

Decoder = Callable[[bytes, np.ndarray], object]


def decoder_named(name: str) -> Decoder:
    """The decoder 'simplejpeg', 'opencv' or 'pillow'; its library is imported here."""
    return {"simplejpeg": _simplejpeg, "opencv": _opencv, "pillow": _pillow}[name]()


def decode_clip(decode: Decoder, frames: Sequence[bytes], frame_shape: tuple[int, ...]) -> np.ndarray:
    """T images to a fresh array [T, H, W, 3]."""
    clip = np.empty((len(frames), *frame_shape), np.uint8)
    for frame, out in zip(frames, clip, strict=True):
        decode(frame, out)
    return clip


def _simplejpeg() -> Decoder:
    import simplejpeg

    return lambda image, out: simplejpeg.decode_jpeg(image, buffer=out)


def _opencv() -> Decoder:
    import cv2

    cv2.setNumThreads(1)
    flags = cv2.IMREAD_COLOR_RGB
    return lambda image, out: np.copyto(out, cv2.imdecode(np.frombuffer(image, np.uint8), flags))


def _pillow() -> Decoder:
    from PIL import Image

    return lambda image, out: np.copyto(out, Image.open(io.BytesIO(image)))
