"""A video kept as a folder of numbered images, such as 000.png, 009.png, 018.png."""

import re
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import av
import numpy as np
from PIL import Image, ImageOps

from deepfake_tfdata.clips.layouts.tree import IMAGE_SUFFIXES
from deepfake_tfdata.clips.limits import MAX_FRAMES_IN_VIDEO, MAX_HELD_BYTES, MAX_PIXELS
from deepfake_tfdata.video.decode import ChosenFrames, DecodedFrame
from deepfake_tfdata.video.errors import VideoError

# Nobody says at what rate the frames were taken; most videos have about this many a second.
FRAMES_PER_SECOND = 25
_FORMATS = ("PNG", "JPEG", "WEBP", "BMP")
_LAST_NUMBER = re.compile(r"\d+(?=\D*$)")


@dataclass(frozen=True)
class ChosenImages(ChosenFrames):
    """The chosen images of a folder; those that do not fit in memory are read again by every iteration.

    `indices` are the numbers in their names, with their gaps, and `timestamps` those divided by
    FRAMES_PER_SECOND.

    Attributes:
        files: of the chosen images, in order.
    """

    files: tuple[Path, ...] = field(repr=False, default=())

    def __iter__(self) -> Iterator[DecodedFrame]:
        if self._held is not None:
            return iter(self._held)
        return map(_read, self.files, self.indices.tolist())


def choose_images(path: str, choose: Callable[[int], np.ndarray]) -> ChosenImages:
    """Reads the chosen images of a folder.

    Args:
        path: the folder.
        choose: from the number of images to the positions to keep in the order of their numbers, increasing.

    Raises:
        VideoError: an image has no number of its own, can't be read, is larger than the limits or of another
            size than the others; whatever `choose` raises.
    """
    numbered = _numbered_files(Path(path))
    height, width = _common_size(list(numbered.values()))
    numbers = np.array(list(numbered), np.int64)[choose(len(numbered))]
    files = tuple(numbered[number] for number in numbers.tolist())
    held = None
    if 3 * height * width * len(files) <= MAX_HELD_BYTES:
        held = list(map(_read, files, numbers.tolist()))
    return ChosenImages(path, numbers, numbers / FRAMES_PER_SECOND, held, files=files)


def _numbered_files(folder: Path) -> dict[int, Path]:
    """The images by the last number in their names, in its order."""
    numbered: dict[int, Path] = {}
    try:
        files = sorted(file for file in folder.iterdir() if _is_image(file.name))
    except OSError as error:
        raise VideoError("unreadable", f"the folder can't be read: {error.strerror or error}") from error
    for file in files:
        number = _LAST_NUMBER.search(file.stem)
        if number is None:
            raise VideoError("unreadable", f"the image {file.name} has no number in its name")
        other = numbered.setdefault(int(number[0]), file)
        if other is not file:
            raise VideoError("unreadable", f"the images {other.name} and {file.name} have one number")
    if not numbered:
        raise VideoError("unreadable", "it is a folder without images")
    if len(numbered) > MAX_FRAMES_IN_VIDEO:
        raise VideoError("too_large", f"it has more than {MAX_FRAMES_IN_VIDEO:,} images; cut it into parts")
    return dict(sorted(numbered.items()))


def _is_image(name: str) -> bool:
    return Path(name).suffix.lower() in IMAGE_SUFFIXES and not name.startswith(".")


def _common_size(files: list[Path]) -> tuple[int, int]:
    """Height and width, which all images must have; their headers are enough for it."""
    sizes = {}
    for file in files:
        with _open(file) as image:
            sizes[image.size] = file
        if len(sizes) > 1:
            shown = " and ".join(
                f"{width}x{height} ({example.name})" for (width, height), example in sizes.items()
            )
            raise VideoError("unreadable", f"its images differ in size: {shown}")
    ((width, height),) = sizes
    return height, width


def _read(file: Path, number: int) -> DecodedFrame:
    """The pixels of an image, upright, as a frame of the video."""
    with _open(file) as image:
        pixels = np.ascontiguousarray(_rgb(ImageOps.exif_transpose(image)))
    frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
    return DecodedFrame(number, number / FRAMES_PER_SECOND, frame)


def _rgb(image: Image.Image) -> np.ndarray:
    """uint8 [H, W, 3]; of 16 bits the upper 8, of a palette its colours, of alpha nothing."""
    if image.mode.startswith("I"):
        grey = np.clip(np.asarray(image).astype(np.int64) >> 8, 0, 255).astype(np.uint8)
        return np.repeat(grey[..., None], 3, axis=2)
    # By way of RGBA, since a palette's transparency has no place in RGB.
    return np.asarray((image.convert("RGBA") if image.mode in ("P", "PA") else image).convert("RGB"))


@contextmanager
def _open(file: Path) -> Iterator[Image.Image]:
    """An image whose header is read; VideoError with its name, also for what goes wrong in the block."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            image = Image.open(file, formats=_FORMATS)
        with image:
            _check(file, image)
            yield image
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        raise _too_large(file) from error
    # Pillow's decoders raise one or the other where a file is cut off or damaged.
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        reason = f"the image {file.name} can't be read: it is damaged, or none"
        raise VideoError("unreadable", reason) from error


def _check(file: Path, image: Image.Image) -> None:
    if image.width * image.height > MAX_PIXELS:
        raise _too_large(file)
    if getattr(image, "n_frames", 1) > 1:
        raise VideoError("unreadable", f"the image {file.name} is an animation")


def _too_large(file: Path) -> VideoError:
    return VideoError("too_large", f"the image {file.name} is above the limit of {MAX_PIXELS:,} pixels")
