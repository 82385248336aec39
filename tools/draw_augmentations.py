"""Draws what each augmentation does to three frames of a clip, for the README.

python -m tools.draw_augmentations --output=.github/augmentations.png

The clip is a photographed face that the camera moves past, with the frames' numbers in the picture. Each
strip shows the strongest of a few draws.
"""

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np
import skimage.data
import tensorflow as tf
from PIL import Image, ImageDraw, ImageFont

from deepfake_tfdata.input.augment import OPERATIONS, augment_clip

_FRAMES = 3
_SIZE = 132
_STEP = 16  # pixels that the camera moves a frame: enough to see a frame repeated or the clip reversed
_TOP, _LEFT = 46, 150  # of the face in the photograph
_DRAWS = 12
_COLUMNS = 2
_GAP, _CAPTION = 10, 22
_BLACK, _WHITE = (0, 0, 0), (255, 255, 255)


def main(argv: list[str] | None = None) -> None:
    """Reads the arguments and draws."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, required=True, help="the PNG to write")
    arguments = parser.parse_args(argv)
    draw_sheet().save(arguments.output, optimize=True)


def draw_sheet() -> Image.Image:
    """All augmentations in the order of their application, after the clip as it is."""
    clip = moving_face()
    strips = {
        "as recorded": clip,
        **{name: strongest(OPERATIONS[name].apply, clip) for name in OPERATIONS},
    }
    strips["all, in one draw"] = strongest(lambda *inputs: augment_clip(*inputs, tuple(OPERATIONS)), clip)
    width, height = _FRAMES * (_SIZE + 2) + 2 * _GAP, _CAPTION + _SIZE + _GAP
    rows = -(-len(strips) // _COLUMNS)
    sheet = Image.new("RGB", (_COLUMNS * width, rows * height + _GAP), _WHITE)
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(15)
    for index, (caption, frames) in enumerate(strips.items()):
        left, top = index % _COLUMNS * width + _GAP, index // _COLUMNS * height
        draw.text((left, top + _CAPTION - 3), caption, _BLACK, font, anchor="ls")
        for position, frame in enumerate(frames):
            sheet.paste(Image.fromarray(frame), (left + position * (_SIZE + 2), top + _CAPTION))
    # A palette makes a quarter of the file; dithering would look like noise.
    return sheet.quantize(256, dither=Image.Dither.NONE)


def moving_face() -> np.ndarray:
    """A clip uint8 [T, S, S, 3] of NASA's photograph of Eileen Collins, which is in the public domain."""
    photograph = skimage.data.astronaut()[_TOP : _TOP + _SIZE]
    frames = []
    for index in range(_FRAMES):
        left = _LEFT + _STEP * index
        frame = Image.fromarray(photograph[:, left : left + _SIZE])
        draw = ImageDraw.Draw(frame)
        draw.rectangle((0, _SIZE - 24, 20, _SIZE), _WHITE)
        draw.text((10, _SIZE - 5), str(index + 1), _BLACK, ImageFont.load_default(18), anchor="ms")
        frames.append(np.asarray(frame))
    return np.stack(frames)


def strongest(augment: Callable[[tf.Tensor, tf.Tensor], tf.Tensor], clip: np.ndarray) -> np.ndarray:
    """The augmented clip that differs most from the clip, out of a few."""
    draws = [augment(tf.constant(clip), tf.constant([n, 0])).numpy() for n in range(_DRAWS)]
    return max(draws, key=lambda draw: np.abs(draw.astype(int) - clip).mean())


if __name__ == "__main__":
    main()
